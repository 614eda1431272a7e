"""The steps of a case: write its files, run it, check the run, and run it again if it was killed."""

import json
import shutil
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bertcli.choices import HeadTask
from bertcli.quoting import quoted_word
from tests.fuzz.cases import Case, Fixtures, draw_case
from tests.fuzz.checks import check, check_shards, is_complete, read_files
from tests.fuzz.mutate import Files
from tests.fuzz.run import LARGEST_FILE, LONGEST_FIGURE_S, LONGEST_RUN_S, Ended, ForkServer, Job


@dataclass(frozen=True, slots=True)
class Report:
    """The verdict on a case.

    Attributes:
        case: The case.
        folder: Folder with its files, kept if there are problems.
        runs: The results of all runs of the case, in order.
        problems: The problems of these runs, in words.
    """

    case: Case
    folder: Path
    runs: list[Ended] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def survived_kill(self) -> bool:
        """True if SIGKILL ended a run into a folder that a later run completed without a problem."""
        was_killed = any(run.code == -signal.SIGKILL for run in self.runs)
        return self.case.kind == "kill" and was_killed and not self.problems

    def __str__(self) -> str:
        lines = [f"seed {self.case.seed}: {problem}" for problem in self.problems]
        lines += [
            f"  {line}" for run in self.runs[-1:] for line in run.stderr.decode(errors="replace").splitlines()[-6:]
        ]
        return "\n".join([*lines, f"  {reproduction(self.case, self.folder)}"])


class Player:
    """Plays cases in a folder. Use it as a context manager."""

    def __init__(self, folder: Path) -> None:
        """Start the server and make the fixtures.

        Args:
            folder: An empty folder for everything that this writes.
        """
        self._folder = folder
        home = folder / "home"
        home.mkdir(parents=True)
        self._server = ForkServer(home)
        self._fixtures = Fixtures(home, save_checkpoints(folder / "checkpoints"), {}, b"")
        self._fixtures = self._with_shards()

    def __enter__(self) -> "Player":
        return self

    def __exit__(self, *error: object) -> None:
        self._server.__exit__(*error)

    def draw(self, seed: int) -> Case:
        """Return the case of a seed."""
        return draw_case(seed, self._fixtures)

    def shard_case(self) -> Case:
        """Return a case that writes a folder of shards."""
        texts = ["how are you", "the cat", "a", "", "sat on the mat", "cat", "how", "the the the", "mat"]
        content = "".join(json.dumps({"id": f"n{number}", "text": text}) + "\n" for number, text in enumerate(texts))
        arguments = self._fixtures.shard_arguments()
        return Case(-1, "folder", arguments, {"in.jsonl": content.encode()}, "out/", "/", len(texts))

    def play(self, seed: int, *, keep: bool = False) -> Report:
        """Draw the case of a seed, run it, and check it.

        Args:
            seed: The seed.
            keep: Keep its folder even if there is no problem.
        """
        report = self.run(self.draw(seed))
        if not keep and not report.problems:
            shutil.rmtree(report.folder)
        return report

    def run(self, case: Case, planted: str = "", limit: float | None = None) -> Report:
        """Run a case and check it.

        Args:
            case: The case.
            planted: Python source to run instead of bertcli, for tests of the checks.
            limit: Seconds after which a run counts as hung; None for the usual number.
        """
        folder = self._folder / f"seed-{case.seed}"
        shutil.rmtree(folder, ignore_errors=True)
        report = Report(case, folder)
        if case.kind == "kill":
            self._kill_and_resume(report)
            return report
        _write(folder / "work", case.files)
        ended = self.start(report, case, planted, limit)
        if signal.SIGKILL in ended.sent and ended.code == -signal.SIGKILL and case.target is not None:
            # The next run to the same target removes the files that the killed one left.
            again = replace(case, signals=[], arguments=[case.arguments[0], "--force", *case.arguments[1:]])
            if is_complete(self.start(report, again)):
                report.problems.extend(_leftovers(folder / "work"))
        return report

    def start(self, report: Report, case: Case, planted: str = "", limit: float | None = None) -> Ended:
        """Make one run of a case in its folder, and add its problems to the report."""
        work, streams = report.folder / "work", report.folder / "streams"
        temporary = report.folder / "tmp"
        for folder in (streams, temporary):
            folder.mkdir(exist_ok=True)
        (streams / "stdout").write_bytes(b"")
        stdin = None
        if case.stdin is not None:
            stdin = str(report.folder / "stdin")
            Path(stdin).write_bytes(case.stdin)
        fixtures = self._fixtures
        job = Job(
            arguments=list(case.arguments),
            folder=str(work),
            streams=str(streams),
            stdin=stdin,
            stdin_is_pipe=case.stdin_is_pipe,
            stdout=case.stdout,
            readable=[str(path) for path in (*fixtures.checkpoints.values(), fixtures.home)],
            writable=[str(work), str(temporary), str(fixtures.home / "matplotlib")],
            may_connect=case.may_connect,
            signals=case.signals,
            file_size=LARGEST_FILE if case.file_size is None else case.file_size,
            environment={"TMPDIR": str(temporary)},
            planted=planted,
            limit=_longest_run(case) if limit is None else limit,
        )
        before = read_files(work)
        ended = self._server.run(job)
        report.runs.append(ended)
        report.problems.extend(check(case, ended, work, before))
        if any(temporary.iterdir()) and signal.SIGKILL not in ended.sent:
            report.problems.append(f"temporary files remain: {sorted(path.name for path in temporary.iterdir())}")
        return ended

    def _kill_and_resume(self, report: Report) -> None:
        """Run a case to its end, then run it with each signal and resume it, and compare the two folders."""
        case, work = report.case, report.folder / "work"
        _write(work, case.files)
        whole = replace(case, arguments=[*case.arguments, "-o", "whole/"], target="whole/", signals=[])
        uninterrupted = ended = self.start(report, whole)
        if not is_complete(uninterrupted):
            return
        for part, number in case.signals:
            ended = self.start(report, _resumed(case, [(max(part * uninterrupted.seconds, 0.01), number)]))
            if is_complete(ended):
                break
        if not is_complete(ended):
            ended = self.start(report, _resumed(case, []))
        if not is_complete(ended):
            report.problems.append("the run cannot be resumed")
            return
        report.problems.extend(differences(work / "whole", work / "out"))
        report.problems.extend(_leftovers(work))

    def _with_shards(self) -> Fixtures:
        """Return the fixtures with a folder of shards, written by a run and cut back to its first half."""
        fixtures, case = self._fixtures, self.shard_case()
        report = self.run(case)
        assert not report.problems, report
        shards = read_files(report.folder / "work" / "out")
        manifest = json.loads(shards["manifest.json"])
        *kept, last = manifest["shards"]
        changes = {"shards": kept, "complete": False, "rows": manifest["rows"] - last["rows"]}
        changes["skipped"] = manifest["skipped"] - last["skipped"]
        del shards[last["file"]]
        shards["manifest.json"] = json.dumps({**manifest, **changes}).encode()
        # Undamaged, the folder can be resumed.
        files = {**case.files, **{f"out/{name}": content for name, content in shards.items()}}
        resumed = self.run(replace(case, files=files, arguments=[*case.arguments, "--resume"]))
        assert is_complete(resumed.runs[-1]) and not resumed.problems, resumed
        return replace(fixtures, shards=shards, shard_texts=case.files["in.jsonl"])


