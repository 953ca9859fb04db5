"""`memtree cube export`, `import` and `pairs`: cubes carried away and put back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

from memtree.errors import EntryNotFound, Refused, UsageError
from memtree.memories.memos import carrying, chain
from memtree.memories.memos.commands import NOTHING, DryRun, told
from memtree.memories.memos.cube import PRIVATE, PUBLIC, SESSION, VISIBILITIES
from memtree.plugins import Report

if TYPE_CHECKING:
    from memtree.plugins import Desk

Scope = Annotated[str, "only entries below this folder"]


def export(
    desk: Desk,
    file: Annotated[str, "the file to write; the lines are printed when left out"] = "",
    *,
    scope: Scope = "",
    visibility: Annotated[str, "public: leave out what is private or of a session"] = "",
) -> Report:
    """Write entries with all they are as one file of JSON lines: a memory cube to carry away."""
    if visibility and visibility not in VISIBILITIES:
        raise UsageError(f"'{visibility}' is no visibility", hint=f"{PUBLIC}, {SESSION}, {PRIVATE}")
    lines, left = carrying.exported(desk, scope.strip("/"), visibility)
    if not file:
        return Report(lines=lines, value=None)
    _written(file, lines)
    many = len(lines) - 1
    said = f"{many} files in '{file}'" + (f"; {left} entries left out: not {visibility}"
                                          if left else "")  # fmt: skip
    return Report(lines=[said], value={"file": file, "files": many, "left_out": left})


def import_(
    desk: Desk,
    file: Annotated[str, "a file that `memtree cube export` wrote"],
    *,
    replace_there: Annotated[bool, "replace entries that say something else here"] = False,
    dry_run: DryRun = False,
) -> Report:
    """Put the entries of a cube back, byte for byte, in one transaction."""
    carried = carrying.read_lines(_read(file))
    other = []
    for path, data in carried.files.items():
        try:
            there = desk.raw(path)
        except EntryNotFound:
            continue
        if there != data and path != carrying.MARK:
            other.append(path)
    if other and not replace_there:
        raise Refused(
            f"'{other[0]}'" + (f" and {len(other) - 1} more" if other[1:] else "")
            + " are here already and say something else",
            hint="--replace-there puts what the cube says in their place",
        )  # fmt: skip
    if carrying.MARK in carried.files and desk.context.tree.entries(carrying.ARCHIVE.rstrip("/")):
        raise Refused(
            f"`{carrying.ARCHIVE}` is a folder of your own here, and would be hidden",
            hint="give it another name, then import",
        )
    done = desk.restore(carried.files, dry_run=dry_run)
    kept = {path for _, path, _ in done.rejected}
    if not dry_run:
        ctx = desk.context
        for identity, records in carried.chains.items():
            if identity and records and records[-1].get("path") not in kept:
                ctx.sidecar.write(chain.file_of(identity), records)
        desk.follow()
    return told(done, dry_run=dry_run)


def pairs(
    desk: Desk, file: Annotated[str, "the file to write"] = "", *, scope: Scope = ""
) -> Report:
    """Write what is stable as training pairs (JSON lines), for a trainer of your own."""
    lines = carrying.training_pairs(desk, scope.strip("/"))
    if not lines:
        return Report(lines=["nothing is stable enough: frozen, validated or core"], code=NOTHING)
    if not file:
        return Report(lines=lines)
    _written(file, lines)
    return Report(lines=[f"{len(lines)} pairs in '{file}'; nothing is trained here"],
                  value={"file": file, "pairs": len(lines)})  # fmt: skip


def _written(file: str, lines: list[str]) -> None:
    """Write a file that a person named; never over another one. Raises Refused."""
    try:
        with open(file, "x", encoding="utf-8", newline="") as out:
            out.writelines(f"{line}\n" for line in lines)
    except FileExistsError:
        raise Refused(f"'{file}' is there already", hint="name another file") from None
    except OSError as error:
        raise Refused(f"'{file}' can't be written: {error.strerror or error}") from error


def _read(file: str) -> list[str]:
    try:
        if os.path.getsize(file) > carrying.MOST:
            raise UsageError(f"'{file}' is larger than a cube may be")
        with open(file, encoding="utf-8", newline="") as source:
            return source.read().split("\n")
    except UnicodeDecodeError:
        raise UsageError(f"'{file}' is no text", hint="memtree cube export writes a cube") from None
    except OSError as error:
        raise UsageError(f"'{file}' can't be read: {error.strerror or error}") from error
