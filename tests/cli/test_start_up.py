"""Starting is a feature: what a command may import, and how much of the machine's time it takes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from transcript import EXAMPLES, environment, run

if TYPE_CHECKING:
    from pathlib import Path

# Imports its answers to the last line of standard error, so that output stays comparable.
_ENTRY = """
import sys
import {module} as entry
code = entry.run(sys.argv[1:]) if hasattr(entry, "run") else entry.main()
sys.stdout.flush()
print("\\n" + " ".join(sorted(sys.modules)), file=sys.stderr)
sys.exit(code)
"""
HEAVY = {"rich", "yaml", "markdown_it", "watchdog", "numpy", "frontmatter", "pydantic", "asyncio"}


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("start") / "atlas"
    shutil.copytree(EXAMPLES / "atlas", folder, ignore=shutil.ignore_patterns("cache", "state"))
    run("index", cwd=folder)
    # A refresh in the same instant as a write is repeated once to be safe: not what is measured.
    run("list", cwd=folder)
    return folder


def started(
    *args: str, cwd: Path, module: str = "memtree._fast"
) -> tuple[subprocess.CompletedProcess[str], set[str]]:
    """Run the program's entry; returns what came back, and the modules that were loaded."""
    done = subprocess.run(
        [sys.executable, "-c", _ENTRY.format(module=module), *args],
        cwd=cwd,
        capture_output=True,
        env=environment(),
        check=False,
        timeout=120,
        encoding="utf-8",
    )
    return done, set(done.stderr.rpartition("\n")[0].rpartition("\n")[2].split())


def test_the_root_help_loads_nothing_but_its_table(atlas: Path) -> None:
    done, modules = started("--help", cwd=atlas)
    assert done.returncode == 0
    assert modules
    assert not modules & (HEAVY | {"typer", "rapidfuzz", "json", "re", "memtree.app", "sqlite3"})
    commands = {name for name in modules if name.startswith("memtree.cli.")}
    assert commands == {"memtree.cli._commands", "memtree.cli._errors", "memtree.cli._terminal"}


@pytest.mark.parametrize(
    "words", [("status",), ("list",), ("tree",), ("log",), ("links", "seat-holds")]
)
def test_a_command_that_looks_loads_no_heavy_library(words: tuple[str, ...], atlas: Path) -> None:
    _, modules = started(*words, cwd=atlas)
    assert "memtree.app" in modules
    assert not modules & HEAVY


@pytest.mark.parametrize("name", ["search", "list", "init", "import", "config"])
def test_a_command_loads_no_other_command(name: str, atlas: Path) -> None:
    _, modules = started(name, "--help", cwd=atlas)
    assert not modules & (HEAVY | {"rapidfuzz", "memtree.app"})
    own = {m for m in modules if m.startswith("memtree.cli.") and not m.startswith("memtree.cli._")}
    shared = {"memtree.cli.show"}  # where the ENTRY argument is described
    assert len(own - shared) == 1


def test_a_hot_search_loads_the_index_and_little_else(atlas: Path) -> None:
    done, modules = started("search", "boiler", "--json", cwd=atlas)
    assert done.returncode == 0
    unwanted = HEAVY | {"typer", "json", "re", "dataclasses", "pathlib", "typing", "inspect"}
    assert not modules & (unwanted | {"subprocess", "memtree.app", "memtree.cli._typer"})


def without_times(text: str) -> str:
    return re.sub(r'"ms": [\d.e-]+|\d+ ms', "", text)


@pytest.mark.parametrize(
    "words",
    [
        ("search", "boiler", "--json"),
        ("query", "harmnoic constituents", "--json", "-n", "2"),
        ("search", "seat", "--in", "engineering"),
        ("query", "how do I descale the coffee machine"),
        ("search", "発券端末", "--json"),
    ],
)
def test_the_short_way_answers_as_the_long_one_does(words: tuple[str, ...], atlas: Path) -> None:
    short, _ = started(*words, cwd=atlas)
    long, _ = started(*words, cwd=atlas, module="memtree.cli")
    assert without_times(short.stdout) == without_times(long.stdout)
    assert short.returncode == long.returncode


def cpu_seconds(command: list[str], cwd: Path, more: dict[str, str]) -> float:
    """The least of a few runs, user and system time, of a process and its children."""
    import resource

    taken = []
    for _ in range(7):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, cwd=cwd, env=more, capture_output=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(taken)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="counts CPU time as POSIX does")
@pytest.mark.parametrize(
    "words", [("--help",), ("search", "--help"), ("status",), ("list",), ("config", "list")]
)
def test_a_command_takes_at_most_eight_times_a_bare_interpreter(
    words: tuple[str, ...], atlas: Path, tmp_path: Path
) -> None:
    more = environment(PYTHONPYCACHEPREFIX=str(tmp_path))
    more.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-m", "memtree", *words]
    subprocess.run(command, cwd=atlas, env=more, capture_output=True, check=False)  # compiles
    bare = cpu_seconds([sys.executable, "-c", "pass"], atlas, more)
    ratio = cpu_seconds(command, atlas, more) / bare
    assert ratio <= 8, f"{ratio:.1f} times a bare interpreter"


def test_json_is_the_same_from_both_encoders(atlas: Path) -> None:
    short, _ = started("search", "発券端末", "--json", cwd=atlas)
    assert json.loads(short.stdout)["hits"][0]["path"] == "team/partners/舞鶴港.md"
    assert short.stdout.isascii()
