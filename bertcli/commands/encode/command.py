"""bertcli encode: the vectors of texts."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bertcli.analysis.embeddings.encode import EncodeOptions
from bertcli.analysis.embeddings.lexical import dense_vector
from bertcli.analysis.embeddings.pooling import similarity_matrix
from bertcli.choices import Similarity
from bertcli.commands.encode.outputs import binary_writers, encode_info, encode_options, open_dedupe, sort_window
from bertcli.commands.encode.request import NPY_SUFFIX, EncodeRequest
from bertcli.commands.encode.windows import window_plan
from bertcli.commands.opening import open_texts
from bertcli.commands.request import open_sink
from bertcli.errors import ExitCode
from bertcli.input.reader import TextReader
from bertcli.input.records import FailedText
from bertcli.output.destination import PARQUET_SUFFIX
from bertcli.output.schema import with_ids, with_windows
from bertcli.output.schemas.encode import encode_schema
from bertcli.output.sink import Sink
from bertcli.pipeline.scheduler import Plan, Run
from bertcli.results.embeddings import EncodeRecord
from bertcli.results.recipe import Recipe

# A run over this many texts ends with a summary.
_MIN_SUMMARY_TEXTS = 1000


def encode_texts(request: EncodeRequest) -> ExitCode:
    """Encode every text."""
    sink = open_sink(request, request.texts.on_error)
    if sink.destination.folder is None:
        return _encode_to_sink(request, sink)
    if request.ray.is_requested:
        from bertcli.commands.encode.ray import encode_on_ray

        return encode_on_ray(request, sink, sink.destination.folder)
    from bertcli.commands.encode.folder import encode_into_folder

    return encode_into_folder(request, sink, sink.destination.folder)


def _encode_to_sink(request: EncodeRequest, sink: Sink) -> ExitCode:
    destination = sink.destination
    session, reader = open_texts(request.texts, request.session, sink)
    options = encode_options(request, session, destination.format, is_looked_at=destination.wants_table)
    info, recipe = encode_info(session), session.recipe.shown
    collected = _Embeddings(recipe)
    similarity = collected.similarity if request.similarity else None
    schema = encode_schema(info, recipe, wants_tokens=request.tokens, similarity=similarity, top_k=request.top_k)
    schema = with_windows(schema) if request.per_window else schema
    schema = with_ids(schema, request.texts.id_field)
    with ExitStack() as stack:
        # Closed after the threads of the run, which use it.
        dedupe = stack.enter_context(open_dedupe(request, session, options, destination.scratch_folder))
        plan = _plan(options, reader, sink)
        run = stack.enter_context(Run(session, reader, plan, sink.reporter, sink.reporter.note))
        compute, documents = window_plan(session, options, per_window=request.per_window)
        answers = run.answers(compute, dedupe=dedupe, documents=documents)
        if request.similarity:
            answers = collected.watch(answers)
        exit_code = sink.write(info, schema, answers, binary_writers(session, request, options))
    if destination.is_file and run.counts.done >= _MIN_SUMMARY_TEXTS:
        sink.reporter.summarize(run.summary())
    return exit_code


def _plan(options: EncodeOptions, reader: TextReader, sink: Sink) -> Plan:
    destination = sink.destination
    return Plan(
        sort_window=sort_window(options),
        # A pipe may be a dialogue, and an error in a line is reported when the line arrives.
        ends_at_silence=reader.total_bytes is None,
        ids_only=destination.format in (NPY_SUFFIX, PARQUET_SUFFIX) and not options.tokens,
        # A file appears when it is complete, so its first rows are in no hurry.
        starts_small=not destination.is_file or destination.wants_table,
    )


@dataclass(frozen=True, slots=True)
class _Embeddings:
    """The texts and embeddings of a run, for the similarity matrix after the last record."""

    recipe: Recipe
    texts: list[str] = field(default_factory=list)
    embeddings: list[Any] = field(default_factory=list)

    def watch(self, answers: Iterable[EncodeRecord | FailedText]) -> Iterator[EncodeRecord | FailedText]:
        """Yield the answers unchanged, and keep their embeddings."""
        for answer in answers:
            if not isinstance(answer, FailedText):
                self.texts.append(answer.text.text)
                self.embeddings.append(answer.embedding if answer.terms is None else answer.terms)
            yield answer

    def similarity(self) -> tuple[Sequence[str], Any]:
        """Return the texts and the similarity of each pair, (texts, texts)."""
        if not self.texts:
            return self.texts, np.empty((0, 0))
        vectors = self.embeddings
        if self.recipe.is_lexical:
            vectors = [dense_vector(terms, self.recipe.dimension) for terms in self.embeddings]
        return self.texts, similarity_matrix(np.array(vectors), self.recipe.similarity or Similarity.COSINE)
