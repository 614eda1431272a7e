"""Lazy dataclasses: they behave as dataclasses do."""

import copy
import dataclasses
import pickle
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any, ClassVar

import pytest

from bertcli.lazy_dataclass import _INTERPRETED, dataclass


@dataclass(frozen=True, slots=True)
class Point:
    """A point with a name."""

    x: int
    y: float = 0.5
    tags: list[str] = dataclasses.field(default_factory=list)
    name: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Peer:
    """The same class, made by dataclasses."""

    x: int
    y: float = 0.5
    tags: list[str] = dataclasses.field(default_factory=list)
    name: str | None = None


@dataclass(frozen=True, slots=True)
class NamedPoint(Point):
    """A subclass with another field."""

    colour: str = "red"


class Plain(NamedPoint):
    """A subclass that is no dataclass, so its instances have attributes besides the slots."""


@dataclass(frozen=True)
class Open:
    """A class without slots."""

    x: int
    kind: ClassVar[str] = "open"

    @cached_property
    def double(self) -> int:
        return 2 * self.x


@dataclass(frozen=True, slots=True)
class Own:
    """A class with methods of its own."""

    x: int

    def __repr__(self) -> str:
        return "own"

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 7


@dataclass(slots=True)
class Counts:
    """A class whose instances change."""

    done: int = 0
    names: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Derived(NamedPoint):
    """A dataclass of the standard library, derived from a lazy one."""

    size: int = 1


ARGUMENTS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((1,), {}), ((1, 2.0), {"name": "a"}), ((), {"x": 3, "tags": ["t"]}), ((1, 2.0, ["a"], "b"), {}),
]  # fmt: skip


@pytest.mark.parametrize(("args", "kwargs"), ARGUMENTS)
def test_an_instance_is_that_of_dataclasses(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    ours, peer = Point(*args, **kwargs), Peer(*args, **kwargs)
    assert repr(ours) == repr(peer).replace("Peer", "Point")
    assert dataclasses.asdict(ours) == dataclasses.asdict(peer)
    assert dataclasses.astuple(ours) == dataclasses.astuple(peer)
    assert ours == Point(*args, **kwargs)
    assert ours != peer
    assert dataclasses.replace(ours, x=9) == Point(9, *dataclasses.astuple(peer)[1:])


def test_a_field_may_be_named_self() -> None:
    kind = dataclass(frozen=True)(type("Kind", (), {"__annotations__": {"self": int, "other": int}}))
    made = [(kind(self=each, other=2).self, kind(each, 2).other) for each in range(_INTERPRETED)]
    assert made == [(each, 2) for each in range(_INTERPRETED)]


def test_the_first_instances_are_those_of_the_compiled_method() -> None:
    def make() -> list[Any]:
        return [Fresh(1), Fresh(1, 2.0, name="a"), Fresh(x=3, tags=["t"]), Fresh(1, 2.0, ["a"], "b")]

    @dataclass(frozen=True, slots=True)
    class Fresh(Point):
        """A class without instances."""

    first, made = make(), Fresh.__init__
    for _ in range(_INTERPRETED):
        Fresh(0)
    assert Fresh.__init__ is not made
    assert make() == first
    assert first[0].tags is not first[1].tags


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [((), {}), ((1, 2, [], "a", "more"), {}), ((1,), {"x": 2}), ((1,), {"z": 1}), ((), {"y": 1.0})],
    ids=["none", "too many", "twice", "unknown", "a required one missing"],
)
@pytest.mark.parametrize("instances", [0, 2 * _INTERPRETED])
def test_wrong_arguments_of_the_first_and_of_later_instances_are_refused(
    args: tuple[Any, ...], kwargs: dict[str, Any], instances: int
) -> None:
    @dataclass(frozen=True, slots=True)
    class Fresh(Point):
        """A class without instances."""

    for _ in range(instances):
        Fresh(1)
    with pytest.raises(TypeError, match=r"Fresh.__init__\(\)"):
        Fresh(*args, **kwargs)
    assert Fresh(1).y == 0.5


def test_instances_may_change_if_the_class_is_not_frozen() -> None:
    counts, peer = Counts(), dataclasses.make_dataclass("Peer", ["done"])
    counts.done += 3
    counts.names.append("a")
    assert counts == Counts(3, ["a"]) != Counts()
    with pytest.raises(TypeError, match="unhashable"):
        hash(counts)
    del counts.done
    assert not hasattr(counts, "done")
    assert peer.__hash__ is Counts.__hash__ is None


