"""encode over a corpus: what its shards hold, and the cache of repeated texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertcli.analysis.embeddings.encode import EncodeOptions
from bertcli.checkpoints.hub_cache import OnDownload, ignore_download
from bertcli.commands.corpus import CorpusRun
from bertcli.commands.encode.labels import notes_on_context
from bertcli.commands.encode.outputs import encode_options, open_dedupe, parquet_layout, sort_window
from bertcli.commands.encode.request import EncodeRequest
from bertcli.commands.encode.windows import window_plan
from bertcli.lazy_dataclass import dataclass
from bertcli.model.session import Session
from bertcli.output.destination import FOLDER, Destination
from bertcli.output.files.shard_job import ShardJob
from bertcli.pipeline.scheduler import Plan
from bertcli.results.corpus import Manifest
from bertcli.results.texts import RunInfo

if TYPE_CHECKING:
    from bertcli.input.records import FailedText, TextRecord
    from bertcli.pipeline.dedupe import DedupeCache
    from bertcli.storage import AnyPath


def corpus_run(request: EncodeRequest) -> CorpusRun:
    """Return the run of a request that has a folder."""
    return CorpusRun.of("encode", EncodeCommand(request), request)


@dataclass(frozen=True, slots=True)
class EncodeCommand:
    """encode, with its options; a bertcli.output.files.shard_job.ShardCommand."""

    request: EncodeRequest

    def set_up(self, session: Session, info: RunInfo, on_download: OnDownload = ignore_download) -> ShardJob:
        """Return what to compute for each text, and the columns of its vectors."""
        request = self.request
        options = encode_options(request, session, Destination(FOLDER))
        session.tokenizer.offers_windows = not options.needs_whole_texts
        compute, documents = window_plan(session, options)
        layout = parquet_layout(session, request, options, info)
        return ShardJob(
            compute=compute,
            layout=layout,
            plan=Plan(sort_window=sort_window(options), ids_only=not options.needs_words),
            options=partial(_options, request),
            documents=documents,
            notes=notes_on_context(request, options.heads),
            dedupe=VectorDedupe(request, session, options, [vector.name for vector in layout.vectors])
            if request.corpus.dedupe
            else None,
        )


@dataclass(frozen=True, slots=True)
class VectorDedupe:
    """The cache of the vectors of repeated texts.

    Attributes:
        request: The options.
        session: The open checkpoint.
        options: What is computed for each text.
        vectors: Names of the columns of vectors.
    """

    request: EncodeRequest
    session: Session
    options: EncodeOptions
    vectors: Sequence[str]

    def open(self, scratch: Path) -> AbstractContextManager[Any]:
        """Return a context that yields the empty cache."""
        return open_dedupe(self.request, self.session, self.options, scratch)

    def seeder(
        self, cache: DedupeCache, folder: AnyPath, manifest: Manifest
    ) -> Callable[[TextRecord | FailedText], None]:
        """Return a function that fills the cache from the finished shards."""
        from bertcli.pipeline.dedupe import ShardSeeder

        return ShardSeeder(cache, folder, manifest, self.vectors)


def _options(request: EncodeRequest) -> Mapping[str, Any]:
    embedding = request.embedding
    return {
        "pool": str(embedding.pooling),
        "normalize": embedding.normalize,
        "prompt": embedding.prompt,
        "prompt_name": embedding.prompt_name,
        "tokens": request.tokens,
        "layers": request.layers,
        "pooler": request.pooler,
        "no_labels": not request.labels,
        "dtype_out": request.dtype_out,
        "keep_text": request.corpus.keep_text,
        "layer_op": None if embedding.layer_op is None else str(embedding.layer_op),
    }
