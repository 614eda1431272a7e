"""The road of a corpus on Ray Data: one reader, and actors with a model each. It runs in the cluster, never here."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pyarrow
import ray.data
from ray.data.block import BlockMetadata

from bertcli.cluster.plan import READER_CPUS, ActorPlan

_COLUMN = "task"
# What reads: texts, packed. What encodes one of them, as each actor makes it once: it answers packed too.
Read = Callable[[], Iterator[str]]
OpenEncoder = Callable[[], Callable[[str], str]]


class Pipeline:
    """What a run has Ray compute. It is an actor itself, so that a driver outside the cluster need not be in it."""

    def __init__(self, read: Read, open_encoder: OpenEncoder, share: ActorPlan) -> None:
        context = ray.data.DataContext.get_current()
        # A row is a shard, and each is to be a block of its own: rows of one block go to one actor.
        context.target_max_block_size = 1
        context.execution_options.preserve_order = True
        context.enable_progress_bars = False
        context.raise_original_map_exception = True  # else an actor's would come as Ray's own, without what it was
        texts = ray.data.read_datasource(_Texts(read), override_num_blocks=1, ray_remote_args={"num_cpus": READER_CPUS})
        encoded = texts.map_batches(
            _Encoding,
            fn_constructor_args=(open_encoder,),
            batch_size=1,
            batch_format="pyarrow",
            # None waits with an actor that is busy: there may be one that is not, when the last shards are handed out.
            compute=ray.data.ActorPoolStrategy(size=share.actors, max_tasks_in_flight_per_actor=1),
            num_cpus=share.cpus,
            num_gpus=share.gpus or None,
        )
        self._rows = iter(encoded.iter_rows())

    def next(self) -> str | None:
        """What has come of the next shard, in their order; None after the last."""
        row = next(self._rows, None)
        return None if row is None else str(row[_COLUMN])


class _Texts(ray.data.Datasource):  # type: ignore[misc]  # Ray is not looked at for types
    """Parcels as rows. One reader has all of the input: the index of a text is known where all before it are."""

    def __init__(self, read: Read) -> None:
        super().__init__()
        self._read = read

    def estimate_inmemory_data_size(self) -> int | None:
        return None

    def get_read_tasks(self, *_: Any, **__: Any) -> list[ray.data.ReadTask]:
        read = self._read

        def blocks() -> Iterable[Any]:
            for parcel in read():
                yield _table(parcel)

        return [
            ray.data.ReadTask(blocks, BlockMetadata(num_rows=None, size_bytes=None, input_files=None, exec_stats=None))
        ]


class _Encoding:
    """An actor's part."""

    def __init__(self, open_encoder: OpenEncoder) -> None:
        self._encode = open_encoder()

    def __call__(self, batch: Any) -> Any:
        (parcel,) = batch[_COLUMN].to_pylist()
        return _table(self._encode(parcel))


def _table(packed: str) -> Any:
    return pyarrow.table({_COLUMN: pyarrow.array([packed], pyarrow.large_string())})
