"""Downloads from a hub on this machine: the files, the announcements and the errors."""

import errno
import json
import shutil
import socket
import sys
import time
from collections import namedtuple
from pathlib import Path

import pytest
import torch

from bertcli.checkpoints import connectivity
from bertcli.checkpoints.find import Checkpoint, find_checkpoint, find_tensors
from bertcli.checkpoints.hub_cache import Download, cache_folder, find_snapshot
from bertcli.checkpoints.required_files import Files
from bertcli.checkpoints.safetensors import read_header
from bertcli.errors import BadCheckpoint, BertcliError, CheckpointNotFound, HubFailed
from tests.hub import COMMIT, OTHER_COMMIT, Fault, Handler, Hub, files_in, fill_cache

SMALL = {"config.json": b"{}", "vocab.txt": b"[UNK]\n"}
WHOLE = {**SMALL, "model.safetensors": b"weights" * 1000}
BERT = "google-bert/bert-base-uncased"


def find(model: str = "my/bert", **request: object) -> Checkpoint:
    return find_checkpoint(model, **request)  # type: ignore[arg-type]


def failure(model: str = "my/bert", **request: object) -> BertcliError:
    """Return the error of a search that fails."""
    with pytest.raises(BertcliError) as raised:
        find(model, **request)
    assert raised.value.hint
    assert "\n" not in raised.value.message
    return raised.value


def status(number: int, code: str = "") -> Fault:
    """Return a fault: the hub answers with an error status."""
    return lambda handler: handler.refuse(number, code)


def test_a_model_is_downloaded_once_and_then_found_without_the_hub(hub: Hub) -> None:
    hub.models["my/bert"] = {COMMIT: WHOLE}
    found = find()
    assert (found.name, found.revision) == ("my/bert", COMMIT)
    assert {path.name: path.read_bytes() for path in found.folder.iterdir()} == WHOLE
    hub.requests.clear()
    assert find() == find(revision="main") == find(revision=COMMIT) == found
    assert hub.requests == []


def test_only_the_files_that_are_needed_are_downloaded(hub: Hub) -> None:
    foreign = dict.fromkeys(
        ["README.md", "tf_model.h5", "flax_model.msgpack", "pytorch_model.bin", "onnx/model.onnx", "rust_model.ot"],
        b"x",
    )
    settings = {"tokenizer_config.json": b"1", "special_tokens_map.json": b"2", "tokenizer.json": b"3"}
    hub.models["my/bert"] = {COMMIT: {**foreign, **settings, **WHOLE}}
    find()
    assert set(hub.downloaded()) == {"config.json", "model.safetensors", *settings}


@pytest.mark.parametrize(
    ("needs", "files"),
    [
        (Files.CONFIG, {"config.json"}),
        (Files.CONFIG | Files.TOKENIZER, {"config.json", "vocab.txt"}),
        (Files.WEIGHTS, {"model.safetensors"}),
    ],
)
def test_only_the_parts_that_are_needed_are_downloaded(hub: Hub, needs: Files, files: set[str]) -> None:
    hub.models["my/bert"] = {COMMIT: WHOLE}
    find(needs=needs)
    assert set(hub.downloaded()) == files
    find()  # downloads the missing files
    assert set(hub.downloaded()) == WHOLE.keys()
    assert len([request for request in hub.requests if request.startswith("GET") and "resolve" in request]) == 3


def module_files() -> dict[str, bytes]:
    """Return the files of a recipe: a transformer in a folder of its own, a pooling and a dense layer."""
    kinds = {"0_Transformer": "Transformer", "1_Pooling": "Pooling", "2_Dense": "Dense", "3_Normalize": "Normalize"}
    modules = [{"path": path, "type": f"sentence_transformers.models.{kind}"} for path, kind in kinds.items()]
    return {
        "modules.json": json.dumps(modules).encode(),
        "config_sentence_transformers.json": b"{}",
        **{f"0_Transformer/{name}": content for name, content in WHOLE.items()},
        "0_Transformer/sentence_bert_config.json": b"{}",
        "1_Pooling/config.json": b"{}",
        "2_Dense/config.json": b"{}",
        "2_Dense/model.safetensors": b"dense",
    }


def test_the_files_of_a_recipe_are_downloaded(hub: Hub) -> None:
    others = {"2_Dense/pytorch_model.bin": b"x", "0_Transformer/tf_model.h5": b"x", "onnx/config.json": b"x"}
    hub.models["my/bert"] = {COMMIT: {**module_files(), **others}}
    found = find()
    assert found.folder == found.whole_folder / "0_Transformer"
    assert files_in(found.whole_folder) == module_files()
    hub.requests.clear()
    assert find() == found
    assert hub.requests == []


