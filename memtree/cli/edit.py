"""`edit`: an editor on a copy; written back only over the bytes that were read.

If the file changed meanwhile the person who changed it wins, and what was typed here is kept
under `.memtree/state/rescued/`: nothing that a person wrote is lost, whatever goes wrong.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from memtree.cli._errors import DONE, say
from memtree.cli._guards import warn
from memtree.cli._open import opened
from memtree.cli._terminal import clean, stdout
from memtree.cli._typer import EntryArgument, JsonOption, TreeOption
from memtree.errors import MemtreeError, Refused, Unavailable

if TYPE_CHECKING:
    from memtree.app import Tree


def edit(entry: EntryArgument, as_json: JsonOption = False, tree: TreeOption = None) -> int:
    """Edit an entry in your editor; never over somebody else's change.

    Opens $VISUAL, else $EDITOR, on a copy. If the file changes while you type, it stays as it is
    and your text is kept beside the tree's state; the message says where.
    """
    there = opened(tree)
    path = there.resolve(entry)
    warn(there, "edit", [path])
    before = there.raw(path)
    after = _edited(there, path, before)
    transaction = None
    if after != before:
        transaction = _write(there, path, before, after)
        there.note_use("edited", [path])
    if as_json:
        from memtree.cli._json import emit

        emit({"path": path, "changed": after != before, "transaction": transaction})
    else:
        out = stdout()
        verb = "changed" if after != before else "nothing changed in"
        out.line(f"{verb} {out.bold(clean(path))}")
    return DONE


def _editor() -> list[str]:
    """Return the words of the editor's command line; Unavailable when there is none."""
    import shlex
    import shutil

    for name in ("VISUAL", "EDITOR"):
        command = os.environ.get(name, "").strip()
        if command:
            # Windows paths hold backslashes, which POSIX rules would eat.
            words = shlex.split(command, posix=os.name != "nt")
            return [word.strip('"') for word in words] if os.name == "nt" else words
    usual = ("notepad",) if os.name == "nt" else ("sensible-editor", "editor", "nano", "vim", "vi")
    for command in usual:
        if shutil.which(command):
            return [command]
    raise Unavailable("no editor is set", hint="set $VISUAL or $EDITOR, for example EDITOR=nano")


def _edited(tree: Tree, path: str, before: bytes) -> bytes:
    import subprocess
    import tempfile

    command = _editor()
    with tempfile.TemporaryDirectory(prefix="memtree-") as folder:
        # The same name, so that the editor knows what it is and shows it.
        copy = os.path.join(folder, os.path.basename(path))
        with open(copy, "wb") as file:
            file.write(before)
        try:
            code = subprocess.run([*command, copy], check=False).returncode  # noqa: S603  (the user's own editor)
        except OSError as error:
            raise Unavailable(
                f"the editor {command[0]!r} could not be started: {error.strerror}",
                hint="set $VISUAL or $EDITOR",
            ) from error
        try:
            with open(copy, "rb") as file:
                after = file.read()
        except OSError as error:
            raise Refused("the edited copy is gone; nothing was changed") from error
        if code != 0:
            kept = f"; your text is in {_rescue(tree, path, after)}" if after != before else ""
            raise Refused(f"the editor ended with code {code}: nothing was changed{kept}")
    return after


def _write(tree: Tree, path: str, before: bytes, after: bytes) -> str:
    from hashlib import sha256

    try:
        return tree.write(path, after, expected=sha256(before).digest()).id
    except (MemtreeError, OSError, KeyboardInterrupt):
        say(f"your text is kept in {_rescue(tree, path, after)}", word="note")
        raise


def _rescue(tree: Tree, path: str, text: bytes) -> str:
    """Keep `text` where nothing else writes; returns where. Falls back to the temporary folder."""
    import tempfile
    import time

    stem, suffix = os.path.splitext(os.path.basename(path))
    prefix = f"{stem}-{time.strftime('%Y%m%dT%H%M%S')}-"
    folder: str | None = os.path.join(tree.root, ".memtree", "state", "rescued")
    try:
        os.makedirs(str(folder), exist_ok=True)
    except OSError:
        folder = None
    for place in (folder, None):
        try:
            handle, name = tempfile.mkstemp(prefix=prefix, suffix=suffix, dir=place)
        except OSError:
            continue
        with open(handle, "wb") as file:
            file.write(text)
        return name
    raise Refused("your text could be kept nowhere; the disk refuses")


COMMANDS = {"edit": edit}
