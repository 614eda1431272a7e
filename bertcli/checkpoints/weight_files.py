"""Files of a checkpoint's weights, and checks of their headers before any tensor is read."""

from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from bertcli.checkpoints import layout
from bertcli.checkpoints.architectures import Architecture
from bertcli.checkpoints.config import ModelConfig, OwnConfig, read_json_object
from bertcli.checkpoints.families import ARCHITECTURES
from bertcli.checkpoints.safetensors import TensorInfo, read_header
from bertcli.errors import BadCheckpoint, UnsupportedModel
from bertcli.lazy_dataclass import dataclass

_SAFETENSORS, _PICKLED = "model.safetensors", "pytorch_model.bin"
# Names of the file that holds the weights, the preferred one first. Sharded weights have an index file instead.
WEIGHT_FILES, INDEX = (_SAFETENSORS, _PICKLED), ".index.json"
FLOATS = ("F64", "F32", "F16", "BF16")


@dataclass(frozen=True, slots=True)
class OptionalParts:
    """Parts that a checkpoint holds beside the body. The next-sentence head counts only with the pooler it needs."""

    has_pooler: bool
    has_mlm_head: bool
    has_next_sentence_head: bool


@dataclass(frozen=True)
class WeightFiles:
    """The weight files of one checkpoint.

    is_pickled: the file is pytorch_model.bin, which only torch can read. architecture: the family that named the
    tensors.
    """

    folder: Path
    files: tuple[Path, ...]
    is_pickled: bool
    architecture: Architecture

    @cached_property
    def infos(self) -> tuple[TensorInfo, ...]:
        """All tensors, under their names in the files.

        A pickled file has no header. Listing its tensors loads the file, which imports torch.
        """
        if self.is_pickled:
            from bertcli.checkpoints.pickled import list_tensors

            return tuple(info for file in self.files for info in list_tensors(file))
        return tuple(info for file in self.files for info in read_header(file))

    @cached_property
    def by_canonical_name(self) -> Mapping[str, TensorInfo]:
        """All tensors by their canonical names: BertModel's, if the layers are BERT's."""
        found: dict[str, TensorInfo] = {}
        for info in self.infos:
            name = layout.canonical_name(info.name, self.architecture)
            # A decoder's own bias may be stored beside the bias that it could be tied to. Then the own bias is used.
            if name not in found or info.name.endswith("decoder.bias"):
                found[name] = info
        return found

    def holds(self, part: Collection[str]) -> bool:
        """Return True if all tensors of a part exist, by their canonical names. Return False for an empty part."""
        return bool(part) and all(name in self.by_canonical_name for name in part)

    def optional_parts(self, config: ModelConfig) -> OptionalParts:
        """Return the optional parts that the checkpoint holds."""
        has_pooler = self.holds(layout.pooler_tensors(config))
        has_next_sentence_head = has_pooler and self.holds(config.architecture.next_sentence_head)
        is_classifier = self.holds(config.architecture.classifier_with_mlm_names)
        has_mlm_head = self.holds(layout.mlm_head_tensors(config)) and not is_classifier
        # bertcli does not know the names of an untested family's head. transformers checks them on loading.
        has_mlm_head = has_mlm_head or not config.architecture.is_tested
        return OptionalParts(has_pooler, has_mlm_head, has_next_sentence_head)

    def reader(self) -> Callable[[str], Any]:
        """Return a function that reads a tensor by its canonical name.

        It returns a numpy view of a safetensors file, or a torch tensor of a pickle.
        """
        if self.is_pickled:
            from bertcli.checkpoints.pickled import load_tensors

            return lambda name: load_tensors(self.by_canonical_name[name].file)[self.by_canonical_name[name].name]
        from bertcli.checkpoints.safetensors import MappedTensors

        read = MappedTensors()
        return lambda name: read(self.by_canonical_name[name])

    def check_fits(self, config: ModelConfig) -> None:
        """Check that the body is complete and that every tensor has the shape that the config gives it.

        If only transformers computes the model, check that there are embeddings. It checks the rest on loading.

        Raises:
            BadCheckpoint: A tensor is missing or has another shape.
            UnsupportedModel: Weights are not floating-point numbers.
        """
        found = self.by_canonical_name
        is_recognised = (
            layout.has_own_names(found, config)
            if isinstance(config, OwnConfig)
            else layout.has_embeddings(found) or not self.architecture.is_tested
        )
        if not is_recognised:
            name, others = self.architecture.class_prefix.upper(), ", ".join(list(found)[:3])
            raise BadCheckpoint(
                f"{self.folder} does not hold a {name}: its tensors have other names ({others}, ...)",
                hint=own_code_hint(config)
                or f"use a checkpoint saved from one of transformers' {self.architecture.class_prefix} classes",
            )
        if isinstance(config, OwnConfig):
            self._check_layout(config)

    def _check_layout(self, config: OwnConfig) -> None:
        found = self.by_canonical_name
        if surplus := layout.extra_layers(found, config):
            layers = "layer" if surplus == 1 else "layers"
            raise self._misfit(config, f"the tensors have {surplus} more {layers} than num_hidden_layers")
        body = layout.body_layout(config)
        if missing := [name for name in body if name not in found]:
            raise self._misfit(config, f"{missing[0]} is missing (one of {len(missing)})")
        heads = layout.mlm_head_layout(config) | layout.own_decoder_layout(config) | layout.next_sentence_layout(config)
        everything = body | layout.pooler_layout(config) | heads
        if misfit := layout.first_mismatch(everything, {name: info.shape for name, info in found.items()}):
            name, expected, shape = misfit
            raise self._misfit(config, f"{name} has shape {shape} but the config gives it {expected}")
        if foreign := [name for name in everything if name in found and found[name].dtype not in FLOATS]:
            raise UnsupportedModel(
                f"{self.folder} stores {foreign[0]} as {found[foreign[0]].dtype}, which is not supported",
                hint="use the unquantised checkpoint",
            )

    def _misfit(self, config: ModelConfig, why: str) -> BadCheckpoint:
        return BadCheckpoint(
            f"the weights in {self.folder} do not fit its config.json: {why}",
            hint=own_code_hint(config)
            or "config and weights come from different models; copy both again from the same place",
        )