def test_the_rest_of_a_recipe_is_downloaded_when_it_is_needed(hub: Hub) -> None:
    hub.models["my/bert"] = {COMMIT: module_files()}
    found = find(needs=Files.CONFIG)
    configs = {name for name in module_files() if name.endswith(".json")}
    assert set(files_in(found.whole_folder)) == configs
    assert set(files_in(find().whole_folder)) == set(module_files())


def test_the_tensors_of_a_model_with_a_recipe_are_those_of_its_transformer(hub: Hub, tiny_bert: Path) -> None:
    weights = (tiny_bert / "model.safetensors").read_bytes()
    hub.models["my/bert"] = {COMMIT: {**module_files(), "0_Transformer/model.safetensors": weights}}
    assert find_tensors("my/bert").infos[0].file.name == "model.safetensors"
    assert not [request for request in hub.requests if "2_Dense" in request]


@pytest.mark.parametrize("stem", ["model.safetensors", "pytorch_model.bin"])
def test_shards_are_those_that_the_index_names(hub: Hub, stem: str) -> None:
    index = json.dumps({"weight_map": {"a": "part-1", "b": "part-2", "c": "part-1"}}).encode()
    shards = {f"{stem}.index.json": index, "part-1": b"1", "part-2": b"2"}
    hub.models["my/bert"] = {COMMIT: {**SMALL, **shards, "part-3": b"3"}}
    find()
    assert set(hub.downloaded()) == {*SMALL, *shards}
    assert find().revision == COMMIT


def test_pickled_weights_are_taken_where_there_are_no_others(hub: Hub) -> None:
    hub.models["my/bert"] = {COMMIT: {**SMALL, "pytorch_model.bin": b"pickle", "tf_model.h5": b"x"}}
    find()
    assert set(hub.downloaded()) == {*SMALL, "pytorch_model.bin"}


@pytest.mark.parametrize("name", ["model.safetensors", "part-1.safetensors"])
def test_tensors_are_read_from_headers_without_a_download(hub: Hub, tiny_bert: Path, name: str) -> None:
    content = (tiny_bert / "model.safetensors").read_bytes() + bytes(1_000_000)  # much longer than any header
    index = {"model.safetensors.index.json": json.dumps({"weight_map": {"a": name}}).encode()}
    hub.models["my/bert"] = {COMMIT: {name: content, **(index if name != "model.safetensors" else {})}}
    ranges: list[str | None] = []
    hub.faults["GET .*safetensors$"] = lambda handler: bool(ranges.append(handler.headers["Range"]))
    found = find_tensors("my/bert")
    expected = read_header(tiny_bert / "model.safetensors")
    assert (found.name, found.revision) == ("my/bert", COMMIT)
    assert [(info.name, info.dtype, info.shape) for info in found.infos] == [
        (info.name, info.dtype, info.shape) for info in expected
    ]
    assert ranges == ["bytes=0-100000"]
    assert find_snapshot("my/bert", None) is None


def test_tensors_of_pickles_are_read_from_a_download(hub: Hub, tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(2, 3)}, tmp_path / "pytorch_model.bin")
    hub.models["my/bert"] = {COMMIT: {"pytorch_model.bin": (tmp_path / "pytorch_model.bin").read_bytes()}}
    found = find_tensors("my/bert")
    assert [(each.name, each.shape) for each in found.infos] == [("a", (2, 3))]
    hub.requests.clear()
    assert find_tensors("my/bert").infos == found.infos
    assert hub.requests == []


def test_a_long_header_is_read_with_a_second_request(hub: Hub) -> None:
    entries = {f"{number:0100}": {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]} for number in range(1000)}
    text = json.dumps(entries).encode()
    hub.models["my/bert"] = {COMMIT: {"model.safetensors": len(text).to_bytes(8, "little") + text}}
    assert [info.name for info in find_tensors("my/bert").infos] == list(entries)
    assert len([request for request in hub.requests if "resolve" in request]) == 2


@pytest.mark.parametrize(
    "content",
    [b"", b"x" * 1000, bytes(8), b"\x09" + bytes(7) + b'{"a": 3}', b"\x08" + bytes(7) + b'{"a": 3}'],
    ids=["empty", "too long", "no header", "cut short", "malformed"],
)
def test_a_damaged_header_on_the_hub_is_an_error(hub: Hub, content: bytes) -> None:
    hub.models["my/bert"] = {COMMIT: {"model.safetensors": content}}
    with pytest.raises(BadCheckpoint, match="my/bert on the hub have a damaged header"):
        find_tensors("my/bert")


