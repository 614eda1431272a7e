"""Descriptions of installed checkpoints, from the headers of their files. No tensor is read; numpy is not imported."""

from pathlib import Path

from bertcli.checkpoints.config import read_config
from bertcli.checkpoints.find import Installed
from bertcli.checkpoints.required_files import PART_NAMES, Files, missing_files
from bertcli.checkpoints.weight_files import FLOATS, find_weight_files
from bertcli.errors import BadCheckpoint
from bertcli.results.models import KnownModel


def describe_model(installed: Installed) -> KnownModel:
    """Describe an installed checkpoint: its family, sizes and parts.

    Raises:
        BadCheckpoint, UnsupportedModel: The checkpoint cannot be opened.
    """
    checkpoint = installed.checkpoint
    config = read_config(checkpoint.folder)
    if missing := missing_files(checkpoint.folder, Files.ALL):
        raise BadCheckpoint(
            f"{checkpoint.name} has been downloaded without its {PART_NAMES[missing[0]]}",
            hint=f"a command with -m {checkpoint.name} downloads the rest",
        )
    weight_files = find_weight_files(checkpoint.folder, config.architecture)
    parameters = has_pooler = has_mlm_head = None
    if not weight_files.is_pickled:
        weight_files.check_fits(config)
        parts = weight_files.optional_parts(config)
        has_pooler, has_mlm_head = parts.has_pooler, parts.has_mlm_head
        parameters = sum(info.parameters for info in weight_files.infos if info.dtype in FLOATS)
    return KnownModel(
        model=checkpoint.name,
        revision=checkpoint.revision,
        refs=installed.refs,
        family=config.model_type,
        num_hidden_layers=config.num_hidden_layers,
        hidden_size=config.hidden_size,
        num_attention_heads=config.num_attention_heads,
        parameters=parameters,
        nbytes=_size(checkpoint.folder),
        has_pooler=has_pooler,
        has_mlm_head=has_mlm_head,
    )


def _size(folder: Path) -> int:
    """Return the bytes of all files. Links are followed, since snapshots in the hub's cache consist of links."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
