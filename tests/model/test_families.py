"""Every family that transformers computes gives the outputs of its own class: a tiny random checkpoint of each."""

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from bertcli.checkpoints.families import ARCHITECTURES
from bertcli.checkpoints.shapes import model_classes
from bertcli.choices import DtypeName
from bertcli.errors import BadCheckpoint, UnsupportedModel
from bertcli.model.batching import Batch
from bertcli.model.engine import OutputRequest
from bertcli.model.requirements import require_attentions
from tests.families import OTHER_CONFIGS, save_family
from tests.reference import Outputs, assert_close, assert_same, engine_outputs, load, transformers_outputs
from tests.tiny import (
    DEFAULTS,
    VOCABULARY,
    edit_config,
    one_batch,
    open_bert,
    with_random_parameters,
    write_json,
    write_vocabulary,
)

TEXTS = ["how are [MASK]", "you", "the cat sat on the [MASK], a mat."]


def outputs_of_each_text(folder: Path, batch: Batch, **wanted: bool) -> Outputs:
    """Return the outputs of transformers with each text run alone, and padded with zeros afterwards."""
    found = []
    for row, length in enumerate(batch.attention_mask.sum(-1)):
        arrays = (batch.input_ids, batch.token_type_ids, batch.attention_mask)
        alone = Batch(batch.texts[row : row + 1], *(array[row : row + 1, :length] for array in arrays))
        found.append((transformers_outputs(folder, alone, **wanted), batch.shape[1] - length))

    def padded(arrays: list[np.ndarray]) -> np.ndarray:
        ends = [end for _, end in found]
        return np.concatenate([np.pad(x, ((0, 0), (0, end), (0, 0))) for x, end in zip(arrays, ends, strict=True)])

    def padded_weights(arrays: list[np.ndarray]) -> np.ndarray:
        ends = [(0, end) for _, end in found]
        return np.concatenate([np.pad(x, ((0, 0), (0, 0), end, end)) for x, end in zip(arrays, ends, strict=True)])

    outputs = [each for each, _ in found]
    return Outputs(
        padded([each.last_hidden_state for each in outputs]),
        [padded(list(states)) for states in zip(*(each.hidden_states for each in outputs), strict=True)],
        [padded_weights(list(weights)) for weights in zip(*(each.attentions for each in outputs), strict=True)],
        np.concatenate([each.pooler_output for each in outputs]) if wanted["pooler"] else None,
        padded([each.logits for each in outputs]) if wanted["logits"] else None,
    )


@pytest.mark.parametrize("model_type", OTHER_CONFIGS)
def test_every_output_equals_that_of_transformers(tmp_path: Path, model_type: str) -> None:
    architecture = ARCHITECTURES[model_type]
    save_family(tmp_path, model_type)
    session = open_bert(tmp_path, "auto")
    assert session.engine.name == "transformers"
    assert session.has_mlm_head == architecture.has_mlm_class
    assert session.has_pooler == bool(architecture.pooler)
    batch = one_batch(session, TEXTS)
    wanted = {
        "pooler": session.has_pooler,
        "logits": session.has_mlm_head,
        "attentions": architecture.has_attentions,
    }
    expect = transformers_outputs if architecture.allows_padding else outputs_of_each_text
    found, expected = engine_outputs(session, batch, **wanted), expect(tmp_path, batch, **wanted)
    assert_same(found, expected, batch)
    # Texts do not depend on the padding that other texts cause.
    assert_same(found, outputs_of_each_text(tmp_path, batch, **wanted), batch)
    load.cache_clear()
    # The shapes that the config predicts are those of the outputs.
    predicted = {
        output.name: (output.count, tuple(output.shape))
        for each in model_classes(session.config, *batch.shape, DtypeName.FLOAT32, None)
        for output in each.outputs
    }
    assert predicted["hidden_states"] == (len(found.hidden_states), found.hidden_states[0].shape)
    assert ("attentions" in predicted) == architecture.has_attentions
    if architecture.has_attentions:
        assert predicted["attentions"] == (len(found.attentions), found.attentions[0].shape)
    if found.logits is not None:
        assert predicted["logits"] == (1, found.logits.shape)
    if architecture.final_norm is not None:
        check_final_norm(tmp_path, batch)