def own_code_hint(config: ModelConfig) -> str:
    """Return a hint for weights that do not fit a checkpoint with code of its own, or "" for other checkpoints."""
    if not config.has_own_code:
        return ""
    return (
        "the checkpoint is for code of its own (auto_map in config.json), which bertcli never runs; use a conversion "
        f"of it to transformers' {config.architecture.body_class}, if its authors publish one"
    )


def has_weight_files(folder: Path) -> bool:
    """Return True if the folder holds weights."""
    return any((folder / f"{stem}{end}").is_file() for stem in WEIGHT_FILES for end in ("", INDEX))


def find_weight_files(folder: Path, architecture: Architecture = ARCHITECTURES["bert"]) -> WeightFiles:
    """Find the weight files in a folder. safetensors come before pickles, whole files before sharded ones.

    Args:
        folder: The checkpoint's folder.
        architecture: The model's family. It matters only if tensors are looked up by their canonical names.

    Raises:
        BadCheckpoint: There are no weights, or a shard is missing.
    """
    for stem, is_pickled in ((_SAFETENSORS, False), (_PICKLED, True)):
        if (folder / stem).is_file():
            return WeightFiles(folder, (folder / stem,), is_pickled, architecture)
        index = folder / f"{stem}{INDEX}"
        if index.is_file():
            return WeightFiles(folder, _shards(index), is_pickled, architecture)
    raise BadCheckpoint(
        f"{folder} has no weights: neither {_SAFETENSORS} nor {_PICKLED}, whole or sharded",
        hint="copy the weights beside config.json (fetch git-lfs pointers first: git lfs pull)",
    )


def shard_names(index: Path) -> list[str]:
    """Return the names of the files that an index lists.

    Raises:
        BadCheckpoint: The file is not an index.
    """
    weight_map = read_json_object(index).get("weight_map")
    if not isinstance(weight_map, dict) or not all(isinstance(name, str) for name in weight_map.values()):
        raise BadCheckpoint(f"{index} has no weight_map", hint="copy or download the checkpoint again")
    return sorted({Path(name).name for name in weight_map.values()})


def _shards(index: Path) -> tuple[Path, ...]:
    files = tuple(index.parent / name for name in shard_names(index))
    if missing := [file.name for file in files if not file.is_file()]:
        raise BadCheckpoint(
            f"{index} names {missing[0]}, which does not exist", hint="copy or download every shard of the checkpoint"
        )
    return files
