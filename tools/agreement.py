"""Write docs/agreement.jsonl, a small set of minimal pairs of subject-verb agreement: `python -m tools.agreement`.

Each line has the grammatical sentence (`good`), the same sentence with the other form of the verb (`bad`), the
`construction`, and the `number` of the subject. The two sentences differ in one word.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

AGREEMENT = Path(__file__).parent.parent / "docs" / "agreement.jsonl"
# Nouns, each in the singular and in the plural, and the verbs that go with them.
_PEOPLE = (("boy", "boys"), ("teacher", "teachers"), ("doctor", "doctors"), ("friend", "friends"), ("girl", "girls"))
_THINGS = (("key", "keys"), ("letter", "letters"), ("book", "books"), ("picture", "pictures"), ("box", "boxes"))
_PLACES = (("table", "tables"), ("door", "doors"), ("house", "houses"), ("car", "cars"))
_OF_PEOPLE = (("is", "are", "happy"), ("was", "were", "tired"), ("has", "have", "a plan"), ("works", "work", "here"))
_OF_THINGS = (("is", "are", "old"), ("was", "were", "gone"), ("has", "have", "a name"), ("looks", "look", "new"))
_NUMBERS = ("singular", "plural")


@dataclass(frozen=True, slots=True)
class Pair:
    """A minimal pair."""

    good: str
    bad: str
    construction: str
    number: str


def pairs() -> Iterator[Pair]:
    """Yield all pairs, one construction after the other."""
    for number in range(2):
        for nouns, verbs in ((_PEOPLE, _OF_PEOPLE), (_THINGS, _OF_THINGS)):
            for noun in nouns:
                for verb in verbs:
                    yield _pair("simple", f"the {noun[number]}", verb, number)
    for number in range(2):
        for index, noun in enumerate(_THINGS):
            for shift, verb in enumerate(_OF_THINGS):
                place = _PLACES[(index + shift) % len(_PLACES)]
                yield _pair("same number between", f"the {noun[number]} near the {place[number]}", verb, number)
                yield _pair("other number between", f"the {noun[number]} near the {place[1 - number]}", verb, number)
    for number in range(2):
        for index, noun in enumerate(_PEOPLE):
            other = _PEOPLE[(index + 1) % len(_PEOPLE)]
            for verb in _OF_PEOPLE:
                know = ("knows", "know")[1 - number]
                yield _pair("relative clause", f"the {noun[number]} that the {other[1 - number]} {know}", verb, number)
    for index, noun in enumerate(_PEOPLE):
        other = _PEOPLE[(index + 2) % len(_PEOPLE)]
        for verb in _OF_PEOPLE:
            yield _pair("coordination", f"the {noun[0]} and the {other[0]}", verb, 1)


def _pair(construction: str, subject: str, verb: tuple[str, str, str], number: int) -> Pair:
    *forms, rest = verb
    good, bad = (f"{subject.capitalize()} {form} {rest}." for form in (forms[number], forms[1 - number]))
    return Pair(good, bad, construction, _NUMBERS[number])


def main() -> None:
    """Write the file."""
    lines = [json.dumps(asdict(pair)) + "\n" for pair in pairs()]
    AGREEMENT.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
