"""The line that a run in reduced precision prints."""

from bertcli.commands.precision import describe
from bertcli.results.precision import Precision


def test_the_distance_reads_as_a_sentence() -> None:
    assert describe(Precision(64, 0.999982, 0.99971)) == "cosine to float32 mean 0.99998, min 0.99971 over 64 texts"
    assert describe(Precision(1, 0.999982, 0.999982, 3, 2 / 3, 0.00262)) == (
        "cosine to float32 mean 0.99998, min 0.99998 over 1 text; same top prediction for 2 of 3 masks, "
        "probabilities within 0.0026"
    )


def test_a_small_distance_is_not_rounded_to_none() -> None:
    assert describe(Precision(2, 0.99999977, 0.9999996)).startswith("cosine to float32 mean 0.9999998, min 0.9999996 ")
    assert describe(Precision(2, 1, 1)).startswith("cosine to float32 mean 1, min 1 over ")
