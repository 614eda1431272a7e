"""Notes about the model that a command opens."""

from pathlib import Path
from types import SimpleNamespace

from bertcli.commands.opening import open_texts
from bertcli.commands.options import TextOptions
from bertcli.model.request import SessionRequest
from tests.families import save_family
from tests.tiny import edit_config


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
