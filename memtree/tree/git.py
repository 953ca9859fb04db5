"""Git, through one door: every subprocess that memtree starts for history starts here.

Git is optional. Without it, outside a repository, or when a revision has no such file the answer is
None or empty, not an error; only a revision that was asked for by name and does not exist raises.
Nothing here writes: no fetch, no push, no hook, no index refresh (`GIT_OPTIONAL_LOCKS=0`), and a
cloned repository's configuration can't start programs through us (no pager, no external diff, no
textconv, no fsmonitor, no clean filter, nothing fetched).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from memtree.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

TIMEOUT_S = 30.0
_SAFE = (
    "--no-pager",
    "--literal-pathspecs",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.quotePath=false",
    "-c",
    "log.showSignature=false",
)
_PLAIN_DIFF = ("--no-color", "--no-ext-diff", "--no-textconv", "--ignore-submodules=all")


class Commit(NamedTuple):
    """One commit: full hash, author, author date (ISO 8601 with offset), first line, path then."""

    rev: str
    author: str
    at: str
    subject: str
    path: str


def is_available() -> bool:
    """Whether a `git` program is on the path."""
    import shutil

    return shutil.which("git") is not None


def repository_of(folder: str) -> str | None:
    """Find the top folder of the repository that holds `folder`, found without starting git."""
    folder = os.path.abspath(folder)
    while True:
        # In a worktree or submodule `.git` is a file.
        if os.path.exists(os.path.join(folder, ".git")):
            return folder
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


def is_repo(root: str) -> bool:
    """Whether git would serve this folder: a repository around it, and a program to ask."""
    return repository_of(root) is not None and is_available()


def log(root: str, path: str = "", *, limit: int = 20) -> list[Commit]:
    """List the commits that touched `path` (followed through renames) or the tree, newest first.

    `limit` is at least 1. Empty without git, without a repository, without commits.
    """
    form = "%x01%H%x00%an%x00%aI%x00%s"
    arguments = ["log", f"--max-count={max(1, limit)}", f"--format={form}", "--name-only", "-z"]
    if path:
        arguments += ["--follow", "--relative", "--", path]
    else:
        arguments += ["--", "."]
    done = _run(root, arguments)
    if done is None or done[0] != 0:
        return []
    commits = []
    for block in done[1].decode("utf-8", "replace").split("\x01")[1:]:
        rev, author, at, rest = block.split("\x00", 3)
        subject, _, names = rest.partition("\x00")
        then = names.strip("\x00\n").split("\x00")[0] if path else ""
        commits.append(Commit(rev, author, at, subject, then or path))
    return commits


def resolve(root: str, rev: str) -> str:
    """Find the full hash of a revision or of the last commit at a date (`2026-01-31`, `yesterday`).

    Raises Unavailable when there is no git, no repository or no such revision.
    """
    if not is_repo(root):
        raise Unavailable(
            f"there is no git repository around this tree, so no revision '{rev}'",
            hint="memtree's own history: memtree log",
        )
    if rev and not rev.startswith("-"):
        done = _run(
            root, ["rev-parse", "--verify", "--quiet", "--end-of-options", rev + "^{commit}"]
        )
        if done is not None and done[0] == 0:
            return done[1].decode("ascii", "replace").strip()
        if _looks_like_date(rev):
            done = _run(root, ["rev-list", "--max-count=1", f"--before={rev}", "HEAD"])
            found = done[1].decode("ascii", "replace").strip() if done and done[0] == 0 else ""
            if found:
                return found
    raise Unavailable(f"git knows no revision '{rev}'", hint="see: git log --oneline")


def show(root: str, rev: str, path: str) -> bytes | None:
    """Return the bytes of `path` at `rev`; None when the file did not exist there.

    Raises Unavailable as `resolve` does.
    """
    commit = resolve(root, rev)
    done = _run(root, ["cat-file", "blob", f"{commit}:./{path}"])
    return done[1] if done is not None and done[0] == 0 else None


def paths_at(root: str, rev: str, *, suffixes: Sequence[str] = (".md", ".markdown")) -> list[str]:
    """List the entry paths under the tree at `rev`, sorted; raises as `resolve` does."""
    commit = resolve(root, rev)
    done = _run(root, ["ls-tree", "-r", "-z", "--name-only", commit, "--", "."])
    if done is None or done[0] != 0:
        return []
    names = done[1].decode("utf-8", "surrogateescape").split("\x00")
    return sorted(
        name for name in names if name.lower().endswith(tuple(suffixes)) and not _is_hidden(name)
    )


def diff(root: str, rev: str, path: str = "") -> str:
    """Return a unified diff from `rev` to the files as they are now, paths relative to the tree.

    Raises Unavailable as `resolve` does.
    """
    commit = resolve(root, rev)
    without = _without_filters(root)
    done = _run(root, [*without, "diff", *_PLAIN_DIFF, "--relative", commit, "--", path or "."])
    return "" if done is None else done[1].decode("utf-8", "replace")


def _without_filters(root: str) -> list[str]:
    """Return options that switch off every filter driver, for git runs them on files it compares.

    Raises Unavailable when the configuration can't be read, or names one that no option can name.
    """
    done = _run(root, ["config", "-z", "--name-only", "--get-regexp", r"^filter\."])
    if done is None or done[0] not in {0, 1}:
        raise Unavailable("git can't read the configuration of this repository")
    drivers = {key.rpartition(b".")[0] for key in done[1].split(b"\0") if key.count(b".") > 1}
    options = []
    for driver in sorted(drivers):
        if b"=" in driver:
            raise Unavailable("this repository has a filter that can't be switched off for a diff")
        for setting in ("clean=", "smudge=", "process=", "required=false"):
            options += ["-c", f"{os.fsdecode(driver)}.{setting}"]
    return options


def _run(root: str, arguments: Sequence[str]) -> tuple[int, bytes] | None:
    """Return the exit status and output; None when git is missing or does not finish in time."""
    import subprocess

    environment = {
        key: value
        for key, value in os.environ.items()
        # A hook sets these, and they would redirect us to another repository.
        if key not in {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"}
    }
    environment |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    # A partial clone would fetch what it lacks, by programs that its configuration names.
    environment |= {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none"}
    try:
        done = subprocess.run(  # noqa: S603  (arguments are a list, and revisions are checked)
            ["git", *_SAFE, *arguments],  # noqa: S607  (the user's own git, wherever it is)
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.returncode, done.stdout


def _looks_like_date(text: str) -> bool:
    # Git's own date parser accepts any word and takes it for "now": only let dates through.
    return (
        text[:1].isdigit()
        or text in {"yesterday", "today", "noon", "midnight"}
        or (text.endswith((".ago", " ago")))
    )


def _is_hidden(path: str) -> bool:
    return any(part.startswith(".") for part in path.split("/"))
