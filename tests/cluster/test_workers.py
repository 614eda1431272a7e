"""Encoders of a cluster write the shards that a run without one writes, also for texts that are read in windows."""

from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet

from bertcli.analysis.embeddings.encode import EncodeOptions
from bertcli.analysis.embeddings.windows import DocumentVectors, encode_windows
from bertcli.choices import DtypeName, EngineName, OnError, OnLong
from bertcli.cluster.collector import ManifestCollector
from bertcli.cluster.tasks import ShardResult, ShardTask
from bertcli.cluster.workers import ShardEncoder, ShardWork
from bertcli.commands.corpus import CorpusRun
from bertcli.commands.encode.corpus import corpus_run
from bertcli.commands.encode.request import EncodeRequest
from bertcli.commands.fill_mask.corpus import corpus_run as fill_mask_run
from bertcli.commands.fill_mask.request import FillMaskRequest
from bertcli.commands.options import TextOptions
from bertcli.model.request import EmbeddingRequest, SessionRequest
from bertcli.model.session import open_session
from bertcli.model.windows import OverlappingWindows
from bertcli.output.destination import OutputOptions
from bertcli.output.messages import Reporter
from bertcli.pipeline.documents import DocumentPlan
from bertcli.pipeline.scheduler import Plan
from bertcli.results.corpus import Manifest, ShardLimits
from bertcli.results.texts import RunInfo
from tests.cluster.pickling import unpickled
from tests.tiny import WORDS, answers, record


def shard_work(run: CorpusRun, info: RunInfo, folder: Path) -> ShardWork:
    return ShardWork(
        source=run.source,
        on_error=OnError.STOP,
        session=run.session,
        manifest=Manifest({}, ShardLimits(10)),
        working_folder=str(Path.cwd()),
        command=run.command,
        info=info,
        folder=folder,
    )


def test_an_encoder_reads_long_texts_in_windows(tiny_bert: Path, tmp_path: Path) -> None:
    request = SessionRequest(
        str(tiny_bert), device="cpu", max_length=20, long=OnLong.WINDOWS, overlap=5, embedding=EmbeddingRequest()
    )
    texts = [record(" ".join(WORDS * count), index) for index, count in enumerate((1, 4, 1, 9))]
    run = corpus_run(EncodeRequest(TextOptions(), request, OutputOptions()))
    session = open_session(run.session)
    work = shard_work(run, run.info(session), tmp_path)
    result = ShardEncoder(work)(ShardTask(0, list(texts), "", None, 0))
    assert isinstance(result, ShardResult)
    assert result.counts.done == 4
    rows = pyarrow.parquet.read_table(tmp_path / result.shard.file).to_pylist()
    options, plan = EncodeOptions(), Plan(sort_window=16, ids_only=True)
    documents = DocumentPlan(OverlappingWindows(), partial(DocumentVectors, session, options))
    compute = partial(encode_windows, session, options=options)
    expected = list(answers(session, [list(texts)], compute, plan, documents=documents))
    assert [row["n_tokens"] for row in rows] == [len(found.text.input_ids) for found in expected]
    np.testing.assert_array_equal([row["embedding"] for row in rows], [found.embedding for found in expected])


def test_encoders_in_reduced_precision_compare_texts_with_float32(tiny_bert: Path, tmp_path: Path) -> None:
    model = SessionRequest(str(tiny_bert), engine=EngineName.TORCH, device="cpu", dtype=DtypeName.BFLOAT16)
    run = fill_mask_run(FillMaskRequest(TextOptions(), model, OutputOptions(), score=True))
    info = run.info(open_session(run.session))
    encoder = ShardEncoder(shard_work(run, info, tmp_path))
    texts = [record(" ".join(WORDS[: 1 + index]), index) for index in range(8)]
    first = encoder(ShardTask(0, list(texts[:6]), "", None, 0))
    second = encoder(ShardTask(1, list(texts[6:]), "", None, 0))
    assert isinstance(first, ShardResult) and isinstance(second, ShardResult)
    assert len(first.distances) == 6
    assert second.distances == ()  # the first comparison took more than two percent of the time
    about = {**info.as_json(), "options": {}}
    collector = ManifestCollector(tmp_path, Manifest(about, ShardLimits(6)), Reporter(quiet=True), None, "bfloat16")
    for result in (first, second):
        collector.add(unpickled(result))
    collector.finish("[UNK]")
    found = collector.manifest.precision
    assert found is not None and found == collector.precision
    assert (found.texts, found.masks) == (6, 6)
    assert 0.99 < found.min_cosine < 1


def test_encoders_in_float32_compare_nothing(tiny_bert: Path, tmp_path: Path) -> None:
    run = corpus_run(EncodeRequest(TextOptions(), SessionRequest(str(tiny_bert), device="cpu"), OutputOptions()))
    encoder = ShardEncoder(shard_work(run, run.info(open_session(run.session)), tmp_path))
    result = encoder(ShardTask(0, [record("how are you", 0)], "", None, 0))
    assert isinstance(result, ShardResult) and result.distances == ()
