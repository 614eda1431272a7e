"""Layer numbers as the user writes them: all, -1, or 0,6,12.

encode numbers hidden states and attn numbers attention layers, by the same syntax.
"""

from bertcli.errors import WrongUsage


def parse_layers(option: str, value: str, count: int, *, with_embeddings: bool = False) -> list[int]:
    """Return the layers that an option names, in the order given.

    Args:
        option: Name of the option, for error messages.
        value: `all`, or numbers separated by commas. Negative numbers count from the end: -1 is the last layer.
        count: Number of layers. For hidden states this is num_hidden_layers + 1.
        with_embeddings: The layers are hidden states, of which number 0 is the output of the embeddings.

    Returns:
        Indices from 0 to count - 1. A number given twice is returned twice.

    Raises:
        WrongUsage: The value is not a list of numbers, or a number is out of range.

    >>> parse_layers("--layers", "0,-1", 7)
    [0, 6]
    """
    if value == "all":
        return list(range(count))
    try:
        numbers = [int(part) for part in value.split(",")]
    except ValueError:
        examples = ",".join(str(number) for number in sorted({0, count // 2, count - 1}))
        raise WrongUsage(f"{option} {value!r} is not a list of numbers", hint=f"use all, -1, or {examples}") from None
    if outside := [number for number in numbers if not -count <= number < count]:
        noun, parts = "layer", ""
        if with_embeddings:
            noun, parts = "hidden state", f", the embeddings (0) and {count - 1} layers"
        raise WrongUsage(
            f"there is no {noun} {outside[0]}: this model has {count}{parts}",
            hint=f"use numbers from 0 to {count - 1}, or from -{count} to -1",
        )
    return [number % count for number in numbers]


def hidden_state_indices(value: str, num_hidden_layers: int) -> list[int]:
    """Return the hidden states that --layers names, each once, as indices into the num_hidden_layers + 1 of them.

    Raises:
        WrongUsage: As parse_layers.
    """
    return list(dict.fromkeys(parse_layers("--layers", value, num_hidden_layers + 1, with_embeddings=True)))
