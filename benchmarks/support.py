"""Where `memtree.curate.checks.support` draws the line between a paraphrase and an invention.

    python benchmarks/support.py ../shared/data/musique_dev

`triples.jsonl` holds statements that a large model drew from each passage, in words of its own:
quoted with their passage's sentence they should be let through. The same statements with their
object taken from another statement, with a "not" put in, or with another number, should not.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re

from memtree.claims.wording import wording
from memtree.curate.checks import support
from memtree.curate.checks.evidence import Ground, grounded
from memtree.knowledge.plan import Claim, Evidence
from memtree.knowledge.source import Part, Passage, Source


def main() -> None:
    """Print, for several thresholds, the share of each kind of statement that is let through."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--limit", type=int, default=1500)
    arguments = parser.parse_args()
    cases = list(read(arguments.folder))
    random.Random(0).shuffle(cases)  # noqa: S311  (a seed, no secret)
    cases = cases[: arguments.limit]
    kinds = {
        kind: [c for c in cases if c[0] == kind] for kind in ("own", "object", "not", "number")
    }
    print("threshold  " + "  ".join(f"{kind} ({len(found)})" for kind, found in kinds.items()))
    shipped = support.THRESHOLD
    for threshold in (0.4, 0.5, 0.6, 0.7, 0.8):
        support.THRESHOLD = threshold
        shares = [
            sum(passes(*case[1:]) for case in found) / max(1, len(found))
            for found in kinds.values()
        ]
        print(f"{threshold:.1f}{'*' if threshold == shipped else ' '}       "
              + "  ".join(f"{share:10.3f}" for share in shares))  # fmt: skip


def read(folder: str) -> list[tuple[str, str, str, str, str]]:
    """Kind, statement, quote, title and text of each case."""
    with open(os.path.join(folder, "corpus.jsonl"), encoding="utf-8") as file:
        texts = {row["id"]: row for row in map(json.loads, file)}
    chance = random.Random(1)  # noqa: S311  (as above)
    found = []
    with open(os.path.join(folder, "triples.jsonl"), encoding="utf-8") as file:
        for row in map(json.loads, file):
            document = texts.get(row.get("id", row.get("doc", "")))
            triples = [tuple(map(str, t)) for t in row["triples"] if len(t) == 3]
            if document is None or len(triples) < 2:
                continue
            title, text = document.get("title", ""), document["text"]
            subject, verb, thing = chance.choice(triples)
            own = f"{subject} {verb} {thing}"
            quote = nearest(f"{verb} {thing}", text)
            found.append(("own", own, quote, title, text))
            others = [t[2] for t in triples if t[2] not in quote and t[2] != thing]
            if others:
                false = f"{subject} {verb} {chance.choice(others)}"
                found.append(("object", false, quote, title, text))
            found.append(("not", f"{subject} not {verb} {thing}", quote, title, text))
            number = re.search(r"\d+", own)
            if number:
                other = own.replace(number[0], str(int(number[0]) + 1))
                found.append(("number", other, quote, title, text))
    return found


def nearest(statement: str, text: str) -> str:
    """The sentence of the passage that shares the most words with a statement."""
    wanted = set(wording(statement).content)
    sentences = [s for s in re.split(r"(?<=[.!?])\s+", text) if s.strip()]
    return max(sentences, key=lambda s: len(wanted & set(wording(s).content)), default=text)


def passes(statement: str, quote: str, title: str, text: str) -> bool:
    """Whether the statement is let through."""
    passage = Passage(text=text, lines=(1, 1 + text.count("\n")))
    source = Source(name="-", title=title)
    ground = Ground(Part(source=source, number=1, passages=(passage,), digest=""))
    claim = Claim(text=statement, evidence=(Evidence(source="-", quote=quote),))
    kept, standing, _ = grounded(claim, ground)
    return bool(standing) and not support.lacks(kept, standing, ground)


if __name__ == "__main__":
    main()
