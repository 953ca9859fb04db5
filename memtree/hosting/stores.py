"""What a plugin owns: text under `.memtree/sidecar/`, and under `.memtree/cache/` what is derived.

The sidecar is JSON lines, tracked with the tree: people read, correct and merge it. A name leads
nowhere but into the plugin's own folder. A file is written whole or not at all.
"""

from __future__ import annotations

import os

from memtree.errors import StorageFailed, UsageError
from memtree.hosting.calls import outside
from memtree.person import write_whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

    Arrays = dict[str, npt.NDArray[np.generic]]

SIDECAR = os.path.join(".memtree", "sidecar")
CACHE = os.path.join(".memtree", "cache", "plugins")


def _place(folder: str, name: str) -> str:
    """Where a file of a store lies. Raises UsageError for a name that leads out of it."""
    parts = name.split("/")
    fine = all(part and part[0] != "." and part.isprintable() and "\\" not in part
               and ":" not in part and len(part) < 200 for part in parts)  # fmt: skip
    if not fine:
        raise UsageError(f"{name!r} is no name for a plugin's file")
    path = folder
    for part in parts:
        path = os.path.join(path, part)
        if os.path.islink(path):
            raise UsageError(f"{name!r} leads out of the plugin's folder")
    return path


class SidecarStore:
    """`memtree.plugins.context.Sidecar` in a folder of the tree."""

    def __init__(self, root: str, plugin: str) -> None:
        self.folder = os.path.join(root, SIDECAR, plugin)

    def names(self, folder: str = "") -> Sequence[str]:
        """The files below a folder, in order."""
        start = _place(self.folder, folder) if folder else self.folder
        head = f"{folder}/" if folder else ""
        return sorted(head + name for name, _ in _files(start))

    def read(self, name: str) -> list[dict[str, object]]:
        """The records of a file; lines that are no JSON objects are left out."""
        import json

        try:
            with open(_place(self.folder, name), encoding="utf-8", errors="replace") as file:
                lines = file.read().split("\n")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StorageFailed(f"'{name}' can't be read: {error.strerror or error}") from error
        found = []
        for line in lines:
            try:
                record = json.loads(line) if line.strip() else None
            except (ValueError, RecursionError):
                continue  # a merge conflict's mark, a person's slip: the other lines stand
            if isinstance(record, dict):
                found.append(record)
        return found

    def write(self, name: str, records: Sequence[Mapping[str, object]]) -> None:
        """Replace a file; no records removes it."""
        import json

        path = _place(self.folder, name)
        text = "".join(json.dumps(dict(each), ensure_ascii=False) + "\n" for each in records)
        with outside():
            try:
                if not text:
                    if os.path.lexists(path):
                        os.unlink(path)
                    return
                os.makedirs(os.path.dirname(path), exist_ok=True)
                write_whole(path, text.encode("utf-8", "replace").decode("utf-8"))
            except OSError as error:
                raise StorageFailed(
                    f"the plugin's file '{name}' can't be written: {error.strerror or error}"
                ) from error

    def stamp(self) -> str:
        """Changes when any file does: names, sizes and times."""
        from hashlib import sha256

        told = [
            f"{name}\0{info.st_size}\0{info.st_mtime_ns}"
            for name, item in _files(self.folder)
            if (info := item.stat()) is not None
        ]
        return sha256("\n".join(sorted(told)).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _files(folder: str, head: str = "") -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Every file below a folder by its name there; links are not followed."""
    try:
        with os.scandir(folder) as items:
            for item in items:
                if item.is_dir(follow_symlinks=False):
                    yield from _files(item.path, f"{head}{item.name}/")
                elif item.is_file(follow_symlinks=False) and not item.name.endswith(".tmp"):
                    yield head + item.name, item
    except OSError:
        return


class CacheStore:
    """`memtree.plugins.context.Cache` in a folder that may be deleted at any time."""

    def __init__(self, root: str, plugin: str) -> None:
        self._folder = os.path.join(root, CACHE, plugin)

    @property
    def folder(self) -> str:
        """An existing folder of the plugin's own."""
        with outside():
            try:
                os.makedirs(self._folder, exist_ok=True)
            except OSError as error:
                raise StorageFailed(
                    f"the cache can't be written: {error.strerror or error}",
                    hint="make .memtree writable",
                ) from error
        return self._folder

    def load(self, name: str, key: str) -> Arrays | None:
        """The arrays stored under a name, if they were stored with this key."""
        from memtree.numerics import load_numpy

        load_numpy()
        import numpy as np

        path = _place(self._folder, f"{name}.npz")
        try:
            with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
                if str(file["__key__"]) != key:
                    return None
                return {part: file[part] for part in file.files if part != "__key__"}
        except Exception:  # noqa: BLE001  (whatever a damaged cache raises, it is made again)
            return None

    def save(self, name: str, key: str, arrays: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Store arrays, whole or not at all; a disk that refuses costs the cache, no answer."""
        import io

        import numpy as np

        held = io.BytesIO()
        np.savez(held, __key__=np.array(key), **arrays)  # type: ignore[arg-type]
        self._write(f"{name}.npz", held.getvalue())

    def signature(self, name: str) -> tuple[int, int, int] | None:
        """What is another after the JSON value of a name was stored; None where there is none."""
        try:
            status = os.stat(os.path.join(self._folder, f"{name}.json"))
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino

    def load_value(self, name: str, key: str) -> object:
        """The JSON value stored under a name with this key, else None."""
        import json

        try:
            with open(_place(self._folder, f"{name}.json"), encoding="utf-8") as file:
                found = json.load(file)
        except (OSError, ValueError, RecursionError):
            return None
        if not isinstance(found, dict) or found.get("key") != key:
            return None
        return found.get("value")

    def save_value(self, name: str, key: str, value: object) -> None:
        """Store a JSON value, whole or not at all."""
        import json

        held = json.dumps({"key": key, "value": value}, ensure_ascii=False)
        self._write(f"{name}.json", held.encode("utf-8", "replace"))

    def _write(self, name: str, data: bytes) -> None:
        path = os.path.join(self.folder, name)
        temporary = f"{path}.{os.getpid()}.tmp"
        with outside():
            try:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(temporary, "wb") as file:
                    file.write(data)
                os.replace(temporary, path)
            except OSError:
                return  # a cache that can't be written is made again
