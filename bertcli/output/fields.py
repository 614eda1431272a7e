"""Fields of a run: the names that --fields accepts, and records reduced to the chosen ones."""

import difflib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import partial
from typing import Any, TypeVar

from bertcli.errors import WrongUsage
from bertcli.lazy_dataclass import dataclass
from bertcli.output.formatting import joined
from bertcli.output.schema import Cell, Schema
from bertcli.quoting import shortened

Record = TypeVar("Record")

# The value of --fields that lists the names.
HELP = "help"
_ROW_FORMATS, _JSON_FORMATS = ("csv", "tsv"), ("json", "jsonl")
# A folder of shards, whose columns are the keys of JSON.
_FOLDER = "folder"
# Formats whose fields can be chosen on standard output.
TEXT_FORMATS = (*_ROW_FORMATS, *_JSON_FORMATS)
_MAX_SUGGESTIONS = 3
# Options that fields need, with a value.
_EXAMPLES = {
    "--id-field": "--id-field id",
    "--pair": "--pair TEXT",
    "--targets": "--targets are,is",
    "--mass": "--mass 0.9",
    "--layers": "--layers all",
    "--rows": "--rows 0-5",
    "--layer and --head": "--layer 0 --head 0",
    "--only": "--pair TEXT --only b",
    "--only-words": "--only-words is,are",
}


@dataclass(frozen=True, slots=True)
class Field:
    """A value that records have.

    Attributes:
        path: Its keys in JSON, such as masks[].predictions[].score, where [] is a list. Empty if JSON does not have it.
        column: Its column in TSV and CSV, empty if it has none.
        about: Its description.
        needs: The option that computes it, empty if every run has it.
        shown_with: The option that its column is for. Without it, the column is left out unless it is chosen.
    """

    path: str
    column: str
    about: str
    needs: str = ""
    shown_with: str = ""

    @property
    def key(self) -> str:
        """The path as users write it: names with dots between them."""
        return self.path.replace("[]", "")

    @property
    def names(self) -> Sequence[str]:
        """The names of the field, that of the column first."""
        return [name for name in dict.fromkeys((self.column, self.key)) if name]

    @property
    def is_of_record(self) -> bool:
        """True if a record has one such value, since there is no list on the way to it."""
        return bool(self.path) and "[]" not in self.path

    def matches(self, name: str) -> bool:
        """Return True if a name is that of the field, or of an object that holds it."""
        return name in self.names or self.key.startswith(f"{name}.")


@dataclass(frozen=True, slots=True)
class FieldCatalog:
    """The fields of one kind of run.

    Attributes:
        fields: All of them.
        given: The options that are given, out of those that fields need or are shown with.
        lines_key: Key of the list whose entries are the lines of JSON Lines; empty if each record is a line.
    """

    fields: Sequence[Field] = ()
    given: Collection[str] = ()
    lines_key: str = ""

    @property
    def available(self) -> Sequence[Field]:
        """The fields that the given options compute."""
        return [each for each in self.fields if not each.needs or each.needs in self.given]

    @property
    def columns(self) -> Collection[str]:
        """The columns of the available fields."""
        return {each.column for each in self.available if each.column}

    def shows_column(self, name: str) -> bool:
        """Return True if the run can fill a column. A column that is not in the catalog is always shown."""
        known = [each for each in self.fields if each.column == name]
        shown = [each for each in known if each in self.available]
        return not known or any(not each.shown_with or each.shown_with in self.given for each in shown)

    def describe(self) -> Iterator[str]:
        """Yield a line for each available field: its name, its other name if it has one, and its description."""
        rows = [(*each.names, "")[:2] for each in self.available]
        first, second = (max((len(row[side]) for row in rows), default=0) for side in (0, 1))
        for each, (name, other) in zip(self.available, rows, strict=True):
            yield f"{name:<{first}}  {other:<{second}}  {each.about}"

    def parse(self, value: str) -> Sequence[str]:
        """Return the names between the commas.

        Raises:
            WrongUsage: A name is empty, unknown, named twice, or needs an option.
        """
        names = [name.strip() for name in value.split(",")]
        for place, name in enumerate(names):
            if not name:
                example = next((each.names[0] for each in self.available), "text")
                raise WrongUsage("--fields has an empty name", hint=f"use names, such as --fields {example}")
            if name in names[:place]:
                raise WrongUsage(f"--fields names {shortened(name)} twice", hint="leave one of them out")
            if not any(each.matches(name) for each in self.available):
                raise self._unknown(name)
        return names

    def column_of(self, name: str) -> str:
        """Return the column of a name, which may be its key in JSON. Return other names unchanged."""
        if name in self.columns:
            return name
        return next((each.column for each in self.available if each.column and each.key == name), name)

    def _unknown(self, name: str) -> WrongUsage:
        needed = next((each.needs for each in self.fields if each.matches(name)), None)
        if needed is not None:
            return WrongUsage(
                f"the field {name} needs {needed}",
                hint=f"add {_EXAMPLES.get(needed, needed)}, or leave {name} out of --fields",
            )
        known = {spelling: spelling for each in self.available for spelling in each.names}
        known |= {each.key.rpartition(".")[2]: each.key for each in self.available if not each.column and each.key}
        written = name.lower()  # all names are in small letters
        close = difflib.get_close_matches(written.rpartition(".")[2], known, _MAX_SUGGESTIONS)
        close = difflib.get_close_matches(written, known, _MAX_SUGGESTIONS) or close
        suggested = " or ".join(dict.fromkeys(known[spelling] for spelling in close))
        listing = "use --fields help to list the names"
        hint = f"{listing}; did you mean {suggested}?" if suggested else listing
        return WrongUsage(f"there is no field {shortened(name)}", hint=hint)


