"""`demo`: memtree at work on a small tree that ships with it, typed out as a person would.

Every line after a `$` is really run, by the same code that runs it from a shell. It works on a
copy in a temporary folder and leaves nothing behind, unless --keep names a folder.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from memtree.cli._errors import DONE
from memtree.cli._terminal import clean, stdout
from memtree.errors import Refused, Unavailable

EXAMPLE = "atlas"
# What is said before, and the words of the command. The last question is one that the tree cannot
# answer: saying so is part of the demonstration.
SHOWN: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("A tree is a folder of markdown files.", ("tree", "--folders")),
    (
        "A title, an alias or an id is answered exactly, at once.",
        ("query", "payment retry policy", "-n", "1"),
    ),
    ("Misspelled words still find their entry.", ("query", "harmnoic constituents", "-n", "1")),
    (
        "A question in your own words finds the passage, and its lines.",
        ("query", "how long is a seat held while someone is paying", "-n", "2"),
    ),
    (
        "What is not in the tree is said to be absent; the exit code is 1.",
        ("query", "how do I descale the coffee machine"),
    ),
)
NEXT = (
    ("on your own notes, of which not a byte changes:", "cd NOTES && memtree init"),
    ("and ask them:", 'memtree query "..."'),
    ("or begin with nothing:", 'memtree init memory && memtree --tree memory add "..."'),
)


def demo(
    keep: Annotated[
        str | None,
        typer.Option("--keep", metavar="DIR", help="Copy the tree here and leave it to play with."),
    ] = None,
) -> int:
    """See it work on a small tree that comes with memtree.

    Copies it to a temporary folder, indexes it and asks it a few questions.
    """
    import tempfile

    source = _example()
    if keep is not None:
        if os.path.lexists(keep):
            raise Refused(f"{keep!r} is there already", hint="name a folder that is not")
        _play(source, keep)
        stdout().line(f"The tree is in {clean(os.path.abspath(keep))}.")
        return DONE
    # Searches keep nothing open, so the folder can go; on Windows a scanner may still hold a file.
    with tempfile.TemporaryDirectory(prefix="memtree-", ignore_cleanup_errors=True) as folder:
        _play(source, os.path.join(folder, EXAMPLE))
    return DONE


def _example() -> str:
    """Find the example tree: in the wheel, else in the checkout that this is."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for examples in (
        os.path.join(package, "_data", "examples"),
        os.path.join(os.path.dirname(package), "examples"),
    ):
        if os.path.isdir(os.path.join(examples, EXAMPLE)):
            return os.path.join(examples, EXAMPLE)
    raise Unavailable(
        "the example tree did not come with this installation",
        hint="`memtree init` in a folder of your own notes shows as much",
    )


def _play(source: str, folder: str) -> None:
    import shutil

    from memtree.cli import main

    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("cache", "state"))
    out = stdout()
    for said, words in (("First it is indexed.", ("index",)), *SHOWN):
        out.line(out.dim(f"# {said}"))
        out.line(out.bold(f"$ memtree {_typed(words)}"))
        sys.stdout.flush()
        main(["--tree", folder, *words])
        out.line()
    out.line(out.bold("Next:"))
    for why, command in NEXT:
        out.line(f"  {command}")
        out.line(out.dim(f"      {why.rstrip(':')}"))


def _typed(words: tuple[str, ...]) -> str:
    return " ".join(f'"{word}"' if " " in word else word for word in words)


COMMANDS = {"demo": demo}
