"""Tiny random checkpoints with heads for classification and question answering, and transformers' own answers."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from bertcli.choices import HeadTask
from bertcli.model.batching import Batch
from tests.families import save_family
from tests.tiny import random_model, save_bert, with_random_parameters

NAMES = {0: "O", 1: "B-PER", 2: "I-PER", 3: "B-LOC", 4: "I-LOC"}
# Families with several engines, then some that only transformers computes.
OWN = ("bert", "roberta", "xlm-roberta", "camembert", "distilbert")
OTHERS = ("electra", "albert", "mpnet", "deberta-v2", "modernbert")
# Texts with words of several pieces, capitals, accents, punctuation and an unknown character.
TEXTS = ["how are you", "The cat satonmat, Café.", "e", "catsing ☃ the mat: are You? sat-on 中", "the the cat"]
PAIRS = [("how are you", "The cat sat on the mat, Café."), ("e", "cat"), ("the mat", "are catsing youing ☃ sat on the")]
_LARGEST_ANSWER = 15


def save_head(folder: Path, model_type: str, task: HeadTask, names: Mapping[int, str] = NAMES, **config: Any) -> Path:
    """Save a checkpoint with a head, and return its folder.

    Args:
        folder: Where to save it.
        model_type: The family.
        task: The head.
        names: id2label. A head for question answering always has two.
        config: Further settings, such as problem_type.
    """
    auto_class = getattr(transformers, f"AutoModel{task}")
    labels = {} if task == HeadTask.ANSWER else {"id2label": dict(names), "label2id": {}}
    if model_type == "bert":
        return save_bert(folder, _sharpened(random_model(getattr(transformers, f"Bert{task}"), **labels, **config)))
    save_family(folder, model_type, max_position_embeddings=160)
    settings = transformers.AutoConfig.from_pretrained(folder)
    settings.architectures = None
    for name, value in {**labels, **config}.items():
        setattr(settings, name, value)
    _sharpened(with_random_parameters(auto_class.from_config(settings), seed=5)).save_pretrained(folder)
    return folder


def _sharpened(model: transformers.PreTrainedModel) -> transformers.PreTrainedModel:
    """Scale the weights of the output layer, so that tokens differ in their most probable label."""
    for name, parameter in model.named_parameters():
        if name.endswith(("classifier.weight", "classifier.out_proj.weight", "qa_outputs.weight")):
            parameter.data *= 4
    return model


@cache
def load_head(folder: Path, task: HeadTask) -> transformers.PreTrainedModel:
    """Return the checkpoint as transformers opens it for the task."""
    auto_class = getattr(transformers, f"AutoModel{task}")
    return auto_class.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


def expected_logits(folder: Path, task: HeadTask, batch: Batch) -> np.ndarray:
    """Return the logits of transformers' class for a padded batch."""
    model = load_head(folder, task)
    inputs = {
        "input_ids": torch.from_numpy(batch.input_ids),
        "attention_mask": torch.from_numpy(batch.attention_mask.astype(np.int64)),
    }
    if model.config.model_type == "fnet":
        del inputs["attention_mask"]
    if takes_token_types(model):
        inputs["token_type_ids"] = torch.from_numpy(batch.token_type_ids)
    with torch.no_grad():
        output = model(**inputs)
    if task == HeadTask.ANSWER:
        return torch.stack([output.start_logits, output.end_logits], -1).numpy()
    return output.logits.numpy()


def pipeline(folder: Path, task: HeadTask, **options: Any) -> Any:
    """Return transformers' pipeline for the task over the checkpoint."""
    name = {HeadTask.TEXT_LABELS: "text-classification", HeadTask.TOKEN_LABELS: "token-classification"}[task]
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    return transformers.pipeline(name, model=load_head(folder, task), tokenizer=tokenizer, device="cpu", **options)


def takes_token_types(model: transformers.PreTrainedModel) -> bool:
    """Return True if the model has token types. Some tokenizers of transformers 5 no longer return them unasked."""
    return bool(getattr(model.config, "type_vocab_size", 0))


def expected_answer(folder: Path, question: str, context: str) -> dict[str, Any]:
    """Return the answer that transformers' question-answering pipeline gave, by trying every span.

    Each span of at most 15 tokens of the context has the product of the probabilities of its first and last token as
    its score. The 12 best spans are extended to whole words, and those of equal text (regardless of capitals) share the
    sum of their scores.
    """
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = load_head(folder, HeadTask.ANSWER)
    inputs = tokenizer(question, context, return_tensors="pt", return_token_type_ids=takes_token_types(model))
    encoding = inputs.encodings[0]
    with torch.no_grad():
        output = model(**inputs)
    tokens = [at for at, sentence in enumerate(encoding.sequence_ids) if sentence == 1]
    allowed = [at for at, id_ in enumerate(encoding.ids) if at in tokens or id_ == tokenizer.cls_token_id]
    starts, ends = (
        dict(zip(allowed, logits[0, allowed].double().softmax(-1).tolist(), strict=True))
        for logits in (output.start_logits, output.end_logits)
    )
    spans = [(starts[s] * ends[e], s, e) for s in tokens for e in tokens if s <= e < s + _LARGEST_ANSWER]
    answers: list[dict[str, Any]] = []
    for score, s, e in sorted(spans, reverse=True)[:12]:
        start = encoding.word_to_chars(encoding.token_to_word(s), 1)[0]
        end = encoding.word_to_chars(encoding.token_to_word(e), 1)[1]
        same = [each for each in answers if each["text"].lower() == context[start:end].lower()]
        if same:
            same[0]["score"] += score
        else:
            answers.append({"text": context[start:end], "score": score, "start": start, "end": end})
    return max(answers, key=lambda answer: answer["score"])


def as_inputs(texts: Sequence[str | tuple[str, str]]) -> list[Any]:
    """Return texts and pairs as a text-classification pipeline takes them."""
    return [text if isinstance(text, str) else {"text": text[0], "text_pair": text[1]} for text in texts]
