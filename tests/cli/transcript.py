"""Runs sessions written down as text: what a person types, and exactly what comes back.

    $ memtree add "Tea is in the tin."      run in the session's folder
    < some text                             standard input of the command above
    added notes/inbox/[..]                  expected output, both streams; [..] stands for anything
    [...]                                   any number of lines
    ? 1                                     the exit code, when it is not 0
    --- notes/tea.md                        write a file: the lines up to the next ---
    @atlas                                  copy the example tree here
    # a remark

The environment is bare: no colour, no tree from outside, a fixed width.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLES = REPOSITORY / "examples"
_FROM_OUTSIDE = ("MEMTREE_TREE", "NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "VISUAL", "EDITOR")


NOBODYS = Path(tempfile.gettempdir()) / f"memtree-nobody-{os.getpid()}"
"""Where a person's own settings would be: these tests know no person's."""


@dataclass
class Step:
    """One command: what is typed, what it reads, what must come back."""

    line: int
    typed: str
    stdin: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    code: int = 0


def environment(**more: str) -> dict[str, str]:
    """This process's environment without what would change an answer, and `more`."""
    bare = {name: value for name, value in os.environ.items() if name not in _FROM_OUTSIDE}
    paths = [str(REPOSITORY), bare.get("PYTHONPATH", "")]
    bare["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    own = {"MEMTREE_CONFIG": str(NOBODYS / "config.toml"), "MEMTREE_MODELS": str(NOBODYS)}
    return {**bare, **own, "PYTHONUTF8": "1", "COLUMNS": "100", "TERM": "dumb", **more}


def run(
    *args: str, cwd: Path, stdin: bytes = b"", merged: bool = False, **more: str
) -> subprocess.CompletedProcess[bytes]:
    """Run `memtree ARGS` as a process of its own; `more` are environment variables."""
    return subprocess.run(
        [sys.executable, "-m", "memtree", *args],
        cwd=cwd,
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if merged else subprocess.PIPE,
        env=environment(**more),
        check=False,
        timeout=120,
    )


def play(text: str, folder: Path) -> None:
    """Play the session `text` in `folder`; fails with the line where it went another way."""
    lines = text.splitlines()
    step: Step | None = None
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if line.startswith(("$ ", "--- ", "@")) and step is not None:
            _check(step, folder)
            step = None
        if line.startswith("$ "):
            step = Step(at, line[2:])
        elif line.startswith("--- "):
            end = lines.index("---", at)
            file = folder / line[4:].strip()
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes("".join(f"{one}\n" for one in lines[at:end]).encode())
            at = end + 1
        elif line.startswith("@"):
            ignored = shutil.ignore_patterns("cache", "state")
            shutil.copytree(EXAMPLES / line[1:], folder / line[1:], ignore=ignored)
        elif step is None or (line.startswith("# ") and lines[at - 2 : at - 1] == [""]):
            continue
        elif line.startswith("< "):
            step.stdin.append(line[2:])
        elif line.startswith("? "):
            step.code = int(line[2:])
        else:
            step.expected.append(line)
    if step is not None:
        _check(step, folder)


def _check(step: Step, folder: Path) -> None:
    words = shlex.split(step.typed)
    assert words[0] == "memtree", f"line {step.line}: only memtree is run: {step.typed}"
    stdin = "".join(f"{line}\n" for line in step.stdin).encode()
    done = run(*words[1:], cwd=folder, stdin=stdin, merged=True)
    got = done.stdout.decode().replace(str(folder), "[folder]")
    told = f"line {step.line}: $ {step.typed}\n{got}? {done.returncode}"
    assert done.returncode == step.code, told
    assert _matches(_trimmed(step.expected), _trimmed(got.splitlines())), told


def _trimmed(lines: list[str]) -> list[str]:
    return "\n".join(line.rstrip() for line in lines).strip("\n").split("\n")


def _matches(expected: list[str], got: list[str]) -> bool:
    pattern = []
    for line in expected:
        if line == "[...]":
            pattern.append(r"(?:.*\n)*?")
        else:
            pattern.append(r".*".join(map(re.escape, line.split("[..]"))) + r"\n")
    return re.fullmatch("".join(pattern), "\n".join(got) + "\n") is not None
