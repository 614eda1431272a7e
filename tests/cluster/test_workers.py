"""Encoders of a cluster write the shards that a run without one writes, also for texts that are read in windows."""

from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet

from bertcli.analysis.embeddings.encode import EncodeOptions
from bertcli.analysis.embeddings.windows import DocumentVectors, encode_windows
from bertcli.choices import OnError, OnLong
from bertcli.cluster.tasks import ShardResult, ShardTask
from bertcli.cluster.workers import ShardEncoder, ShardWork
from bertcli.commands.encode.corpus import corpus_run
from bertcli.commands.encode.request import EncodeRequest
from bertcli.commands.options import TextOptions
from bertcli.model.request import EmbeddingRequest, SessionRequest
from bertcli.model.session import open_session
from bertcli.model.windows import OverlappingWindows
from bertcli.output.destination import OutputOptions
from bertcli.pipeline.documents import DocumentPlan
from bertcli.pipeline.scheduler import Plan
from bertcli.results.corpus import Manifest, ShardLimits
from tests.tiny import WORDS, answers, record


def test_an_encoder_reads_long_texts_in_windows(tiny_bert: Path, tmp_path: Path) -> None:
    request = SessionRequest(
        str(tiny_bert), device="cpu", max_length=20, long=OnLong.WINDOWS, overlap=5, embedding=EmbeddingRequest()
    )
    texts = [record(" ".join(WORDS * count), index) for index, count in enumerate((1, 4, 1, 9))]
    run = corpus_run(EncodeRequest(TextOptions(), request, OutputOptions()))
    session = open_session(run.session)
    work = ShardWork(
        source=run.source,
        on_error=OnError.STOP,
        session=run.session,
        manifest=Manifest({}, ShardLimits(10)),
        working_folder=str(Path.cwd()),
        command=run.command,
        info=run.info(session),
        folder=tmp_path,
    )
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
