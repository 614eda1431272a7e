"""Export a run as a checkpoint folder like the bundled one: python -m tools.bundled_model.export RUN FOLDER."""

import json
import shutil
from argparse import ArgumentParser
from pathlib import Path

import torch
from safetensors.torch import save

from tools.bundled_model.run_folder import TOKENIZER_FILES, RunFolder

# The decoder's weight is tied to the word embeddings and its bias to cls.predictions.bias (tie_word_embeddings).
TIED = ("cls.predictions.decoder.weight", "cls.predictions.decoder.bias")


def export(run: RunFolder, folder: Path, dtype: str) -> None:
    """Write model.safetensors, config.json and the files of the tokenizer.

    Args:
        run: The run.
        folder: The folder to write; it is made if it is missing.
        dtype: "float16", "bfloat16" or "float32".
    """
    state, position = run.load(torch.device("cpu"))
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        name: tensor.to(getattr(torch, dtype)).contiguous()
        for name, tensor in sorted(state["model"].items())
        if name not in TIED
    }
    # save_file would make a file that only its owner may read.
    (folder / "model.safetensors").write_bytes(save(tensors, metadata={"format": "pt"}))
    config = json.loads((run.path / "config.json").read_text(encoding="utf-8"))
    config |= {"architectures": ["BertForPreTraining"], "dtype": dtype, "tie_word_embeddings": True}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    for name in TOKENIZER_FILES:
        shutil.copyfile(run.path / name, folder / name)
    size = (folder / "model.safetensors").stat().st_size / 1e6
    print(f"{folder}: {size:.1f} MB after {position.steps:,} steps and {position.tokens:,} tokens")


def main(arguments: list[str] | None = None) -> None:
    """Run the program."""
    parser = ArgumentParser(prog="export", description=__doc__)
    parser.add_argument("run", type=Path, help="folder of a run")
    parser.add_argument("folder", type=Path, help="folder to write")
    parser.add_argument(
        "--dtype", choices=("float16", "bfloat16", "float32"), default="bfloat16", help="default: bfloat16"
    )
    options = parser.parse_args(arguments)
    export(RunFolder(options.run), options.folder, options.dtype)


if __name__ == "__main__":
    main()