def test_a_download_is_announced_before_it_begins(hub: Hub) -> None:
    hub.models["my/bert"] = {COMMIT: WHOLE}
    fill_cache(cache_folder().parent, "my/bert", {"config.json": b"{}"}, ref=None)
    heard: list[tuple[Download, list[str]]] = []

    def hear(about: Download) -> bool:
        heard.append((about, hub.downloaded()))
        return False

    find(on_download=hear)
    ((about, before),) = heard
    assert (about.repository, set(about.files)) == ("my/bert", {"vocab.txt", "model.safetensors"})
    assert about.nbytes == len(WHOLE["vocab.txt"]) + len(WHOLE["model.safetensors"])
    assert (about.folder, before) == (cache_folder(), [])


@pytest.mark.parametrize("model", ["bert-base-uncased", BERT])
def test_both_names_of_a_model_find_the_same_repository(hub: Hub, model: str) -> None:
    hub.models[BERT] = {COMMIT: WHOLE}
    found = find(model)
    assert found.name == model
    hub.requests.clear()
    other = {"bert-base-uncased": BERT}.get(model, "bert-base-uncased")
    assert find(other) == Checkpoint(other, found.folder, COMMIT)
    assert hub.requests == []


def test_a_cached_branch_keeps_its_commit_although_it_moves_on_the_hub(hub: Hub) -> None:
    hub.models["my/bert"] = {COMMIT: WHOLE, OTHER_COMMIT: {**WHOLE, "config.json": b"[]"}}
    assert find().revision == COMMIT
    hub.refs |= {"main": OTHER_COMMIT, "v2": OTHER_COMMIT}
    assert find().revision == COMMIT
    assert find(revision="v2").revision == OTHER_COMMIT
    assert (find(revision="v2").folder / "config.json").read_bytes() == b"[]"


def test_a_branch_that_moves_during_the_download_does_not_mix_two_commits(hub: Hub) -> None:
    hub.models["my/bert"] = {COMMIT: WHOLE, OTHER_COMMIT: {**WHOLE, "config.json": b"[]"}}

    def move(about: Download) -> bool:
        hub.refs["main"] = OTHER_COMMIT
        return False

    found = find(on_download=move)
    assert (found.revision, (found.folder / "config.json").read_bytes()) == (COMMIT, b"{}")
    assert find().revision == OTHER_COMMIT
    assert (find().folder / "config.json").read_bytes() == b"[]"


def test_a_slow_server_is_waited_for(hub: Hub) -> None:
    hub.models["my/bert"] = {COMMIT: WHOLE}
    hub.faults["api|config"] = lambda handler: bool(time.sleep(0.2))
    assert find().revision == COMMIT


def test_a_broken_download_is_resumed(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 100)  # the default is ten megabytes
    hub.models["my/bert"] = {COMMIT: WHOLE}
    asked: list[str | None] = []

    def break_off(handler: Handler) -> bool:
        asked.append(handler.headers.get("Range"))
        return len(asked) == 1 and truncate(handler)

    hub.faults["GET .*safetensors"] = break_off
    assert (find().folder / "model.safetensors").read_bytes() == WHOLE["model.safetensors"]
    assert asked == [None, "bytes=100-"]


def truncate(handler: Handler) -> bool:
    """Send the beginning of a file, then hang up."""
    content = WHOLE["model.safetensors"]
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content[:100])
    handler.wfile.flush()
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True
    return True


def shorten(handler: Handler) -> bool:
    """Send a file of another size than announced."""
    handler.answer(b"short", {"X-Repo-Commit": COMMIT, "ETag": '"1"'})
    return True


def nothing_remains(files: set[str]) -> bool:
    """Return True if the cache has these files and no part of another."""
    snapshot = cache_folder() / "models--my--bert" / "snapshots" / COMMIT
    blobs = cache_folder() / "models--my--bert" / "blobs"
    return {path.name for path in snapshot.iterdir()} == files and len(list(blobs.iterdir())) == len(files)


@pytest.mark.parametrize(
    ("fault", "words"), [(truncate, ("download of my/bert failed",)), (shorten, ("download of my/bert failed",))]
)
def test_an_interrupted_download_is_an_error_and_keeps_complete_files(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, fault: Fault, words: tuple[str, ...]
) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    hub.models["my/bert"] = {COMMIT: WHOLE}
    hub.faults["GET .*safetensors"] = fault
    error = failure()
    assert isinstance(error, HubFailed)
    assert [word for word in words if word not in error.message] == []
    assert nothing_remains({"config.json", "vocab.txt"})
    assert find_snapshot("my/bert", None) is None
    hub.faults.clear()
    hub.requests.clear()
    find()
    assert hub.downloaded() == ["model.safetensors"]