def check_final_norm(folder: Path, batch: Batch) -> None:
    """Check that the states of a layer are normed before the head, as if that layer were the last."""
    session = open_bert(folder, "transformers")
    output = session.run(batch, OutputRequest(hidden_states=[1]))
    found = session.to_numpy(session.engine.mlm_logits(output.hidden_states[0][0], is_last=False))
    config = transformers.AutoConfig.from_pretrained(folder)
    shorter = transformers.AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32)
    layers = next(module for module in shorter.base_model.modules() if isinstance(module, torch.nn.ModuleList))
    del layers[1:]
    shorter.config.num_hidden_layers, config.num_hidden_layers = 1, 1
    with torch.inference_mode():
        ids, mask = torch.from_numpy(batch.input_ids), torch.from_numpy(batch.attention_mask)
        expected = shorter(input_ids=ids, attention_mask=mask).logits[0].numpy()
    real = batch.attention_mask[0]
    assert_close(found[real], expected[real])


def test_roc_bert_gets_the_shape_and_the_pronunciation_of_each_token(tmp_path: Path) -> None:
    config = transformers.RoCBertConfig(
        **DEFAULTS, shape_vocab_size=9, shape_embed_dim=4, pronunciation_vocab_size=8, pronunciation_embed_dim=4
    )
    with_random_parameters(transformers.RoCBertForMaskedLM(config)).save_pretrained(tmp_path)
    write_vocabulary(tmp_path)
    write_json(tmp_path / "word_shape.json", {token: at % 9 for at, token in enumerate(VOCABULARY[:60])})
    write_json(tmp_path / "word_pronunciation.json", {token: at % 8 for at, token in enumerate(VOCABULARY[:70])})
    session = open_bert(tmp_path, "auto")
    texts = ["how are [MASK]", "the cat sat on the mat 中文"]
    batch = one_batch(session, texts)
    inputs = transformers.RoCBertTokenizer.from_pretrained(tmp_path)(texts, padding=True, return_tensors="pt")
    assert inputs["input_ids"].tolist() == batch.input_ids.tolist()
    model = load("AutoModelForMaskedLM", tmp_path)
    with torch.inference_mode():
        expected = model(**inputs).logits.numpy()
        without = model(inputs["input_ids"], inputs["attention_mask"]).logits.numpy()
    found = session.to_numpy(session.run(batch, OutputRequest(logits_at=...)).logits)
    real = batch.attention_mask
    assert_close(found[real], expected[real])
    assert np.abs(found[real] - without[real]).max() > 1e-3
    broken = open_bert(tmp_path, "auto")
    (tmp_path / "word_shape.json").unlink()
    with pytest.raises(BadCheckpoint, match="word_shape"):
        broken.run(batch, OutputRequest())


def test_a_family_without_attention_weights_is_refused_by_attn(tmp_path: Path) -> None:
    session = open_bert(save_family(tmp_path, "fnet"), "auto")
    with pytest.raises(UnsupportedModel, match="FNetModel returns none"):
        require_attentions(session)


def test_a_family_that_bertcli_does_not_know_opens_by_the_class_that_its_config_names(tmp_path: Path) -> None:
    save_family(tmp_path, "electra")
    known = open_bert(tmp_path, "auto")
    batch = one_batch(known, TEXTS)
    expected = engine_outputs(known, batch, pooler=False)
    edit_config(tmp_path, model_type="newer-electra")
    session = open_bert(tmp_path, "auto")
    assert (session.config.architecture.is_tested, session.has_mlm_head, session.has_pooler) == (False, True, False)
    assert_same(engine_outputs(session, batch, pooler=False), expected, batch)
    edit_config(tmp_path, architectures=["NewerElectraForMaskedLM"])
    with pytest.raises(UnsupportedModel, match=f"transformers {transformers.__version__} has no NewerElectra"):
        open_bert(tmp_path, "auto").run(batch, OutputRequest())


def test_a_head_that_an_untested_family_lacks_is_an_error_and_never_random(tmp_path: Path) -> None:
    save_family(tmp_path, "electra")
    transformers.ElectraModel.from_pretrained(tmp_path).save_pretrained(tmp_path)
    edit_config(tmp_path, model_type="newer-electra", architectures=["ElectraForMaskedLM"])
    session = open_bert(tmp_path, "auto")
    with pytest.raises(BadCheckpoint, match="lacks 5 of the weights of ElectraForMaskedLM"):
        session.run(one_batch(session, TEXTS), OutputRequest(logits_at=...))


def test_the_documentation_lists_every_family() -> None:
    listed = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    assert [model_type for model_type in ARCHITECTURES if f"`{model_type}`" not in listed] == []
