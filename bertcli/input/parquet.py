"""Texts in a column of a Parquet file."""

from typing import Any

from bertcli.errors import BadInput, require
from bertcli.input.rows import Fields, Rows, column_index, listed, make_row
from bertcli.quoting import printable_name
from bertcli.storage import AnyPath, RemotePath, arrow_source, size_of, translate_errors

# Limits of one read: number of rows, and approximate number of bytes in all columns.
_BATCH_ROWS, _BATCH_BYTES = 1024, 1 << 26
_DAMAGED_HINT = "copy the file again, or give its format with --input-format"


class ParquetTexts:
    """The rows of one Parquet file. position: roughly how many of its bytes have been read."""

    def __init__(self, path: AnyPath, fields: Fields) -> None:
        self._path, self._fields = path, fields
        self._pyarrow = require("pyarrow", "reading Parquet files")
        self._parquet = require("pyarrow.parquet", "reading Parquet files")
        self.position = 0

    def estimate_bytes(self) -> int:
        """Return the size of the file, as an estimate of its amount of text."""
        return size_of(self._path)

    def rows(self) -> Rows:
        """Yield the rows, in lists.

        Raises:
            BadInput: The file is damaged, or a column is missing or does not hold texts.
            Unreachable: A remote file cannot be read.
        """
        with translate_errors(self._path):
            yield from self._rows()

    def _rows(self) -> Rows:
        arrow = self._pyarrow
        try:
            with self._parquet.ParquetFile(arrow_source(self._path), pre_buffer=False) as file:
                self._check_columns(file)
                count, size = 0, self.estimate_bytes()
                for batch in file.iter_batches(_batch_rows(file.metadata), columns=list(self._fields.names)):
                    values = self._values(batch)
                    count += len(values)
                    self.position = size * count // file.metadata.num_rows
                    yield [make_row(each, None, self._fields) for each in values]
        except (arrow.ArrowException, OSError) as error:
            if isinstance(error, OSError) and (error.errno or isinstance(self._path, RemotePath)):
                raise
            reason = _first_line(error)
            hint = "decrypt it first" if "encrypted" in reason else _DAMAGED_HINT
            raise BadInput(f"{printable_name(self._path)} cannot be read as Parquet: {reason}", hint=hint) from None

    def _values(self, batch: Any) -> list[dict[str, Any]]:
        """Return a dict for each row. Raises BadInput for a value that Python does not have, such as the year 10000."""
        try:
            return self._decoded_values(batch)
        except self._pyarrow.ArrowException:  # some are ValueErrors; the caller describes them
            raise
        except (ValueError, OverflowError) as error:
            place = f"{printable_name(self._path)}: a value in {listed(self._fields.names)}"
            hint = "choose other columns, or store the values as strings"
            raise BadInput(f"{place} cannot be read: {_first_line(error)}", hint=hint) from None

    def _decoded_values(self, batch: Any) -> list[dict[str, Any]]:
        """Return a dict for each row. Parquet does not check that strings are UTF-8: other bytes become surrogates."""
        try:
            found: list[dict[str, Any]] = batch.to_pylist()
        except UnicodeDecodeError:
            arrow = self._pyarrow
            columns = {
                name: [_decoded(value) for value in _as_binary(arrow, batch.column(name)).to_pylist()]
                for name in self._fields.names
            }
            return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        return found

    def close(self) -> None:
        """Do nothing: the file is open only while its rows are read."""

    def _check_columns(self, file: Any) -> None:
        schema = file.schema_arrow
        for name in self._fields.names:
            column_index(schema.names, name, self._fields, printable_name(self._path))
        kind = schema.field(self._fields.text).type
        kind = kind.value_type if self._pyarrow.types.is_dictionary(kind) else kind
        if not _is_text(self._pyarrow, kind):
            raise BadInput(
                f"{printable_name(self._path)}: column {self._fields.text!r} holds {kind}, not texts",
                hint=f"the columns are {listed(schema.names)}; choose one with --column",
            )


def _batch_rows(metadata: Any) -> int:
    """Return the number of rows to read at a time."""
    groups = [metadata.row_group(index) for index in range(metadata.num_row_groups)]
    row_bytes = max((group.total_byte_size / group.num_rows for group in groups if group.num_rows), default=0)
    return int(min(_BATCH_ROWS, max(_BATCH_BYTES / row_bytes, 1))) if row_bytes else _BATCH_ROWS


def _as_binary(arrow: Any, column: Any) -> Any:
    """Return a column of strings as bytes, any other column unchanged."""
    column = column.dictionary_decode() if arrow.types.is_dictionary(column.type) else column
    return column.cast(arrow.large_binary()) if _is_text(arrow, column.type) else column


def _is_text(arrow: Any, kind: Any) -> bool:
    """Return True if a column's type is one of Arrow's types of strings."""
    types = arrow.types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _decoded(value: Any) -> Any:
    return value.decode(errors="surrogateescape") if isinstance(value, bytes) else value


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".")
