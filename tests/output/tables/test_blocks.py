from collections import Counter
from io import StringIO

from bertcli.output.console import make_console
from bertcli.output.tables import cells
from bertcli.output.tables.blocks import Blocks


def _drawn(width: int) -> list[str]:
    table = cells.table()
    cells.add_numbers(table, "key", "first", "second")
    cells.add_words(table, "words")
    table.add_row("1", "1.234", "-5.678", "one two three four")
    stream = StringIO()
    make_console(stream, "never", width).print(Blocks(table, keys=1))
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def test_one_block_if_all_columns_fit() -> None:
    assert _drawn(80) == [
        "key  first  second  words",
        "──────────────────────────────────────",
        "  1  1.234  -5.678  one two three four",
    ]


def test_text_is_folded_before_columns_are_split() -> None:
    assert _drawn(30) == [
        "key  first  second  words",
        "──────────────────────────────",
        "  1  1.234  -5.678  one two",
        "                    three four",
    ]


def test_blocks_repeat_the_keys_and_leave_numbers_whole() -> None:
    assert _drawn(20) == [
        "key  first  second",
        "──────────────────",
        "  1  1.234  -5.678",
        "",
        "key  words",
        "────────────────────",
        "  1  one two three",
        "     four",
    ]


def test_nothing_is_cut_if_not_even_one_column_fits() -> None:
    for width in (6, 8, 10):
        drawn = Counter("".join(_drawn(width)))
        assert Counter("1.234-5.678onetwothreefour") <= drawn


def test_a_column_with_a_least_width_is_folded_to_it_and_the_others_keep_theirs() -> None:
    table = cells.table()
    cells.add_words(table, "key", "words")
    cells.add_numbers(table, "value")
    table.columns[1].min_width = 6
    table.add_row("long key", "un ##bel ##ie", "1.234")
    stream = StringIO()
    make_console(stream, "never", 24).print(Blocks(table, keys=1))
    assert [line.rstrip() for line in stream.getvalue().splitlines()] == [
        "key       words    value",
        "────────────────────────",
        "long key  un       1.234",
        "          ##bel",
        "          ##ie",
    ]