def _longest_run(case: Case) -> float:
    """Return after how many seconds a run is taken to hang."""
    draws_figure = (case.target or "").endswith((".svg", ".png"))
    return LONGEST_FIGURE_S if draws_figure else LONGEST_RUN_S


def _resumed(case: Case, signals: Sequence[tuple[float, int]]) -> Case:
    return replace(case, arguments=[*case.arguments, "-o", "out/", "--resume"], signals=signals)


def differences(whole: Path, resumed: Path) -> list[str]:
    """Return the differences between the folder of an uninterrupted run and that of a resumed one."""
    try:
        check_shards(resumed)
    except (AssertionError, OSError, ValueError) as error:
        return [f"the resumed folder is damaged: {error}"]
    first, second = read_files(whole), read_files(resumed)
    names = sorted(name for name in {*first, *second} if name.endswith(".parquet"))
    return [f"{name} is not the same after a resume" for name in names if first.get(name) != second.get(name)]


def _leftovers(folder: Path) -> list[str]:
    return [
        f"an unfinished file remains after the next run: {name!r}" for name in read_files(folder) if ".part" in name
    ]


def _write(folder: Path, files: Files) -> None:
    folder.mkdir(parents=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def save_checkpoints(folder: Path) -> dict[str, Path]:
    """Save valid checkpoints of several kinds, and return their folders by name."""
    import torch
    import transformers

    from tests.families import save_family
    from tests.sentence_models import models, save_sentence_model
    from tests.task_models import save_head
    from tests.tiny import DEFAULTS, random_model, save_bert, write_vocabulary

    folder.mkdir()
    tiny = save_bert(folder / "tiny")
    pickled = folder / "pickled"
    shutil.copytree(tiny, pickled)
    (pickled / "model.safetensors").unlink()
    write_vocabulary(pickled)
    torch.save(random_model().state_dict(), pickled / "pytorch_model.bin")
    sharded = folder / "sharded"
    random_model().save_pretrained(sharded, max_shard_size="20KB")
    transformers.BertTokenizerFast(str(tiny / "vocab.txt")).save_pretrained(sharded)  # tokenizer.json, no vocab.txt
    roberta = save_family(folder / "roberta", "roberta")
    labels = save_head(folder / "labels", "bert", HeadTask.TOKEN_LABELS)
    hidden = DEFAULTS["hidden_size"]
    modules = models.Pooling(hidden, "mean"), models.Dense(hidden, 16), models.Normalize()
    prompts = {"query": "how ", "passage": "the "}
    sentence = save_sentence_model(
        folder / "sentence", *modules, transformer=tiny, prompts=prompts, default_prompt_name="query"
    )
    found = (tiny, pickled, sharded, roberta, labels, sentence)
    return {path.name: path for path in found}


def reproduction(case: Case, folder: Path) -> str:
    """Return a shell command that repeats a case by hand, in its folder."""
    arguments = case.arguments
    if case.kind == "kill":
        arguments = [*arguments, "-o", "out/", "--resume"]
    command = " ".join(["python", "-m", "bertcli", *map(quoted_word, arguments)])
    redirected = " < ../stdin" if case.stdin is not None else " < /dev/null"
    return f"(cd {quoted_word(str(folder / 'work'))} && {command}{redirected})"
