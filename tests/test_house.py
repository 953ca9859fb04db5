"""The house checks itself: its floors, its doors, its map, and the size of its rooms."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / "memtree"
MODULES = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}
MAP = PACKAGE / "README.md"
LONGEST = 400  # lines: past it, ask which second idea moved in
# Every library that memtree imports, and its door. markdown-it has none: it serves the tests.
DOORS = {
    "detect_secrets": "safety/detectors.py",
    "frontmatter": "tree/post.py",
    "llama_cpp": "llama/worker.py",
    "pathspec": "tree/ignore.py",
    "rapidfuzz": "retrieve/slips.py",
    "rich": "cli/show.py",
    "tantivy": "index/full_text.py",
    "typer": "cli/_typer.py",
    "watchdog": "tree/watch.py",
    "yaml": "tree/front_matter.py",
}
# numpy is a language that vectors are spoken of in, not a service behind a door: a wrapper around
# it would be a second numpy. It has a way in (numerics.py) and rooms that may use it.
NUMPY_ROOMS = ("embed/", "hosting/", "index/", "llama/", "memories/", "numeric/", "numerics.py")
SCIPY_ROOMS = ("numeric/",)


def libraries_of(source: str) -> set[str]:
    """The third-party libraries that a module imports, wherever in it, but for types alone."""
    found: set[str] = set()
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            waiting += node.orelse
        elif isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(str(node.module).partition(".")[0])
        else:
            waiting += ast.iter_child_nodes(node)
    return found - sys.stdlib_module_names - {"memtree"}


def linter() -> str | None:
    """The program that checks the floors, of this very environment if it has one."""
    here = str(Path(sys.executable).parent)
    return shutil.which("lint-imports", path=here) or shutil.which("lint-imports")


@pytest.mark.parametrize("name", MODULES)
def test_a_module_opens_with_why_it_exists(name: str) -> None:
    assert ast.get_docstring(ast.parse(MODULES[name].read_text("utf-8")))


def test_every_module_stands_on_the_map_once_and_nothing_else_does() -> None:
    listed = re.findall(r"^\| `([\w/]+\.py)` \|", MAP.read_text("utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(MODULES)


def test_each_library_has_one_door() -> None:
    doors: dict[str, set[str]] = {}
    for name, path in MODULES.items():
        for library in libraries_of(path.read_text("utf-8")):
            # A command names its arguments in typer's words; that is no second door.
            is_command = name.startswith("cli/") and not name.startswith("cli/_")
            is_command |= name in ("cli/_plugin_commands.py", "cli/_plugins.py", "cli/_with.py")
            is_numeric = library == "numpy" and name.startswith(NUMPY_ROOMS)
            is_numeric |= library == "scipy" and name.startswith(SCIPY_ROOMS)
            if not (library == "typer" and is_command) and not is_numeric:
                doors.setdefault(library, set()).add(name)
    assert doors == {library: {door} for library, door in DOORS.items()}


def test_the_map_names_the_doors_that_there_are() -> None:
    _, _, table = MAP.read_text("utf-8").partition("## One door per library")
    shown = re.findall(r"^\| [\w-]+ \| `([\w/]+\.py)`", table.partition("\n## ")[0], re.MULTILINE)
    assert sorted(shown) == sorted(DOORS.values())


def test_imports_point_down() -> None:
    program = linter()
    if program is None:
        pytest.skip("import-linter is not installed")
    done = subprocess.run(
        [program, "--no-cache"],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONUTF8": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=120,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_no_longer_than_one_idea(name: str) -> None:
    lines = len(MODULES[name].read_text("utf-8").splitlines())
    assert lines <= LONGEST, f"memtree/{name} has {lines} lines: which second idea moved in?"
