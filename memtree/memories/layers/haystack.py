"""Reasoning in a haystack: needles that must be joined, in folders of other text that grow.

After "AI-native Memory" (arXiv 2406.18312): n reasoning steps join n + 1 statements. A chain leads
from a person's parcel to a cabinet, a hall, a house and a town; chains of other people lie in the
same text. The solver reads sentences alone and knows nothing of how they were made: the gold of
every case is held against it. What a search finds for the question is read by the same solver, so
the score says whether search brings together what belongs together.
"""

from __future__ import annotations

import random
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

from memtree.errors import UsageError
from memtree.plugins.suite import Case, Document, Result, numbers_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from memtree.plugins.desk import Desk

SIZES = (1000, 4000, 16000, 64000)
"""Words of a haystack."""
STEPS = (1, 2, 3)
READ = 10
KINDS = ("cabinet", "hall", "house", "town")
_PEOPLE = ("Mara", "Tobin", "Iris", "Jonas", "Petra", "Silas", "Edda", "Ruben")
_WORDS = (
    "cedar", "amber", "marble", "copper", "willow", "slate", "ivory", "maple", "cobalt", "linen",
    "granite", "saffron", "birch", "silver", "walnut", "indigo", "pewter", "juniper", "coral",
    "ochre", "basalt", "hazel", "crimson", "flint", "laurel", "velvet", "quartz", "russet",
    "alder", "ebony", "opal", "thistle",
)  # fmt: skip
_FILL = (
    "The ferry was late again because of the {0} wind.",
    "In the {0} season few people walk along the {1} road.",
    "A letter about the {0} harvest was read aloud twice.",
    "Nobody remembered who had painted the {0} gate.",
    "The baker sold {0} bread and spoke of {1} weather.",
    "They mended the {0} nets before the {1} market began.",
    "An old song tells of a {0} bird and a {1} river.",
    "Rain fell on the {0} roofs until evening.",
)
_FILLERS = (
    "northern", "early", "quiet", "broken", "distant", "salty", "patient", "hollow", "restless",
    "narrow", "golden", "sleepy", "grey", "steady", "windy", "plain",
)  # fmt: skip
_KEPT = re.compile(r"The parcel of (\w+) is kept in the (\w+ cabinet)\.")
_STANDS = re.compile(r"The (\w+ (?:cabinet|hall|house)) stands in the (\w+ (?:hall|house|town))\.")
_ASKED = re.compile(r"In which (hall|house|town) is the parcel of (\w+)\?")
_PARAGRAPH = 120


def solve(question: str, texts: Iterable[str]) -> tuple[str, int]:
    """The answer that texts give to a question, and how many of them it takes; ("", 0) for none.

    Two different answers are none.
    """
    asked = _ASKED.fullmatch(question.strip())
    if asked is None:
        return "", 0
    kind, person = asked.groups()
    kept: dict[str, dict[str, int]] = {}
    direct: dict[str, int] = {}
    known = re.compile(rf"The parcel of {person} is in the (\w+ {kind})\.")
    for number, text in enumerate(texts):
        for who, where in _KEPT.findall(text):
            kept.setdefault(f"parcel of {who}", {})[where] = number
        for what, where in _STANDS.findall(text):
            kept.setdefault(what, {})[where] = number
        for where in known.findall(text):
            direct.setdefault(where, number)
    if len(direct) == 1:  # a conclusion that somebody drew before
        return next(iter(direct)), 1
    at, used = f"parcel of {person}", set()
    while not at.endswith(f" {kind}"):
        ways = kept.get(at, {})
        if len(ways) != 1:
            return "", 0
        at, number = next(iter(ways.items()))
        used.add(number)
    return at, len(used)


def chain(person: str, words: Sequence[str], steps: int) -> tuple[list[str], str, str]:
    """The sentences of a chain, the question that takes `steps` to answer, and the answer."""
    names = [f"{word} {kind}" for word, kind in zip(words, KINDS, strict=False)][: steps + 1]
    told = [f"The parcel of {person} is kept in the {names[0]}."]
    told += [f"The {a} stands in the {b}." for a, b in pairwise(names)]
    return told, f"In which {KINDS[steps]} is the parcel of {person}?", names[-1]


