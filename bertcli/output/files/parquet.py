"""Records as rows of Parquet, written in row groups as they arrive."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np

from bertcli.errors import BadInput, require
from bertcli.input.records import FailedText, TextId

FloatArray = np.ndarray[Any, Any]
# Size of a row group, about. The end of a group depends on the rows only, so that a resumed run writes the same bytes.
_GROUP_BYTES = 16 << 20
_MOST_GROUP_ROWS = 1 << 16
_PURPOSE = "writing Parquet files"
INT64, STRING = "int64", "string"


@dataclass(frozen=True, slots=True)
class VectorColumn:
    """A column with a vector, or a number, for each text. `of` returns that of a record."""

    name: str
    of: Callable[[Any], FloatArray | None]


@dataclass(frozen=True, slots=True)
class TokenColumn:
    """A column with a list for each text, one entry for each token.

    Attributes:
        name: Name of the column.
        of: Returns the vectors of a record, (tokens, hidden), or its tokens.
        is_vectors: The entries are vectors.
    """

    name: str
    of: Callable[[Any], Any]
    is_vectors: bool = True


@dataclass(frozen=True, slots=True)
class ParquetLayout:
    """Columns beside id, n_tokens and truncated.

    Attributes:
        hidden: Length of the vectors.
        vectors: Columns of one vector for each text.
        tokens: Columns of one list for each text.
        numbers: Columns of one number or null for each text.
        keeps: Columns among text and pair.
        has_ids: The input has ids. Otherwise the id is the index.
        has_index: Write a column of indices too.
        dtype: float32 or float16.
        metadata: Metadata of the file.
    """

    hidden: int
    vectors: Sequence[VectorColumn]
    tokens: Sequence[TokenColumn] = ()
    numbers: Sequence[VectorColumn] = ()
    keeps: Sequence[str] = ()
    has_ids: bool = False
    has_index: bool = False
    dtype: str = "float32"
    metadata: Mapping[str, str] = field(default_factory=dict)


def check_installed() -> None:
    """Check that pyarrow is installed.

    Raises:
        MissingPackage: It is not.
    """
    require("pyarrow.parquet", _PURPOSE)


class ParquetWriter:
    """Writer of one Parquet file. A failed text is a row with only its id.

    Attributes:
        id_type: int64 or string; None until the first id arrives.
    """

    def __init__(self, stream: BinaryIO, layout: ParquetLayout, id_type: str | None = None) -> None:
        self._arrow = require("pyarrow", _PURPOSE)
        self._parquet = require("pyarrow.parquet", _PURPOSE)
        self._stream, self._layout = stream, layout
        self.id_type = id_type or (None if layout.has_ids else INT64)
        self._writer: Any = None
        self._count = 0
        width = layout.hidden * np.dtype(layout.dtype).itemsize
        self._most_rows = min(_MOST_GROUP_ROWS, max(1, _GROUP_BYTES // (width * len(layout.vectors))))
        self._vectors = {each.name: np.zeros((0, layout.hidden), layout.dtype) for each in layout.vectors}
        self._forget()

    def write(self, record: Any) -> None:
        """Write the row of a record."""
        text = record.text
        self._begin_row(text.id if self._layout.has_ids else text.index)
        if self._layout.has_index:
            self._plain["index"].append(text.index)
        self._plain["n_tokens"].append(len(text.input_ids))
        self._plain["truncated"].append(text.truncated)
        for name in self._layout.keeps:
            self._plain[name].append(getattr(text, name))
        for number in self._layout.numbers:
            self._plain[number.name].append(number.of(record))
        for vector in self._layout.vectors:
            self._vectors[vector.name][self._rows] = vector.of(record)
        for column in self._layout.tokens:
            # Copy: the array of a record is a view of a whole batch.
            value = np.array(column.of(record), self._layout.dtype) if column.is_vectors else list(column.of(record))
            self._plain[column.name].append(value)
            self._held += value.nbytes if isinstance(value, np.ndarray) else 0
        self._end_row(is_missing=False)

    def skip(self, missing: FailedText) -> None:
        """Write the row of a failed text: its id, and its index if the layout has indices."""
        self._begin_row(missing.id if self._layout.has_ids else missing.index)
        for name, values in self._plain.items():
            if name != "id":
                values.append(missing.index if name == "index" else None)
        for vectors in self._vectors.values():
            vectors[self._rows] = 0
        self._end_row(is_missing=True)

    def finish(self) -> None:
        """Write the remaining rows and the end of the file."""
        if self._rows or self._writer is None:
            self._write_group()
        self._writer.close()

    def _begin_row(self, id_: TextId | None) -> None:
        if self._rows == len(next(iter(self._vectors.values()))):
            # The buffers grow as they fill, so that a file of three texts needs little memory.
            for name, vectors in self._vectors.items():
                more = min(max(64, 2 * len(vectors)), self._most_rows)
                self._vectors[name] = np.concatenate(
                    [vectors, np.zeros((more - len(vectors), vectors.shape[1]), vectors.dtype)]
                )
        self._plain["id"].append(id_)

    def _end_row(self, *, is_missing: bool) -> None:
        self._missing.append(is_missing)
        self._rows += 1
        if self._rows == self._most_rows or self._held >= _GROUP_BYTES:
            self._write_group()

    def _forget(self) -> None:
        layout = self._layout
        names = ["id", *(["index"] if layout.has_index else []), *layout.keeps, "n_tokens", "truncated"]
        names += [number.name for number in layout.numbers] + [column.name for column in layout.tokens]
        self._plain: dict[str, list[Any]] = {name: [] for name in names}
        self._missing: list[bool] = []
        self._rows = self._held = 0

    def _write_group(self) -> None:
        arrays = self._arrays()
        if self._writer is None:
            metadata = {key.encode(): value.encode() for key, value in self._layout.metadata.items()}
            types = [self._arrow.field(name, array.type) for name, array in arrays.items()]
            schema = self._arrow.schema(types, metadata)
            self._writer = self._parquet.ParquetWriter(
                self._stream, schema, use_dictionary=False, write_statistics=["id", "n_tokens"]
            )
        if self._rows:
            table = self._arrow.Table.from_arrays(list(arrays.values()), schema=self._writer.schema)
            self._writer.write_table(table, row_group_size=self._rows)
        self._count += self._rows
        self._forget()

    def _arrays(self) -> dict[str, Any]:
        arrow, layout, plain = self._arrow, self._layout, self._plain
        mask = arrow.array(self._missing, arrow.bool_())
        return {
            "id": self._ids(),
            **({"index": arrow.array(plain["index"], arrow.int64())} if layout.has_index else {}),
            **{name: arrow.array(plain[name], arrow.string()) for name in layout.keeps},
            "n_tokens": arrow.array(plain["n_tokens"], arrow.int32()),
            "truncated": arrow.array(plain["truncated"], arrow.bool_()),
            **{name: self._lists(vectors[: self._rows], mask) for name, vectors in self._vectors.items()},
            **{number.name: arrow.array(plain[number.name], arrow.float32()) for number in layout.numbers},
            **{column.name: self._per_token(column, mask) for column in layout.tokens},
        }

    def _ids(self) -> Any:
        ids = self._plain["id"]
        first = next((id_ for id_ in ids if id_ is not None), None)
        if self.id_type is None and first is not None:
            self.id_type = INT64 if isinstance(first, int) else STRING
        if self.id_type == INT64:
            for row, id_ in enumerate(ids, self._count + 1):
                if isinstance(id_, str):
                    raise BadInput(
                        f"row {row:,} has the id {id_!r}, but the ids before it are whole numbers",
                        hint="use only numbers or only strings as ids, or leave --id-field out",
                    )
            return self._arrow.array(ids, self._arrow.int64())
        return self._arrow.array([None if id_ is None else str(id_) for id_ in ids], self._arrow.string())

    def _lists(self, vectors: FloatArray, mask: Any = None) -> Any:
        values = self._arrow.array(vectors.ravel())
        return self._arrow.FixedSizeListArray.from_arrays(values, self._layout.hidden, mask=mask)

    def _per_token(self, column: TokenColumn, mask: Any) -> Any:
        values = self._plain[column.name]
        if not column.is_vectors:
            return self._arrow.array(values, self._arrow.list_(self._arrow.string()))
        present = [value for value in values if value is not None]
        empty = np.zeros((0, self._layout.hidden), self._layout.dtype)
        lengths = [0 if value is None else len(value) for value in values]
        offsets = self._arrow.array(np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int32))
        return self._arrow.ListArray.from_arrays(offsets, self._lists(np.concatenate([empty, *present])), mask=mask)
