"""Writer of Parquet files, in row groups of bounded size."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any, BinaryIO

import numpy as np

from bertcli.errors import require
from bertcli.input.records import FailedText, TextId
from bertcli.lazy_dataclass import dataclass
from bertcli.output.fields import missing_field
from bertcli.output.files.arrow_file import PURPOSE, ArrowFile

FloatArray = np.ndarray[Any, Any]
# Approximate bytes of a row group: of its vectors, or of its vectors of tokens. The end of a group depends on the rows
# alone, so that equal rows make equal files.
_GROUP_BYTES = 16 << 20
_MAX_GROUP_ROWS = 1 << 16
# The type of a column with a list of whole numbers in each row.
INT_LIST = "list of int32"


@dataclass(frozen=True, slots=True)
class VectorColumn:
    """A column with a vector for each text.

    Attributes:
        name: Name of the column.
        get: Returns the vector of a record, (width,).
        width: Length of the vector.
    """

    name: str
    get: Callable[[Any], FloatArray]
    width: int


@dataclass(frozen=True, slots=True)
class TermColumn:
    """A column with one entry for each term of a lexical vector.

    Attributes:
        name: Name of the column.
        get: Returns the entries of a record, (terms,).
        is_index: True if the entries are token ids, False if they are weights.
    """

    name: str
    get: Callable[[Any], FloatArray]
    is_index: bool = False


@dataclass(frozen=True, slots=True)
class NumberColumn:
    """A column with a number, or another plain value, for each text.

    Attributes:
        name: Name of the column.
        get: Returns the value of a record, None for null.
        type: Name of the type: float32, int32, int64, string, or INT_LIST.
    """

    name: str
    get: Callable[[Any], Any]
    type: str = "float32"


@dataclass(frozen=True, slots=True)
class TokenColumn:
    """A column with a list for each text, with one entry for each token.

    Attributes:
        name: Name of the column.
        get: Returns the vectors of a record, (tokens, hidden), or its tokens.
        is_vectors: True if the entries are vectors, False if they are tokens.
    """

    name: str
    get: Callable[[Any], Any]
    is_vectors: bool = True


@dataclass(frozen=True, slots=True)
class NestedColumn:
    """A column with nested values for each text: lists, and objects with the same keys in each row.

    Attributes:
        name: Name of the column.
        get: Returns the value of a record, None for null.
        type: Name of an Arrow type, a list of one type for a list, or the types of an object by key.
    """

    name: str
    get: Callable[[Any], Any]
    type: Any


@dataclass(frozen=True, slots=True)
class ParquetLayout:
    """Columns of a file besides id, n_tokens and truncated.

    Attributes:
        hidden: Length of each vector of a token.
        vectors: Columns with a vector for each text.
        tokens: Columns with a list for each text.
        numbers: Columns with a number for each text.
        texts: Names of the text columns, out of text and pair.
        has_ids: True if the input has ids. Otherwise the id is the index.
        has_index: True to add a column of indices.
        dtype: dtype of the vectors, float32 or float16.
        metadata: Metadata of the file.
        terms: Columns of the lexical vector of each text.
        nested: Columns with nested values for each text.
        chosen: Names of the columns to write, in order, None for all. A dot leads into a nested column.
    """

    hidden: int
    vectors: Sequence[VectorColumn] = ()
    tokens: Sequence[TokenColumn] = ()
    numbers: Sequence[NumberColumn] = ()
    texts: Sequence[str] = ()
    has_ids: bool = False
    has_index: bool = False
    dtype: str = "float32"
    metadata: Mapping[str, str] = field(default_factory=dict)
    terms: Sequence[TermColumn] = ()
    nested: Sequence[NestedColumn] = ()
    chosen: Sequence[str] | None = None

    def open_writer(self, stream: BinaryIO, id_type: str | None) -> "ParquetWriter":
        """Return the writer of a file; see bertcli.output.files.shards.ShardLayout."""
        return ParquetWriter(stream, self, id_type)


class ParquetWriter:
    """Writer of one file. The row of a failed text has an id, an index if there is such a column, and nulls."""

    def __init__(self, stream: BinaryIO, layout: ParquetLayout, id_type: str | None = None) -> None:
        """Prepare an empty file.

        Args:
            stream: The file.
            layout: The columns.
            id_type: Type of the ids, int64 or string. None means the type of the first id.

        Raises:
            MissingPackage: pyarrow is not installed.
            WrongUsage: There is no column of a chosen name.
        """
        self._file = ArrowFile(stream, id_type, has_ids=layout.has_ids)
        self._arrow, self._layout = self._file.arrow, layout
        self._written_rows = 0
        row_bytes = sum(each.width for each in layout.vectors) * np.dtype(layout.dtype).itemsize
        self._max_rows = min(_MAX_GROUP_ROWS, max(1, _GROUP_BYTES // max(1, row_bytes)))
        self._capacity = 0
        self._vectors = {each.name: np.zeros((0, each.width), layout.dtype) for each in layout.vectors}
        self._start_group()
        for name in layout.chosen or ():
            if name.partition(".")[0] not in (*self._values, *self._vectors):
                raise missing_field(name)

    @property
    def id_type(self) -> str | None:
        """Type of the ids, int64 or string, None if not known yet."""
        return self._file.id_type

    def write(self, record: Any) -> None:
        """Add the row of a record."""
        text = record.text
        self._begin_row(text.id if self._layout.has_ids else text.index)
        if self._layout.has_index:
            self._values["index"].append(text.index)
        self._values["n_tokens"].append(len(text.input_ids))
        self._values["truncated"].append(text.truncated)
        for name in self._layout.texts:
            self._values[name].append(getattr(text, name))
        for number in self._layout.numbers:
            self._values[number.name].append(number.get(record))
        for vector in self._layout.vectors:
            self._vectors[vector.name][self._rows] = vector.get(record)
        for column in self._layout.tokens:
            # A copy, since the record has a view that would keep its whole batch in memory.
            value = np.array(column.get(record), self._layout.dtype) if column.is_vectors else list(column.get(record))
            self._values[column.name].append(value)
            self._token_bytes += value.nbytes if isinstance(value, np.ndarray) else 0
        for term in self._layout.terms:
            entries = np.asarray(term.get(record), np.int32 if term.is_index else self._layout.dtype)
            self._values[term.name].append(entries)
            self._token_bytes += entries.nbytes
        for nested in self._layout.nested:
            self._values[nested.name].append(nested.get(record))
        self._end_row(is_failed=False)

    def skip(self, failed: FailedText) -> None:
        """Add the row of a failed text."""
        self._begin_row(failed.id if self._layout.has_ids else failed.index)
        for name, values in self._values.items():
            if name != "id":
                values.append(failed.index if name == "index" else None)
        for vectors in self._vectors.values():
            vectors[self._rows] = 0
        self._end_row(is_failed=True)

    def finish(self) -> None:
        """Write the last row group and the end of the file.

        Raises:
            BadInput: The ids are of different types.
        """
        if self._rows or not self._file.is_open:
            self._write_group()
        self._file.close()

    def _begin_row(self, id_: TextId | None) -> None:
        if self._rows == self._capacity:
            # Grow the arrays as they fill, so that a file of few texts needs little memory.
            self._capacity = min(max(64, 2 * self._capacity), self._max_rows)
            for name, vectors in self._vectors.items():
                self._vectors[name] = np.concatenate(
                    [vectors, np.zeros((self._capacity - len(vectors), vectors.shape[1]), vectors.dtype)]
                )
        self._values["id"].append(id_)

    def _end_row(self, *, is_failed: bool) -> None:
        self._is_failed.append(is_failed)
        self._rows += 1
        if self._rows == self._max_rows or self._token_bytes >= _GROUP_BYTES:
            self._write_group()

    def _start_group(self) -> None:
        """Start an empty row group. The arrays of vectors are reused."""
        layout = self._layout
        names = ["id", *(["index"] if layout.has_index else []), *layout.texts, "n_tokens", "truncated"]
        names += [number.name for number in layout.numbers] + [column.name for column in layout.tokens]
        names += [term.name for term in layout.terms] + [nested.name for nested in layout.nested]
        self._values: dict[str, list[Any]] = {name: [] for name in names}
        self._is_failed: list[bool] = []
        self._rows = self._token_bytes = 0

    def _write_group(self) -> None:
        arrays = self._arrays()
        if self._layout.chosen is not None:
            arrays = {name: _nested_array(arrays, name.split(".")) for name in self._layout.chosen}
        if not self._file.is_open:
            metadata = {key.encode(): value.encode() for key, value in self._layout.metadata.items()}
            types = [self._arrow.field(name, array.type) for name, array in arrays.items()]
            self._file.open(
                self._arrow.schema(types, metadata),
                use_dictionary=False,
                write_statistics=[name for name in ("id", "n_tokens") if name in arrays],
            )
        self._file.write_group(self._arrow.Table.from_arrays(list(arrays.values()), schema=self._file.schema))
        self._written_rows += self._rows
        self._start_group()

    def _arrays(self) -> dict[str, Any]:
        """Return the columns of the row group by name."""
        arrow, layout, values = self._arrow, self._layout, self._values
        mask = arrow.array(self._is_failed, arrow.bool_())
        return {
            "id": self._file.ids(values["id"], self._written_rows + 1),
            **({"index": arrow.array(values["index"], arrow.int64())} if layout.has_index else {}),
            **{name: arrow.array(values[name], arrow.string()) for name in layout.texts},
            "n_tokens": arrow.array(values["n_tokens"], arrow.int32()),
            "truncated": arrow.array(values["truncated"], arrow.bool_()),
            **{name: self._vector_lists(vectors[: self._rows], mask) for name, vectors in self._vectors.items()},
            **{column.name: self._term_lists(column, mask) for column in layout.terms},
            **{number.name: arrow.array(values[number.name], self._type(number.type)) for number in layout.numbers},
            **{column.name: self._token_lists(column, mask) for column in layout.tokens},
            **{each.name: arrow.array(values[each.name], self._file.type_of(each.type)) for each in layout.nested},
        }

    def _type(self, name: str) -> Any:
        """Return pyarrow's type of a NumberColumn."""
        arrow = self._arrow
        return arrow.list_(arrow.int32()) if name == INT_LIST else arrow.type_for_alias(name)

    def _vector_lists(self, vectors: FloatArray, mask: Any = None) -> Any:
        """Return vectors, (rows, width), as an array of lists, null where the mask is True."""
        values = self._arrow.array(vectors.ravel())
        return self._arrow.FixedSizeListArray.from_arrays(values, vectors.shape[1], mask=mask)

    def _term_lists(self, column: TermColumn, mask: Any) -> Any:
        """Return a column of the row group with the terms of each text, null where the mask is True."""
        dtype = np.int32 if column.is_index else np.dtype(self._layout.dtype)
        present = [value for value in self._values[column.name] if value is not None]
        entries = self._arrow.array(np.concatenate([np.zeros(0, dtype), *present]))
        return self._arrow.ListArray.from_arrays(self._offsets(column.name), entries, mask=mask)

    def _offsets(self, name: str) -> Any:
        """Return where the list of each row begins and ends in a column of lists."""
        lengths = [0 if value is None else len(value) for value in self._values[name]]
        return self._arrow.array(np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int32))

    def _token_lists(self, column: TokenColumn, mask: Any) -> Any:
        """Return a column of the row group with a list for each text, null where the mask is True."""
        values = self._values[column.name]
        if not column.is_vectors:
            return self._arrow.array(values, self._arrow.list_(self._arrow.string()))
        present = [value for value in values if value is not None]
        empty = np.zeros((0, self._layout.hidden), self._layout.dtype)
        vectors = self._vector_lists(np.concatenate([empty, *present]))
        return self._arrow.ListArray.from_arrays(self._offsets(column.name), vectors, mask=mask)


def _nested_array(arrays: Mapping[str, Any], keys: Sequence[str]) -> Any:
    """Return a column, or the values of a key inside a nested column, in lists if the column has lists."""
    array = arrays[keys[0]]
    for key in keys[1:]:
        if hasattr(array, "offsets"):
            values = array.values.field(key)
            array = type(array).from_arrays(array.offsets, values, mask=array.is_null())
        else:
            array = require("pyarrow.compute", PURPOSE).struct_field(array, key)
    return array
