"""Models from the hub on the command line: notes, downloads, and errors without a network."""

import fcntl
import json
import os
import pty
import signal
import socket
import struct
import subprocess
import termios
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from tests.cli.process import COMMAND, LONGEST_RUN, TEXT, assert_failed, environment, run
from tests.cli.terminal import read_screen
from tests.hub import COMMIT, OTHER_COMMIT, Handler, Hub, files_in, fill_cache, serve

MODEL = ("-m", "my/bert")


@pytest.fixture
def hub(tiny_bert: Path) -> Iterator[Hub]:
    """A hub with one model."""
    with serve() as hub:
        hub.publish("my/bert", tiny_bert)
        yield hub


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder for the cache, not yet created."""
    return tmp_path / "home"


def test_the_first_use_downloads_with_a_note_and_the_next_ones_are_silent(
    hub: Hub, home: Path, tiny_bert: Path
) -> None:
    first = run("encode", TEXT, *MODEL, "--json", env=hub.env(home))
    assert first.exit_code == 0
    note = f"bertcli: note: downloading my/bert (68.2 KiB in 4 files) to {home}/hub\n"
    assert first.stderr == note
    answer = json.loads(first.stdout)
    assert (answer["model"], answer["revision"]) == ("my/bert", COMMIT)
    in_folder = run("encode", TEXT, "-m", tiny_bert, "--json").json()
    assert answer["records"] == in_folder["records"]
    assert "GET /api/agent-harnesses" not in hub.requests
    hub.requests.clear()
    again = run("encode", TEXT, *MODEL, "--json", env=hub.env(home))
    assert again.answer().stdout == first.stdout
    assert hub.requests == []


def test_every_json_names_the_commit(home: Path, tiny_bert: Path) -> None:
    fill_cache(home, "my/bert", files_in(tiny_bert))
    fill_cache(home, "my/bert", files_in(tiny_bert), OTHER_COMMIT, "v2")
    for options, commit in (((), COMMIT), (("--revision", "v2"), OTHER_COMMIT), (("--revision", COMMIT), COMMIT)):
        for command in (
            ("encode", TEXT),
            ("fill-mask", TEXT),
            ("attn", TEXT),
            ("shapes", TEXT),
            ("shapes", "--weights"),
        ):
            answer = run(*command, *MODEL, *options, "--json", env={"HF_HOME": str(home)}).json()
            assert (answer["model"], answer["revision"]) == ("my/bert", commit), command


def test_quiet_download_shows_nothing(hub: Hub, home: Path) -> None:
    run("encode", TEXT, *MODEL, "-q", env=hub.env(home)).answer()


def shown_on_a_terminal(hub: Hub, home: Path, *options: str) -> str:
    """Return the screen of a terminal that shows stderr of an encode."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    env = environment(hub.env(home))
    command = [*COMMAND, "encode", TEXT, *MODEL, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=env) as process:
        os.close(theirs)
        shown = read_screen(ours)
        process.communicate()
        assert process.returncode == 0
    return shown


def test_a_terminal_shows_the_progress_of_large_files(hub: Hub, home: Path) -> None:
    files = hub.models["my/bert"][COMMIT]
    hub.models["my/bert"] = {COMMIT: {**files, "tokenizer_config.json": b"{}" + b" " * (1 << 21)}}
    shown = shown_on_a_terminal(hub, home)
    note, bars = shown.split("\n", 1)
    assert note.startswith("bertcli: note: downloading my/bert (")
    assert "tokenizer_config.json: 100%" in bars and "vocab.txt" not in bars and "model.safetensors" not in bars


def test_quiet_draws_nothing_on_a_terminal(hub: Hub, home: Path) -> None:
    assert shown_on_a_terminal(hub, home, "-q") == ""


def test_ctrl_c_stops_a_download_and_the_next_run_completes_it(hub: Hub, home: Path) -> None:
    begun, over = Event(), Event()

    def stall(handler: Handler) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        handler.wfile.write(b"x" * 1000)
        begun.set()
        return over.wait(LONGEST_RUN)

    hub.faults["GET .*safetensors"] = stall
    command = [*COMMAND, "encode", TEXT, *MODEL]
    try:
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(hub.env(home))
        ) as process:
            assert begun.wait(LONGEST_RUN)
            process.send_signal(signal.SIGINT)
            assert process.wait(LONGEST_RUN) == 130
            said = process.stderr.read() if process.stderr else b""
            assert said.startswith(b"bertcli: note: ") and said.count(b"\n") == 1
    finally:
        over.set()
    hub.faults.clear()
    hub.requests.clear()
    again = run("encode", TEXT, *MODEL, env=hub.env(home))
    assert (again.exit_code, hub.downloaded()) == (0, ["model.safetensors"])
    assert "in 1 file)" in again.stderr


def test_shapes_downloads_no_weights_unless_it_needs_them(hub: Hub, home: Path) -> None:
    for arguments, files in (
        (("--batch", "2", "--seq", "8"), ["config.json"]),
        ((TEXT,), ["config.json", "vocab.txt", "tokenizer_config.json"]),
        (("--seq", "8", "--run"), ["config.json", "vocab.txt", "tokenizer_config.json", "model.safetensors"]),
    ):
        answer = run("shapes", *arguments, *MODEL, "--json", env=hub.env(home))
        assert answer.exit_code == 0, answer.stderr
        assert hub.downloaded() == files
        logits = json.loads(answer.stdout)["classes"][1]["outputs"][0]
        assert logits["in_checkpoint"] is (True if "--run" in arguments else None)


