"""Checks of which options of encode go together with words and with --similarity tokens."""

from collections.abc import Mapping

from bertcli.commands.options import TextOptions, WordOptions
from bertcli.errors import WrongUsage
from bertcli.input.records import STDIN
from bertcli.quoting import is_utf8

# Why an option cannot be combined with words.
_REASONS = {
    "--tokens": "there is a row for each word instead of each token",
    "--pooler": "pooler_output is a vector of a text",
    "--layers": "the vectors of words are made from one hidden state",
    "--similarity tokens": "it compares tokens",
    "--dedupe": "it keeps one vector for each text",
    "--long windows": "words of a text that is read in windows are not supported",
    "--ray": "its files have a row for each text",
}
_LAYERS_HINT = "add --layer-op mean, which makes one of the layers, or leave --layers out"


def check_words(words: WordOptions, others: Mapping[str, bool]) -> None:
    """Check the options for words.

    Args:
        words: The options.
        others: The options that cannot be combined with words, and whether they are given.

    Raises:
        WrongUsage: They contradict each other, or an option needs --words.
    """
    if not words.are_requested:
        needing = {"--pretokenized": words.pretokenized, "--word-pooling": words.word_pooling is not None}
        for option, is_given in needing.items():
            if is_given:
                raise WrongUsage(f"{option} needs --words", hint=f"add --words, or leave {option} out")
        return
    for option, is_given in others.items():
        if is_given:
            raise WrongUsage(
                f"{option} and {words.option} cannot be combined: {_REASONS[option]}",
                hint=_LAYERS_HINT if option == "--layers" else "leave one of them out",
            )
    if words.word is not None and not words.word.strip():
        raise WrongUsage("--word needs a word, not an empty one", hint="name a word, or use --words for all of them")
    if words.word is not None and not is_utf8(words.word):
        raise WrongUsage("--word is not UTF-8", hint="use a word in UTF-8")


def check_two_texts(texts: TextOptions) -> None:
    """Check that --similarity tokens has two texts or pairs, as far as the command line shows it. Raises WrongUsage."""
    is_counted = not texts.file and texts.texts and STDIN not in texts.texts
    if is_counted and texts.pair is None and not texts.pairs and len(texts.texts) != 2:
        raise not_two_texts(str(len(texts.texts)))


def not_two_texts(count: str) -> WrongUsage:
    """Return the error for --similarity tokens with another number of texts than two."""
    are = "is" if count == "1" else "are"
    return WrongUsage(
        f"--similarity tokens compares two texts, and there {are} {count}",
        hint="give two texts, or a text and its --pair",
    )
