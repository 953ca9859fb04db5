"""The vectors follow the index: what was read since gets a vector, what is gone loses it.

Entries are taken in the order in which the index read them, some hundred at a time, and the head
is written after each lot: what was done is kept when the process dies or time is up, and the next
run goes on there. A text that had a vector keeps it, whatever became of its file or of the index
(`hashes`): a move, a checkout or a rebuild costs a slow model nothing.

The order of writes makes every crash harmless: records are appended behind what the head vouches
for, replaced ones are struck out, then the new head takes the place of the old one. Whoever dies
in between has struck out what will be made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from array import array
from typing import TYPE_CHECKING

from memtree.index.alone import alone, cannot_write
from memtree.index.full_text import PASSAGES
from memtree.index.vectors import (
    END,
    FOLDER,
    HEAD,
    PARTS,
    Head,
    NoVectors,
    Vectors,
    left_to_do,
    path_of,
    read_head,
    signs,
    size_of,
    step_of,
)
from memtree.numerics import load_numpy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    import numpy.typing as npt

    from memtree.embed.protocol import Embedder
    from memtree.index.catalog import Catalog
    from memtree.index.full_text import Found, FullText
    from memtree.index.row import Row

    # Stage, done, of how many.
    Progress = Callable[[str, int, int], None]

# Entries of one lot: large enough for numpy, small enough to stop in between.
LOT = 256
# Of a slow model: a question waits for one of these, and what an interrupt loses is less than one.
SLOW_LOT = 4
# So few passages are embedded without numpy, whose import costs more than they do.
FEW = 24
# A rewrite puts the records in order when so many, or this share, are out of it or dead.
LOOSE, LOOSE_SHARE = 4096, 0.25


def text_of(row: Row, text: str) -> str:
    """What is embedded of a passage: what it says, and what it is about."""
    folder = row.path.rpartition("/")[0].rpartition("/")[2].replace("-", " ").replace("_", " ")
    about = [row.title] if row.titled else []
    if folder and not row.session:
        about.append(folder)
    return ". ".join([*about, text])


class Following:
    """One run: the vectors under `cache` follow `catalog` and `full_text`, made by `embedder`."""

    def __init__(
        self, cache: str, catalog: Catalog, full_text: FullText, embedder: Embedder,
        progress: Progress | None = None,
    ) -> None:  # fmt: skip
        self.cache = cache
        self.catalog = catalog
        self.full_text = full_text
        self.embedder = embedder
        self.progress = progress
        self.embedded = 0
        self.kept = 0
        self._known: dict[bytes, tuple[bytes, bytes]] = {}
        self._ids: array[int] = array("q")

    def run(self, *, budget_s: float | None = None, wait_s: float = 10.0) -> int:
        """Work until all is done, `budget_s` seconds are over; gives the entries left to do.

        Raises StorageFailed, and what the embedder raises; what was done until then is kept.
        """
        deadline = None if budget_s is None else time.monotonic() + budget_s
        folder = os.path.join(self.cache, FOLDER)
        with alone(folder, wait_s) as is_alone:
            if not is_alone:
                return left_to_do(self.cache, self.catalog, self.embedder.identity.text())
            try:
                return self._run(deadline)
            except OSError as error:
                raise cannot_write(error.strerror or str(error)) from error

    def _read(self) -> Head | None:
        try:
            return read_head(self.cache)
        except NoVectors:
            return None

    def _run(self, deadline: float | None) -> int:
        head = self._begin()
        generation = self.catalog.number("generation")
        gone = self.catalog.gone_since(head.gone)
        if gone and head.count:
            self._remember_own(head, set(gone))  # what moved has another number and the same text
            self._strike(head, gone)
        total = self.catalog.count_since(head.mark)
        done = 0
        lot = LOT if self.embedder.foreground else SLOW_LOT
        while rows := self.catalog.read_since(head.mark, lot):
            ready = [row for row in rows if row.fts]
            if len(ready) < len(rows):
                # What is not in the full text yet has no passages to embed: it comes with them.
                ready = rows[: next(at for at, row in enumerate(rows) if not row.fts)]
            if not ready:
                break
            self._take(head, ready)
            done += len(ready)
            if self.progress is not None:
                self.progress("embedding", done, total)
            if deadline is not None and time.monotonic() > deadline:
                break
        left = self.catalog.count_since(head.mark)
        if not left:
            head.mark = generation, END
        head.gone = generation
        loose = head.count - head.sorted + head.dead
        if not left and loose > max(LOOSE, LOOSE_SHARE * head.count):
            head = self._rewrite(head)
        self._write_head(head)
        return left

    # -- beginning --------------------------------------------------------------------------

    def _begin(self) -> Head:
        """Go on with the files that are there, or begin new ones."""
        identity = self.embedder.identity.text()
        dimension = -(-self.embedder.identity.dimension // 8) * 8
        old = self._read()
        if old is not None and (old.identity, old.dimension) == (identity, dimension):
            try:
                self._must_be_whole(old)
                if old.birth == self.catalog.birth:
                    self._ids.frombytes(self._bytes("ids", old))
                    return old
                self._remember(old)
            except OSError:
                self._known.clear()
                self._ids = array("q")
        head = Head(identity, dimension, self.catalog.birth, 1 + (old.epoch if old else 0))
        for part in PARTS:
            with open(path_of(self.cache, part, head.epoch), "wb"):
                pass
        return head

    def _must_be_whole(self, head: Head) -> None:
        for part in PARTS:
            size = size_of(part, head.dimension) * head.count
            if os.path.getsize(path_of(self.cache, part, head.epoch)) < size:
                raise OSError(0, "the vectors are cut short")

    def _bytes(self, part: str, head: Head) -> bytes:
        size = size_of(part, head.dimension) * head.count
        with open(path_of(self.cache, part, head.epoch), "rb") as file:
            return file.read(size)

    def _remember(self, old: Head) -> None:
        """Keep the vectors of an index that was rebuilt, by the texts they were made of."""
        hashes, rows, codes = (self._bytes(part, old) for part in ("hashes", "rows", "codes"))
        wide, narrow = old.dimension, old.dimension // 8
        for place in range(old.count):
            self._known[hashes[8 * place : 8 * place + 8]] = (
                rows[wide * place : wide * place + wide],
                codes[narrow * place : narrow * place + narrow],
            )

    # -- taking in --------------------------------------------------------------------------

    def _take(self, head: Head, rows: Sequence[Row]) -> None:
        """Give the passages of these entries their vectors, and strike out the old ones."""
        by_number = {row.number: row for row in rows}
        found = [one for one in self.full_text.of(list(by_number)) if one.entry in by_number]
        texts = [text_of(by_number[one.entry], self.full_text.text(one)) for one in found]
        hashes = [
            hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
            for text in texts
        ]
        if head.mark != (0, 0):
            self._remember_own(head, set(by_number))
        missing = [at for at, key in enumerate(hashes) if key not in self._known]
        made = _records(self.embedder, [texts[at] for at in missing], head.dimension)
        self.kept += len(texts) - len(missing)
        self.embedded += len(missing)
        new = dict(zip(missing, made, strict=True))
        records = [new[at] if at in new else self._known[key] for at, key in enumerate(hashes)]
        self._strike(head, list(by_number))
        self._append(head, found, records, hashes)
        head.mark = rows[-1].generation, rows[-1].number
        self._write_head(head)

    def _remember_own(self, head: Head, numbers: set[int]) -> None:
        """Keep the vectors of passages that an edit left as they were."""
        places = self._places(head, numbers)
        if not places:
            return
        for part in ("hashes", "rows", "codes"):
            size = size_of(part, head.dimension)
            with open(path_of(self.cache, part, head.epoch), "rb") as file:
                got = []
                for place in places:
                    file.seek(size * place)
                    got.append(file.read(size))
            if part == "hashes":
                keys = got
            elif part == "rows":
                rows = got
            else:
                for key, row, code in zip(keys, rows, got, strict=True):
                    self._known[key] = row, code

    def _places(self, head: Head, numbers: set[int]) -> list[int]:
        """Where the passages of these entries stand."""
        if head.sorted == head.count and (
            not head.count or min(numbers) > self._ids[head.count - 1] // PASSAGES
        ):
            return []  # new entries, as in a first run
        return [
            place
            for place, passage in enumerate(self._ids[: head.count])
            if passage // PASSAGES in numbers
        ]

    def _strike(self, head: Head, numbers: Sequence[int]) -> None:
        """Strike out every vector of these entries."""
        if not numbers or not head.count:
            return
        with open(path_of(self.cache, "alive", head.epoch), "r+b") as file:
            for place in self._places(head, set(numbers)):
                file.seek(place)
                if file.read(1) != b"\0":
                    file.seek(place)
                    file.write(b"\0")
                    head.dead += 1

    def _append(
        self, head: Head, found: Sequence[Found], records: Sequence[tuple[bytes, bytes]],
        hashes: Sequence[bytes],
    ) -> None:  # fmt: skip
        ids = array("q", [one.passage for one in found])
        # A text without a word that the model knows has a direction by accident: it is no vector.
        alive = bytes(1 if row.strip(b"\0") else 0 for row, _ in records)
        columns = {
            "ids": ids.tobytes(),
            "rows": b"".join(row for row, _ in records),
            "codes": b"".join(code for _, code in records),
            "alive": alive,
            "hashes": b"".join(hashes),
        }
        for part, data in columns.items():
            with open(path_of(self.cache, part, head.epoch), "r+b") as file:
                file.seek(size_of(part, head.dimension) * head.count)
                file.truncate()
                file.write(data)
        in_order = head.sorted == head.count and (
            not head.count or not ids or ids[0] > self._ids[head.count - 1]
        )
        del self._ids[head.count :]
        self._ids.extend(ids)
        head.count += len(ids)
        head.dead += alive.count(0)
        if in_order:
            head.sorted = head.count

    # -- ending -----------------------------------------------------------------------------

    def _rewrite(self, head: Head) -> Head:
        """Put the living records in order, in files of a new epoch."""
        alive = self._bytes("alive", head)
        order = sorted(
            (place for place in range(head.count) if alive[place]), key=self._ids.__getitem__
        )
        fresh = Head(head.identity, head.dimension, head.birth, head.epoch + 1)
        for part in PARTS:
            data, size = self._bytes(part, head), size_of(part, head.dimension)
            with open(path_of(self.cache, part, fresh.epoch), "wb") as file:
                file.writelines(data[size * place : size * place + size] for place in order)
        fresh.count = fresh.sorted = len(order)
        fresh.mark, fresh.gone = head.mark, head.gone
        return fresh

    def _write_head(self, head: Head) -> None:
        folder = os.path.join(self.cache, FOLDER)
        place = os.path.join(folder, HEAD)
        with open(place + ".new", "wb") as file:
            file.write(head.dump())
        os.replace(place + ".new", place)
        for name in os.listdir(folder):
            part, _, epoch = name.rpartition(".")
            # Files of older epochs: who has them open keeps them until they are closed.
            if part in PARTS and epoch.isdigit() and int(epoch) != head.epoch:
                with contextlib.suppress(OSError):
                    os.remove(os.path.join(folder, name))


def _records(embedder: Embedder, texts: Sequence[str], dimension: int) -> list[tuple[bytes, bytes]]:
    """(bytes, signs) of each text's vector."""
    if not texts:
        return []
    step = step_of(dimension)
    if len(texts) <= FEW and embedder.foreground:
        return [_record(embedder.question(text), dimension, step) for text in texts]
    load_numpy()
    import numpy as np

    made = embedder.passages(texts)
    if made.shape[1] < dimension:
        made = np.pad(made, ((0, 0), (0, dimension - made.shape[1])))
    rows = np.clip(np.rint(made * step), -127, 127).astype(np.int8)
    codes = np.packbits(made > 0, axis=1, bitorder="little")
    return [(row.tobytes(), code.tobytes()) for row, code in zip(rows, codes, strict=True)]


def _record(vector: Sequence[float], dimension: int, step: float) -> tuple[bytes, bytes]:
    wide = [*vector, *[0.0] * (dimension - len(vector))]
    row = array("b", [max(-127, min(127, round(value * step))) for value in wide])
    return row.tobytes(), signs(wide)


def examples(
    cache: str, catalog: Catalog, full_text: FullText, most: int
) -> tuple[list[str], npt.NDArray[np.float32]]:
    """Texts that were embedded and their vectors, (texts, dimension): every n-th, `most` at most.

    Raises NoVectors.
    """
    load_numpy()
    import numpy as np

    vectors = Vectors(cache)
    every = max(1, -(-len(vectors) // most))
    texts: list[str] = []
    found: list[int] = []
    mark, at = (0, 0), 0
    while rows := catalog.read_since(mark, LOT):
        mark = rows[-1].generation, rows[-1].number
        by_number = {row.number: row for row in rows}
        for one in full_text.of(list(by_number)):
            at += 1
            if at % every == 0 and vectors.has(one.passage):
                texts.append(text_of(by_number[one.entry], full_text.text(one)))
                found.append(one.passage)
    return texts, np.array([vectors.row(passage) for passage in found], np.float32)