ANSWERS: dict[str, tuple[str, Fault, type[BertcliError], str, str]] = {
    "gated description": ("api", status(403, "GatedRepo"), CheckpointNotFound, "gated", "HF_TOKEN"),
    "gated files": ("resolve", status(401, "GatedRepo"), CheckpointNotFound, "gated", "HF_TOKEN"),
    "private": ("api", status(401, "RepoNotFound"), CheckpointNotFound, "no model 'my/bert'", "HF_TOKEN"),
    "unauthorised": ("api", status(401), CheckpointNotFound, "(401)", "HF_TOKEN"),
    "forbidden": ("api", status(403), CheckpointNotFound, "(403)", "HF_TOKEN"),
    "a server that is no hub": ("api", status(404), CheckpointNotFound, "has no model 'my/bert'", "HF_ENDPOINT"),
    "too many requests": ("api", status(429), HubFailed, "too many requests", "wait"),
    "internal error": ("api", status(500), HubFailed, "(500)", "try again"),
    "unavailable": ("api", status(503), HubFailed, "(503)", "try again"),
    "a file that is announced and not there": ("vocab", status(404, "EntryNotFound"), HubFailed, "(404)", "try again"),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_error_of_the_hub_has_a_message_and_a_hint(hub: Hub, answer: str) -> None:
    pattern, fault, kind, words, hint = ANSWERS[answer]
    hub.models["my/bert"] = {COMMIT: WHOLE}
    hub.faults[pattern] = fault
    error = failure()
    assert type(error) is kind
    assert words in error.message
    assert hint in error.hint


@pytest.mark.parametrize("content", [b"<html>Sign in</html>", b"[]", b"{}", b"null", b'{"siblings": 3}'])
def test_a_server_that_is_not_a_hub_is_an_error(hub: Hub, content: bytes) -> None:
    hub.faults["api"] = lambda handler: not handler.answer(content, {"Content-Type": "text/html"})
    error = failure()
    assert isinstance(error, HubFailed)
    assert f"the server at {hub.url} is not a model hub" in error.message


@pytest.mark.parametrize("bug", [TypeError, KeyError, ValueError, AttributeError])
def test_a_bug_in_a_client_is_not_blamed_on_the_server(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, bug: type[Exception]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise bug("unexpected keyword argument 'etag_timeout'")

    hub.models["my/bert"] = {COMMIT: WHOLE}
    monkeypatch.setattr("huggingface_hub.hf_hub_download", fail)
    with pytest.raises(bug):
        find()
    monkeypatch.setattr("huggingface_hub.utils.hf_raise_for_status", fail)
    with pytest.raises(bug):
        find_tensors("my/bert")


@pytest.mark.parametrize(
    "change",
    [{"sha": None}, {"sha": "main"}, {"siblings": None}, {"siblings": [3]}, {"siblings": [{"rfilename": 3}]}],
    ids=str,
)
def test_a_description_without_its_parts_is_not_a_hubs(hub: Hub, change: dict[str, object]) -> None:
    described = {"sha": COMMIT, "siblings": [{"rfilename": "config.json", "size": 2}], **change}
    hub.faults["api"] = lambda handler: not handler.answer(json.dumps(described).encode(), {})
    assert "is not a model hub" in failure().message


def test_a_server_that_sends_no_commit_is_not_a_hub(hub: Hub) -> None:
    hub.models["my/bert"] = {COMMIT: WHOLE}
    hub.faults["resolve"] = lambda handler: not handler.answer(b"", {"ETag": '"1"'})
    assert "is not a model hub" in failure().message


def test_a_server_that_never_responds_times_out(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bertcli.checkpoints.hub._TIMEOUT_S", 0.2)
    hub.faults["api"] = lambda handler: bool(time.sleep(1))
    error = failure()
    assert isinstance(error, HubFailed)
    assert "took too long" in error.message


def test_an_unknown_model_or_revision_is_an_error(hub: Hub) -> None:
    hub.models["my/bert"] = {COMMIT: WHOLE}
    assert "no model 'my/brt'" in failure("my/brt").message
    assert "no revision 'v9'" in failure(revision="v9").message
    assert "did you mean bert-base-uncased?" in failure("bert-base-uncasd").hint


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"tf_model.h5": b"x", **SMALL}, "no weights"),
        ({"model.safetensors.index.json": b'{"weight_map": {"a": "gone"}}', **SMALL}, "no weights"),
        ({"model.safetensors": b"x", "config.json": b"{}", "README.md": b""}, "no tokenizer"),
        ({"model.safetensors": b"x", "vocab.txt": b""}, "no config.json"),
        ({}, "no config.json"),
    ],
)
def test_a_repository_without_a_part_is_an_error(hub: Hub, files: dict[str, bytes], words: str) -> None:
    hub.models["my/bert"] = {COMMIT: files}
    error = failure()
    assert isinstance(error, BadCheckpoint)
    assert words in error.message


