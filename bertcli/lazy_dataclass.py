"""Dataclasses that are cheap to define.

dataclasses.dataclass makes a Field for each field, and writes the source of six methods for each class and compiles it.
bertcli has more than a hundred such classes in a process that answers one question, and making them took a quarter of
its time. Here a class gets its slots from its annotations, and the methods are the same functions for all classes. The
Fields are made when they are first used, and __init__ is compiled when the class has had several instances.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # mypy: other modules import it from here
else:

    def dataclass(*, frozen: bool = False, slots: bool = False) -> Callable[[type], type]:
        """Return a decorator like dataclasses.dataclass.

        Args:
            frozen: Refuse changes of instances, and give them a hash.
            slots: Give the class slots.
        """
        return partial(_complete_with_slots if slots else _complete, _FROZEN if frozen else _CHANGEABLE)


# Number of instances of a class whose __init__ is not compiled. Compiling takes as long as about 50 of them, and most
# classes have one or two.
_INTERPRETED = 50
# Name of the class attribute that holds the Layout.
_LAYOUT = "_lazy_layout"


class _Layout:
    """The fields of a class.

    Attributes:
        owner: The class.
        own: The names of the fields that the class itself declares.
        names: The names of all fields, those of base classes first.
        defaults: The value, or the Field with its factory, by the name of each field that has a default.
        instances: Number of instances that were initialized without a compiled __init__.
    """

    def __init__(self, cls: type[Any]) -> None:
        """Read the annotations of a class.

        Raises:
            TypeError: The class has __post_init__, or a field with an option that is not supported.
        """
        if hasattr(cls, "__post_init__"):
            raise TypeError(f"{cls.__name__} has __post_init__, which lazy dataclasses do not support")
        self.owner = cls
        self.own = [name for name, kind in cls.__annotations__.items() if not _is_class_variable(kind)]
        self.names: Sequence[str] = self.own
        self.defaults: dict[str, Any] = {}
        self.instances = 0
        base = getattr(cls, _LAYOUT, None)
        if base is not None:
            self.names = [*base.names, *(name for name in self.own if name not in base.names)]
            self.defaults.update(base.defaults)
        members = cls.__dict__
        self.defaults.update((name, _checked(members[name], cls, name)) for name in self.own if name in members)

    def bind(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the values of all fields by name, or None if the arguments are wrong."""
        names = self.names
        if len(args) > len(names) or (args and not kwargs.keys().isdisjoint(names[: len(args)])):
            return None
        values = {**self.defaults, **dict(zip(names, args, strict=False)), **kwargs}
        if len(values) != len(names) or not values.keys() >= set(names):
            return None
        for name, default in self.defaults.items():
            if values[name] is default and isinstance(default, dataclasses.Field):
                assert default.default_factory is not dataclasses.MISSING
                values[name] = default.default_factory()
        return values


class _LazyFields:
    """The value of __dataclass_fields__ until its first use."""

    def __init__(self, layout: _Layout) -> None:
        self._layout = layout

    def __get__(self, instance: Any, owner: type[Any]) -> dict[str, dataclasses.Field[Any]]:
        """Make the Fields of the class, and replace this object by them."""
        cls, layout = self._layout.owner, self._layout
        fields: dict[str, dataclasses.Field[Any]] = {}
        for base in reversed(cls.__mro__[1:]):
            fields.update(getattr(base, "__dataclass_fields__", {}))
        members = {name: layout.defaults[name] for name in layout.own if name in layout.defaults}
        members["__annotations__"] = {name: cls.__annotations__[name] for name in layout.own}
        # Without a docstring, dataclasses would make one of the signature, which takes longer than all else.
        members |= {"__module__": cls.__module__, "__doc__": cls.__name__}
        twin: Any = type(cls.__name__, (), members)
        fields.update(dataclasses.dataclass(init=False, repr=False, eq=False)(twin).__dataclass_fields__)
        cls.__dataclass_fields__ = fields
        return fields


def _is_class_variable(kind: Any) -> bool:
    """Return True if the annotation, which may be its source, is that of a class variable."""
    if isinstance(kind, str):
        return kind.removeprefix("typing.").startswith("ClassVar")
    return kind is ClassVar or getattr(kind, "__origin__", None) is ClassVar


def _checked(default: Any, cls: type[Any], name: str) -> Any:
    """Return the default of a field: a value, or a Field with a factory.

    Raises:
        TypeError: The field has an option that is not supported.
    """
    if not isinstance(default, dataclasses.Field):
        return default
    if default.kw_only is True or not (default.init and default.compare and default.repr):
        raise TypeError(f"{cls.__name__}.{name} has an option of a field that lazy dataclasses do not support")
    return default if default.default is dataclasses.MISSING else default.default


