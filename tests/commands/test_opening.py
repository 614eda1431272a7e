"""Notes about the model that a command opens."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from bertcli.choices import DtypeName, EngineName
from bertcli.commands.opening import open_texts
from bertcli.commands.options import TextOptions
from bertcli.model.request import SessionRequest
from tests.families import save_family
from tests.tiny import VOCABULARY, edit_config, save_bert, write_vocabulary


def test_an_untested_family_is_reported_as_such(tmp_path: Path) -> None:
    notes: list[str] = []
    sink = SimpleNamespace(reporter=SimpleNamespace(note=notes.append, announce=None))
    save_family(tmp_path, "electra")
    open_texts(TextOptions(texts=["how"]), SessionRequest(model=str(tmp_path)), sink)
    assert notes == []
    edit_config(tmp_path, model_type="newer-electra")
    session, _ = open_texts(TextOptions(texts=["how"]), SessionRequest(model=str(tmp_path)), sink)
    assert session.config.model_type == "newer-electra"
    assert ["ElectraForMaskedLM" in note and "untested" in note for note in notes] == [True]


def test_a_vocabulary_with_capitals_is_cased_unless_a_file_says_otherwise(tmp_path: Path) -> None:
    notes: list[str] = []
    sink = SimpleNamespace(reporter=SimpleNamespace(note=notes.append, announce=None))
    request = SessionRequest(model=str(save_bert(tmp_path)))

    def ids(text: str) -> list[int]:
        session, _ = open_texts(TextOptions(texts=["how"]), request, sink)
        return session.tokenizer.encode_text(text)

    assert ids("Caf") == ids("caf")
    assert notes == []
    (tmp_path / "tokenizer_config.json").unlink()
    assert ids("Caf") != ids("caf")
    assert ["not lower-cased" in note for note in notes] == [True, True]
    write_vocabulary(tmp_path, [token if token in VOCABULARY[:5] else token.lower() for token in VOCABULARY])
    assert ids("Caf") == ids("caf")
    assert len(notes) == 2


def test_a_note_warns_of_a_number_type_that_the_processor_emulates(
    tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes: list[str] = []
    sink = SimpleNamespace(reporter=SimpleNamespace(note=notes.append, announce=None))
    monkeypatch.setattr("bertcli.model.dtypes.is_multiplied_by_processor", lambda dtype: dtype == "float32")
    for dtype in DtypeName:
        open_texts(TextOptions(texts=["how"]), SessionRequest(str(tiny_bert), device="cpu", dtype=dtype), sink)
    # The numpy engine does not compute in this type, so it would not take longer.
    request = SessionRequest(str(tiny_bert), engine=EngineName.NUMPY, dtype=DtypeName.BFLOAT16)
    open_texts(TextOptions(texts=["how"]), request, sink)
    assert [note.split(",")[0] for note in notes] == [
        f"this processor has no instructions that multiply {dtype}" for dtype in ("float16", "bfloat16")
    ]
