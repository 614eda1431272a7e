"""The signatures of the commands: their own options, and the groups that they share."""

from pathlib import Path
from typing import Annotated

from bertcli.choices import (
    AttributionMethod,
    Baseline,
    FillOrder,
    LensMethod,
    SimilarityUnit,
    TargetScore,
    WithinWord,
    WordRank,
)
from bertcli.cli.options import (
    VECTORS,
    CorpusGroup,
    EmbeddingGroup,
    FolderGroup,
    HeadGroup,
    HeadModelGroup,
    MapGroup,
    ModelGroup,
    OutputGroup,
    PageGroup,
    RayGroup,
    TextGroup,
    WordGroup,
    option,
)
from bertcli.cli.score_options import SCORES, PairGroup

_PREDICTIONS, _SHAPES = "Predictions", "Shapes"


def encode(
    texts: TextGroup,
    *,
    embedding: EmbeddingGroup,
    tokens: Annotated[bool, option("--tokens", panel=VECTORS, help="Add the vector of each token.")] = False,
    layers: Annotated[
        str | None,
        option(
            "--layers",
            panel=VECTORS,
            metavar="LAYERS",
            help="Add the hidden states of these layers, such as all, -1 or 0,6,12. 0 is the embeddings.",
        ),
    ] = None,
    pooler: Annotated[bool, option("--pooler", panel=VECTORS, help="Add pooler_output, tanh(W h_[CLS] + b).")] = False,
    words: WordGroup,
    similarity: Annotated[
        SimilarityUnit | None,
        option(
            "--similarity",
            panel=VECTORS,
            metavar="[texts|tokens]",
            help="Compare every pair of texts, or every token of one text with every token of another.",
        ),
    ] = None,
    top_k: Annotated[
        int | None,
        option(
            "-k",
            "--top-k",
            panel=VECTORS,
            metavar="N",
            min=1,
            show_default="all; 10 terms in a table",
            help="With --similarity, show the N nearest texts of each text. Otherwise the number of terms of a lexical "
            "vector to show.",
        ),
    ] = None,
    no_labels: Annotated[
        bool, option("--no-labels", panel=VECTORS, help="Leave out the labels and answers of the checkpoint's heads.")
    ] = False,
    per_window: Annotated[
        bool,
        option(
            "--per-window",
            panel=VECTORS,
            help="With --long windows, write a row for each window, with its place in the text.",
        ),
    ] = False,
    corpus: CorpusGroup,
    ray: RayGroup,
    model: HeadModelGroup,
    output: OutputGroup,
) -> int:
    """Encode texts."""
    from bertcli.commands.encode.command import encode_texts
    from bertcli.commands.encode.request import EncodeRequest

    return encode_texts(
        EncodeRequest(
            texts,
            model,
            output,
            embedding,
            tokens,
            pooler,
            layers,
            similarity,
            top_k,
            corpus=corpus,
            ray=ray,
            words=words,
            labels=not no_labels,
            per_window=per_window,
        )
    )


