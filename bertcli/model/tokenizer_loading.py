"""Loading of a checkpoint's tokenizer from its files."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from bertcli.checkpoints.config import ModelConfig
from bertcli.checkpoints.find import BUNDLED_FOLDER, Checkpoint
from bertcli.checkpoints.required_files import TokenizerFiles, find_tokenizer_files
from bertcli.checkpoints.sentence_settings import token_limit
from bertcli.choices import OnLong
from bertcli.errors import BadCheckpoint, WrongUsage
from bertcli.model.preparation import NO_PREPARATION, TextPreparation
from bertcli.model.request import SessionRequest
from bertcli.model.tokenizer import TextTokenizer
from bertcli.model.tokenizer_errors import TokenizerError, catch_tokenizer_errors, silence_panics
from bertcli.quoting import is_utf8

# What special tokens and unused entries of a vocabulary begin with.
_SPECIAL = ("[", "<")


def open_tokenizer(
    checkpoint: Checkpoint,
    config: ModelConfig,
    request: SessionRequest,
    preparation: TextPreparation = NO_PREPARATION,
) -> TextTokenizer:
    """Open a checkpoint's tokenizer, limited to the model's positions.

    Args:
        checkpoint: The checkpoint.
        config: Its config.
        request: The limit of tokens in a text, and the treatment of longer texts.
        preparation: The prompt before each text, and its lower-casing.

    Raises:
        WrongUsage: max_length is beyond the model's positions, the prompt leaves no room for a text, or windows overlap
            too much.
        BadCheckpoint: The tokenizer is missing or damaged, or does not fit the model.
    """
    positions, max_length = config.max_tokens, request.max_length
    if max_length is not None and max_length > positions:
        raise WrongUsage(
            f"--max-length {max_length:,} is more than the {positions:,} positions of {checkpoint.name}",
            hint=f"use --max-length {positions} or less",
        )
    architecture = config.architecture
    files = find_tokenizer_files(checkpoint.folder, architecture.special_tokens, architecture.vocabulary)
    if checkpoint.folder == BUNDLED_FOLDER:
        # It makes the same tokenizer as tokenizer.json, and takes two thirds of the time.
        files = replace(files, file=BUNDLED_FOLDER / architecture.vocabulary.file, is_wordpieces=True)
    with silence_panics():
        loaded = load_tokenizer(files)
        limit = max_length or token_limit(checkpoint.whole_folder, checkpoint.folder, config)
        if preparation.is_lower_cased:
            _lower_case(loaded)
        tokenizer = TextTokenizer(
            loaded,
            files.special_tokens,
            config,
            limit,
            request.on_long == OnLong.TRUNCATE,
            preparation.prompt,
            request.reads_windows,
            request.overlap,
        )
        tokenizer.has_guessed_case = files.is_wordpieces and files.do_lower_case is None and _has_capitals(loaded)
        if tokenizer.vocabulary_size > config.vocab_size:
            raise BadCheckpoint(
                f"the tokenizer in {checkpoint.folder} has {tokenizer.vocabulary_size:,} tokens, "
                f"but the model has embeddings for {config.vocab_size:,}",
                hint="tokenizer and weights come from different models; copy both again from the same place",
            )
        try:
            tokenizer.check_usable()
        except TokenizerError as error:
            raise BadCheckpoint(
                f"the tokenizer in {files.file} cannot be used, because it fails on any text: {error}",
                hint="copy the tokenizer's files again",
            ) from None
        _check_prompt(tokenizer)
        if request.reads_windows:
            _check_windows(tokenizer)
    return tokenizer


def _check_prompt(tokenizer: TextTokenizer) -> None:
    """Check that the prompt leaves room for a text. Raises WrongUsage."""
    try:
        count = tokenizer.prompt_token_count
    except TokenizerError as error:
        raise WrongUsage(f"the tokenizer fails on the prompt: {error}", hint="use another prompt") from None
    if count >= tokenizer.limit - 1 and tokenizer.prompt:
        raise WrongUsage(
            f"the prompt has {count:,} tokens, which leaves no room for a text: the limit is {tokenizer.limit:,}",
            hint=tokenizer.limit_hint("use a shorter prompt"),
        )


def _check_windows(tokenizer: TextTokenizer) -> None:
    """Check that a window has room for tokens, and that the overlap is smaller. Raises WrongUsage."""
    try:
        taken = len(tokenizer.encode(tokenizer.prompt))
    except TokenizerError:  # then every text fails too, and says why
        return
    size, overlap = tokenizer.limit - taken, tokenizer.overlap
    if size < 1:
        raise WrongUsage(
            f"a limit of {tokenizer.limit} tokens leaves no room in a window: special tokens and prompt take {taken}",
            hint="raise --max-length",
        )
    if overlap is not None and overlap >= size:
        raise WrongUsage(
            f"--overlap {overlap:,} is not smaller than a window, which has room for {size:,} tokens of a text",
            hint=f"use --overlap {size - 1}" + (" or less" if size > 1 else ""),
        )


def _lower_case(tokenizer: Tokenizer) -> None:
    """Make the tokenizer lower-case each text before its own normalisation. Special tokens keep their capitals."""
    own = tokenizer.normalizer
    tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), *([] if own is None else [own])])


def load_tokenizer(files: TokenizerFiles) -> Tokenizer:
    """Load the tokenizer that the files describe.

    Raises:
        BadCheckpoint: The files are damaged.
    """
    if files.needs_transformers:
        from bertcli.model.slow_tokenizer import load_slow_tokenizer

        return load_slow_tokenizer(files.file.parent)
    try:
        with catch_tokenizer_errors():
            return _from_vocabulary(files) if files.is_wordpieces else _from_tokenizer_json(files)
    except (TokenizerError, ValueError) as error:
        raise BadCheckpoint(
            f"{files.file} is not a tokenizer: {error}", hint="copy the tokenizer's files again"
        ) from None


def _from_tokenizer_json(files: TokenizerFiles) -> Tokenizer:
    with _utf8_path(files.file) as path:
        tokenizer = Tokenizer.from_file(path)
    normalizer = tokenizer.normalizer
    if isinstance(normalizer, normalizers.BertNormalizer):
        # Settings in tokenizer_config.json override those in tokenizer.json, as in transformers.
        if files.do_lower_case is not None:
            normalizer.lowercase = files.do_lower_case
        if files.strip_accents is not None:
            normalizer.strip_accents = files.strip_accents
        if files.tokenize_chinese_chars is not None:
            normalizer.handle_chinese_chars = files.tokenize_chinese_chars
    return tokenizer


def _from_vocabulary(files: TokenizerFiles) -> Tokenizer:
    """Build BERT's tokenizer from a list of word pieces. Missing settings get transformers' defaults."""
    special = files.special_tokens
    with _utf8_path(files.file) as path:
        tokenizer = Tokenizer(models.WordPiece.from_file(path, unk_token=special.unk))
    ids = {token: tokenizer.token_to_id(token) for token in (special.cls, special.sep)}
    for token, id_ in ids.items():
        if id_ is None:
            raise ValueError(f"{token} is not in the vocabulary")
    tokenizer.normalizer = normalizers.BertNormalizer(
        clean_text=True,
        handle_chinese_chars=files.tokenize_chinese_chars is not False,
        strip_accents=files.strip_accents,
        lowercase=not _has_capitals(tokenizer) if files.do_lower_case is None else files.do_lower_case,
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{special.cls}:0 $A:0 {special.sep}:0",
        pair=f"{special.cls}:0 $A:0 {special.sep}:0 $B:1 {special.sep}:1",
        special_tokens=list(ids.items()),
    )
    special_tokens = (special.unk, special.sep, special.pad, special.cls, special.mask)
    present = [token for token in special_tokens if tokenizer.token_to_id(token) is not None]
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in present])
    return tokenizer


def _has_capitals(tokenizer: Tokenizer) -> bool:
    """Return True if the vocabulary has capitals, special tokens aside: it is that of a cased model."""
    words = (token for token in tokenizer.get_vocab() if not token.startswith(_SPECIAL))
    return any(word != word.lower() for word in words)


@contextmanager
def _utf8_path(file: Path) -> Iterator[str]:
    """Yield the path of a file, or of a copy of it if the path is not UTF-8, which tokenizers cannot open."""
    if is_utf8(str(file)):
        yield str(file)
        return
    from tempfile import NamedTemporaryFile  # slow to import

    with NamedTemporaryFile() as copy:
        copy.write(file.read_bytes())
        copy.flush()
        yield copy.name