@dataclass(frozen=True, slots=True)
class FieldSelection:
    """The fields that a run shows.

    Attributes:
        catalog: The fields to choose from.
        names: The names that the user chose, in order; None for all that the run can fill.
    """

    catalog: FieldCatalog = field(default_factory=FieldCatalog)
    names: Sequence[str] | None = None

    def check(self, format_: str) -> None:
        """Check that a format can show the chosen fields. Raises WrongUsage."""
        if self.names is None or format_ not in (*TEXT_FORMATS, _FOLDER):
            return
        if format_ in _ROW_FORMATS and self._are_columns:
            return
        key = next((name for name in self.names if name not in self.catalog.columns), None)
        for name in self.names:
            if not self._keys(name) and format_ in _ROW_FORMATS:
                raise WrongUsage(
                    f"--fields has {name}, a column of TSV and CSV, and {key}, a key of JSON",
                    hint="leave one of them out",
                )
            if not self._keys(name):
                other = "a folder" if format_ == _FOLDER else "JSON"
                raise WrongUsage(
                    f"--fields has {name}, a column of TSV and CSV that {other} does not have",
                    hint=f"write TSV or CSV instead, or leave {name} out of --fields",
                )
        if format_ == "jsonl" and self.catalog.lines_key:
            self._check_lines()

    def _check_lines(self) -> None:
        """Check that the lines of JSON Lines have the chosen fields. Raises WrongUsage."""
        lines_key = self.catalog.lines_key
        for name in self.names or ():
            if not any(f"{each}.".startswith(f"{lines_key}.") for each in self._keys(name)):
                raise WrongUsage(
                    f"--fields has {name}, which is not in the lines of JSON Lines: they are {lines_key}",
                    hint=f"write JSON instead, or leave {name} out of --fields",
                )

    def apply(self, schema: Schema[Record], format_: str) -> Schema[Record]:
        """Return a schema of the shown fields.

        Raises:
            WrongUsage: The model does not have a field.
        """
        if self.names is None:
            return self._narrowed(schema) if format_ in _ROW_FORMATS else schema
        for name in self.names:
            self._check_model_has(name, schema)
        tree = self._tree(self.names)
        if format_ == "jsonl" and schema.to_lines is not None:
            return replace(schema, to_lines=partial(_lines, schema=schema, tree=self._tree_of_line(tree)))
        if format_ in _JSON_FORMATS:
            return replace(schema, to_json=partial(_pruned_json, schema=schema, tree=tree))
        if not self._are_columns:
            rows: Any = partial(_rows_of_tree, schema=schema, tree=tree, width=len(self.names))
            return replace(schema, columns=self.names, to_rows=rows)
        fields = [each for each in self.catalog.available if each.column in self.names]
        is_of_record = all(each.is_of_record for each in fields)
        return _with_columns(schema, self.names, is_single=is_of_record)

    @property
    def _are_columns(self) -> bool:
        """True if all names are columns, so that rows can be taken from the schema."""
        return all(name in self.catalog.columns for name in self.names or ())

    def _keys(self, name: str) -> Sequence[str]:
        """Return the keys in JSON that a name selects."""
        available = [each for each in self.catalog.available if each.path]
        if any(each.key == name or each.key.startswith(f"{name}.") for each in available):
            return [name]
        return [each.key for each in available if each.column == name]

    def _tree(self, names: Iterable[str]) -> "_Tree":
        tree = _Tree()
        for place, name in enumerate(names):
            for key in self._keys(name):
                tree.add(key.split("."), place)
        return tree

    def _tree_of_line(self, tree: "_Tree") -> "_Tree":
        """Return the part of the tree that is in a line of JSON Lines."""
        if self.catalog.lines_key:
            return tree.children[self.catalog.lines_key]
        # The keys of a line are columns.
        columns = _Tree()
        for place, name in enumerate(self.names or ()):
            key = next(each.column for each in self.catalog.available if name in each.names)
            columns.add([key], place)
        return columns

    def _narrowed(self, schema: Schema[Record]) -> Schema[Record]:
        shown = [name for name in schema.columns if self.catalog.shows_column(name)]
        return schema if len(shown) == len(schema.columns) else _with_columns(schema, shown)

    def _check_model_has(self, name: str, schema: Schema[Any]) -> None:
        """Check that a field that depends on the model is there: labels, and what is beside a lexical vector."""
        found = [each for each in self.catalog.available if each.matches(name)]
        columns = {each.column for each in self.catalog.available if each.path and each.column}
        roots = {root for each in found for root in (each.key.split(".")[0], each.column) if root in columns}
        if roots and not roots & {*schema.columns}:
            raise missing_field(name)


