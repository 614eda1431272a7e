"""Models that cannot be listed: the reason in JSON."""

import errno
import json
from pathlib import Path

import pytest

from bertcli.checkpoints.find import Installed
from bertcli.commands.models import ModelsRequest, models
from bertcli.errors import ExitCode
from bertcli.output.destination import OutputOptions


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError("the data is cut off"), "the data is cut off"),
        (OSError(errno.EACCES, "Permission denied", "a/config.json"), "a/config.json: permission denied"),
    ],
)
def test_an_error_of_the_operating_system_is_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, reason: str
) -> None:
    def fail(installed: Installed) -> None:
        raise error

    monkeypatch.setattr("bertcli.commands.models.describe_model", fail)
    request = ModelsRequest(OutputOptions(output=str(tmp_path / "out.json"), quiet=True))
    assert models(request) == ExitCode.DONE
    [left_out] = json.loads((tmp_path / "out.json").read_text())["left_out"]
    assert (left_out["model"], left_out["reason"]) == ("bundled", reason)