def test_a_full_disk_is_an_error_before_the_download(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.models["my/bert"] = {COMMIT: WHOLE}
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10_000, 9_000, 1_000))
    error = failure()
    assert isinstance(error, HubFailed)
    assert "not enough disk space" in error.message and str(cache_folder()) in error.message
    assert hub.downloaded() == []


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "not enough disk space"), (errno.EACCES, "permission denied"), (errno.EROFS, "read-only")],
)
def test_a_cache_that_cannot_be_written_is_an_error(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, "no")

    hub.models["my/bert"] = {COMMIT: WHOLE}
    monkeypatch.setattr("huggingface_hub.file_download.http_get", fail)
    error = failure()
    assert isinstance(error, HubFailed)
    assert words in error.message and str(cache_folder()) in error.message
    assert "HF_HUB_CACHE" in error.hint


def test_the_token_goes_to_the_hub(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    hub.models["my/bert"] = {COMMIT: WHOLE}
    hub.faults[".*"] = lambda handler: handler.headers["Authorization"] != "Bearer hf_secret" and handler.refuse(401)
    assert find().revision == COMMIT


def test_a_proxy_is_checked_instead_of_the_hub(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("HTTP_PROXY", hub.url)
    monkeypatch.setenv("http_proxy", hub.url)
    assert connectivity.why_unreachable("http://hub.invalid") is None
    assert connectivity.why_unreachable("https://hub.invalid") is not None


@pytest.mark.parametrize("proxy", ["socks4://127.0.0.1:9", "socks5://127.0.0.1:9"])
def test_a_proxy_of_an_unsupported_kind_is_an_error(hub: Hub, monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    from huggingface_hub import close_session

    close_session()
    monkeypatch.setitem(sys.modules, "socksio", None)  # as if it was not installed
    monkeypatch.setenv("ALL_PROXY", proxy)
    error = failure()
    assert isinstance(error, HubFailed)
    assert f"the proxy for {hub.url} cannot be used" in error.message
    assert "HTTPS_PROXY" in error.hint


def test_a_port_that_nobody_listens_at_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        assert connectivity.why_unreachable(url) is None
    assert "refused" in str(connectivity.why_unreachable(url))


@pytest.mark.parametrize("url", ["http://a..b/", f"http://{'x' * 70}.example/"], ids=["empty-label", "long-label"])
def test_an_invalid_server_name_is_unreachable(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    for variable in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(variable, raising=False)
    assert "is not a server name" in str(connectivity.why_unreachable(url))


def test_a_password_in_the_endpoint_is_never_shown(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub.url.replace("//", "//somebody:s3cret@"))
    assert connectivity.shown_endpoint() == hub.url
    monkeypatch.setenv("HF_ENDPOINT", "http://somebody:s3cret@hub.invalid/mirror")
    assert connectivity.shown_endpoint() == "http://hub.invalid/mirror"
    with pytest.raises(HubFailed) as raised:
        find()
    assert "s3cret" not in raised.value.message + raised.value.hint


def test_a_server_that_drops_packets_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(connectivity, "_LIMIT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        waiting = []
        for _ in range(5):  # Linux drops connections when the queue is full
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(server.getsockname())
            waiting.append(client)
        reason = connectivity.why_unreachable(f"http://127.0.0.1:{server.getsockname()[1]}")
        for client in waiting:
            client.close()
    assert reason == "no answer from 127.0.0.1 within 0.2 seconds"


def test_a_name_lookup_that_hangs_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connectivity, "_LIMIT_S", 0.1)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(0.5) or [])
    assert connectivity.why_unreachable("https://huggingface.co") == "no answer from huggingface.co within 0.1 seconds"


@pytest.mark.parametrize("url", ["", "huggingface.co", "ftp://huggingface.co", "http://", "http://host:port"])
def test_an_invalid_address_is_an_error(url: str) -> None:
    assert connectivity.why_unreachable(url) == "not a server address"
