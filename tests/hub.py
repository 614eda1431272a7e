"""A small model hub on this machine, and the cache that its clients keep."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
OTHER_COMMIT = "89abcdef0123456789abcdef0123456789abcdef"
Files = Mapping[str, bytes]
# Answers a request instead of the hub and returns True, or returns False to leave it to the hub.
Fault = Callable[["Handler"], bool]


class Hub(ThreadingHTTPServer):
    """A hub. models: files by repository and commit. refs: the commit of each branch or tag.

    requests: the requests received, such as `GET /my/bert/resolve/main/config.json`. faults: faults by a pattern of
    the request.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.models: dict[str, dict[str, Files]] = {}
        self.refs: dict[str, str] = {"main": COMMIT}
        self.requests: list[str] = []
        self.faults: dict[str, Fault] = {}

    def handle_error(self, *_: object) -> None:
        """Ignore clients that hang up after a timeout."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def env(self, home: Path) -> dict[str, str]:
        """Return variables that make a client use this hub, with its cache in `home`."""
        return {"HF_ENDPOINT": self.url, "HF_HUB_OFFLINE": "0", "HF_HOME": str(home), "NO_PROXY": "127.0.0.1"}

    def publish(self, repository: str, folder: Path, commit: str = COMMIT) -> None:
        """Add a model with the files of a folder."""
        self.models.setdefault(repository, {})[commit] = files_in(folder)

    def downloaded(self) -> list[str]:
        """Return the files that clients have requested, each once, in order."""
        found = (re.fullmatch(r"GET .*/resolve/[^/]*/(.*)", request) for request in self.requests)
        return list(dict.fromkeys(match[1] for match in found if match))


class Handler(BaseHTTPRequestHandler):
    """Handler of the routes for a model's description and its files."""

    server: Hub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.path = unquote(urlsplit(self.path).path)  # a proxy receives whole URLs
        request = f"{self.command} {self.path}"
        self.server.requests.append(request)
        for pattern, fault in self.server.faults.items():
            if re.search(pattern, request) and fault(self):
                return
        if match := re.fullmatch(r"/api/models/(.+)/revision/(.+)", self.path):
            self._describe(*match.groups())
        elif match := re.fullmatch(r"/(.+)/resolve/([^/]+)/(.+)", self.path):
            self._resolve(*match.groups())
        else:
            self.refuse(404)

    def do_HEAD(self) -> None:
        self.do_GET()

    def refuse(self, status: int, code: str = "") -> bool:
        """Send an error status, with the hub's code for the kind of error."""
        self.answer(b"{}", {"X-Error-Code": code} if code else {}, status)
        return True

    def answer(self, content: bytes, headers: Mapping[str, str], status: int = 200) -> None:
        """Send headers, and the content unless the request is HEAD."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Write no log; the hub keeps the requests."""

    def _describe(self, repository: str, revision: str) -> None:
        found = self._files(repository, revision)
        if found is not None:
            commit, files = found
            siblings = [{"rfilename": name, "size": len(content)} for name, content in files.items()]
            described = {"id": repository, "modelId": repository, "sha": commit, "siblings": siblings}
            self.answer(json.dumps(described).encode(), {"Content-Type": "application/json"})

    def _resolve(self, repository: str, revision: str, name: str) -> None:
        found = self._files(repository, revision)
        if found is None:
            return
        commit, files = found
        if name not in files:
            self.refuse(404, "EntryNotFound")
            return
        content, status = files[name], 200
        headers = {
            "X-Repo-Commit": commit,
            "ETag": f'"{hashlib.sha256(content).hexdigest()}"',
            "Content-Disposition": f'inline; filename="{name}";',
        }
        if asked := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            begin, end = int(asked[1]), min(int(asked[2] or len(content)) + 1, len(content))
            headers["Content-Range"] = f"bytes {begin}-{end - 1}/{len(content)}"
            content, status = content[begin:end], 206
        self.answer(content, headers, status)

    def _files(self, repository: str, revision: str) -> tuple[str, Files] | None:
        """Return the commit and its files, or None after sending an error."""
        commits = self.server.models.get(repository)
        if commits is None:
            self.refuse(404, "RepoNotFound")
            return None
        commit = self.server.refs.get(revision, revision)
        if commit not in commits:
            self.refuse(404, "RevisionNotFound")
            return None
        return commit, commits[commit]


@contextmanager
def serve() -> Iterator[Hub]:
    """Run a hub while the context lasts."""
    with Hub() as hub:
        thread = Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield hub
        finally:
            hub.shutdown()
            thread.join()


def files_in(folder: Path) -> dict[str, bytes]:
    """Return the contents of the files in a folder, and in the folders in it, by their names."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def fill_cache(home: Path, repository: str, files: Files, commit: str = COMMIT, ref: str | None = "main") -> Path:
    """Write files to the cache in `home` as huggingface_hub does, and return the snapshot's folder."""
    folder = home / "hub" / f"models--{repository.replace('/', '--')}"
    snapshot = folder / "snapshots" / commit
    for each in (folder / "blobs", folder / "refs", snapshot):
        each.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        blob = folder / "blobs" / hashlib.sha256(content).hexdigest()
        blob.write_bytes(content)
        (snapshot / name).parent.mkdir(parents=True, exist_ok=True)
        up = [".."] * (2 + name.count("/"))
        (snapshot / name).symlink_to(Path(*up, "blobs", blob.name))
    if ref is not None:
        (folder / "refs" / ref).parent.mkdir(parents=True, exist_ok=True)
        (folder / "refs" / ref).write_text(commit)
    return snapshot
