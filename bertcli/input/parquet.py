"""Texts in a column of a Parquet file."""

from typing import Any

from bertcli.errors import BadInput, require
from bertcli.input.rows import Fields, Rows, column_index, make_row
from bertcli.storage import AnyPath, RemotePath, arrow_source, size_of, translate_errors

_BATCH_ROWS = 1024
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
                for batch in file.iter_batches(_BATCH_ROWS, columns=list(self._fields.names)):
                    values = batch.to_pylist()
                    count += len(values)
                    self.position = size * count // file.metadata.num_rows
                    yield [make_row(each, None, self._fields) for each in values]
        except (arrow.ArrowException, OSError) as error:
            if isinstance(error, OSError) and (error.errno or isinstance(self._path, RemotePath)):
                raise
            raise BadInput(
                f"{self._path} cannot be read as Parquet: {_first_line(error)}", hint=_DAMAGED_HINT
            ) from None

    def _check_columns(self, file: Any) -> None:
        schema = file.schema_arrow
        for name in self._fields.names:
            column_index(schema.names, name, str(self._path))
        types, kind = self._pyarrow.types, schema.field(self._fields.text).type
        kind = kind.value_type if types.is_dictionary(kind) else kind
        if not (types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)):
            raise BadInput(
                f"{self._path}: column {self._fields.text!r} holds {kind}, not texts",
                hint=f"the columns are {', '.join(schema.names)}; choose one with --column",
            )


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".")
