"""Frozen dataclasses whose methods are shared, or made at first use.

dataclasses.dataclass writes the source of six methods for each class and compiles it. bertcli has more than a hundred
such classes in a process that answers one question, and compiling them took a quarter of its time. Here the class gets
its fields and slots from dataclasses, but __init__ is compiled when the class gets its first instance, and the other
methods are the same functions for all classes.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # mypy: other modules import it from here
else:

    def dataclass(*, frozen: Literal[True], slots: bool = False) -> Callable[[type], type]:
        """Return a decorator like dataclasses.dataclass, for frozen classes.

        Args:
            frozen: True. It tells readers and type checkers that instances do not change.
            slots: Give the class slots.
        """
        return lambda cls: _complete(dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots)(cls))


_Class = TypeVar("_Class", bound=type)
_NOT_GIVEN = object()


def _complete(cls: _Class) -> _Class:
    """Give a class the methods of a frozen dataclass, except those that it defines itself."""
    for name, method in _METHODS.items():
        # Every class has __hash__ = None if it defines __eq__.
        if cls.__dict__.get(name) is None:
            setattr(cls, name, method)
    return cls


def _initialize(instance: Any, /, *args: Any, **kwargs: Any) -> None:
    """Initialize the first instance of a class, and replace this method by the class's own."""
    cls: Any = next((each for each in type(instance).__mro__ if each.__dict__.get("__init__") is _initialize), None)
    if cls is None:  # another thread has replaced the method in the meantime
        cls = type(instance)
    else:
        cls.__init__ = _compile_init(cls)
    cls.__init__(instance, *args, **kwargs)


def _compile_init(cls: type[Any]) -> Callable[..., None]:
    """Return the __init__ of a class, with a parameter for each field.

    Raises:
        TypeError: The class has __post_init__, or a field with an option that is not supported.
    """
    if hasattr(cls, "__post_init__"):
        raise TypeError(f"{cls.__name__} has __post_init__, which lazy dataclasses do not support")
    # A field may have any name, such as self, so names that are not fields begin with an underscore. In frozen
    # instances, only object's own method sets an attribute.
    known: dict[str, Any] = {"_set": object.__setattr__, "_NOT_GIVEN": _NOT_GIVEN}
    parameters, body = ["_instance", "/"], []
    for field in dataclasses.fields(cls):
        name, value = field.name, field.name
        if field.kw_only or not (field.init and field.compare and field.repr):
            raise TypeError(f"{cls.__name__}.{name} has an option of a field that lazy dataclasses do not support")
        if field.default_factory is not dataclasses.MISSING:
            known[f"_make_{name}"] = field.default_factory
            parameters.append(f"{name}=_NOT_GIVEN")
            value = f"_make_{name}() if {name} is _NOT_GIVEN else {name}"
        elif field.default is not dataclasses.MISSING:
            known[f"_default_{name}"] = field.default
            parameters.append(f"{name}=_default_{name}")
        else:
            parameters.append(name)
        body.append(f" _set(_instance, {name!r}, {value})")
    exec("\n".join([f"def __init__({', '.join(parameters)}):", *body, " return None"]), known)
    made: Callable[..., None] = known["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made


def _values(self: Any) -> tuple[Any, ...]:
    return tuple([getattr(self, field.name) for field in dataclasses.fields(self)])


def _represent(self: Any) -> str:
    shown = ", ".join(f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self))
    return f"{type(self).__qualname__}({shown})"


def _is_equal(self: Any, other: object) -> bool:
    return _values(self) == _values(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_values(self))


def _refuse_change(self: Any, name: str, value: Any) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_deletion(self: Any, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _restore(self: Any, state: Any) -> None:
    """Set the attributes of a copied or unpickled instance, as object.__getstate__ returned them."""
    attributes, slots = state if isinstance(state, tuple) else (state, None)
    for name, value in {**(attributes or {}), **(slots or {})}.items():
        object.__setattr__(self, name, value)


_METHODS: Mapping[str, Callable[..., Any]] = {
    "__init__": _initialize,
    "__repr__": _represent,
    "__eq__": _is_equal,
    "__hash__": _hash,
    "__setattr__": _refuse_change,
    "__delattr__": _refuse_deletion,
    "__setstate__": _restore,
}
