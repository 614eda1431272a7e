"""attn over a corpus: what it computes for the texts of a shard, and how a row holds it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from bertcli.analysis.attention.heads import batch_tokens, compute_attention, compute_statistics
from bertcli.analysis.attention.statistics import Aggregate
from bertcli.checkpoints.hub_cache import OnDownload, ignore_download
from bertcli.commands.attn.analysis import aggregate_plan, check_text, display_of, prepare, schema_of
from bertcli.commands.attn.request import AttnRequest
from bertcli.commands.corpus import CorpusRun, option_values, record_layout
from bertcli.commands.opening import record_plan
from bertcli.lazy_dataclass import dataclass
from bertcli.model.session import Session
from bertcli.output.destination import FOLDER
from bertcli.output.files.shard_job import ShardJob
from bertcli.pipeline.jobs import TotalJob
from bertcli.results.texts import RunInfo


def corpus_run(request: AttnRequest) -> CorpusRun:
    """Return the run of a request that has a folder, or whose sums Ray computes."""
    return CorpusRun.of("attn", AttnCommand(request), request)


@dataclass(frozen=True, slots=True)
class AttnTotalCommand:
    """attn --aggregate, with its options; a bertcli.pipeline.jobs.TotalCommand."""

    request: AttnRequest

    def set_up(self, session: Session) -> TotalJob:
        """Return what to compute for each text, and the sums over all of them."""
        options = prepare(self.request, session, "json")
        return TotalJob(
            compute=partial(compute_statistics, session, options=options),
            plan=aggregate_plan(session, options),
            start=Aggregate,
        )


@dataclass(frozen=True, slots=True)
class AttnCommand:
    """attn, with its options; a bertcli.output.files.shard_job.ShardCommand."""

    request: AttnRequest

    def set_up(self, session: Session, info: RunInfo, on_download: OnDownload = ignore_download) -> ShardJob:
        """Return what to compute for each text, and the columns of its record."""
        request, display = self.request, display_of(self.request)
        options = prepare(request, session, FOLDER)
        is_large = options.returns_matrices
        return ShardJob(
            compute=partial(compute_attention, session, options=options),
            layout=record_layout(request, schema_of(request, options, display, info), info, is_large=is_large),
            plan=record_plan(batch_tokens=batch_tokens(session), is_large=is_large),
            options=self._options,
            check=partial(check_text, options, display),
        )

    def _options(self) -> Mapping[str, Any]:
        request = self.request
        return {
            **option_values(request.heads, without=["aggregate"]),
            **option_values(request.maps, without=["expansion"]),
            "fields": request.output.fields,
            "keep_text": request.corpus.keep_text,
        }