def fill_mask(
    texts: TextGroup,
    *,
    top_k: Annotated[
        int | None,
        option(
            "-k",
            "--top-k",
            panel=_PREDICTIONS,
            metavar="N",
            min=1,
            show_default="5",
            help="Number of candidates for each mask.",
        ),
    ] = None,
    mass: Annotated[
        float | None,
        option(
            "--mass",
            panel=_PREDICTIONS,
            metavar="P",
            min=0,
            max=1,
            help="Show the fewest candidates that together have at least the probability P.",
        ),
    ] = None,
    entropy: Annotated[
        bool, option("--entropy", panel=_PREDICTIONS, help="Add the entropy of each prediction, in bits.")
    ] = False,
    targets: Annotated[
        str | None,
        option(
            "--targets",
            panel=_PREDICTIONS,
            metavar="WORDS",
            help='Score these words too, such as are,is,"New York". @FILE reads them from a file, one on each line.',
        ),
    ] = None,
    target_field: Annotated[
        str | None,
        option(
            "--target-field",
            panel=_PREDICTIONS,
            metavar="FIELD",
            help="Show the rank of the word that this field of a row expects in the mask.",
        ),
    ] = None,
    target_score: Annotated[
        TargetScore | None,
        option(
            "--target-score",
            panel=_PREDICTIONS,
            show_default="l2r",
            help="Score the pieces of a target from left to right, or by their mean.",
        ),
    ] = None,
    joint: Annotated[bool, option("--joint", panel=_PREDICTIONS, help="Fill all masks of a text together.")] = False,
    order: Annotated[
        FillOrder | None,
        option(
            "--order",
            panel=_PREDICTIONS,
            show_default="confidence",
            help="With --joint, fill the most confident mask first, or go from left to right.",
        ),
    ] = None,
    pieces: Annotated[
        str | None,
        option(
            "--pieces",
            panel=_PREDICTIONS,
            metavar="N-M",
            help="Fill each mask with words of N to M pieces, such as 1-3 or 2.",
        ),
    ] = None,
    rank: Annotated[
        WordRank | None,
        option(
            "--rank",
            panel=_PREDICTIONS,
            show_default="mean",
            help="With --pieces, order words by the mean of their pieces' log-probabilities, or by the sum.",
        ),
    ] = None,
    score: Annotated[
        bool,
        option(
            "--score",
            panel=SCORES,
            help="Compute the pseudo-log-likelihood of each text: every token is masked in turn.",
        ),
    ] = False,
    within_word: Annotated[
        WithinWord | None,
        option(
            "--within-word",
            panel=SCORES,
            show_default="original, with --words l2r",
            help="With --score, mask with each token: nothing else, the pieces of its word to its right, its whole "
            "word, or all tokens to its right.",
        ),
    ] = None,
    words: Annotated[
        bool,
        option(
            "--words",
            panel=SCORES,
            help="With --score or --attribute, show the value of each word instead of each token.",
        ),
    ] = False,
    lens: Annotated[
        LensMethod | None,
        option(
            "--lens",
            panel=_PREDICTIONS,
            metavar="[auto|raw|tuned]",
            help="Show the prediction of every layer: by the MLM head alone (raw), or after a map that was trained for "
            "the layer (tuned). auto is tuned for the bundled model and with --lens-file, else raw.",
        ),
    ] = None,
    lens_file: Annotated[
        str | None,
        option(
            "--lens-file",
            panel=_PREDICTIONS,
            metavar="FILE",
            help="With --lens, read the maps of the tuned lens from this safetensors file.",
        ),
    ] = None,
    compare: Annotated[
        str | None,
        option("--compare", panel=_PREDICTIONS, metavar="MODEL", help="Compare with the predictions of another model."),
    ] = None,
    mutual: Annotated[
        bool, option("--mutual", panel=_PREDICTIONS, help="Show how masking a token changes the prediction of another.")
    ] = False,
    head_effects: Annotated[
        bool,
        option(
            "--head-effects",
            panel=_PREDICTIONS,
            help="Show how much each attention head contributes to the top prediction, or to each target.",
        ),
    ] = False,
    attribute: Annotated[
        AttributionMethod | None,
        option(
            "--attribute",
            panel=_PREDICTIONS,
            help="Show how much each token of the text contributes to the top prediction, or to each target: by "
            "masking it, or by integrated gradients.",
        ),
    ] = None,
    baseline: Annotated[
        Baseline | None,
        option(
            "--baseline",
            panel=_PREDICTIONS,
            show_default="mask",
            help="With --attribute ig, start from the embedding of the mask, from that of the padding, or from zero.",
        ),
    ] = None,
    steps: Annotated[
        int | None,
        option(
            "--steps",
            panel=_PREDICTIONS,
            metavar="N",
            min=1,
            max=1000,
            show_default="50",
            help="With --attribute ig, compute gradients at N points between the baseline and the text.",
        ),
    ] = None,
    png: Annotated[
        Path | None,
        option("--png", panel=_PREDICTIONS, metavar="FILE", help="Draw the figure into FILE; same as -o FILE.png."),
    ] = None,
    pairs: PairGroup,
    corpus: FolderGroup,
    ray: RayGroup,
    model: HeadModelGroup,
    output: OutputGroup,
) -> int:
    """Predict masked tokens."""
    from bertcli.commands.fill_mask.command import fill_mask as run
    from bertcli.commands.fill_mask.request import FillMaskRequest
    from bertcli.output.destination import with_named_file

    return run(
        FillMaskRequest(
            texts,
            model,
            with_named_file(output, {"--png": png}, "predictions"),
            top_k=top_k,
            mass=mass,
            entropy=entropy,
            targets=targets,
            target_field=target_field,
            target_score=target_score,
            joint=joint,
            order=order,
            pieces=pieces,
            rank=rank,
            score=score,
            within_word=within_word,
            words=words,
            lens=lens,
            lens_file=lens_file,
            compare=compare,
            mutual=mutual,
            head_effects=head_effects,
            attribute=attribute,
            baseline=baseline,
            steps=steps,
            pairs=pairs,
            corpus=corpus,
            ray=ray,
        )
    )


def shapes(
    texts: TextGroup,
    *,
    batch: Annotated[
        int | None,
        option("--batch", panel=_SHAPES, metavar="N", min=1, help="Number of texts to assume, together with --seq."),
    ] = None,
    seq: Annotated[
        int | None,
        option("--seq", panel=_SHAPES, metavar="N", min=1, help="Number of tokens to assume in each text."),
    ] = None,
    run: Annotated[
        bool, option("--run", panel=_SHAPES, help="Run the model, and show the shapes that it returned.")
    ] = False,
    weights: Annotated[
        bool, option("--weights", panel=_SHAPES, help="List the tensors of the checkpoint instead.")
    ] = False,
    tokens: Annotated[
        bool, option("--tokens", panel=_SHAPES, help="Show the tokens of each text instead, with their ids and places.")
    ] = False,
    lengths: Annotated[
        bool,
        option(
            "--lengths",
            panel=_SHAPES,
            help="Show how long the texts are in tokens instead: percentiles, a histogram, and how many are too long.",
        ),
    ] = False,
    model: ModelGroup,
    output: OutputGroup,
) -> int:
    """Show tensor shapes."""
    from bertcli.commands.shapes.command import ShapesRequest
    from bertcli.commands.shapes.command import shapes as run_shapes

    return run_shapes(ShapesRequest(texts, model, output, batch, seq, run, weights, tokens, lengths))


def attn(
    texts: TextGroup,
    *,
    heads: HeadGroup,
    maps: MapGroup,
    page: PageGroup,
    corpus: FolderGroup,
    ray: RayGroup,
    model: HeadModelGroup,
    output: OutputGroup,
) -> int:
    """Show attention heads."""
    from bertcli.commands.attn.command import attn as run
    from bertcli.commands.attn.request import AttnRequest

    return run(AttnRequest(texts, model, output, heads, maps, page, corpus, ray))


def models(output: OutputGroup) -> int:
    """List models."""
    from bertcli.commands.models import ModelsRequest
    from bertcli.commands.models import models as run

    return run(ModelsRequest(output))
