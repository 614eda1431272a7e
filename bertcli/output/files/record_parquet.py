"""Parquet files with a row for each record, whose columns are the keys of the record's JSON object."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, BinaryIO

from bertcli.input.records import FailedText
from bertcli.lazy_dataclass import dataclass
from bertcli.output.fields import Field, FieldCatalog
from bertcli.output.files.arrow_file import ID_COLUMN, INT64, STRING, ArrowFile
from bertcli.output.schema import Schema

# Approximate bytes of a row group in memory. The end of a group depends on the rows alone.
_GROUP_BYTES = 16 << 20
# Records to convert together: as Python objects they take many times the memory of their columns.
_RECORDS_TOGETHER = 128
# Fields that only --keep-text writes, unless --fields names them.
_TEXTS = ("text", "pair", "versus.text", "versus.pair")
_NUMBERS, _NAMES = ["int32"], ["string"]
_MATRIX = [["float"]]
# Types of values by the last keys of their paths, as pyarrow names them. Other values are float32.
_TYPES: Mapping[str, Any] = {
    **dict.fromkeys(("index", "line"), INT64),
    **dict.fromkeys(
        (
            "unknown", "position", "score.tokens[].id", "token", "rank", "other_rank", "change", "width", "layer",
            "head", "sentence", "words[].index", "start", "end", "steps",
        ),
        "int32",
    ),
    **dict.fromkeys(
        (
            "file", "text", "pair", "token_str", "sequence", "target", "method", "score.tokens[].token",
            "from[].token", "keys[].token", "best", "word", "only", "label", "lens_method", "model", "revision",
            "baseline",
        ),
        STRING,
    ),
    **dict.fromkeys(("truncated", "preferred"), "bool"),
    **dict.fromkeys(("tokens", "pieces", "only_words", "words"), _NAMES),
    **dict.fromkeys(("positions", "ids", "rows", "columns"), _NUMBERS),
    **dict.fromkeys(("mutual", "attention", "rollout", "head_distance", "head_effects[].values"), _MATRIX),
    "attributions[].values": ["float"],
    "value_norms": [_MATRIX],
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RecordLayout:
    """Columns of a file with a row for each record.

    Attributes:
        schema: Returns the JSON object of a record.
        fields: The fields to write.
        has_ids: True if the input has ids.
        metadata: Metadata of the file.
        is_large: True if a record holds a matrix.
    """

    schema: Schema[Any]
    fields: Sequence[Field]
    has_ids: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)
    is_large: bool = False

    def open_writer(self, stream: BinaryIO, id_type: str | None) -> "RecordParquetWriter":
        """Return the writer of a file; see bertcli.output.files.shards.ShardLayout."""
        return RecordParquetWriter(stream, self, id_type)


def row_fields(catalog: FieldCatalog, names: Sequence[str] | None, *, keeps_text: bool) -> Sequence[Field]:
    """Return the fields to write into a row, in the order of the names.

    Args:
        catalog: The fields of the run.
        names: Names that the user chose, None for all that the run can fill.
        keeps_text: Write the texts too.
    """
    found = [each for each in catalog.available if each.path]
    if names is not None:
        # A field that two names lead to is written once.
        return list({each.path: each for name in names for each in _fields_named(found, name)}.values())
    shown = [each for each in found if not each.is_of_record or not each.column or catalog.shows_column(each.column)]
    return [each for each in shown if keeps_text or each.path not in _TEXTS]


def _fields_named(fields: Sequence[Field], name: str) -> Sequence[Field]:
    """Return the fields with a key, those inside an object with that key, or else those of a column of TSV."""
    keys = [each for each in fields if each.key == name or each.key.startswith(f"{name}.")]
    return keys or [each for each in fields if each.column == name]


class RecordParquetWriter:
    """Writer of one file. The row of a failed text has its index, id, file and line, and nulls."""

    def __init__(self, stream: BinaryIO, layout: RecordLayout, id_type: str | None = None) -> None:
        """Prepare an empty file.

        Args:
            stream: The file.
            layout: The columns.
            id_type: Type of the ids, int64 or string. None means the type of the first id.

        Raises:
            MissingPackage: pyarrow is not installed.
        """
        self._file = ArrowFile(stream, id_type, has_ids=layout.has_ids)
        self._arrow, self._layout = self._file.arrow, layout
        self._tree = _type_tree(layout.fields)
        self._together = 1 if layout.is_large else _RECORDS_TOGETHER
        self._rows: list[Mapping[str, Any]] = []
        self._tables: list[Any] = []
        self._table_bytes = 0
        self._first_row = 1

    @property
    def id_type(self) -> str | None:
        """Type of the ids, int64 or string, None if not known yet."""
        return self._file.id_type

    def write(self, record: Any) -> None:
        """Add the row of a record."""
        self._add(self._layout.schema.to_json(record))

    def skip(self, failed: FailedText) -> None:
        """Add the row of a failed text."""
        self._add({"index": failed.index, "id": failed.id, "file": failed.file, "line": failed.line})

    def finish(self) -> None:
        """Write the last row group and the end of the file.

        Raises:
            BadInput: The ids are of different types.
        """
        if self._rows or (not self._file.is_open and not self._tables):
            self._convert()
        if self._tables:
            self._write_group()
        self._file.close()

    def _add(self, row: Mapping[str, Any]) -> None:
        self._rows.append(row)
        if len(self._rows) == self._together:
            self._convert()
            if self._table_bytes >= _GROUP_BYTES:
                self._write_group()

    def _convert(self) -> None:
        """Turn the rows into columns."""
        arrays = {}
        for name, type_ in self._tree.items():
            values = [row.get(name) for row in self._rows]
            if name == "id":
                arrays[name] = self._file.ids(values, self._first_row)
            else:
                arrays[name] = self._arrow.array(values, self._file.type_of(type_))
        table = self._arrow.table(arrays)
        self._tables.append(table)
        self._table_bytes += table.nbytes
        self._first_row += len(self._rows)
        self._rows = []

    def _write_group(self) -> None:
        table = self._arrow.concat_tables(self._tables).combine_chunks()
        self._tables, self._table_bytes = [], 0
        if not self._file.is_open:
            metadata = {key.encode(): value.encode() for key, value in self._layout.metadata.items()}
            metadata[ID_COLUMN] = b"id" if "id" in self._tree else b""
            self._file.open(table.schema.with_metadata(metadata))
        self._file.write_group(table)


def _type_tree(fields: Sequence[Field]) -> dict[str, Any]:
    """Return the type of each column: the name of an Arrow type, a list of one type, or the types of an object."""
    tree: dict[str, Any] = {}
    for each in fields:
        *outer, last = each.path.split(".")
        keys = tree
        for part in outer:
            inside = keys.setdefault(part.removesuffix("[]"), [{}] if part.endswith("[]") else {})
            keys = inside[0] if isinstance(inside, list) else inside
        keys[last] = _type_of(each.path)
    return tree


def _type_of(path: str) -> Any:
    """Return the type of the value at a path."""
    parts = path.split(".")
    if parts[0] == "group":
        return STRING
    suffixes = (".".join(parts[start:]) for start in range(len(parts)))
    return next((_TYPES[suffix] for suffix in suffixes if suffix in _TYPES), "float")
