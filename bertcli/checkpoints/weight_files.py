"""Which files hold a checkpoint's weights, and what their headers say, before a single tensor is read."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from bertcli.checkpoints import layout
from bertcli.checkpoints.architectures import ARCHITECTURES, Architecture
from bertcli.checkpoints.config import BertConfig, ModelConfig
from bertcli.checkpoints.headers import TensorInfo, read_header
from bertcli.checkpoints.json_files import read_json_object
from bertcli.errors import BadCheckpoint, UnsupportedModel

_SAFETENSORS, _PICKLED = "model.safetensors", "pytorch_model.bin"
# The files that weights are in, the first choice first; of a sharded one the index is there in its place.
WEIGHT_FILES, INDEX = (_SAFETENSORS, _PICKLED), ".index.json"
FLOATS = ("F64", "F32", "F16", "BF16")


@dataclass(frozen=True, slots=True)
class Parts:
    """What a checkpoint holds beside the body. next_sentence_head: with the pooler that it stands on."""

    pooler: bool
    mlm_head: bool
    next_sentence_head: bool


@dataclass(frozen=True)
class WeightFiles:
    """The files of one checkpoint. is_pickled: pytorch_model.bin, which only torch can read.

    architecture: whose names its tensors have.
    """

    folder: Path
    files: tuple[Path, ...]
    is_pickled: bool
    architecture: Architecture

    @cached_property
    def infos(self) -> tuple[TensorInfo, ...]:
        """Every tensor, as the files name it.

        A pickled file has no header: its tensors are found by opening it, which imports torch.
        """
        if self.is_pickled:
            from bertcli.checkpoints.pickled import list_tensors

            return tuple(info for file in self.files for info in list_tensors(file))
        return tuple(info for file in self.files for info in read_header(file))

    @cached_property
    def by_canonical_name(self) -> Mapping[str, TensorInfo]:
        """The tensors under BertModel's names where they are BERT's, whatever the checkpoint calls them."""
        found: dict[str, TensorInfo] = {}
        for info in self.infos:
            name = layout.canonical_name(info.name, self.architecture)
            # A decoder's own bias may be stored beside the bias that it could be tied to, and then it is what is added.
            if name not in found or info.name.endswith("decoder.bias"):
                found[name] = info
        return found

    def holds(self, part: Collection[str]) -> bool:
        """Whether every tensor of the part is there, by its canonical name; of no part where it has none."""
        return bool(part) and all(name in self.by_canonical_name for name in part)

    def parts(self, config: ModelConfig) -> Parts:
        """What is there beside the body."""
        has_pooler = self.holds(layout.pooler_tensors(config))
        has_next_sentence_head = has_pooler and self.holds(config.architecture.next_sentence_head)
        return Parts(has_pooler, self.holds(layout.mlm_head_tensors(config)), has_next_sentence_head)

    def reader(self) -> Callable[[str], Any]:
        """A function that gives a tensor by its canonical name: a numpy view of its file, or torch's from a pickle."""
        if self.is_pickled:
            from bertcli.checkpoints.pickled import load_tensors

            return lambda name: load_tensors(self.by_canonical_name[name].file)[self.by_canonical_name[name].name]
        from bertcli.checkpoints.mapped import tensor_reader

        read = tensor_reader()
        return lambda name: read(self.by_canonical_name[name])

    def check_fits(self, config: ModelConfig) -> None:
        """Raise BadCheckpoint unless the body is whole and every tensor has the shape that the config gives it.

        Raise UnsupportedModel where weights are stored as anything but floating-point numbers. Of a family whose layers
        are not BERT's only the beginning is looked at: transformers, which loads it, tells of the rest.
        """
        found = self.by_canonical_name
        is_known = layout.looks_like_bert(found) if isinstance(config, BertConfig) else layout.has_embeddings(found)
        if not is_known:
            name, others = self.architecture.class_prefix.upper(), ", ".join(list(found)[:3])
            raise BadCheckpoint(
                f"{self.folder} does not hold a {name}: its tensors have other names ({others}, ...)",
                hint=f"use a checkpoint saved from one of transformers' {self.architecture.class_prefix} classes",
            )
        if isinstance(config, BertConfig):
            self._check_layout(config)

    def _check_layout(self, config: BertConfig) -> None:
        found = self.by_canonical_name
        if surplus := layout.surplus_layers(found, config):
            raise self._misfit(f"there are tensors for {surplus} more layers than num_hidden_layers in the config")
        body = layout.body_layout(config)
        if missing := [name for name in body if name not in found]:
            raise self._misfit(f"{missing[0]} is missing (one of {len(missing)})")
        heads = layout.mlm_head_layout(config) | layout.own_decoder_layout(config) | layout.next_sentence_layout(config)
        everything = body | layout.pooler_layout(config) | heads
        if misfit := layout.first_misfit(everything, {name: info.shape for name, info in found.items()}):
            name, wanted, shape = misfit
            raise self._misfit(f"{name} has shape {shape} where the config asks for {wanted}")
        if foreign := [name for name in everything if name in found and found[name].dtype not in FLOATS]:
            raise UnsupportedModel(
                f"{self.folder} stores {foreign[0]} as {found[foreign[0]].dtype}, which is not computed with",
                hint="use the checkpoint as it was before it was quantised",
            )

    def _misfit(self, why: str) -> BadCheckpoint:
        return BadCheckpoint(
            f"the weights in {self.folder} do not fit its config.json: {why}",
            hint="config and weights come from different models; copy both again from the same place",
        )


def has_weight_files(folder: Path) -> bool:
    """Whether there are weights beside the config."""
    return any((folder / f"{stem}{end}").is_file() for stem in WEIGHT_FILES for end in ("", INDEX))


def find_weight_files(folder: Path, architecture: Architecture = ARCHITECTURES["bert"]) -> WeightFiles:
    """The weights in `folder`: safetensors before pickled, whole before sharded. Raises BadCheckpoint for none.

    architecture: as the config has it, where what the tensors mean is asked as well.
    """
    for stem, is_pickled in ((_SAFETENSORS, False), (_PICKLED, True)):
        if (folder / stem).is_file():
            return WeightFiles(folder, (folder / stem,), is_pickled, architecture)
        index = folder / f"{stem}{INDEX}"
        if index.is_file():
            return WeightFiles(folder, _shards(index), is_pickled, architecture)
    raise BadCheckpoint(
        f"{folder} has no weights: neither {_SAFETENSORS} nor {_PICKLED}, whole or sharded",
        hint="copy the weights beside config.json (git-lfs pointers have to be fetched first)",
    )


def shard_names(index: Path) -> list[str]:
    """The files that an index tells of, beside it. Raises BadCheckpoint where it is none."""
    weight_map = read_json_object(index).get("weight_map")
    if not isinstance(weight_map, dict) or not all(isinstance(name, str) for name in weight_map.values()):
        raise BadCheckpoint(f"{index} has no weight_map", hint="copy or download the checkpoint again")
    return sorted({Path(name).name for name in weight_map.values()})


def _shards(index: Path) -> tuple[Path, ...]:
    files = tuple(index.parent / name for name in shard_names(index))
    if missing := [file.name for file in files if not file.is_file()]:
        raise BadCheckpoint(
            f"{index} names {missing[0]}, which is not there", hint="copy or download every shard of the checkpoint"
        )
    return files
