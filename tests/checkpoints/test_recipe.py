"""Recipes that are damaged, incomplete or not supported: one clear error each."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bertcli.checkpoints.find import find_checkpoint
from bertcli.checkpoints.modules import list_files
from bertcli.checkpoints.recipe import read_recipe
from bertcli.checkpoints.required_files import Files, fingerprint, missing_files
from bertcli.checkpoints.sentence_settings import read_prompts
from bertcli.errors import BadCheckpoint, BertcliError, UnsupportedModel, WrongUsage
from bertcli.model.request import EmbeddingRequest
from bertcli.model.session import Session
from tests.tiny import open_bert, write_json

PACKAGE = "sentence_transformers.models"
POOLING = {"word_embedding_dimension": 24, "pooling_mode_mean_tokens": True}
TANH = "torch.nn.modules.activation.Tanh"


def write_modules(folder: Path, *kinds: str, configs: Sequence[Any] = ()) -> Path:
    """Write modules.json and the config of each module after the transformer."""
    entries = [{"idx": 0, "name": "0", "path": "", "type": f"{PACKAGE}.Transformer"}]
    for number, kind in enumerate(kinds, 1):
        path = f"{number}_{kind}"
        (folder / path).mkdir(exist_ok=True)
        if number <= len(configs):
            write_json(folder / path / "config.json", configs[number - 1])
        entries.append({"idx": number, "name": str(number), "path": path, "type": f"{PACKAGE}.{kind}"})
    write_json(folder / "modules.json", entries)
    return folder


def open_recipe(folder: Path, **embedding: Any) -> Session:
    session = open_bert(folder, embedding=EmbeddingRequest(**embedding))
    assert session.recipe.shown
    return session


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is not valid JSON"),
        ("[" * 100_000, "is not valid JSON"),
        ("{}", "does not hold a list of modules"),
        ("[]", "does not hold a list of modules"),
        ("[1]", "module 0 has no type or no path"),
        ('[{"type": 1, "path": ""}]', "module 0 has no type or no path"),
        ('[{"type": "sentence_transformers.models.Transformer"}]', "module 0 has no type or no path"),
        ('[{"type": "sentence_transformers.models.Transformer", "path": "../x"}]', "leads out of the checkpoint"),
        ('[{"type": "sentence_transformers.models.Transformer", "path": "/etc"}]', "leads out of the checkpoint"),
        ('[{"type": "sentence_transformers.models.Pooling", "path": ""}]', "does not begin with a Transformer"),
    ],
)
def test_a_damaged_modules_json_is_a_bad_checkpoint(own_tiny_bert: Path, content: str, message: str) -> None:
    (own_tiny_bert / "modules.json").write_text(content)
    with pytest.raises(BadCheckpoint, match=message) as caught:
        open_recipe(own_tiny_bert)
    assert "--pooling mean" in caught.value.hint
    assert open_recipe(own_tiny_bert, pooling="mean").recipe.shown.source == "options"
    open_bert(own_tiny_bert)


@pytest.mark.parametrize("kind", ["CNN", "LSTM", "BoW", "Router", "Asym", "WordWeights", "StaticEmbedding", "__init__"])
def test_a_module_that_is_not_computed_is_named(own_tiny_bert: Path, kind: str) -> None:
    write_modules(own_tiny_bert, kind, "Pooling", configs=[{}, POOLING])
    with pytest.raises(UnsupportedModel, match=f"has the module {kind}, which bertcli does not compute") as caught:
        open_recipe(own_tiny_bert)
    assert caught.value.hint == "use --pooling mean or --pooling cls, which need no recipe"
    for pooling in ("mean", "cls"):
        assert open_recipe(own_tiny_bert, pooling=pooling).recipe.shown.pooling == (pooling,)


def test_a_module_of_another_package_is_never_imported(own_tiny_bert: Path) -> None:
    entries = [{"idx": 0, "name": "0", "path": "", "type": "custom_st.Transformer"}]
    write_json(own_tiny_bert / "modules.json", entries)
    (own_tiny_bert / "custom_st.py").write_text("raise AssertionError")
    with pytest.raises(UnsupportedModel, match=r"the module custom_st\.Transformer"):
        open_recipe(own_tiny_bert)


@pytest.mark.parametrize(
    ("kinds", "configs"),
    [
        ((), ()),
        (("Normalize",), ({},)),
        (("Normalize", "Pooling"), ({}, POOLING)),
        (("Pooling", "Pooling"), (POOLING, POOLING)),
        (("SpladePooling",), ({},)),
    ],
)
def test_an_order_that_is_not_computed_is_an_error(own_tiny_bert: Path, kinds: Any, configs: Any) -> None:
    write_modules(own_tiny_bert, *kinds, configs=configs)
    with pytest.raises(UnsupportedModel, match="an order that bertcli does not compute"):
        open_recipe(own_tiny_bert)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"pooling_mode": "attention"}, "the pooling_mode 'attention', which is not supported"),
        ({"pooling_mode": []}, r"the pooling_mode \[\], not a name or a list of names"),
        ({"pooling_mode": [1]}, r"the pooling_mode \[1\], not a name or a list of names"),
        ([], "does not hold a JSON object"),
    ],
)
def test_a_damaged_pooling_is_an_error(own_tiny_bert: Path, config: Any, message: str) -> None:
    write_modules(own_tiny_bert, "Pooling", configs=[config])
    with pytest.raises(BertcliError, match=message):
        open_recipe(own_tiny_bert)


def test_a_missing_config_of_a_module_is_an_error(own_tiny_bert: Path) -> None:
    write_modules(own_tiny_bert, "Pooling")
    with pytest.raises(BadCheckpoint, match=r"1_Pooling/config\.json is missing, which modules\.json needs"):
        open_recipe(own_tiny_bert)


def dense_config(**changes: Any) -> dict[str, Any]:
    return {"in_features": 24, "out_features": 8, "bias": True, "activation_function": TANH, **changes}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"in_features": 25}, "takes vectors of 25 values, but gets vectors of 24"),
        ({"out_features": 9}, r"linear\.weight has shape \(8, 24\) but the config gives it \(9, 24\)"),
        ({"out_features": 0}, "the out_features 0, not a positive whole number"),
        ({"out_features": 10**12}, "the out_features 1000000000000, not a positive whole number"),
        ({"in_features": "24"}, "the in_features '24', not a positive whole number"),
        ({"activation_function": "torch.nn.modules.activation.Nothing"}, "which bertcli does not know"),
        ({"activation_function": "os.system"}, "which bertcli does not know"),
        ({"activation_function": None}, "which bertcli does not know"),
        ({"activation_function": "torch.hub.load"}, "which bertcli does not know"),
        ({"module_input_name": "token_embeddings"}, "applies a Dense to 'token_embeddings'"),
        ({"use_residual": True}, r"residual\.weight is missing"),
    ],
)
def test_a_dense_layer_that_does_not_fit_is_an_error(own_tiny_bert: Path, changes: Any, message: str) -> None:
    import torch
    from safetensors.torch import save_file

    write_modules(own_tiny_bert, "Pooling", "Dense", configs=[POOLING, dense_config(**changes)])
    tensors = {"linear.weight": torch.zeros(8, 24), "linear.bias": torch.zeros(8)}
    save_file(tensors, own_tiny_bert / "2_Dense/model.safetensors")
    with pytest.raises(BertcliError, match=message) as caught:
        open_recipe(own_tiny_bert)
    assert caught.value.hint
    assert open_recipe(own_tiny_bert, pooling="mean")


@pytest.mark.parametrize("damage", [None, b"", b"damaged damaged"])
def test_a_dense_layer_without_usable_weights_is_an_error(own_tiny_bert: Path, damage: bytes | None) -> None:
    write_modules(own_tiny_bert, "Pooling", "Dense", configs=[POOLING, dense_config()])
    if damage is not None:
        (own_tiny_bert / "2_Dense/model.safetensors").write_bytes(damage)
    with pytest.raises(BadCheckpoint, match="has no weights" if damage is None else "is damaged"):
        open_recipe(own_tiny_bert)


@pytest.mark.parametrize(
    ("prompts", "message"),
    [
        ({"prompts": []}, "has prompts that are not texts"),
        ({"prompts": {"query": 1}}, "has prompts that are not texts"),
        ({"prompts": {"query": "\ud83d"}}, "has prompts that are not texts"),
        ({"prompts": {"\ud83d": "query"}}, "has prompts that are not texts"),
        ({"default_prompt_name": "query"}, "names the default prompt 'query', which it does not have"),
        ({"default_prompt_name": []}, r"names the default prompt \[\], which it does not have"),
        ({"default_prompt_name": {}}, "names the default prompt {}, which it does not have"),
        ({"similarity_fn_name": "magic"}, "names the similarity 'magic', which is not known"),
    ],
)
def test_damaged_prompts_are_an_error(own_tiny_bert: Path, prompts: Any, message: str) -> None:
    write_json(own_tiny_bert / "config_sentence_transformers.json", prompts)
    with pytest.raises(BadCheckpoint, match=message):
        read_prompts(own_tiny_bert)


def test_a_prompt_name_that_is_missing_is_wrong_usage(own_tiny_bert: Path) -> None:
    with pytest.raises(WrongUsage, match="has no prompt 'query': it declares no prompts"):
        open_recipe(own_tiny_bert, prompt_name="query")
    write_json(own_tiny_bert / "config_sentence_transformers.json", {"prompts": {"query": "q: ", "passage": "p: "}})
    with pytest.raises(WrongUsage, match="has no prompt 'quary'") as caught:
        open_recipe(own_tiny_bert, prompt_name="quary")
    assert caught.value.hint == "use one of: query, passage; or give the text with --prompt"
    assert open_recipe(own_tiny_bert, prompt_name="passage", pooling="cls").recipe.shown.prompt == "p: "


def test_a_prompt_without_room_for_a_text_is_wrong_usage(own_tiny_bert: Path) -> None:
    with pytest.raises(
        WrongUsage, match="the prompt has 81 tokens, which leaves no room for a text: the limit is 64"
    ) as at_most:
        open_recipe(own_tiny_bert, prompt="the cat " * 40)
    assert at_most.value.hint == "use a shorter prompt"
    with pytest.raises(WrongUsage, match="the limit is 32") as below:
        open_bert(own_tiny_bert, max_length=32, embedding=EmbeddingRequest(prompt="the cat " * 40))
    assert below.value.hint == "use a shorter prompt, or raise --max-length"


@pytest.mark.parametrize("limit", [0, -1, 1.5, "512", True])
def test_a_damaged_limit_is_an_error(own_tiny_bert: Path, limit: object) -> None:
    write_modules(own_tiny_bert, "Pooling", configs=[POOLING])
    write_json(own_tiny_bert / "sentence_bert_config.json", {"max_seq_length": limit})
    with pytest.raises(BadCheckpoint, match="has the max_seq_length") as caught:
        open_bert(own_tiny_bert)
    assert caught.value.hint == "copy the checkpoint again, or set the limit with --max-length"
    assert open_bert(own_tiny_bert, max_length=8).tokenizer.limit == 8


def test_a_damaged_limit_is_reported_with_its_file(own_tiny_bert: Path) -> None:
    write_modules(own_tiny_bert, "Pooling", configs=[POOLING])
    write_json(own_tiny_bert / "sentence_distilbert_config.json", {"max_seq_length": 0})
    with pytest.raises(BadCheckpoint, match=r"sentence_distilbert_config\.json has the max_seq_length 0, not"):
        open_bert(own_tiny_bert)


def test_every_file_of_the_recipe_changes_the_fingerprint(own_tiny_bert: Path) -> None:
    write_modules(own_tiny_bert, "Pooling", "Dense", configs=[POOLING, dense_config()])
    weights = own_tiny_bert / "2_Dense/model.safetensors"
    weights.write_bytes(b"weights")
    files = ["modules.json", "sentence_bert_config.json", "config_sentence_transformers.json", "1_Pooling/config.json"]
    for name in [*files, "2_Dense/config.json", "2_Dense/model.safetensors"]:
        before = fingerprint(own_tiny_bert)
        content = (own_tiny_bert / name).read_bytes() if (own_tiny_bert / name).is_file() else b"{}"
        (own_tiny_bert / name).write_bytes(content + b" ")
        assert fingerprint(own_tiny_bert) != before, name


def test_a_download_without_the_files_of_a_module_is_incomplete(own_tiny_bert: Path) -> None:
    write_modules(own_tiny_bert, "Pooling", "Dense", configs=[POOLING, dense_config()])
    (own_tiny_bert / "2_Dense/model.safetensors").write_bytes(b"weights")
    assert missing_files(own_tiny_bert, Files.ALL) == []
    (own_tiny_bert / "2_Dense/model.safetensors").unlink()
    assert missing_files(own_tiny_bert, Files.ALL) == [Files.WEIGHTS]
    (own_tiny_bert / "1_Pooling/config.json").unlink()
    assert missing_files(own_tiny_bert, Files.ALL) == [Files.CONFIG, Files.WEIGHTS]


def test_a_folder_in_a_checkpoint_is_found(own_tiny_bert: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    own_tiny_bert.rename(whole / "0_Transformer")
    write_json(whole / "modules.json", [{"path": "0_Transformer", "type": f"{PACKAGE}.Transformer"}])
    found = find_checkpoint(str(whole))
    assert (found.folder, found.whole_folder) == (whole / "0_Transformer", whole)
    assert {"modules.json", "0_Transformer/config.json"} <= list_files(whole)
    assert missing_files(whole, Files.ALL) == []


def test_without_modules_json_there_is_no_recipe(tiny_bert: Path) -> None:
    assert read_recipe(tiny_bert) is None
