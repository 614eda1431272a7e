"""bertcli shapes --lengths: the lengths of texts in tokens, from the tokenizer alone."""

from collections.abc import Iterator

from bertcli.analysis.lengths import LengthCounts
from bertcli.commands.options import TextOptions
from bertcli.errors import ExitCode
from bertcli.input.reader import TextReader
from bertcli.input.records import FailedText
from bertcli.model.token_counts import TokenCounter
from bertcli.model.tokenizer import TextTokenizer
from bertcli.output.schemas.lengths import lengths_schema
from bertcli.output.sink import Sink
from bertcli.pipeline.progress import ProgressDisplay, ProgressReporter, RunCounts
from bertcli.results.lengths import TextLengths
from bertcli.results.texts import RunInfo

# Texts to count at a time.
_COUNTED_TOGETHER = 1024


def show_lengths(texts: TextOptions, tokenizer: TextTokenizer, info: RunInfo, sink: Sink) -> ExitCode:
    """Show the lengths of all texts together."""
    schema = lengths_schema(info, LengthCounts().summarize(tokenizer.limit), tokenizer.special_tokens.unk)
    return sink.write(info, schema, _measure(TextReader(texts.source()), tokenizer, sink.reporter))


def _measure(
    reader: TextReader, tokenizer: TextTokenizer, display: ProgressDisplay
) -> Iterator[TextLengths | FailedText]:
    """Yield the texts that fail as they are read, and the lengths of the others at the end."""
    counter, lengths, run = TokenCounter(tokenizer), LengthCounts(), RunCounts()
    progress = ProgressReporter(reader, run, display)
    progress.start()
    try:
        for window in progress.watch(reader.windows()):
            for start in range(0, len(window), _COUNTED_TOGETHER):
                part = window[start : start + _COUNTED_TOGETHER]
                counts = iter(counter.count([text for text in part if not isinstance(text, FailedText)]))
                for text in part:
                    count = text if isinstance(text, FailedText) else next(counts)
                    if isinstance(count, FailedText):
                        yield count
                    else:
                        lengths.add(count)
                        run.computed += count.tokens
                run.done += len(part)
    finally:
        progress.stop()
    if lengths.texts:
        yield lengths.summarize(tokenizer.limit)
