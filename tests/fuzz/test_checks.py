"""The checks of the fuzzer find what they look for: each test plants one mistake in a run."""

import signal
from pathlib import Path

import pytest

from tests.fuzz.cases import Case
from tests.fuzz.play import Player, Report

ANSWER = '{"schema": 1, "records": [{"index": 0}, {"index": 1}]}'
ENCODE = Case(0, "plain", ["encode", "a", "b", "--json"], format="json", records=2)
FAIL = "print('bertcli: error: no', file=sys.stderr); sys.exit(1)"
# Run bertcli, then change a byte of a shard.
FLIP_A_BYTE = """
end = os._exit
def flip_and_end(code):
    content = bytearray(open('out/shard-00001.parquet', 'rb').read())
    content[9] ^= 1
    open('out/shard-00001.parquet', 'wb').write(content)
    end(code)
os._exit = flip_and_end
main()
"""
TO_FILE = Case(0, "plain", ["encode", "a", "b", "-o", "out.json"], target="out.json", format=".json", records=2)
SHOWN = Case(0, "plain", ["encode", "a", "--format", "csv"], format="csv", stdout="terminal")


def problems(player: Player, case: Case, planted: str, limit: float | None = None) -> str:
    """Run Python source instead of bertcli, and return the problems of the run."""
    return "; ".join(player.run(case, f"import os, sys\n{planted}", limit).problems)


@pytest.mark.parametrize(
    ("case", "planted"),
    [
        pytest.param(ENCODE, f"print({ANSWER!r})", id="an answer"),
        pytest.param(TO_FILE, f"open('out.json', 'w').write({ANSWER!r})", id="a file"),
        pytest.param(ENCODE, FAIL, id="an error"),
        pytest.param(SHOWN, r"print('index\n\x1b[1m0\x1b[0m')", id="colours on a terminal"),
    ],
)
def test_a_good_run_has_no_problem(player: Player, case: Case, planted: str) -> None:
    assert problems(player, case, planted) == ""


@pytest.mark.parametrize(
    ("case", "planted", "problem"),
    [
        (ENCODE, "raise KeyError('planted')", "stderr has 'Traceback'"),
        (ENCODE, "sys.exit(3)", "exit code 3"),
        (ENCODE, "os.kill(os.getpid(), 6)", "exit code -6"),
        (ENCODE, "sys.exit(1)", "exit code 1 without an error message"),
        (ENCODE, f"import warnings; warnings.warn('planted'); print({ANSWER!r})", "Warning"),
        (ENCODE, f"print('a line', file=sys.stderr); print({ANSWER!r})", "a line that is not bertcli's"),
        (ENCODE, r"print('bertcli: error: \x1b[31m', file=sys.stderr); sys.exit(1)", "stderr has control characters"),
        (ENCODE, f"print({ANSWER[:-1]!r})", "the output cannot be read"),
        (ENCODE, "print('{\"schema\": 1, \"records\": [{\"index\": 0}]}')", "1 records in the output instead of 2"),
        (ENCODE, "print('{\"schema\": 1, \"records\": [{\"index\": NaN}]}')", "NaN is not JSON"),
        (ENCODE, f"open('.out.part', 'w'); print({ANSWER!r})", "an unfinished file remains: '.out.part'"),
        (ENCODE, f"open('other', 'w').write('a'); print({ANSWER!r})", "a file that is not the output has changed"),
        (TO_FILE, f"open('out.json', 'w'); {FAIL}", "although the run has failed"),
        (TO_FILE, "", "the output file is missing"),
        (SHOWN, r"print('index\n\x1b]0;title\x07')", "control characters on the terminal"),
        (SHOWN, r"print('index\nthe\rcat')", "control characters on the terminal: [\"'\\\\r'\"]"),
        (ENCODE, f"open('/etc/passwd').read(); print({ANSWER!r})", "not asked for: read ['/etc/passwd']"),
        (ENCODE, f"open('../written', 'w'); print({ANSWER!r})", "not asked for: write ['../written']"),
        (ENCODE, f"os.mkdir('../a'); os.rmdir('../a'); print({ANSWER!r})", "not asked for: os.mkdir"),
        (ENCODE, f"import socket; socket.socket().connect_ex(('127.0.0.1', 9)); print({ANSWER!r})", "socket.connect"),
        (ENCODE, f"import subprocess; subprocess.run(['true']); print({ANSWER!r})", "subprocess.Popen"),
        (ENCODE, f"import pickle; pickle.loads(b'cos\\nsystem\\n.'); print({ANSWER!r})", "pickle.find_class"),
        (ENCODE, f"import tempfile; tempfile.mkstemp(); print({ANSWER!r})", "temporary files remain"),
    ],
)  # fmt: skip
def test_a_mistake_is_found(player: Player, case: Case, planted: str, problem: str) -> None:
    assert problem in problems(player, case, planted)


def test_a_hang_is_found_and_ended(player: Player) -> None:
    report: Report = player.run(ENCODE, "import time\ntime.sleep(60)", limit=0.5)
    assert report.problems[0].startswith("hangs: killed after")
    assert report.runs[0].code == -signal.SIGKILL


def test_a_run_that_ignores_ctrl_c_is_a_hang(player: Player) -> None:
    case = Case(0, "plain", ["encode", "a"], signals=[(0.05, int(signal.SIGINT))])
    planted = "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\ntime.sleep(60)"
    assert problems(player, case, planted, limit=0.5).startswith("hangs")


def test_a_traceback_after_ctrl_c_is_found(player: Player) -> None:
    case = Case(0, "plain", ["encode", "a"], signals=[(0.05, int(signal.SIGINT))])
    assert "stderr has 'Traceback'" in problems(player, case, "import time\ntime.sleep(60)")


def test_a_replaced_file_is_found(player: Player) -> None:
    case = Case(0, "plain", TO_FILE.arguments, {"out.json": b"before"}, "out.json", ".json", 2)
    assert "a file that existed has changed" in problems(player, case, f"open('out.json', 'w').write({ANSWER!r})")


def test_a_damaged_shard_is_found(player: Player) -> None:
    report = player.run(player.shard_case())
    assert report.problems == []
    assert "differs from its hash" in problems(player, player.shard_case(), FLIP_A_BYTE)


def test_a_resume_with_other_bytes_is_found(tmp_path: Path) -> None:
    from tests.fuzz.play import differences

    (tmp_path / "whole").mkdir()
    assert differences(tmp_path / "whole", tmp_path / "none")[0].startswith("the resumed folder is damaged")


@pytest.mark.parametrize("stdout", ["pipe", "file", "terminal", "closed"])
def test_a_real_run_has_no_problem_on_any_output(player: Player, stdout: str) -> None:
    case = Case(0, "plain", ["encode", "how are you", "the cat", "--json"], format="json", records=2, stdout=stdout)
    report = player.run(case)
    assert (report.problems, report.runs[0].code in (0, -signal.SIGPIPE)) == ([], True)
