"""Mutations: damaged bytes, damaged JSON, and checkpoints and folders of shards with damaged files."""

import json
import random
import struct
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

Files = dict[str, bytes]

_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 3, 2**31, 2**64, 10**9, 1e308, 1.5, "", "a", "bert", "float32", [], [1], ["a"], {},
    {"a": 1}, "../../../etc/passwd", "gelu_new", "BF16", "F8_E8M0", "F4", "\ud7ff", [[[[]]]], "__import__", -(2**63),
)  # fmt: skip

# Parts of a tokenizer.json that the library tokenizers knows, and that do not fit a BERT or are damaged.
_TOKENIZER_PARTS: Mapping[str, tuple[Any, ...]] = {
    "normalizer": (
        {"type": "Precompiled", "precompiled_charsmap": "AAAA"}, {"type": "Prepend", "prepend": "\u2581"},
        {"type": "Replace", "pattern": {"Regex": "("}, "content": ""}, {"type": "Sequence", "normalizers": []},
        {"type": "Replace", "pattern": {"Regex": "(a*)*b"}, "content": ""}, {"type": "NFKD"}, None,
    ),
    "pre_tokenizer": (
        {"type": "Digits", "individual_digits": True}, {"type": "FixedLength", "length": 0}, None,
        {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True},
        {"type": "Split", "pattern": {"Regex": "."}, "behavior": "Removed", "invert": False},
    ),
    "post_processor": (
        {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "[NO]", "type_id": 0}}], "pair": [],
         "special_tokens": {}},
        {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 7}}], "pair": [],
         "special_tokens": {}},
        {"type": "BertProcessing", "sep": ["[SEP]", 10**6], "cls": ["[CLS]", 2]}, {"type": "Sequence"}, None,
    ),
    "truncation": ({"direction": "Right", "max_length": 0, "strategy": "LongestFirst", "stride": 9},),
    "padding": ({"strategy": {"Fixed": 10**9}, "direction": "Left", "pad_to_multiple_of": None, "pad_id": 0,
                 "pad_type_id": 0, "pad_token": "[PAD]"},),
    "added_tokens": ([], [{"id": 10**6, "content": "a", "single_word": False, "lstrip": False, "rstrip": False,
                           "normalized": False, "special": True}]),
}  # fmt: skip


def mutated(rng: random.Random, content: bytes) -> bytes:
    """Return the bytes with a few of them changed, cut off, removed, repeated or inserted."""
    for _ in range(rng.choice((1, 1, 2, 5))):
        at, end = sorted((rng.randint(0, len(content)), rng.randint(0, len(content))))
        match rng.randrange(6):
            case 0:
                content = content[:at] + bytes([rng.randrange(256)]) + content[at + 1 :]
            case 1:
                content = content[:at]
            case 2:
                content = content[:at] + content[min(end, at + 64) :]
            case 3:
                content = content[:end] + content[at : at + 256] + content[end:]
            case 4:
                content = content[:at] + rng.randbytes(rng.randint(1, 9)) + content[at:]
            case _:
                flipped = bytes(byte ^ (1 << rng.randrange(8)) for byte in content[at : at + 1])
                content = content[:at] + flipped + content[at + 1 :]
    return content


def mutated_json(rng: random.Random, content: bytes) -> bytes:
    """Return a JSON document with a value changed, removed, added, or nested too deeply; or with damaged bytes."""
    if rng.random() < 0.15:
        return mutated(rng, content)
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):  # the document has been damaged before
        return mutated(rng, content)
    if rng.random() < 0.04:
        return json.dumps(rng.choice(_VALUES)).encode()
    if rng.random() < 0.03:
        return b'{"a": ' + b"[" * 200_000
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        _change_somewhere(rng, value)
    return json.dumps(value).encode()


def _change_somewhere(rng: random.Random, value: Any) -> None:
    """Change one place in nested objects and lists."""
    while True:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        if not keys:
            return
        key = rng.choice(keys)
        if isinstance(value[key], dict | list) and value[key] and rng.random() < 0.8:
            value = value[key]
            continue
        match rng.randrange(4):
            case 0 if isinstance(value, dict):
                del value[key]
            case 1 if isinstance(value, dict):
                value[rng.choice(("extra", "", "a\x1b[31m", "token", key + "x"))] = value.pop(key)
            case 2 if isinstance(value[key], int) and not isinstance(value[key], bool):
                value[key] = rng.choice((value[key] + 1, -value[key], value[key] * 1000, float(value[key])))
            case _:
                value[key] = deepcopy(rng.choice(_VALUES))  # the next change may be inside it
        return


