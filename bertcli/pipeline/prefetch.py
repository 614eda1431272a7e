"""Stages of a run that work at the same time, each in a thread of its own, with a bounded queue after each."""

import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

Item = TypeVar("Item")
# A thread that holds the interpreter keeps another, which comes back from a product, waiting for so long (seconds).
# Python's own 5 ms are as much as the product takes.
_SWITCH_INTERVAL = 0.0005
# A stage that waits for its input hears of the end when the input comes, or not at all.
_LONGEST_GOODBYE = 0.2


class Stages:
    """Threads that end together: when the last of them is done, when one fails, or when the run is left.

    >>> with Stages() as stages:
    ...     list(stages.ahead(number * number for number in stages.ahead(range(4), 2)))
    [0, 1, 4, 9]
    """

    def __init__(self) -> None:
        self._queues: list[_Queue[Any]] = []
        self._threads: list[tuple[threading.Thread, bool]] = []

    def __enter__(self) -> Self:
        self._switch_interval = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH_INTERVAL)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.setswitchinterval(self._switch_interval)
        for queue in self._queues:
            queue.stop()
        for thread, may_wait in self._threads:
            thread.join(_LONGEST_GOODBYE if may_wait else None)

    def ahead(self, items: Iterable[Item], depth: int = 2, *, may_wait: bool = False) -> "Prefetched[Item]":
        """The items in their order, made by a thread that is at most `depth` of them ahead of who takes them.

        may_wait: making one may take forever, as of a pipe that nobody writes to, so that the thread is not waited for
        in the end. What goes wrong in making one is raised where it would have been taken.
        """
        queue: _Queue[Item] = _Queue(depth)
        self._queues.append(queue)
        thread = threading.Thread(target=_work, args=(items, queue), daemon=True)
        self._threads.append((thread, may_wait))
        thread.start()
        return Prefetched(queue)


class Prefetched(Generic[Item]):
    """Items as they are made."""

    def __init__(self, queue: "_Queue[Item]") -> None:
        self._queue = queue

    @property
    def is_empty(self) -> bool:
        """Whether the next would have to be waited for."""
        return self._queue.is_empty

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        return self._queue.get()


class _Stopped(BaseException):
    """The run is over, and what is in the middle of it is to be left."""


class _Queue(Generic[Item]):
    """Items on their way from one thread to one other, then the end or the error that came in their place."""

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._items: deque[Item] = deque()
        self._end: BaseException | None = None
        self._stopped = False
        self._changed = threading.Condition()

    @property
    def is_empty(self) -> bool:
        return not self._items

    def put(self, item: Item) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or len(self._items) < self._depth)
            if self._stopped:
                raise _Stopped
            self._items.append(item)
            self._changed.notify_all()

    def end(self, error: BaseException) -> None:
        with self._changed:
            self._end = error
            self._changed.notify_all()

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def get(self) -> Item:
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._items or self._end is not None)
            if self._stopped:
                raise _Stopped
            if not self._items:
                assert self._end is not None
                raise self._end
            item = self._items.popleft()
            self._changed.notify_all()
            return item


def _work(items: Iterable[Item], queue: _Queue[Item]) -> None:
    try:
        for item in items:
            queue.put(item)
            del item  # while the next is made, the last is not to be held twice
    except _Stopped:
        pass
    except BaseException as error:
        queue.end(error)
    else:
        queue.end(StopIteration())
