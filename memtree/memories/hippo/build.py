"""From triples to the arrays of a `Network`: numbered, joined, weighed, indexed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from memtree.memories.hippo.network import Network, Texts, hashed, in_order
from memtree.memories.hippo.triples import key_of
from memtree.numeric.pagerank import from_edges
from memtree.numerics import load_numpy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    import numpy.typing as npt

    from memtree.memories.hippo.synonyms import Pairs
    from memtree.memories.hippo.triples import Triple

    Ints = npt.NDArray[np.integer]
    Stems = Callable[[str], Sequence[str]]
    Synonyms = Callable[[Sequence[str]], Pairs]

_K1, _B = 1.2, 0.75  # BM25 (Robertson and Zaragoza 2009), with its usual constants


@dataclass(frozen=True, slots=True)
class Told:
    """An entry and its triples."""

    path: str
    title: str
    triples: Sequence[Triple]


class _Names:
    """Texts that are one when their keys are, numbered from 0; the first spelling names them."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.keys: dict[str, int] = {}
        self._spelled: dict[str, int] = {}

    def number(self, name: str) -> int:
        """The number of a text."""
        at = self._spelled.get(name)
        if at is None:
            at = self._spelled[name] = self.keys.setdefault(key_of(name), len(self.names))
            if at == len(self.names):
                self.names.append(name)
        return at


def build(told: Sequence[Told], *, stems: Stems, synonyms: Synonyms) -> Network:
    """The network of these entries.

    `stems` gives the words of a text as a question's are compared; `synonyms` the pairs of phrase
    keys that mean the same, with their cosine.
    """
    load_numpy()
    import numpy as np

    names, joints = _Names(), _Names()
    said: list[tuple[int, int, int, int, int, int]] = []
    for entry, each in enumerate(told):
        for subject, predicate, object_, lines, _ in each.triples:
            said.append((
                names.number(subject), joints.number(predicate), names.number(object_), entry,
                *lines,
            ))  # fmt: skip
    one, joint, other, entries, first, last = np.asarray(said, np.int64).reshape(-1, 6).T
    phrases = len(names.names)
    facts, of = _distinct((one * max(1, len(joints.names)) + joint) * max(1, phrases) + other)
    by_fact = np.argsort(of, kind="stable")
    holding = np.unique(
        np.concatenate([entries * max(1, phrases) + one, entries * max(1, phrases) + other])
    )
    holders, held = holding // max(1, phrases), holding % max(1, phrases)
    left, right, cosines = synonyms(list(names.keys))
    titled = np.asarray(
        [(names.keys[key], phrases + number) for number, each in enumerate(told)
         if (key := key_of(each.title)) in names.keys], np.int64
    ).reshape(-1, 2)  # fmt: skip
    left = np.concatenate([one, held, titled[:, 0], left])
    right = np.concatenate([other, holders + phrases, titled[:, 1], right])
    weights = np.concatenate([np.ones(len(left) - len(cosines)), cosines])
    graph = from_edges(phrases + len(told), left, right, weights)
    terms, postings, within, impacts = _inverted(
        names.names, joints.names, np.stack([one[facts], joint[facts], other[facts]]), stems
    )
    keys, keyed = in_order(names.keys)
    placed, places = in_order(each.path for each in told)
    return Network(
        starts=graph.starts, ends=graph.ends, weights=graph.weights, strength=graph.strength,
        names=Texts.of(names.names), paths=Texts.of([each.path for each in told]),
        predicates=Texts.of([joints.names[at] for at in joint[facts].tolist()]),
        subjects=one[facts].astype(np.int32), objects=other[facts].astype(np.int32),
        held=np.bincount(held, minlength=phrases).astype(np.int32),
        sayings=np.concatenate([[0], np.cumsum(np.bincount(of, minlength=len(facts)))]),
        sayers=entries[by_fact].astype(np.int32),
        spans=np.stack([first, last], axis=1)[by_fact].astype(np.int32),
        terms=terms, postings=postings, within=within, impacts=impacts,
        keys=keys, keyed=keyed, placed=placed, places=places,
    )  # fmt: skip


def _distinct(values: Ints) -> tuple[Ints, Ints]:
    """Where each distinct value first stands, in that order, and which of these each value is."""
    import numpy as np

    _, first, of = np.unique(values, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return first[order], rank[of]


def _inverted(
    names: Sequence[str], joints: Sequence[str], facts: Ints, stems: Stems
) -> tuple[npt.NDArray[np.uint64], Ints, Ints, npt.NDArray[np.float32]]:
    """The inverted index of the facts' words, with BM25 weights.

    `facts` has the shape (3, facts): the numbers of subject, predicate and object.
    """
    import numpy as np

    words = _Words(stems)
    of_names, of_joints = words.csr(names), words.csr(joints)
    parts = [_gathered(*of_names, facts[0]), _gathered(*of_joints, facts[1]),
             _gathered(*of_names, facts[2])]  # fmt: skip
    term_of = np.concatenate([part[0] for part in parts])
    fact_of = np.concatenate([part[1] for part in parts])
    count = facts.shape[1]
    length = np.bincount(fact_of, minlength=count).astype(np.float64)
    pairs, times = np.unique(term_of * max(1, count) + fact_of, return_counts=True)
    term, fact = pairs // max(1, count), pairs % max(1, count)
    frequency = np.bincount(term, minlength=len(words.numbers))
    idf = np.log1p((count - frequency + 0.5) / (frequency + 0.5))
    norm = _K1 * (1 - _B + _B * length / max(1.0, float(length.mean()) if count else 1.0))
    impacts = idf[term] * times * (_K1 + 1) / (times + norm[fact])
    hashes = np.asarray([hashed(stem) for stem in words.numbers], np.uint64)
    order = np.argsort(hashes)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    by_hash = np.argsort(place[term], kind="stable")
    postings = np.concatenate([[0], np.cumsum(frequency[order])])
    return (
        hashes[order], postings, fact[by_hash].astype(np.int32),
        impacts[by_hash].astype(np.float32),
    )  # fmt: skip


class _Words:
    """The stems of texts, numbered; each word is taken apart once."""

    def __init__(self, stems: Stems) -> None:
        self.numbers: dict[str, int] = {}
        self._stems = stems
        self._known: dict[str, list[int]] = {}

    def csr(self, texts: Sequence[str]) -> tuple[Ints, Ints]:
        """Where the stems of each text begin, and the numbers of all of them."""
        import numpy as np

        starts, flat = [0], list[int]()
        for text in texts:
            for word in text.split():
                numbered = self._known.get(word)
                if numbered is None:
                    numbered = self._known[word] = [
                        self.numbers.setdefault(stem, len(self.numbers))
                        for stem in self._stems(word)
                    ]
                flat += numbered
            starts.append(len(flat))
        return np.asarray(starts, np.int64), np.asarray(flat, np.int64)


def _gathered(starts: Ints, flat: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """The members of these rows, one after the other, and which of `rows` each is of."""
    import numpy as np

    counts = (starts[1:] - starts[:-1])[rows]
    owners = np.repeat(np.arange(len(rows)), counts)
    begins = np.repeat(starts[rows] - (np.cumsum(counts) - counts), counts)
    return flat[begins + np.arange(len(owners))], owners
