"""The names and help of the options with which fill-mask compares the scores of texts and summarizes them."""

from typing import Annotated

from bertcli.cli.groups import Group
from bertcli.cli.options import option
from bertcli.commands.options import PairOptions

SCORES, SUMMARIES = "Scores of texts", "Summaries"

PairGroup = Annotated[
    PairOptions,
    Group(
        {
            "versus": option(
                "--versus", panel=SCORES, metavar="FIELD",
                help="With --score, compare each text with the text in this field. With --pairs, use --versus B; for "
                "texts given as arguments, give the other text.",
            ),
            "only": option(
                "--only", panel=SCORES,
                help="With --score, score only the tokens that both texts share, or only sentence B.",
            ),
            "only_words": option(
                "--only-words", panel=SCORES, metavar="WORDS",
                help="With --score, score only these words, such as is,are.",
            ),
            "aggregate": option(
                "--aggregate", panel=SUMMARIES, help="Show one summary of all texts instead of each text."
            ),
            "group_by": option(
                "--group-by", panel=SUMMARIES, metavar="FIELDS",
                help="Summarize each group of texts too. The values of these fields, such as field,UID, name a group.",
            ),
        }
    ),
]  # fmt: skip
