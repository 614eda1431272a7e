"""Requests for the sessions of a resumed run and of actors."""

from unittest.mock import Mock

import pytest

from bertcli.choices import DtypeName, EngineName
from bertcli.cluster.plan import ActorPlan
from bertcli.commands.corpus import as_started
from bertcli.commands.ray import actor_session
from bertcli.model.request import SessionRequest
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
