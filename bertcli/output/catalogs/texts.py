"""Fields of every record about a text, and the options that fields need. [] in a path is a list."""

from collections.abc import Collection, Iterable

from bertcli.output.fields import Field

# Options that fields need or are shown with. PAIR is also given by --pairs, and FILES by standard input.
FILES, SEVERAL_FILES, PAIR, TRUNCATE, ID_FIELD = "-f", "several -f", "--pair", "--truncate", "--id-field"
WINDOWS, PER_WINDOW, WORDS = "--long windows", "--per-window", "--words"

PLACE = (
    Field("index", "index", "number of the text in the run, from 0"),
    Field("id", "text_id", "id that the input gives the text", needs=ID_FIELD),
    Field("file", "file", "file of the text, if there are several", shown_with=SEVERAL_FILES),
    Field("line", "line", "line of the text in its file, from 1", shown_with=FILES),
    Field("text", "text", "the text, or sentence A of a pair"),
    Field("pair", "pair", "sentence B", shown_with=PAIR),
)
LENGTH = (
    Field("truncated", "truncated", "true if the text was cut", shown_with=TRUNCATE),
    Field("unknown", "", "number of tokens that the vocabulary cannot spell ([UNK])"),
)
TEXT = (*PLACE, Field("tokens", "", "the tokens, special tokens included"), *LENGTH)
WINDOWS_READ = (
    Field("windows[].start", "", "first token of each window of the text", needs=WINDOWS),
    Field("windows[].end", "", "token after the last one of each window", needs=WINDOWS),
)
WINDOW = (
    ("window", "number of the window, from 0"),
    ("start", "first character of the window in the text"),
    ("end", "character after the last one of the window"),
)


def fields_of(path: str, names: Iterable[tuple[str, str]], columns: Collection[str], needs: str = "") -> list[Field]:
    """Return the fields of an object or of a list of them.

    Args:
        path: Its path.
        names: The keys and descriptions.
        columns: The keys that are columns of the same name.
        needs: The option that computes it.
    """
    return [Field(f"{path}.{key}", key if key in columns else "", about, needs) for key, about in names]


def all_keys(names: Iterable[tuple[str, str]]) -> list[str]:
    """Return the keys without their descriptions."""
    return [key for key, _ in names]
