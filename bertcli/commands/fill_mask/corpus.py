"""fill-mask over a corpus: what it computes for the texts of a shard, and how a row holds it."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from bertcli.analysis.masks.minimal_pairs import join_pairs
from bertcli.checkpoints.find import find_checkpoint
from bertcli.checkpoints.hub_cache import OnDownload, ignore_download
from bertcli.checkpoints.required_files import fingerprint
from bertcli.commands.corpus import CorpusRun, option_values, record_layout
from bertcli.commands.fill_mask.analyses import set_up
from bertcli.commands.fill_mask.analysis import passes_of
from bertcli.commands.fill_mask.candidates import list_targets
from bertcli.commands.fill_mask.request import FillMaskRequest
from bertcli.commands.opening import record_plan
from bertcli.lazy_dataclass import dataclass
from bertcli.model.requirements import require_mlm
from bertcli.model.session import Session
from bertcli.output.files.shard_job import ShardJob
from bertcli.pipeline.documents import ANSWER_WINDOWS
from bertcli.results.texts import RunInfo

# Fields of the request that the manifest does not record as options.
_GROUPS = ("texts", "model", "output", "pairs", "corpus", "ray")


def corpus_run(request: FillMaskRequest) -> CorpusRun:
    """Return the run of a request that has a folder."""
    return CorpusRun.of("fill-mask", FillMaskCommand(request), request, request.source(), passes_of(request))


@dataclass(frozen=True, slots=True)
class FillMaskCommand:
    """fill-mask, with its options; a bertcli.output.files.shard_job.ShardCommand."""

    request: FillMaskRequest

    def set_up(self, session: Session, info: RunInfo, on_download: OnDownload = ignore_download) -> ShardJob:
        """Return what to compute for each text, and the columns of its record."""
        request = self.request
        require_mlm(session)
        session.tokenizer.offers_windows = not request.needs_whole_texts
        analysis = set_up(request, session, on_download)
        return ShardJob(
            compute=analysis.compute,
            layout=record_layout(request, analysis.schema(info), info, is_large=analysis.is_large),
            plan=record_plan(batch_tokens=analysis.batch_tokens, is_large=analysis.is_large, parts=analysis.parts),
            options=self._options,
            check=analysis.check,
            documents=analysis.documents or ANSWER_WINDOWS,
            divide=analysis.divide,
            # The summary that the analysis adds to pairs and expected words needs all of them in one process.
            join=None if request.pairs.versus is None else join_pairs,
            predicts_tokens=True,
            notes=analysis.notes,
        )

    def _options(self) -> Mapping[str, Any]:
        request = self.request
        found = {**option_values(request, without=_GROUPS), **option_values(request.pairs, without=["aggregate"])}
        if request.targets is not None:
            words = "\n".join(list_targets(request.targets))
            found["targets_sha256"] = sha256(words.encode()).hexdigest()
        if request.lens_file is not None:
            with Path(request.lens_file).open("rb") as file:
                found["lens_sha256"] = file_digest(file, "sha256").hexdigest()
        if request.compare is not None:
            model = request.model
            other = find_checkpoint(request.compare, offline=model.offline, token=model.token)
            found["compare_sha256"] = fingerprint(other.whole_folder)
        return {**found, "fields": request.output.fields, "keep_text": request.corpus.keep_text}