def mutated_safetensors(rng: random.Random, content: bytes) -> bytes:
    """Return a safetensors file with a mutated header, a wrong length of it, or damaged bytes."""
    (length,) = struct.unpack("<Q", content[:8])
    header, rest = content[8 : 8 + length], content[8 + length :]
    match rng.randrange(6):
        case 0:
            return mutated(rng, content)
        case 1:
            wrong = rng.choice((0, 1, length + 1, length - 1, 2**63, 2**32, len(content)))
            return struct.pack("<Q", wrong) + header + rest
        case 2:
            tensors = json.loads(header)
            extra = {f"extra.{number}": _tensor(rng) for number in range(rng.choice((1, 3, 2000)))}
            changed = json.dumps({**tensors, **extra}).encode()
        case 3:
            name = rng.choice([name for name in json.loads(header) if name != "__metadata__"])
            entry = json.dumps({name: json.loads(header)[name]}).encode()
            changed = entry[:-1] + b"," + header.lstrip()[1:]  # the name is there twice
        case _:
            changed = mutated_json(rng, header)
    return struct.pack("<Q", len(changed)) + changed + rest


def _tensor(rng: random.Random) -> Mapping[str, Any]:
    dtype = rng.choice(("F32", "F8_E8M0", "F4", "BOOL", "C64", "I64", "X"))
    return {"dtype": dtype, "shape": rng.choice(([0], [1], [2, 2], [2**40, 2**40], [-1])), "data_offsets": [0, 0]}


def mutated_checkpoint(rng: random.Random, files: Files) -> Files:
    """Return the files of a checkpoint with one or two of them damaged, missing, empty or swapped."""
    changed = dict(files)
    for _ in range(rng.choice((1, 1, 1, 2))):
        name = rng.choice(sorted(changed))
        match rng.randrange(12):
            case 0:
                del changed[name]
            case 1:
                changed[name] = b""
            case 2:
                changed[name] = changed[rng.choice(sorted(changed))]
            case 3:
                changed[name] = rng.randbytes(rng.choice((1, 16, 1000)))
            case _:
                changed[name] = _mutated_file(rng, name, changed[name])
        if not changed:
            break
    return changed


def mutated_tokenizer(rng: random.Random, content: bytes) -> bytes:
    """Return a tokenizer.json with a part of another tokenizer, without some tokens, or with any other mutation."""
    if rng.random() < 0.4:
        return mutated_json(rng, content)
    tokenizer = json.loads(content)
    if rng.random() < 0.4:
        vocabulary = tokenizer["model"]["vocab"]
        lost = ["[UNK]", "<unk>", "[CLS]", "[SEP]", "[MASK]", "[PAD]", *rng.sample(sorted(vocabulary), 3)]
        vocabulary.pop(rng.choice([token for token in lost if token in vocabulary]))
    else:
        part = rng.choice(sorted(_TOKENIZER_PARTS))
        tokenizer[part] = rng.choice(_TOKENIZER_PARTS[part])
    return json.dumps(tokenizer).encode()


def _mutated_file(rng: random.Random, name: str, content: bytes) -> bytes:
    """Return a file of a checkpoint with a mutation of its format, or of its bytes if it is damaged already."""
    suffix = name if name == "tokenizer.json" else name.rpartition(".")[2]
    try:
        return _MUTATIONS.get(suffix, mutated)(rng, content)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, struct.error):
        return mutated(rng, content)


_MUTATIONS: Mapping[str, Callable[[random.Random, bytes], bytes]] = {
    "tokenizer.json": mutated_tokenizer,
    "json": mutated_json,
    "safetensors": mutated_safetensors,
}


def mutated_folder(rng: random.Random, files: Files) -> Files:
    """Return a folder of shards with a mutated manifest, or with damaged, missing or additional shards."""
    changed = dict(files)
    shards = sorted(name for name in files if name.endswith(".parquet"))
    match rng.randrange(8):
        case 0:
            name = rng.choice(shards)
            changed[name] = mutated(rng, changed[name])
        case 1:
            del changed[rng.choice(shards)]
        case 2:
            changed["shard-00099.parquet"] = changed[shards[0]]
            changed[".shard-00003.parquet.abcdefgh.part"] = b"left over"
        case 3:
            first, second = rng.sample(shards, 2) if len(shards) > 1 else (shards[0], shards[0])
            changed[first], changed[second] = changed[second], changed[first]
        case _:
            changed["manifest.json"] = mutated_json(rng, changed["manifest.json"])
    return changed
