"""`memtree plugins new`: a small plugin that works, with tests, ready to be installed and changed.

The texts are the files of the template `plugin`; names are put in, nothing else is decided here.
"""

from __future__ import annotations

import os

from memtree.errors import Refused, StorageFailed, UsageError
from memtree.hosting import registry
from memtree.person import write_whole
from memtree.tree.locate import templates_dir

TEMPLATE = "plugin"
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")


def scaffold(name: str, into: str = "") -> tuple[str, list[str]]:
    """Write the package; gives its folder and files. Nothing that exists is touched.

    Raises UsageError for a name that is none, Refused where something is in the way.
    """
    if not name or not set(name) <= _LETTERS or not name[0].isalpha() or name.endswith("-"):
        raise UsageError(f"{name!r} is no name for a plugin", hint="a-z, 0-9 and -, like my-memory")
    if name in registry.names(tiers=True):
        raise Refused(f"a plugin {name!r} is installed already", hint="choose another name")
    folder = os.path.abspath(into or name)
    if os.path.exists(folder) and os.listdir(folder):
        raise Refused(f"'{folder}' is not empty", hint="--into names another folder")
    module = name.replace("-", "_")
    words = {
        "{{name}}": name,
        "{{module}}": f"memtree_{module}",
        "{{class}}": "".join(part.capitalize() for part in name.split("-")),
    }
    made: list[str] = []
    source = os.path.join(templates_dir() or "", TEMPLATE)
    try:
        for where, _, files in sorted(os.walk(source)):
            for file in sorted(files):
                path = os.path.join(os.path.relpath(where, source), file)
                with open(os.path.join(where, file), encoding="utf-8") as opened:
                    text = opened.read()
                for mark, word in words.items():
                    path, text = path.replace(mark, word), text.replace(mark, word)
                target = os.path.normpath(os.path.join(folder, path.removesuffix(".txt")))
                os.makedirs(os.path.dirname(target), exist_ok=True)
                write_whole(target, text)
                made.append(target)
    except OSError as error:
        raise StorageFailed(f"'{folder}' can't be written: {error.strerror or error}") from error
    if not made:
        raise StorageFailed("this installation of memtree lacks its templates")
    return folder, made
