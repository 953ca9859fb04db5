"""The door for knowledge that goes out: copies, JSON, JSONL, and OKF bundles.

`markdown` copies the files as they are. `jsonl` is what `import` reads: one entry a line, front
matter as keys. `json` is the same in one document. `okf` is a conformant bundle, see `okf`. An
export never writes over a file that says something else.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from memtree.errors import MemtreeError, Refused, StorageFailed, UsageError
from memtree.tree.format import decode, find_front
from memtree.tree.place import Places, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

KINDS = ("markdown", "json", "jsonl", "okf")
_OWN = ("text", "path", "front_matter")


def export(
    root: str,
    paths: Sequence[str],
    kind: str,
    *,
    scope: str = "",
    to: str | None = None,
    left_out: Callable[[str], None] | None = None,
) -> Iterator[bytes]:
    """Export the entries at `paths` (sorted, relative to `root`).

    `markdown` and `okf` write files below the folder `to`, in which the folder `scope` of the tree
    is the root. `json` and `jsonl` yield their bytes piece by piece when `to` is None, and else
    write the file `to`. Nothing is yielded when files are written, which is done on return.
    `left_out` is called with the path of each entry that can't be read. Raises
    UsageError for an unknown kind or a missing `to`, Refused when a file is in the way,
    StorageFailed when the disk refuses.
    """
    if kind not in KINDS:
        raise UsageError(f"there is no export '{kind}'", hint="kinds: " + ", ".join(KINDS))
    if kind in {"markdown", "okf"}:
        if to is None:
            raise UsageError(f"an export to {kind} needs a folder", hint="name it: --output DIR")
        prefix = scope + "/" if scope else ""
        mine = _read(root, [path for path in paths if path.startswith(prefix)], left_out)
        _write_files(((path[len(prefix) :], raw) for path, raw in mine), _outside(root, to), kind)
        return iter(())
    pieces = (_jsonl if kind == "jsonl" else _json)(root, paths, left_out)
    if to is None:
        return pieces
    _write_one(root, to, pieces)
    return iter(())


def as_object(path: str, raw: bytes) -> dict[str, object]:
    """Turn an entry into the JSON object that `import` reads back."""
    text, _ = decode(raw)
    front = find_front(text)
    out: dict[str, object] = {"path": path}
    if "id" in front.meta:
        out["id"] = front.meta["id"]
    out["text"] = text[front.body :]
    out |= {key: value for key, value in front.meta.items() if key not in _OWN}
    clashing: Mapping[str, object] = {k: front.meta[k] for k in _OWN if k in front.meta}
    if clashing:
        out["front_matter"] = clashing
    return out


def _jsonl(
    root: str, paths: Iterable[str], left_out: Callable[[str], None] | None
) -> Iterator[bytes]:
    for path, raw in _read(root, paths, left_out):
        yield _dumped(as_object(path, raw)) + b"\n"


def _json(
    root: str, paths: Iterable[str], left_out: Callable[[str], None] | None
) -> Iterator[bytes]:
    separator = b'{"entries": [\n'
    for path, raw in _read(root, paths, left_out):
        yield separator + _dumped(as_object(path, raw))
        separator = b",\n"
    yield (b"" if separator == b",\n" else separator) + b"\n]}\n"


def _dumped(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, default=str).encode("utf-8", "replace")


def _read(
    root: str, paths: Iterable[str], left_out: Callable[[str], None] | None
) -> Iterator[tuple[str, bytes]]:
    places = Places(root)
    for path in paths:
        try:
            # The paths come from the catalog, a file that anybody may have put there.
            loaded = places.load(plain(path))
        except (OSError, ValueError, MemtreeError):
            loaded = None  # an export takes what can be read
        if loaded is not None:
            yield path, loaded[0]
        elif left_out is not None:
            left_out(path)


def _write_files(entries: Iterable[tuple[str, bytes]], to: str, kind: str) -> None:
    files: Iterable[tuple[str, bytes]] = entries
    if kind == "okf":
        from memtree.exchange.okf import bundle

        files = bundle(list(entries))
    # All of it is looked at before the first file is written: a refusal leaves nothing behind.
    new = [(path, data) for path, data in files if not _is_there(to, path, data)]
    try:
        for path, data in new:
            where = os.path.join(to, *path.split("/"))
            os.makedirs(os.path.dirname(where), exist_ok=True)
            with open(where, "xb") as file:
                file.write(data)
    except FileExistsError as error:
        raise Refused(f"'{error.filename or to}' is in the way") from error
    except OSError as error:
        raise StorageFailed(f"'{to}' can't be written: {error.strerror or error}") from error


def _outside(root: str, to: str) -> str:
    """Return `to` in full. Raises Refused when it lies in the tree."""
    to = os.path.abspath(os.path.expanduser(to))
    tree = os.path.realpath(root)
    if (os.path.realpath(to) + os.sep).startswith(tree.rstrip(os.sep) + os.sep):
        raise Refused("an export can't go into the tree itself", hint="choose a place outside")
    return to


def _is_there(to: str, path: str, data: bytes) -> bool:
    """Whether the file is there with these bytes. Raises Refused when something is in its way."""
    where = to
    try:
        parts = path.split("/")
        for part in parts[:-1]:
            where = os.path.join(where, part)
            if not os.path.lexists(where):
                return False
            if os.path.islink(where) or not os.path.isdir(where):
                raise Refused(f"'{where}' is in the way: it is not a folder")
        where = os.path.join(where, parts[-1])
        if not os.path.lexists(where):
            return False
        if os.path.islink(where) or not os.path.isfile(where):
            raise Refused(f"'{where}' is in the way")
        with open(where, "rb") as file:
            if file.read() == data:
                return True
    except OSError as error:
        raise StorageFailed(f"'{where}' can't be read: {error.strerror or error}") from error
    raise Refused(f"'{where}' says something else already", hint="export to an empty folder")


def _write_one(root: str, to: str, pieces: Iterable[bytes]) -> None:
    """Write a new file, whole or not at all."""
    if os.path.isdir(to):
        raise Refused(f"'{to}' is a folder", hint="name a file")
    to = _outside(root, to)
    if os.path.lexists(to):
        raise _taken(to)
    temporary = f"{to}.{os.getpid()}.part"
    made = False
    try:
        with open(temporary, "xb") as file:
            made = True
            file.writelines(pieces)
        if os.path.lexists(to):
            raise _taken(to)
        os.replace(temporary, to)
        made = False
    except OSError as error:
        raise StorageFailed(f"'{to}' can't be written: {error.strerror or error}") from error
    finally:
        if made:
            os.unlink(temporary)


def _taken(to: str) -> Refused:
    return Refused(f"'{to}' is there already", hint="choose another name, or remove it first")