def test_the_tensors_of_a_model_on_the_hub_are_listed_without_a_download(hub: Hub, home: Path, tiny_bert: Path) -> None:
    finished = run("shapes", "--weights", *MODEL, "--json", env=hub.env(home)).answer()
    document, here = finished.json(), run("shapes", "--weights", "-m", tiny_bert, "--json").json()
    assert (document["revision"], document["tensors"], document["total"]) == (COMMIT, here["tensors"], here["total"])
    assert not (home / "hub").exists()


def test_offline_a_missing_model_is_an_error(home: Path) -> None:
    for options, env in (
        (("--offline",), {"HF_HUB_OFFLINE": "0"}),
        ((), {"BERTCLI_OFFLINE": "1", "HF_HUB_OFFLINE": "0"}),
        ((), {"HF_HUB_OFFLINE": "1"}),
    ):
        finished = run("encode", TEXT, "-m", "bert-base-uncased", *options, env={"HF_HOME": str(home), **env})
        assert_failed(
            finished, 1, "'bert-base-uncased'", f"{home}/hub", "is set" if env["HF_HUB_OFFLINE"] == "1" else "offline"
        )
        assert "-m bundled" in finished.stderr and "a folder" in finished.stderr


def test_offline_a_cached_model_works(home: Path, tiny_bert: Path) -> None:
    fill_cache(home, "google-bert/bert-base-uncased", files_in(tiny_bert))
    run("encode", TEXT, "-m", "bert-base-uncased", "--offline", env={"HF_HOME": str(home)}).answer()


def test_a_missing_network_is_an_error(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    env = {"HF_HOME": str(home), "HF_HUB_OFFLINE": "0", "HF_ENDPOINT": url, "NO_PROXY": "127.0.0.1"}
    finished = run("fill-mask", TEXT, *MODEL, env=env)
    assert_failed(finished, 1, "'my/bert'", f"{home}/hub", f"{url} cannot be reached", "refused")
    assert "-m bundled" in finished.stderr and "a folder" in finished.stderr


@pytest.mark.parametrize("pattern", ["api", "HEAD .*config"])
def test_a_gated_model_is_an_error(hub: Hub, home: Path, pattern: str) -> None:
    hub.faults[pattern] = lambda handler: handler.refuse(403, "GatedRepo")
    finished = run("encode", TEXT, *MODEL, "-q", env=hub.env(home))
    assert_failed(finished, 1, "my/bert is gated")
    assert "HF_TOKEN" in finished.stderr


def test_a_revision_of_a_folder_is_wrong_usage(tiny_bert: Path) -> None:
    assert_failed(run("encode", TEXT, "-m", tiny_bert, "--revision", "v1"), 2, "--revision v1", str(tiny_bert))
    assert_failed(run("encode", TEXT, "--revision", "v1"), 2, "--revision v1", "bundled")


def test_shapes_of_a_published_model_need_no_download(home: Path) -> None:
    env = {"HF_HOME": str(home), "HF_HUB_OFFLINE": "1"}
    answer = run("shapes", "-m", "bert-large-cased", "--batch", "2", "--seq", "128", "--json", env=env).json()
    assert (answer["model"], answer["revision"]) == ("bert-large-cased", None)
    assert [each["parameters"] for each in answer["classes"]] == [333_579_264, 333_610_308]
    assert answer["classes"][0]["outputs"][0]["shape"] == [2, 128, 1024]
    assert {output["in_checkpoint"] for each in answer["classes"] for output in each["outputs"]} == {None}
    assert not home.exists()


def test_uncased_english_models_share_the_bundled_vocabulary() -> None:
    text = "Hello, how are you? Überraschend unaffably."
    (bundled, *_), (base, *_) = (
        run("shapes", text, "-m", model, "--json").json()["classes"][0]["outputs"]
        for model in ("bundled", "bert-base-uncased")
    )
    assert base["shape"] == [*bundled["shape"][:2], 768]


def test_another_vocabulary_needs_a_given_size() -> None:
    for model in ("bert-base-cased", "google-bert/bert-base-chinese"):
        finished = run("shapes", TEXT, "-m", model)
        assert_failed(finished, 2, "cannot count tokens", model)
        assert "--batch 1 --seq 128" in finished.stderr


@pytest.mark.parametrize("options", [("--run", "--seq", "8"), ("--weights",)])
def test_run_and_weights_need_the_published_checkpoint(options: tuple[str, ...]) -> None:
    assert_failed(run("shapes", "-m", "bert-base-uncased", *options), 1, "'bert-base-uncased'", "HF_HUB_OFFLINE is set")


def test_shapes_of_a_cached_published_model_come_from_its_files(home: Path, tiny_bert: Path) -> None:
    fill_cache(home, "bert-base-cased", files_in(tiny_bert))
    answer = run("shapes", TEXT, "-m", "bert-base-cased", "--json", env={"HF_HOME": str(home)}).json()
    assert (answer["revision"], answer["classes"][0]["outputs"][0]["shape"]) == (COMMIT, [1, 5, 24])


@pytest.mark.parametrize(
    "command", [("encode", TEXT), ("shapes", "--weights"), ("shapes", "--batch", "1", "--seq", "4")]
)
def test_token_is_sent_to_the_hub(hub: Hub, home: Path, command: tuple[str, ...]) -> None:
    def is_refused(handler: Handler) -> bool:
        return handler.headers["Authorization"] != "Bearer hf_secret" and handler.refuse(401, "RepoNotFound")

    hub.faults[".*"] = is_refused
    refused = run(*command, *MODEL, env=hub.env(home))
    assert_failed(refused, 1, "no model 'my/bert'")
    assert "--token" in refused.stderr
    assert run(*command, *MODEL, "--token", "hf_secret", env=hub.env(home)).exit_code == 0
