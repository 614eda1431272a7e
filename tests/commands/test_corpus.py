"""Requests for the sessions of a resumed run and of actors, and the options of a folder."""

from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from bertcli.choices import DtypeName, EngineName
from bertcli.cluster.plan import ActorPlan
from bertcli.commands.corpus import as_started, check_needs_folder
from bertcli.commands.encode.corpus import corpus_run
from bertcli.commands.encode.request import EncodeRequest
from bertcli.commands.options import CorpusOptions, RayOptions, TextOptions
from bertcli.commands.ray import actor_session, open_driver_session
from bertcli.errors import WrongUsage
from bertcli.input.reader import TextReader
from bertcli.model.request import SessionRequest
from bertcli.output.destination import Destination, OutputOptions
from bertcli.output.files.manifest import Manifest, ShardLimits

STARTED = Manifest({"engine": "torch", "device": "cpu", "dtype": "bfloat16", "threads": 2}, ShardLimits(10))


def test_a_resumed_run_keeps_what_the_first_run_chose() -> None:
    found = as_started(SessionRequest(dtype=DtypeName.AUTO), STARTED)
    assert (found.engine, found.device, found.dtype, found.threads) == ("torch", "cpu", "bfloat16", 2)
    named = SessionRequest(engine=EngineName.NUMPY, device="cuda", dtype=DtypeName.FLOAT32)
    found = as_started(named, STARTED)
    assert (found.engine, found.device, found.dtype) == ("numpy", "cuda", "float32")


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        (ActorPlan(2, 1, 1), ("torch", "cuda", "bfloat16")),
        (ActorPlan(2, 1), ("numpy", "cpu", "float32")),
    ],
)
def test_an_actor_computes_in_the_type_that_suits_its_device(plan: ActorPlan, expected: tuple[str, str, str]) -> None:
    session = Mock(engine_choice=Mock(engine="numpy"), checkpoint=Mock(revision=None))
    found = actor_session(SessionRequest(dtype=DtypeName.AUTO), session, plan)
    assert (found.engine, found.device, found.dtype) == expected


@pytest.mark.parametrize(("gpus", "count"), [(None, 1), (1, 0)])
def test_an_emulated_type_is_noted_if_the_actors_compute_on_processors(
    tiny_bert: Path, monkeypatch: pytest.MonkeyPatch, gpus: float | None, count: int
) -> None:
    monkeypatch.setattr("bertcli.model.dtypes.is_multiplied_by_processor", lambda dtype: dtype == "float32")
    notes: list[str] = []
    sink = SimpleNamespace(reporter=SimpleNamespace(note=notes.append, announce=None))
    model = SessionRequest(str(tiny_bert), dtype=DtypeName.FLOAT16)
    ray = RayOptions(on_ray=True, gpus_per_actor=gpus)
    run = corpus_run(EncodeRequest(TextOptions(texts=["how"]), model, OutputOptions(), ray=ray))
    open_driver_session(run, model, TextReader(run.source), sink)
    assert len([note for note in notes if "no instructions that multiply float16" in note]) == count


@pytest.mark.parametrize(
    ("is_summary", "hint"), [(False, "use -o out/, or leave --resume out"), (True, "leave --resume out")]
)
def test_a_folder_is_proposed_only_if_the_command_can_write_one(is_summary: bool, hint: str) -> None:
    with pytest.raises(WrongUsage, match="--resume needs a folder") as raised:
        check_needs_folder(CorpusOptions(resume=True), RayOptions(), Destination("tsv"), is_summary=is_summary)
    assert raised.value.hint == hint
