"""Reading the JSON files of a checkpoint."""

import json
from pathlib import Path
from typing import Any

from bertcli.errors import BadCheckpoint


def read_json_object(path: Path) -> dict[str, Any]:
    """The object that the file holds. Raises BadCheckpoint where it is not JSON, or not an object."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadCheckpoint(
            f"{path} is not valid JSON: {error}", hint="the file may be damaged; copy the checkpoint again"
        ) from None
    if not isinstance(value, dict):
        raise BadCheckpoint(f"{path} does not hold a JSON object", hint="copy the checkpoint again")
    return value


def read_json_object_if_there(path: Path) -> dict[str, Any]:
    """As read_json_object; an empty one where there is no such file."""
    return read_json_object(path) if path.is_file() else {}
