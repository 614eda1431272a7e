"""Fields of shapes and models."""

from collections.abc import Collection

from bertcli.output.catalogs.texts import LENGTH, PLACE, all_keys, fields_of
from bertcli.output.fields import Field, FieldCatalog

_OUTPUT = (
    ("name", "name of the output"),
    ("symbolic", "names of the dimensions"),
    ("shape", "shape of one tensor"),
    ("count", "number of tensors"),
    ("dtype", "number type"),
    ("bytes", "size of all tensors together"),
    ("default", "true if it is returned by default"),
    ("in_checkpoint", "true if the checkpoint has the weights for it"),
)
_TENSOR = (
    ("name", "name of the tensor"),
    ("shape", "its shape"),
    ("dtype", "its number type"),
    ("parameters", "number of its values"),
    ("bytes", "its size"),
)
_TOKEN = (
    ("position", "position of the token, from 0"),
    ("token", "the token"),
    ("id", "id of the token"),
    ("segment", "0 for sentence A, 1 for sentence B"),
    ("start", "first character in its sentence"),
    ("end", "character after the last one"),
    ("word", "number of its word in the sentence"),
    ("special", "true for special tokens"),
    ("unknown", "true for [UNK]"),
)
_LENGTHS = (
    ("texts", "number of texts"),
    ("tokens", "number of tokens of all texts, special tokens included"),
    ("min", "number of tokens of the shortest text"),
    ("median", "median of the numbers of tokens"),
    ("p90", "90th percentile, the smallest length that 90 % of the texts do not exceed"),
    ("p99", "99th percentile"),
    ("max", "number of tokens of the longest text"),
    ("limit", "largest number of tokens that the model reads at once"),
    ("over_limit", "number of texts that are longer than the limit"),
    ("over_limit_share", "their share of all texts, from 0 to 1"),
    ("unknown", "number of tokens that are [UNK]"),
    ("unknown_share", "their share of all tokens, from 0 to 1"),
    ("unknown_texts", "number of texts with such a token"),
)
_BIN = (
    ("min", "smallest number of tokens in a bin of the histogram"),
    ("max", "largest number of tokens in the bin"),
    ("texts", "number of texts in the bin"),
)
_MODEL = (
    ("model", "value for --model"),
    ("revision", "value for --revision"),
    ("refs", "branches and tags of the revision"),
    ("family", "model_type of the config"),
    ("num_hidden_layers", "number of layers"),
    ("hidden_size", "size of hidden states"),
    ("num_attention_heads", "number of heads of each layer"),
    ("parameters", "number of stored parameters"),
    ("bytes", "size of all files"),
    ("pooler", "true if it has a pooler"),
    ("mlm_head", "true if it has an MLM head"),
    ("recipe", "recipe of its embeddings"),
    ("recipe_error", "why its recipe cannot be used"),
)


def shapes_catalog(given: Collection[str]) -> FieldCatalog:
    """Return the fields of shapes; --weights, --tokens and --lengths change them."""
    if "--lengths" in given:
        lengths = fields_of("lengths", _LENGTHS, all_keys(_LENGTHS))
        return FieldCatalog([*lengths, *fields_of("lengths.histogram[]", _BIN, ())], given)
    if "--tokens" in given:
        return FieldCatalog([*PLACE, *LENGTH, *fields_of("tokens[]", _TOKEN, all_keys(_TOKEN))], given)
    if "--weights" in given:
        totals = (("tensors", "number of tensors"), ("parameters", "number of values"), ("bytes", "size of all"))
        tensors = fields_of("tensors[]", _TENSOR, all_keys(_TENSOR))
        return FieldCatalog([*tensors, *fields_of("total", totals, ())], given, "tensors")
    fields = [
        Field("classes[].class", "class", "class of transformers"),
        Field("classes[].parameters", "parameters", "number of its parameters"),
        *fields_of("classes[].outputs[]", _OUTPUT, all_keys(_OUTPUT)),
        Field("classes[].outputs[].ran", "ran", "shape in the run", "--run"),
        Field("batch_size", "", "number of texts"),
        Field("sequence_length", "", "number of tokens of each text"),
        Field("holds", "", "parts that the checkpoint has"),
    ]
    return FieldCatalog(fields, given, "classes")


def models_catalog() -> FieldCatalog:
    """Return the fields of models."""
    left_out = (("model", "name"), ("revision", "commit"), ("reason", "reason"))
    fields = [
        *fields_of("models[]", _MODEL, all_keys(_MODEL)),
        Field("cache", "", "folder of the hub's cache"),
        *(Field(f"left_out[].{key}", "", f"{about} of a model that cannot be opened") for key, about in left_out),
    ]
    return FieldCatalog(fields, (), "models")
