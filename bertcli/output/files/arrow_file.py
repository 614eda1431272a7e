"""Parquet files as pyarrow writes them: their opening, their row groups, and the type of their ids."""

from collections.abc import Sequence
from typing import Any, BinaryIO

from bertcli.errors import BadInput, require
from bertcli.input.records import TextId
from bertcli.storage import AnyPath, arrow_source

PURPOSE = "writing Parquet files"
INT64, STRING = "int64", "string"
# Key of a file's metadata with the name of the column of ids; empty if it has none.
ID_COLUMN = b"id_column"


def check_installed() -> None:
    """Raise MissingPackage if pyarrow is not installed."""
    require("pyarrow.parquet", PURPOSE)


class ArrowFile:
    """A Parquet file with a column of ids, which pyarrow opens when its columns are known.

    Attributes:
        arrow: The module pyarrow.
        id_type: Type of the ids, int64 or string, None if not known yet.
    """

    def __init__(self, stream: BinaryIO, id_type: str | None, *, has_ids: bool) -> None:
        """Prepare an empty file.

        Args:
            stream: The file.
            id_type: Type of the ids, int64 or string. None means the type of the first id.
            has_ids: True if the input has ids. Otherwise they are indices.

        Raises:
            MissingPackage: pyarrow is not installed.
        """
        self._writer: Any = None  # first of all, since __del__ needs it even if pyarrow is missing
        self.arrow = require("pyarrow", PURPOSE)
        self._parquet = require("pyarrow.parquet", PURPOSE)
        self._stream = stream
        self.id_type = id_type or (None if has_ids else INT64)

    @property
    def is_open(self) -> bool:
        """True once the columns are known."""
        return self._writer is not None

    @property
    def schema(self) -> Any:
        """The Arrow schema of an open file."""
        return self._writer.schema

    def open(self, schema: Any, **options: Any) -> None:
        """Open the file for columns, with options of pyarrow's writer."""
        self._writer = self._parquet.ParquetWriter(self._stream, schema, **options)

    def write_group(self, table: Any) -> None:
        """Write a table as a row group."""
        if len(table):
            self._writer.write_table(table, row_group_size=len(table))

    def close(self) -> None:
        """Write the end of the file."""
        self._writer.close()

    def ids(self, ids: Sequence[TextId | None], first_row: int) -> Any:
        """Return a column of ids. The first id of all decides their type if the caller has not.

        Args:
            ids: The ids.
            first_row: Number of the row of the first of them, for the message.

        Raises:
            BadInput: The ids are of different types.
        """
        self.id_type = self.id_type or id_type_from(ids)
        if self.id_type != INT64:
            return self.arrow.array([None if id_ is None else str(id_) for id_ in ids], self.arrow.string())
        for row, id_ in enumerate(ids, first_row):
            if isinstance(id_, str):
                raise BadInput(
                    f"row {row:,} has the id {id_!r}, but the ids before it are integers",
                    hint="use ids of one type, or leave out --id-field",
                )
        return self.arrow.array(ids, self.arrow.int64())

    def type_of(self, shape: Any) -> Any:
        """Return an Arrow type: shape is the name of one, a list with a shape, or a mapping of names to shapes."""
        if isinstance(shape, str):
            return self.arrow.type_for_alias(shape)
        if isinstance(shape, list):
            return self.arrow.list_(self.type_of(shape[0]))
        return self.arrow.struct([(name, self.type_of(each)) for name, each in shape.items()])

    def __del__(self) -> None:
        # pyarrow's writer would complete an unfinished file here, and fail, since the stream is closed already.
        if self._writer is not None:
            self._writer.is_open = False


def id_type_from(ids: Sequence[TextId | None]) -> str | None:
    """Return the type of a column of ids, which the first of them decides; None if there is none."""
    first = next((id_ for id_ in ids if id_ is not None), None)
    return None if first is None else INT64 if isinstance(first, int) else STRING


def id_type_of(path: AnyPath) -> str | None:
    """Return the type of the ids in a shard: int64 or string, None if it has no column of ids.

    The metadata of the file names the column, unless it is called id.
    """
    parquet = require("pyarrow.parquet", PURPOSE)
    with parquet.ParquetFile(arrow_source(path)) as file:
        schema = file.schema_arrow
        name = (schema.metadata or {}).get(ID_COLUMN, b"id").decode()
        return str(schema.field(name).type) if name else None
