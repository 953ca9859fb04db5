"""Archiving an entry and bringing it back, byte for byte.

The original goes to `_archive/` under its own path, where no index looks. At its old place stays a
stub: the whole front matter, with `status: archived`, and the gist of the text. So the entry is
still found, and links to it hold. Restoring puts the original back over the stub. What a person
changed in the front matter of the stub meanwhile is carried over; text that they wrote into it is
theirs, and stops the restoring.
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from memtree.errors import PathRefused, Refused
from memtree.tree.format import edit_front_matter, find_front, replace_body
from memtree.tree.ignore import ARCHIVE, ARCHIVE_MARK
from memtree.tree.markdown import parse_for_index
from memtree.tree.place import Places, plain
from memtree.tree.receipt import ABSENT, ANY, fingerprint
from memtree.tree.transaction import begin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from memtree.tree.markdown import Parsed
    from memtree.tree.receipt import Receipt
    from memtree.tree.transaction import Transaction

MARK_TEXT = b"""\
# memtree keeps here what it archived, as it was. At the old path of each entry stands a stub, and
# `memtree restore ENTRY` brings it back. Without this file the folder is one like any other.
*
"""
OURS = ("importance", "maturity", "settled", "used", "status", "archived")
"""The keys of a stub that archiving sets."""
FACTS = 3  # as many facts say what an entry was about
GIST = 300  # characters of its first paragraph, where there are no facts


def is_stub(meta: Mapping[str, object]) -> bool:
    """Whether a front matter is that of a stub whose original lies in the archive."""
    return str(meta.get("status")).casefold() == "archived" and isinstance(
        meta.get("archived"), str
    )


def stub_of(path: str, raw: bytes, place: str, scores: Mapping[str, object]) -> bytes:
    """The stub for the entry `raw` at `path`, whose original goes to `place`.

    `scores` are the keys that were settled with it (`importance`, `maturity`, `settled`, `used`).
    Raises Refused for a file whose front matter can't be changed safely.
    """
    if b"\0" in raw:
        raise Refused(f"'{path}' is not a text file", hint="nothing was changed")
    text = raw.decode("utf-8", "surrogateescape")
    changes = {**scores, "status": "archived", "archived": place}
    parsed = parse_for_index(path, raw)
    name = parsed.id or path
    day = str(scores.get("settled") or "")[:10]
    lines = [
        f"# {heading}\n" for _, level, heading in parsed.headings[:1] if level == 1 and heading
    ]
    lines += [
        f"> [!note] Archived by memtree{f' on {day}' if day else ''}",
        f"> This is the gist. The whole entry is in `{place}`;",
        f"> `memtree restore {name}` brings it back.",
    ]
    body = "\n".join(lines) + "\n"
    gist = gist_of(parsed, text)
    if gist:
        body += f"\n{gist}\n"
    stub = replace_body(edit_front_matter(text, changes), body)
    return stub.encode("utf-8", "surrogateescape")


def gist_of(parsed: Parsed, text: str) -> str:
    """A few lines that say what an entry is about: its first facts, else how its text begins."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    ends = [line for line, _, _ in parsed.headings[1:]] + [len(lines) + 1]
    for (line, level, heading), end in zip(parsed.headings, ends, strict=False):
        if heading.casefold() == "facts" and level > 1:
            facts = [each for each in lines[line : end - 1] if each.startswith(("- ", "* "))]
            if facts:
                return "\n".join([lines[line - 1], "", *facts[:FACTS]])
    for _, passage, _, _ in parsed.passages:
        for paragraph in passage.split("\n\n"):
            block = paragraph.strip("\n").split("\n")
            while block and block[0].startswith("#"):
                del block[0]
            block = list(takewhile(lambda line: not line.startswith("#"), block))
            if block and block[0].startswith(("- ", "* ")):
                return "\n".join(line[:GIST] for line in block[:FACTS])
            words = " ".join(" ".join(block).split())
            if words[:1].isalnum() or words[:1] in tuple("\"'([*_"):
                return _shortened(words)
    return ""


def _shortened(words: str) -> str:
    if len(words) <= GIST:
        return words
    cut = words[:GIST]
    end = max(cut.rfind(mark) for mark in (". ", "! ", "? ", "。"))
    return cut[: end + 1] if end > GIST // 4 else cut.rpartition(" ")[0] + " …"


def stage(
    txn: Transaction, path: str, raw: bytes, scores: Mapping[str, object], mode: int | None
) -> str:
    """Stage the archiving of `raw` at `path`; returns where the original goes.

    Raises EntryChanged when another text stands there, Refused when it can't become a stub.
    """
    place = free_place(txn, path)
    stub = stub_of(path, raw, place, scores)
    txn.write(place, raw, ABSENT, mode=mode)
    try:
        txn.write(path, stub, fingerprint(raw))
    except Refused:
        txn.remove(place, ANY)
        raise
    if not txn.exists(ARCHIVE_MARK):
        txn.write(ARCHIVE_MARK, MARK_TEXT, ABSENT)
    return place


def free_place(txn: Transaction, path: str) -> str:
    """A path in the archive that nothing has: that of the entry, with a number when it is taken."""
    stem, dot, suffix = path.rpartition(".")
    place = f"{ARCHIVE}/{path}"
    number = 1
    while txn.exists(place):
        number += 1
        place = f"{ARCHIVE}/{stem}-{number}{dot}{suffix}"
    return place


def restore_stub(root: str, path: str, *, at: str, by: str = "human", wait_s: float = 10.0) -> (
    Receipt | None
):  # fmt: skip
    """Bring back the original of the stub at `path`, byte for byte, and empty its place.

    None when `path` is no stub, or its original is not in the archive any more. Raises Refused when
    a person wrote into the stub: their text stands.
    """
    loaded = Places(root).load(plain(path))
    if loaded is None or not is_stub(find_front(_text(loaded[0])).meta):
        return None
    with begin(root, command="restore", at=at, by=by, wait_s=wait_s) as txn:
        stub, seen = txn.read(path)
        meta = find_front(_text(stub)).meta
        place = _place(meta, path)
        try:
            original, there = txn.read(place)
        except FileNotFoundError:
            return None
        txn.write(path, _restored(path, stub, original, place), seen)
        txn.remove(place, there)
    return txn.receipt


def _place(meta: Mapping[str, object], path: str) -> str:
    # What a file says of a path is not believed: it may only name something in the archive.
    place = plain(str(meta.get("archived")))
    if not place.startswith(f"{ARCHIVE}/") or place == ARCHIVE_MARK:
        raise PathRefused(
            f"the stub '{path}' says that its original is in '{place}', which is no archive",
            hint="nothing was changed",
        )
    return place


def _restored(path: str, stub: bytes, original: bytes, place: str) -> bytes:
    """The original, with what was changed in the front matter of its stub since."""
    meta = find_front(_text(stub)).meta
    scores = {key: meta[key] for key in OURS[:4] if key in meta}
    try:
        clean = stub_of(path, original, place, scores)
        if stub == clean:
            return original
        before = find_front(_text(clean)).meta
        changed = {
            key: meta.get(key)
            for key in {**before, **meta}
            if key not in OURS and before.get(key) != meta.get(key)
        }
        if _bytes(edit_front_matter(_text(clean), changed)) == stub:
            return _bytes(edit_front_matter(_text(original), changed))
    except Refused:
        pass
    raise Refused(
        f"somebody wrote into the stub '{path}', and that text would be lost",
        hint=f"keep it elsewhere first, or take what you need from '{place}'",
    )


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
