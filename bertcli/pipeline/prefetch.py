"""Prefetching: stages of a run that work at the same time, each in its own thread with a bounded queue after it."""

import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

Item = TypeVar("Item")
# Seconds that a thread may hold the interpreter while another one, back from a matrix product, waits for it. Python's
# default of 5 ms is as long as the product itself.
_SWITCH_INTERVAL = 0.0005
# Seconds to wait at the end for all threads. One that waits for its input, or is in a long computation, is left behind:
# it would notice the end only afterwards.
_LONGEST_JOIN = 0.1


class Stages:
    """Threads that end together: when the last one is done, when one fails, or when the run is left early.

    >>> with Stages() as stages:
    ...     list(stages.prefetch(number * number for number in stages.prefetch(range(4), 2)))
    [0, 1, 4, 9]
    """

    def __init__(self) -> None:
        self._queues: list[_Queue[Any]] = []
        self._threads: list[threading.Thread] = []
        self._is_stopped = False

    def __enter__(self) -> Self:
        self._switch_interval = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH_INTERVAL)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.setswitchinterval(self._switch_interval)
        self._is_stopped = True
        for queue in self._queues:
            queue.stop()
        end = time.monotonic() + _LONGEST_JOIN
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def prefetch(self, items: Iterable[Item], depth: int = 2) -> "Prefetched[Item]":
        """Return the items in their order, made by a thread that is at most `depth` items ahead of the consumer.

        An error in making an item is raised where that item would have been taken.

        Args:
            items: The items; a generator runs in the thread.
            depth: Largest number of items in the queue.
        """
        queue: _Queue[Item] = _Queue(depth)
        self._queues.append(queue)
        thread = threading.Thread(target=_fill, args=(items, queue), daemon=True)
        self._threads.append(thread)
        thread.start()
        return Prefetched(queue)

    def raise_if_stopped(self) -> None:
        """End the work of this thread if the run is over. Call it between the parts of a long computation."""
        if self._is_stopped:
            raise _Stopped


class Prefetched(Generic[Item]):
    """Iterator over the items of a queue, as they are made."""

    def __init__(self, queue: "_Queue[Item]") -> None:
        self._queue = queue

    @property
    def is_empty(self) -> bool:
        """True if the next item is not available yet."""
        return self._queue.is_empty

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        return self._queue.get()


class _Stopped(BaseException):
    """Raised in a thread when the run is over."""


class _Queue(Generic[Item]):
    """Items on their way from one thread to another, followed by the end or by the error that ended them."""

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


def _fill(items: Iterable[Item], queue: _Queue[Item]) -> None:
    try:
        for item in items:
            queue.put(item)
            del item  # so that the last item is not held while the next one is made
    except _Stopped:
        pass
    except BaseException as error:
        queue.end(error)
    else:
        queue.end(StopIteration())
