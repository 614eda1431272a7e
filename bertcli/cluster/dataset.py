"""Data flow on Ray Data: one reader, and actors with one model each. This module runs in the cluster only."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import ray.data
from ray.data.block import BlockMetadata

from bertcli.cluster.plan import READER_CPUS, ActorPlan
from bertcli.cluster.tasks import Failure, OpenWorker, ReadTasks, TaskResult

_COLUMN = "item"


class DataFlow:
    """The computation of a run. It is an actor itself, so that the driver may be outside of the cluster.

    Args:
        read: Reads the input as tasks.
        open_worker: Makes the worker of an actor.
        plan: Number and size of the actors.
    """

    def __init__(self, read: ReadTasks, open_worker: OpenWorker, plan: ActorPlan) -> None:
        context = ray.data.DataContext.get_current()
        # A row is a shard, and each is to be a block of its own: the rows of a block go to the same actor.
        context.target_max_block_size = 1
        context.execution_options.preserve_order = True
        context.enable_progress_bars = False
        context.raise_original_map_exception = True  # otherwise an actor's error is wrapped and loses its cause
        tasks = ray.data.read_datasource(
            _TaskSource(read), override_num_blocks=1, ray_remote_args={"num_cpus": READER_CPUS}
        )
        results = tasks.map_batches(
            _WorkerActor,
            fn_constructor_args=(open_worker,),
            batch_size=1,
            batch_format="numpy",
            # With the default, a task would wait for a busy actor although another one is free.
            compute=ray.data.ActorPoolStrategy(size=plan.actors, max_tasks_in_flight_per_actor=1),
            num_cpus=plan.cpus,
            num_gpus=plan.gpus or None,
        )
        self._rows = iter(results.iter_rows())

    def next(self) -> TaskResult | Failure | None:
        """Return the result of the next task, in the order of the input; None after the last."""
        row = next(self._rows, None)
        return None if row is None else row[_COLUMN]


class _TaskSource(ray.data.Datasource):  # type: ignore[misc]  # ray has no types
    """Tasks as rows. One reader reads all of the input, since a text's index depends on all texts before it."""

    def __init__(self, read: ReadTasks) -> None:
        super().__init__()
        self._read = read

    def estimate_inmemory_data_size(self) -> int | None:
        return None

    def get_read_tasks(self, *_: Any, **__: Any) -> list[ray.data.ReadTask]:
        read = self._read

        def blocks() -> Iterable[Any]:
            for task in read():
                yield _block(task)

        return [
            ray.data.ReadTask(blocks, BlockMetadata(num_rows=None, size_bytes=None, input_files=None, exec_stats=None))
        ]


class _WorkerActor:
    """An actor with one model."""

    def __init__(self, open_worker: OpenWorker) -> None:
        self._compute = open_worker()

    def __call__(self, batch: Any) -> Any:
        (task,) = batch[_COLUMN]
        return _column(self._compute(task))


def _column(item: Any) -> dict[str, Any]:
    """Return a batch of one row that holds any object."""
    column = np.empty(1, dtype=object)
    column[0] = item
    return {_COLUMN: column}


def _block(item: Any) -> Any:
    return ray.data.block.BlockAccessor.batch_to_block(_column(item))
