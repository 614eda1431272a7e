"""ModernBERT's settings of layers and rotary positions in config.json, in both spellings of transformers.

transformers 5 writes `layer_types` and `rope_parameters`. Earlier versions, and the published checkpoints, have
`global_attn_every_n_layers`, `global_rope_theta` and `local_rope_theta`.
"""

from collections.abc import Mapping
from typing import Any

from bertcli.quoting import shortened

_GLOBAL, _LOCAL = "full_attention", "sliding_attention"
# The older name of the base of each kind's rotary angles, and its default.
_THETAS: Mapping[str, tuple[str, float]] = {
    _GLOBAL: ("global_rope_theta", 160_000.0),
    _LOCAL: ("local_rope_theta", 10_000.0),
}
# Settings that only transformers computes, if they have a value.
_ONLY_IN_TRANSFORMERS = ("rope_scaling", "partial_rotary_factor", "head_dim", "tie_last_hidden_states")
_TOO_LARGE = 1e15


def unsupported_setting(raw: Mapping[str, Any], num_hidden_layers: int) -> str:
    """Return the first setting that bertcli's own forward pass does not compute, with its value, or "".

    Args:
        raw: The object in config.json.
        num_hidden_layers: Number of layers.
    """
    supported = {
        "layer_types": _are_layer_types(raw.get("layer_types"), num_hidden_layers),
        "global_attn_every_n_layers": _is_positive(_global_every(raw), int),
        "rope_parameters": _are_plain(raw.get("rope_parameters") or {}),
        **{name: _is_positive(raw.get(name, default), int, float) for name, default in _THETAS.values()},
        **{name: raw.get(name) is None for name in _ONLY_IN_TRANSFORMERS},
    }
    return next((f"{name} {shortened(raw[name])}" for name, is_supported in supported.items() if not is_supported), "")


def global_layers(raw: Mapping[str, Any], num_hidden_layers: int) -> tuple[bool, ...]:
    """Return True for each layer whose tokens attend to all tokens, and False for those with a window."""
    if (stored := raw.get("layer_types")) is not None:
        return tuple(kind == _GLOBAL for kind in stored)
    return tuple(index % _global_every(raw) == 0 for index in range(num_hidden_layers))


def rope_thetas(raw: Mapping[str, Any]) -> tuple[float, float]:
    """Return the bases of the rotary angles of global and of local layers."""
    parameters = raw.get("rope_parameters") or {}
    of_global, of_local = (
        float(parameters.get(kind, {}).get("rope_theta", raw.get(name, default)))
        for kind, (name, default) in _THETAS.items()
    )
    return of_global, of_local


def _global_every(raw: Mapping[str, Any]) -> Any:
    return raw.get("global_attn_every_n_layers", 3)


def _are_layer_types(stored: Any, num_hidden_layers: int) -> bool:
    """Return True if layer_types is missing, or names a known kind for each layer."""
    if stored is None:
        return True
    return (
        isinstance(stored, list)
        and len(stored) == num_hidden_layers
        and all(kind in (_GLOBAL, _LOCAL) for kind in stored)
    )


def _are_plain(parameters: Any) -> bool:
    """Return True if rope_parameters has nothing but the base of the angles for each kind of layer."""
    if not isinstance(parameters, dict) or not parameters.keys() <= _THETAS.keys():
        return False
    return all(map(_is_plain, parameters.values()))


def _is_plain(stored: Any) -> bool:
    if not isinstance(stored, dict) or not stored.keys() <= {"rope_type", "type", "rope_theta"}:
        return False
    rope_type = stored.get("rope_type", stored.get("type", "default"))
    return rope_type == "default" and _is_positive(stored.get("rope_theta", 1), int, float)


def _is_positive(value: Any, *types: type) -> bool:
    return type(value) in types and 0 < value < _TOO_LARGE
