"""A real tree in a temporary folder, and the real command line around it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
ATLAS = REPOSITORY / "examples" / "atlas"
_FROM_OUTSIDE = (
    "MEMTREE_TREE", "NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "VISUAL", "EDITOR",
    "PYTHONIOENCODING",
)  # fmt: skip


class Done:
    """How a command ended: its exit code, and the bytes of both streams."""

    def __init__(self, code: int, out: bytes, err: bytes, args: tuple[str, ...]) -> None:
        self.code = code
        self.out = out
        self.err = err
        self.args_ = args

    def __repr__(self) -> str:
        return (
            f"memtree {' '.join(self.args_)!r} -> {self.code}\n"
            f"out: {self.out[:3000]!r}\nerr: {self.err[-3000:]!r}"
        )

    @property
    def crashed(self) -> bool:
        """Whether a person would see a traceback, or the process died."""
        return b"Traceback" in self.err or b"panicked" in self.err or self.code < 0

    @property
    def json(self) -> Any:
        """The one JSON document on standard output; strict about NaN."""

        def no(name: str) -> object:
            raise ValueError(f"{name} is not JSON")

        return json.loads(self.out.decode("utf-8"), parse_constant=no)


class RealTree:
    """A folder with `.memtree/`, and `memtree` run in it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, path: str, text: str | bytes) -> Path:
        """Write a file as any editor would."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return file

    @property
    def own(self) -> dict[str, str]:
        """Where this tree's person keeps their own settings and models."""
        beside = self.root.parent / f"{self.root.name}-person"
        return {
            "MEMTREE_CONFIG": str(beside / "config.toml"),
            "MEMTREE_MODELS": str(beside / "models"),
        }

    def run(
        self, *args: str, stdin: bytes = b"", timeout: float = 60,
        env: dict[str, str] | None = None, cwd: Path | None = None, powerless: bool = False,
    ) -> Done:  # fmt: skip
        """Run `memtree ARGS` in the tree; a command that hangs is a failure."""
        try:
            done = subprocess.run(
                [*(_powerless() if powerless else []), *command(), *args], input=stdin,
                capture_output=True, timeout=timeout, env=environment(self.own | (env or {})),
                cwd=cwd or self.root, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise AssertionError(f"memtree {args!r} hangs: no end in {timeout} s") from error
        result = Done(done.returncode, done.stdout, done.stderr, args)
        assert not result.crashed, result
        return result

    def start(self, *args: str) -> subprocess.Popen[bytes]:
        """Start `memtree ARGS`."""
        return subprocess.Popen(
            [*command(), *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=environment(self.own), cwd=self.root,
        )  # fmt: skip

    def found(self, *words: str, verb: str = "search") -> list[str]:
        """The paths that a search finds, best first; pending must be 0."""
        answer = self.run(verb, "--json", *words).json
        assert answer["freshness"]["pending"] == 0, answer
        return [hit["path"] for hit in answer["hits"]]

    def files(self) -> dict[str, tuple[bytes, int]]:
        """Every knowledge file with its bytes and modification time."""
        found = {}
        for above, folders, names in os.walk(self.root):
            folders[:] = [f for f in folders if f != ".git"]
            inside = os.path.relpath(above, self.root)
            if inside.startswith((".memtree/state", ".memtree/cache")):
                continue
            for name in names:
                path = Path(above, name)
                if path.is_file() and not path.is_symlink():
                    found[str(path)] = (path.read_bytes(), path.stat().st_mtime_ns)
        return found

    def codes(self) -> dict[str, set[str]]:
        """Path to finding codes of `check --json`."""
        found: dict[str, set[str]] = {}
        for item in problems(self.run("check", "--json").json):
            found.setdefault(item["path"], set()).add(item["code"])
        return found


def problems(document: Any) -> list[dict[str, Any]]:
    """The findings of a `check --json` or `index --json` document."""
    if isinstance(document, list):
        return document
    for name in ("problems", "findings"):
        if name in document:
            return list(document[name])
    raise AssertionError(document)


def _powerless() -> list[str]:
    """What makes root obey the permissions of files; nothing for anybody else."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]


def command() -> list[str]:
    """How the command line starts here: as the installed script does."""
    return [sys.executable, "-c", "import sys; from memtree._fast import main; sys.exit(main())"]


def environment(more: dict[str, str] | None) -> dict[str, str]:
    """A bare environment."""
    env = {key: value for key, value in os.environ.items() if key not in _FROM_OUTSIDE}
    env["PYTHONPATH"] = str(REPOSITORY)
    env["MEMTREE_CONFIG"] = env["MEMTREE_MODELS"] = os.path.join(tempfile.gettempdir(), "nobody-s")
    return env | (more or {})


def new_tree(root: Path) -> RealTree:
    """A blank tree."""
    root.mkdir(parents=True, exist_ok=True)
    tree = RealTree(root)
    done = tree.run("init", ".")
    assert done.code == 0, done
    return tree
