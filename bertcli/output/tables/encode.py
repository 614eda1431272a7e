"""Tables of encode: the vectors of a text, or its strongest terms."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from bertcli.choices import Pooling
from bertcli.output.tables import cells
from bertcli.output.tables.blocks import Blocks
from bertcli.output.tables.labels import label_parts
from bertcli.results.embeddings import EncodeRecord, LexicalVector
from bertcli.results.recipe import Recipe
from bertcli.results.texts import FloatArray, RunInfo

NARROWEST = len("pooler_output")
_SHOWN_TERMS = 10
_LAYERS = "hidden_states[0] is the embeddings; layer 0 of attn reads it and makes [1]"
DIMENSIONS = tuple(f"[{index}]" for index in range(cells.FIRST_VALUES))


def encode_table(record: EncodeRecord, info: RunInfo, recipe: Recipe) -> RenderableType:
    """Draw the norm and first dimensions of each token's vector, of the pooled vectors, and of the chosen layers."""
    states, pool = record.last_hidden_state, "+".join(recipe.pooling)
    vectors = _pooled_vectors(record, pool) if states is None else _token_vectors(record, states, pool)
    count = 0 if record.embedding is None else len(record.embedding)
    note = f"first {min(cells.FIRST_VALUES, count)} of {count:,} dimensions"
    return cells.figure(cells.title(record.text), vectors, *other_parts(record), cells.caption(info, note))


def terms_table(record: EncodeRecord, terms: LexicalVector, info: RunInfo, top_k: int | None) -> RenderableType:
    """Draw the strongest terms of a lexical vector, each with its weight and a bar."""
    drawn = cells.table()
    cells.add_words(drawn, "term")
    cells.add_numbers(drawn, "id", "weight")
    cells.add_bars(drawn, "")
    total = len(terms.weights)
    count = min(top_k or _SHOWN_TERMS, total)
    for token, token_id, weight in zip(terms.tokens[:count], terms.token_ids, terms.weights, strict=False):
        share = Text(cells.bar(float(weight / terms.weights[0])), cells.ACCENT)
        drawn.add_row(cells.cell(token), Text(str(token_id)), cells.number(float(weight)), share)
    all_terms = "all terms with a weight" if total else "no term has a weight"
    note = f"the {count:,} strongest of {total:,} terms" if count < total else all_terms
    drawn_terms = Blocks(drawn, keys=1)
    return cells.figure(cells.title(record.text), drawn_terms, *other_parts(record), cells.caption(info, note))


def other_parts(record: EncodeRecord) -> Iterator[RenderableType]:
    """Yield the tables of the chosen layers, the next sentence and the labels, if the record has them."""
    if record.hidden_states:
        yield _layers(record)
    if record.next_sentence is not None:
        yield _next_sentence(record.next_sentence)
    if record.labels is not None:
        yield from label_parts(record.labels, record.text)


def _token_vectors(record: EncodeRecord, last_hidden_state: FloatArray, pool: str) -> Blocks:
    """Draw a row for each token, and under them the pooled vectors in the same columns."""
    text = record.text
    drawn = cells.table()
    cells.add_numbers(drawn, "#")
    cells.add_words(drawn, "token")
    cells.add_numbers(drawn, "id", "seg", "norm", *DIMENSIONS)
    segments = [str(segment) for segment in text.token_type_ids] or ["-"] * len(text.tokens)
    tokens = zip(text.tokens, text.input_ids, segments, last_hidden_state, strict=True)
    for position, (token, id_, segment, vector) in enumerate(tokens):
        place = Text(str(position), cells.QUIET)
        drawn.add_row(place, cells.token(token), Text(str(id_)), Text(segment), *norm_and_values(vector))
    drawn.add_section()
    for name, vector in pooled_rows(record, pool):
        drawn.add_row(Text(), name, Text(), Text(), *norm_and_values(vector))
    return Blocks(drawn, keys=2, narrowest=NARROWEST)


def _pooled_vectors(record: EncodeRecord, pool: str) -> Blocks:
    """Draw the pooled vectors alone."""
    drawn = cells.table()
    cells.add_words(drawn, "vector")
    cells.add_numbers(drawn, "norm", *DIMENSIONS)
    for name, vector in pooled_rows(record, pool):
        drawn.add_row(name, *norm_and_values(vector))
    return Blocks(drawn, keys=1, narrowest=NARROWEST)


def pooled_rows(record: EncodeRecord, pool: str) -> Iterator[tuple[Text, FloatArray]]:
    """Yield the name and values of each pooled vector."""
    yield Text.assemble(("embedding", cells.STRONG), (f" {pool}", cells.QUIET)), record.embedding
    if record.pooler_output is not None and pool != Pooling.POOLER:  # else the embedding is pooler_output
        yield Text("pooler_output", cells.STRONG), record.pooler_output


def _layers(record: EncodeRecord) -> RenderableType:
    """Draw the mean norm of each layer's tokens, and the norm and values of its first token."""
    first = record.text.tokens[0]
    drawn = cells.table()
    cells.add_numbers(drawn, "layer", "mean norm", f"{first} norm", *DIMENSIONS)
    for layer, state in zip(record.layers, record.hidden_states, strict=True):
        mean = sum(map(cells.norm, state)) / len(state)
        drawn.add_row(Text(str(layer)), cells.number(mean), *norm_and_values(state[0]))
    legend = Text(_LAYERS, cells.QUIET)
    return Group(cells.subtitle("hidden_states", f"values of {first}"), Blocks(drawn, keys=1), legend)


def _next_sentence(probability: float) -> Text:
    note = "  probability that B follows A"
    return Text.assemble(("next_sentence", cells.STRONG), f"  {probability:.4f}", (note, cells.QUIET))


def norm_and_values(vector: FloatArray) -> Iterator[Text]:
    yield cells.number(cells.norm(vector))
    yield from (cells.number(float(value)) for value in vector[: cells.FIRST_VALUES])
