"""How well `memtree.curate.checks` tells contradictions from claims that can both hold.

    python benchmarks/contradictions.py ../shared/data/conflict_dev/claims.jsonl

Each line holds a `claim` and a `counter` that contradict each other: they should be found, both
ways round. Claims of different lines are unrelated, and a claim does not contradict itself; the
hardest unrelated pairs, those that share the most words, are counted too.
"""

from __future__ import annotations

import argparse
import json
import time

from memtree.claims.contradictions import conflict
from memtree.claims.wording import wording

NEAREST = 5
"""So many of the most similar other claims of each are compared as unrelated pairs."""


def main() -> None:
    """Read the pairs, print precision and recall, and what was missed when asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("claims")
    parser.add_argument("--misses", action="store_true", help="print what was missed and misjudged")
    arguments = parser.parse_args()
    with open(arguments.claims, encoding="utf-8") as file:
        pairs = [(line["claim"], line["counter"]) for line in map(json.loads, file)]
    begin = time.perf_counter()
    missed = [pair for pair in pairs for a, b in (pair, pair[::-1]) if conflict(a, b) is None]
    unrelated = [(a, b) for at, (a, _) in enumerate(pairs) for b in nearest(a, at, pairs)]
    unrelated += [(a, a) for a, _ in pairs]
    false = [(a, b) for a, b in unrelated if conflict(a, b) is not None]
    everything = sum(
        conflict(a, b) is not None for at, (a, _) in enumerate(pairs) for b, _ in pairs[at + 1 :]
    )
    seconds = time.perf_counter() - begin
    found = 2 * len(pairs) - len(missed)
    print(f"contradicting pairs, both ways: {2 * len(pairs)}, found {found}")
    print(f"recall {found / (2 * len(pairs)):.3f}")
    print(f"hardest unrelated pairs: {len(unrelated)}, taken for contradictions {len(false)}")
    print(f"precision among these {found / max(1, found + len(false)):.3f}")
    print(
        f"all pairs of different claims: {len(pairs) * (len(pairs) - 1) // 2}, found {everything}"
    )
    print(f"{seconds:.1f} s")
    if arguments.misses:
        for a, b in missed[::2]:
            print(f"missed: {a}\n        {b}")
        for a, b in false:
            print(f"false:  {a}\n        {b}")


def nearest(claim: str, at: int, pairs: list[tuple[str, str]]) -> list[str]:
    """The claims of other lines that share the most telling words with this one."""
    mine = set(wording(claim).content)
    others = [
        (len(mine & set(wording(other).content)), -number, other)
        for number, (other, _) in enumerate(pairs)
        if number != at
    ]
    return [other for score, _, other in sorted(others, reverse=True)[:NEAREST] if score]


if __name__ == "__main__":
    main()