def missing_field(name: str) -> WrongUsage:
    """Return the error for a field that the model does not have, such as the label of a model without labels."""
    return WrongUsage(f"this model has no {name}", hint=f"leave {name} out of --fields, or use another model")


@dataclass(slots=True)
class _Tree:
    """Keys of JSON to keep, by the key of the object around them.

    Attributes:
        places: Numbers of the columns that hold the value. It is kept whole if there are any.
        children: The keys to keep of the value.
    """

    places: list[int] = field(default_factory=list)
    children: "dict[str, _Tree]" = field(default_factory=dict)

    def add(self, keys: Sequence[str], place: int) -> None:
        """Add a path."""
        node = self
        for key in keys:
            node = node.children.setdefault(key, _Tree())
        node.places.append(place)


def _with_columns(schema: Schema[Record], names: Sequence[str], *, is_single: bool = False) -> Schema[Record]:
    """Return a schema with these columns only, in this order.

    Args:
        schema: The schema.
        names: The columns.
        is_single: Keep only the first row of each record, since the others are equal.
    """
    places = [list(schema.columns).index(name) for name in names]
    rows = partial(_chosen_cells, schema=schema, places=places, is_single=is_single)
    return replace(schema, columns=tuple(names), to_rows=rows)


def _chosen_cells(record: Any, schema: Schema[Any], places: Sequence[int], is_single: bool) -> Iterator[Sequence[Cell]]:
    for cells in schema.to_rows(record):
        yield [cells[place] for place in places]
        if is_single:
            return


def _pruned_json(record: Any, schema: Schema[Any], tree: _Tree) -> Mapping[str, Any]:
    found: Mapping[str, Any] = _prune(schema.to_json(record), tree)
    return found


def _lines(record: Any, schema: Schema[Any], tree: _Tree) -> Iterator[Mapping[str, Any]]:
    assert schema.to_lines is not None
    for line in schema.to_lines(record):
        yield _prune(line, tree)


def _prune(value: Any, tree: _Tree) -> Any:
    """Return a JSON value with the keys of the tree only, in the order of the tree."""
    if tree.places:
        return value
    if isinstance(value, (list, tuple)):
        return [_prune(each, tree) for each in value]
    if not isinstance(value, Mapping):
        return value
    return {key: _prune(value[key], child) for key, child in tree.children.items() if key in value}


def _rows_of_tree(record: Any, schema: Schema[Any], tree: _Tree, width: int) -> Iterator[Sequence[Cell]]:
    """Yield the rows of a record: one for each entry of the innermost lists that the tree has keys of."""
    for cells in _explode(schema.to_json(record), tree):
        yield [cells.get(place) for place in range(width)]


def _explode(value: Any, tree: _Tree) -> list[dict[int, Cell]]:
    """Return the cells of an object, by their column, in a row for each entry of its lists.

    Lists beside each other have rows one after another.
    """
    cells, lists = _own_cells(value, tree)
    if not lists:
        return [cells]
    return [{**cells, **row} for entries, child in lists for each in entries for row in _explode(each, child)]


def _own_cells(value: Any, tree: _Tree) -> tuple[dict[int, Cell], list[tuple[Sequence[Any], _Tree]]]:
    """Return the cells of an object and of the objects in it, and the lists that are to have rows of their own."""
    cells: dict[int, Cell] = {}
    lists: list[tuple[Sequence[Any], _Tree]] = []
    for key, child in tree.children.items():
        found = value.get(key) if isinstance(value, Mapping) else None
        cells.update(dict.fromkeys(child.places, _cell(found)))
        if not child.children:
            continue
        if isinstance(found, (list, tuple)):
            lists.append((found, child))
        else:
            own, more = _own_cells(found, child)
            cells.update(own)
            lists += more
    return cells, lists


def _cell(value: Any) -> Cell:
    """Return a JSON value as a cell: a list of plain values separated by spaces, and anything nested as JSON."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, (list, tuple)) and not any(isinstance(each, (list, tuple, Mapping)) for each in value):
        return joined(value)
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
