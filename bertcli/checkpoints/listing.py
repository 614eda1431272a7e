"""What the headers of a checkpoint's files tell of it: neither torch nor numpy, and no tensor is read."""

from pathlib import Path

from bertcli.checkpoints.config import read_config
from bertcli.checkpoints.files import WORDS, Files, missing_files
from bertcli.checkpoints.find import Installed
from bertcli.checkpoints.weight_files import FLOATS, find_weight_files
from bertcli.errors import BadCheckpoint
from bertcli.results.models import KnownModel


def known_model(here: Installed) -> KnownModel:
    """What it is. Raises BadCheckpoint and UnsupportedModel where it cannot be opened."""
    checkpoint = here.checkpoint
    config = read_config(checkpoint.folder)
    if missing := missing_files(checkpoint.folder, Files.ALL):
        raise BadCheckpoint(f"{checkpoint.name} is here without its {WORDS[missing[0]]}", hint="download it whole")
    weight_files = find_weight_files(checkpoint.folder, config.architecture)
    parameters = has_pooler = has_mlm_head = None
    if not weight_files.is_pickled:
        weight_files.check_fits(config)
        held = weight_files.parts(config)
        has_pooler, has_mlm_head = held.pooler, held.mlm_head
        parameters = sum(info.parameters for info in weight_files.infos if info.dtype in FLOATS)
    return KnownModel(
        model=checkpoint.name,
        revision=checkpoint.revision,
        refs=here.refs,
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
    """The bytes of all files, those that links lead to included, as the hub's cache has them."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