def _complete(shared: Mapping[str, Any], cls: type[Any]) -> type[Any]:
    """Give a class without slots the members of a dataclass, except those that it defines itself."""
    layout = _Layout(cls)
    for name in layout.own:
        default = layout.defaults.get(name)
        if isinstance(default, dataclasses.Field):
            delattr(cls, name)
        elif name in layout.defaults:
            setattr(cls, name, default)
    for name, member in _members_to_add(layout, shared, cls.__dict__).items():
        setattr(cls, name, member)
    return cls


def _complete_with_slots(shared: Mapping[str, Any], cls: type[Any]) -> type[Any]:
    """Return a copy of a class with slots for its fields, and with the members of a dataclass that it lacks."""
    layout = _Layout(cls)
    members = dict(cls.__dict__)
    members.update(_members_to_add(layout, shared, members))
    for name in layout.own:
        members.pop(name, None)  # a class cannot have a slot and an attribute of the same name
    inherited = {name for base in cls.__mro__[1:-1] for name in base.__dict__.get("__slots__", ())}
    members["__slots__"] = tuple([name for name in layout.own if name not in inherited])
    members.pop("__dict__", None)
    members.pop("__weakref__", None)
    metaclass: Any = type(cls)
    layout.owner = metaclass(cls.__name__, cls.__bases__, members)
    layout.owner.__qualname__ = cls.__qualname__
    return layout.owner


def _members_to_add(layout: _Layout, shared: Mapping[str, Any], members: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a dataclass that a class with these members lacks."""
    # Every class has __hash__ = None if it defines __eq__.
    added = {name: member for name, member in shared.items() if members.get(name) is None}
    own = {_LAYOUT: layout, "__match_args__": tuple(layout.names), "__dataclass_fields__": _LazyFields(layout)}
    return {**added, **own}


def _initialize(instance: Any, /, *args: Any, **kwargs: Any) -> None:
    """Initialize one of the first instances of a class. Then replace this method by one that is compiled for the class.

    Raises:
        TypeError: The arguments are wrong.
    """
    layout: _Layout = type(instance)._lazy_layout
    layout.instances += 1
    values = layout.bind(args, kwargs) if layout.instances <= _INTERPRETED else None
    if values is None:
        layout.owner.__init__ = initialize = _compile_init(layout)
        initialize(instance, *args, **kwargs)
        return
    for name, value in values.items():
        object.__setattr__(instance, name, value)


def _compile_init(layout: _Layout) -> Callable[..., None]:
    """Return the __init__ of a class, with a parameter for each field."""
    # A field may have any name, such as self, so names that are not fields begin with an underscore. In frozen
    # instances, only object's own method sets an attribute.
    known: dict[str, Any] = {"_set": object.__setattr__, "_NOT_GIVEN": object()}
    parameters, body = ["_instance", "/"], []
    for name in layout.names:
        default, value = layout.defaults.get(name, dataclasses.MISSING), name
        if isinstance(default, dataclasses.Field):
            known[f"_make_{name}"] = default.default_factory
            parameters.append(f"{name}=_NOT_GIVEN")
            value = f"_make_{name}() if {name} is _NOT_GIVEN else {name}"
        elif name in layout.defaults:
            known[f"_default_{name}"] = default
            parameters.append(f"{name}=_default_{name}")
        else:
            parameters.append(name)
        body.append(f" _set(_instance, {name!r}, {value})")
    exec("\n".join([f"def __init__({', '.join(parameters)}):", *body, " return None"]), known)
    made: Callable[..., None] = known["__init__"]
    made.__qualname__ = f"{layout.owner.__qualname__}.__init__"
    return made


def _values(self: Any) -> tuple[Any, ...]:
    return tuple([getattr(self, name) for name in self.__match_args__])


def _represent(self: Any) -> str:
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__match_args__)
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


# Members of every class, and of a frozen one. dataclasses.dataclass reads __dataclass_params__ of base classes.
_CHANGEABLE: Mapping[str, Any] = {
    "__init__": _initialize,
    "__repr__": _represent,
    "__eq__": _is_equal,
    "__setstate__": _restore,
    "__dataclass_params__": SimpleNamespace(frozen=False),
}
_FROZEN: Mapping[str, Any] = {
    **_CHANGEABLE,
    "__hash__": _hash,
    "__setattr__": _refuse_change,
    "__delattr__": _refuse_deletion,
    "__dataclass_params__": SimpleNamespace(frozen=True),
}