def test_dataclasses_can_be_derived() -> None:
    assert Derived(1, size=2) == Derived(1, 0.5, [], None, "red", 2)
    with pytest.raises(TypeError, match="cannot inherit non-frozen dataclass from a frozen one"):
        dataclasses.dataclass(type("Changeable", (Point,), {}))


def test_fields_are_those_of_dataclasses() -> None:
    for ours, peer in zip(dataclasses.fields(Point), dataclasses.fields(Peer), strict=True):
        assert (ours.name, ours.type, ours.default) == (peer.name, peer.type, peer.default)
        assert ours.default_factory is peer.default_factory
    assert [each.name for each in dataclasses.fields(Plain)] == ["x", "y", "tags", "name", "colour"]
    assert [each.name for each in dataclasses.fields(Open)] == ["x"]


def test_threads_may_make_the_first_instances_together() -> None:
    kind = dataclass(frozen=True)(type("Kind", (), {"__annotations__": {"x": int}}))
    with ThreadPoolExecutor(8) as threads:
        assert [each.x for each in threads.map(kind, range(64))] == list(range(64))


def test_a_method_that_was_looked_up_before_another_thread_replaced_it_still_works() -> None:
    kind = dataclass(frozen=True)(type("Kind", (), {"__annotations__": {"x": int}}))
    first, instance = kind.__init__, object.__new__(kind)
    kind(1)
    first(instance, 2)
    assert instance.x == 2


def test_a_default_factory_makes_a_new_value_each_time() -> None:
    assert Point(1).tags is not Point(1).tags


@pytest.mark.parametrize("instance", [Point(1), Open(1), NamedPoint(1)], ids=repr)
def test_an_instance_cannot_be_changed(instance: Any) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'x'"):
        instance.x = 2
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'x'"):
        del instance.x
    assert instance.x == 1


def test_a_class_has_slots_if_they_are_requested() -> None:
    assert not hasattr(Point(1), "__dict__")
    assert Open(2).double == 4


def test_subclasses_have_the_fields_of_both() -> None:
    assert NamedPoint(1, colour="blue") == NamedPoint(1, 0.5, [], None, "blue")
    assert Plain(1, colour="blue").colour == "blue"
    assert type(Plain(1)) is Plain
    assert NamedPoint(1) != Point(1)


def test_equal_instances_have_equal_hashes() -> None:
    assert len({Open(1), Open(1), Open(2)}) == 2
    with pytest.raises(TypeError, match="unhashable"):
        hash(Point(1))  # it holds a list


def test_methods_of_the_class_itself_are_kept() -> None:
    assert (repr(Own(1)), hash(Own(1)), Own(1) == 3) == ("own", 7, True)


@pytest.mark.parametrize("instance", [Point(1, tags=["a"]), Open(3), NamedPoint(2), Plain(4)], ids=repr)
def test_instances_can_be_pickled_and_copied(instance: Any) -> None:
    assert pickle.loads(pickle.dumps(instance)) == instance  # noqa: S301
    assert copy.deepcopy(instance) == instance
    assert type(copy.copy(instance)) is type(instance)


def test_patterns_match_positions() -> None:
    match Point(1, 2.0):
        case Point(x, y):
            assert (x, y) == (1, 2.0)


@pytest.mark.parametrize("options", [{"init": False}, {"kw_only": True}, {"compare": False}, {"repr": False}], ids=str)
def test_fields_with_other_options_are_refused(options: dict[str, Any]) -> None:
    kind = type("Kind", (), {"__annotations__": {"x": int}, "x": dataclasses.field(**options)})
    with pytest.raises(TypeError, match="x has an option"):
        dataclass(frozen=True)(kind)


def test_a_class_variable_is_not_a_field() -> None:
    assert repr(Open(1)) == "Open(x=1)"


def test_a_class_with_post_init_is_refused() -> None:
    members = {"__annotations__": {"x": int}, "__post_init__": lambda self: None}
    with pytest.raises(TypeError, match="__post_init__"):
        dataclass(frozen=True)(type("Kind", (), members))
