"""bertcli shapes --tokens: the tokens of texts, from the tokenizer alone."""

from collections.abc import Iterator

from bertcli.analysis.tokens import describe_tokens
from bertcli.commands.options import TextOptions
from bertcli.errors import ExitCode
from bertcli.input.reader import TextReader
from bertcli.input.records import FailedText
from bertcli.model.tokenizer import TextTokenizer, TokenizedText
from bertcli.output.schema import with_ids
from bertcli.output.schemas.tokens import tokens_schema
from bertcli.output.sink import Sink
from bertcli.results.texts import RunInfo
from bertcli.results.tokens import TokensRecord


def show_tokens(texts: TextOptions, tokenizer: TextTokenizer, info: RunInfo, sink: Sink) -> ExitCode:
    """Show the tokens of every text."""
    schema = with_ids(tokens_schema(info), texts.id_field)
    return sink.write(info, schema, _records(TextReader(texts.source()), tokenizer))


def _records(reader: TextReader, tokenizer: TextTokenizer) -> Iterator[TokensRecord | FailedText]:
    for window in reader.windows():
        for text in tokenizer.tokenize_window(window):
            if isinstance(text, FailedText):
                yield text
            else:
                assert isinstance(text, TokenizedText)  # --long windows is refused
                yield describe_tokens(text, tokenizer)
