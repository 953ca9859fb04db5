"""The graph of a tree's triples, as arrays: loading them is all that a question waits for.

Nodes are phrases, then entries. Edges (HippoRAG 2, arXiv 2502.14802): 1 between the two
ends of a triple, for each entry that says it; 1 between an entry and each phrase in its triples;
the cosine between phrases that are spelled or mean the same. And, which the paper has not, 1
between an entry and the phrase that is its title: what others say of it leads to it. Facts are the
distinct triples, with an inverted index over their words (BM25). Nothing here reads a file or asks
a model.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from hashlib import blake2b
from typing import TYPE_CHECKING

from memtree.memories.hippo.triples import key_of
from memtree.numeric.pagerank import Graph

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

    Ints = npt.NDArray[np.integer]
    Arrays = dict[str, npt.NDArray[np.generic]]

FORMAT = "2"
"""Part of the key of the cached arrays: raise it when their meaning changes."""


class Texts:
    """Many short texts in one array of bytes."""

    __slots__ = ("blob", "starts")

    def __init__(self, blob: npt.NDArray[np.uint8], starts: Ints) -> None:
        self.blob = blob
        self.starts = starts

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, at: int) -> str:
        part = self.blob[int(self.starts[at]) : int(self.starts[at + 1])]
        return part.tobytes().decode("utf-8", "replace")

    @classmethod
    def of(cls, texts: Sequence[str]) -> Texts:
        """These texts."""
        import numpy as np

        parts = [text.encode("utf-8", "replace") for text in texts]
        starts = np.zeros(len(parts) + 1, np.int64)
        np.cumsum([len(part) for part in parts], out=starts[1:])
        return cls(np.frombuffer(b"".join(parts), np.uint8), starts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A graph and what leads into it. Phrases, facts and entries are numbers from 0.

    In `graph`, entry e is the node `len(names) + e`. `subjects` and `objects` are the phrases of
    each fact; `held` counts the entries of each phrase. `sayings[f]` to `sayings[f + 1]` are the
    places of fact f in `sayers` (entries) and `spans` (first and last line, shape (n, 2)).
    `terms` are the hashes of the facts' words, in order; `postings[t]` to `postings[t + 1]` the
    places of term t in `within` (facts) and `impacts` (its share of their BM25 score). `keys` are
    the hashes of the phrases' keys, in order, `keyed` the phrases that have them; `placed` and
    `places` the same of entries' paths.
    """

    starts: Ints
    ends: Ints
    weights: npt.NDArray[np.floating]
    strength: npt.NDArray[np.floating]
    names: Texts
    paths: Texts
    predicates: Texts
    subjects: Ints
    objects: Ints
    held: Ints
    sayings: Ints
    sayers: Ints
    spans: Ints
    terms: npt.NDArray[np.uint64]
    postings: Ints
    within: Ints
    impacts: npt.NDArray[np.float32]
    keys: npt.NDArray[np.uint64]
    keyed: Ints
    placed: npt.NDArray[np.uint64]
    places: Ints

    @property
    def graph(self) -> Graph:
        """The edges."""
        return Graph(
            starts=self.starts, ends=self.ends, weights=self.weights, strength=self.strength
        )

    @property
    def facts(self) -> int:
        """How many distinct triples there are."""
        return len(self.subjects)

    def entry(self, node: int) -> int:
        """The entry at a node; negative for a phrase."""
        return node - len(self.names)

    def fact(self, at: int) -> tuple[str, str, str]:
        """A fact in words."""
        ends = int(self.subjects[at]), int(self.objects[at])
        return self.names[ends[0]], self.predicates[at], self.names[ends[1]]

    def sources(self, fact: int) -> list[tuple[int, tuple[int, int]]]:
        """The entries that say a fact, and in which lines; (0, 0) where that is not known."""
        places = range(int(self.sayings[fact]), int(self.sayings[fact + 1]))
        return [
            (int(self.sayers[at]), (int(self.spans[at][0]), int(self.spans[at][1])))
            for at in places
        ]

    def phrase(self, name: str) -> int | None:
        """The phrase with a name, however it is written."""
        return _found(self.keys, self.keyed, key_of(name))

    def place(self, path: str) -> int | None:
        """The entry at a path."""
        return _found(self.placed, self.places, path)

    def scored(self, stems: Iterable[str]) -> npt.NDArray[np.float64]:
        """The BM25 score of each fact for the words of a question."""
        import numpy as np

        scores = np.zeros(self.facts)
        order = np.arange(len(self.terms))
        for stem in dict.fromkeys(stems):
            at = _found(self.terms, order, stem)
            if at is not None:
                part = slice(int(self.postings[at]), int(self.postings[at + 1]))
                scores[self.within[part]] += self.impacts[part]
        return scores

    def arrays(self) -> Arrays:
        """Everything, to be stored."""
        found: Arrays = {}
        for name in _NAMES:
            value = getattr(self, name)
            if isinstance(value, Texts):
                found[f"{name}.blob"], found[f"{name}.starts"] = value.blob, value.starts
            else:
                found[name] = value
        return found


_NAMES = tuple(field.name for field in fields(Network))


def stored(arrays: Mapping[str, npt.NDArray[np.generic]]) -> Network | None:
    """The network of stored arrays; None if these are others."""
    parts: dict[str, object] = {}
    try:
        for name in _NAMES:
            if name in ("names", "paths", "predicates"):
                parts[name] = Texts(arrays[f"{name}.blob"], arrays[f"{name}.starts"])  # type: ignore[arg-type]
            else:
                parts[name] = arrays[name]
    except KeyError:
        return None
    return Network(**parts)  # type: ignore[arg-type]


def hashed(word: str) -> int:
    """64 bits of a word: words of a million differ with a probability of 1 - 3e-8."""
    return int.from_bytes(
        blake2b(word.encode("utf-8", "replace"), digest_size=8).digest(), "little"
    )


def in_order(words: Iterable[str]) -> tuple[npt.NDArray[np.uint64], Ints]:
    """The hashes of some words, in order, and which word has each."""
    import numpy as np

    hashes = np.asarray([hashed(word) for word in words], np.uint64)
    order = np.argsort(hashes)
    return hashes[order], order


def _found(hashes: npt.NDArray[np.uint64], order: Ints, word: str) -> int | None:
    """Which of the words of `in_order` this is; None for none."""
    import numpy as np

    wanted = np.uint64(hashed(word))
    at = int(np.searchsorted(hashes, wanted))
    return int(order[at]) if at < len(hashes) and hashes[at] == wanted else None
