"""pytorch_model.bin: its tensors are loaded, and no code in the pickle runs."""

import json
import os
import random
import warnings
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from bertcli.checkpoints.pickled import list_tensors, load_tensors
from bertcli.checkpoints.weight_files import find_weight_files
from bertcli.errors import BadCheckpoint, UnsupportedModel, WrongUsage
from bertcli.model.engine import OutputRequest
from tests.reference import assert_same, engine_outputs, transformers_outputs
from tests.tiny import one_batch, open_bert, random_model

NAME = "pytorch_model.bin"


@pytest.fixture
def pickled(own_tiny_bert: Path) -> Path:
    """tiny_bert with its weights in pytorch_model.bin alone."""
    (own_tiny_bert / "model.safetensors").unlink()
    torch.save(random_model().state_dict(), own_tiny_bert / NAME)
    return own_tiny_bert


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("engine", ["torch", "transformers"])
def test_a_pickled_checkpoint_has_the_same_outputs(pickled: Path, tiny_bert: Path, engine: str, zipped: bool) -> None:
    torch.save(random_model().state_dict(), pickled / NAME, _use_new_zipfile_serialization=zipped)
    session = open_bert(pickled, engine)
    batch = one_batch(session, ["how [MASK] you", ("the cat", "sat on the mat")])
    assert_same(engine_outputs(session, batch), transformers_outputs(tiny_bert, batch), batch)


def test_auto_chooses_torch_for_a_pickle_and_numpy_is_an_error(pickled: Path) -> None:
    assert open_bert(pickled, "auto").engine.name == "torch"
    with pytest.raises(WrongUsage, match=r"does not read pytorch_model\.bin"):
        open_bert(pickled, "numpy").info("encode")


def test_shards_together_are_the_checkpoint(pickled: Path, tiny_bert: Path) -> None:
    tensors = load_tensors(pickled / NAME)
    (pickled / NAME).unlink()
    names = sorted(tensors)
    files = {name: f"pytorch_model-{at % 3 + 1:05}-of-00003.bin" for at, name in enumerate(names)}
    for file in set(files.values()):
        torch.save({name: tensors[name].clone() for name in names if files[name] == file}, pickled / file)
    (pickled / f"{NAME}.index.json").write_text(json.dumps({"metadata": {}, "weight_map": files}), encoding="utf-8")
    session = open_bert(pickled, "torch")
    assert len(session.weight_files.files) == 3
    batch = one_batch(session, ["how [MASK] you"])
    assert_same(engine_outputs(session, batch), transformers_outputs(tiny_bert, batch), batch)
    (pickled / "pytorch_model-00002-of-00003.bin").unlink()
    with pytest.raises(BadCheckpoint, match=r"names pytorch_model-00002-of-00003\.bin, which does not exist"):
        find_weight_files(pickled)


def test_tensors_of_a_pickle_are_listed_as_those_of_a_header(pickled: Path, tiny_bert: Path) -> None:
    stored = {info.name: info for info in find_weight_files(tiny_bert).infos}
    found = {info.name: info for info in list_tensors(pickled / NAME)}
    assert stored.keys() <= found.keys()
    for name, info in stored.items():
        assert (found[name].shape, found[name].dtype, found[name].nbytes) == (info.shape, info.dtype, info.nbytes)


class Malicious:
    """A value whose unpickling runs a command."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (self.command,)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_pickle_that_would_run_code_is_refused_and_does_not_run_it(
    pickled: Path, tmp_path: Path, zipped: bool
) -> None:
    trace = tmp_path / "it-ran"
    state = OrderedDict(random_model().state_dict(), payload=Malicious(f"touch {trace}"))
    torch.save(state, pickled / NAME, _use_new_zipfile_serialization=zipped)
    for engine in ("torch", "transformers", "auto"):
        with pytest.raises(BadCheckpoint, match="more than tensors; it was not unpickled"):
            open_bert(pickled, engine)
    assert not trace.exists()
    torch.load(pickled / NAME, weights_only=False)
    assert trace.exists(), "a trusting load is to run it, or this test shows nothing"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"not a pickle", b"\x80\x02}q\x00.", bytes(5000)])
def test_a_file_that_torch_did_not_write_is_damaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(BadCheckpoint, match=r"pytorch_model\.bin is damaged|does not hold a state dict") as raised:
        load_tensors(tmp_path / NAME)
    assert raised.value.hint


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_damaged_pickle_is_a_bad_checkpoint_wherever_it_is_damaged(tmp_path: Path, zipped: bool) -> None:
    random.seed(0)
    torch.save(random_model().state_dict(), tmp_path / NAME, _use_new_zipfile_serialization=zipped)
    whole = (tmp_path / NAME).read_bytes()
    outcomes = set()
    for number in range(60):
        content = bytearray(whole)
        if number % 2:
            del content[random.randrange(len(whole)) :]
        else:
            for _ in range(20):
                content[random.randrange(3000)] = random.randrange(256)
        path = tmp_path / f"{number}.bin"
        path.write_bytes(content)
        try:
            load_tensors(path)
            outcomes.add("read")
        except BadCheckpoint as error:
            assert error.message.startswith(f"{path} ")
            outcomes.add("refused")
    assert "refused" in outcomes


@pytest.mark.parametrize("content", [[torch.ones(3)], torch.ones(3), 7])
def test_a_file_without_a_state_dict_is_a_bad_checkpoint(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / NAME)
    with pytest.raises(BadCheckpoint, match="does not hold a state dict"):
        load_tensors(tmp_path / NAME)


@pytest.mark.parametrize("engine", ["torch", "transformers"])
def test_a_pickle_of_protocol_3_is_read_without_a_warning(pickled: Path, engine: str) -> None:
    torch.save(random_model().state_dict(), pickled / NAME, pickle_protocol=3)
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        session = open_bert(pickled, engine)
        session.run(one_batch(session, ["how"]), OutputRequest())
    assert [warning for warning in raised if "pickle" in str(warning.message)] == []


@pytest.mark.parametrize("protocol", [4, 5])
def test_a_pickle_of_a_later_protocol_is_refused_without_a_warning(tmp_path: Path, protocol: int) -> None:
    torch.save({"weight": torch.ones(3)}, tmp_path / NAME, pickle_protocol=protocol)
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        with pytest.raises(BadCheckpoint, match="has a protocol above 3"):
            load_tensors(tmp_path / NAME)
    assert raised == []


def test_values_other_than_dense_tensors_with_a_name_are_skipped(tmp_path: Path) -> None:
    others = {7: torch.ones(3), "\ud800": torch.ones(3), "sparse": torch.eye(3).to_sparse(), "epoch": 7, "note": "x"}
    torch.save({"weight": torch.ones(3), **others}, tmp_path / NAME)
    assert [info.name for info in list_tensors(tmp_path / NAME)] == ["weight"]


def test_an_unsupported_dtype_is_an_error_that_names_it(tmp_path: Path) -> None:
    torch.save({"weight": torch.ones(3, dtype=torch.complex128)}, tmp_path / NAME)
    with pytest.raises(UnsupportedModel, match=r"weight as torch\.complex128"):
        list_tensors(tmp_path / NAME)