class Haystack:
    """What search finds of facts one to three steps apart, strewn into texts of growing size.

    A row is a size in words and a number of steps.
    """

    name = "haystack"

    def __init__(self) -> None:
        self._documents: dict[str, list[Document]] = {}

    def cases(
        self,
        *,
        data: str,
        seed: int,
        sizes: Annotated[str, "words of each haystack"] = "1000,4000,16000,64000",
        each: Annotated[int, "questions for each number of steps and size"] = 4,
    ) -> Iterator[Case]:
        """Questions of one to three steps for each size. Raises UsageError."""
        if data:
            raise UsageError("haystacks are generated: leave out --data")
        if not 1 <= each <= len(_PEOPLE):
            raise UsageError(f"--each is a number from 1 to {len(_PEOPLE)}")
        for size in numbers_of(sizes, 200, 1_000_000, option="--sizes", like="1000,4000,16000"):
            for steps in STEPS:
                yield from self._made(size, steps, each, seed)

    def _made(self, size: int, steps: int, each: int, seed: int) -> Iterator[Case]:
        chance = random.Random(f"haystack {seed} {size} {steps}")  # noqa: S311  (to be repeated)
        setup = f"{size}-{steps}"
        words = chance.sample(_WORDS, 4 * len(_PEOPLE))
        chains = [chain(person, words[4 * n : 4 * n + 4], steps)
                  for n, person in enumerate(_PEOPLE)]  # fmt: skip
        paragraphs = _paragraphs(size, chance)
        holds: dict[str, str] = {}
        for told, _, _ in chains:
            places = list(range(len(paragraphs)))
            # The needles of one chain lie apart, as far as there are paragraphs.
            chosen = chance.sample(places, min(len(told), len(places)))
            for number, sentence in enumerate(told):
                at = chosen[number % len(chosen)]
                paragraphs[at].insert(chance.randint(0, len(paragraphs[at])), sentence)
                holds[sentence] = f"p{at:05}"
        self._documents[setup] = [
            Document(id=f"p{n:05}", text=" ".join(lines), path=f"hay/p{n:05}.md")
            for n, lines in enumerate(paragraphs)
        ]
        for number, (told, question, gold) in enumerate(chains[:each]):
            yield Case(
                id=f"{setup}/{number}", setup=setup, query=question, answer=gold,
                kind=f"{steps} step{'s'[: steps > 1]}, {size} words",
                gold=tuple(dict.fromkeys(holds[sentence] for sentence in told)),
            )  # fmt: skip

    def documents(self, setup: str) -> Sequence[Document]:
        """The paragraphs of a haystack."""
        return self._documents[setup]

    def answer(self, case: Case, desk: Desk) -> Result:
        """What the rule reader makes of the first entries that `memtree search` finds."""
        hits = desk.search(case.query, limit=READ).hits
        texts = [found.body for hit in hits if (found := desk.context.tree.get(hit.path))]
        said, _ = solve(case.query, texts)
        return Result(
            found=tuple(hit.id for hit in hits), answer=said, status="found" if said else "absent",
            tokens=sum(map(len, texts)) // 4,
        )  # fmt: skip

    def grade(self, case: Case, result: Result) -> Mapping[str, float]:
        """Exact match, the share of the needles that were found, and whether the solver agrees."""
        wanted = set(case.gold)
        whole = (document.text for document in self._documents[case.setup])
        return {
            "em": float(result.answer == case.answer),
            "recall@10": len(wanted & set(result.found[:READ])) / len(wanted),
            "solver": float(solve(case.query, whole)[0] == case.answer),
        }


def _paragraphs(size: int, chance: random.Random) -> list[list[str]]:
    found: list[list[str]] = []
    total = 0
    while total < size:
        lines: list[str] = []
        count = 0
        while count < _PARAGRAPH:
            lines.append(chance.choice(_FILL).format(*chance.sample(_FILLERS, 2)))
            count += lines[-1].count(" ") + 1
        found.append(lines)
        total += count
    return found
