"""How long `memtree conflicts scan` takes, first and after one edit, and what it finds in prose.

    python benchmarks/clash.py --entries 10000 ../shared/data/musique_dev ../shared/data/locomo_dev

Each folder holds a `corpus.jsonl` with `text` and `title`. Sentences of all of them, shuffled,
become the facts of entries, three each: claims that nobody wrote to clash, so nearly all that is
found is a false alarm.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from memtree.hosting.lab import ScratchLab
from memtree.memories.clash import Clash, commands

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
FACTS = 3


def main() -> None:
    """Build a tree, scan it three times, print the times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--entries", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    files = entries(arguments.folders, arguments.entries, arguments.seed)
    with ScratchLab(Clash) as lab:
        desk = lab.tree(files, embedder="none")
        desk.context  # noqa: B018  (the index is made before the clock starts)
        first, report = timed(lambda: commands.scan(desk))
        again, _ = timed(lambda: commands.scan(desk))
        path = next(iter(files))
        desk.write(path, files[path].replace(" ^f1", " as ever. ^f1"))
        desk.context  # noqa: B018
        edited, _ = timed(lambda: commands.scan(desk))
        questions = [text.rpartition("- ")[2][:60] for text in list(files.values())[:50]]
        asking, _ = timed(lambda: [desk.search(each, limit=10) for each in questions])
    value = report.value if isinstance(report.value, dict) else {}
    print(f"entries {len(files)}, claims {value['claims']}, found {len(value['open'])}")
    print(f"first scan {first:.1f} s, nothing changed {again:.2f} s, one edit {edited:.2f} s")
    print(f"search with clash {1000 * asking / len(questions):.0f} ms a question")


def entries(folders: list[str], count: int, seed: int) -> dict[str, str]:
    """So many entries of shuffled sentences."""
    sentences = []
    for folder in folders:
        for line in (Path(folder) / "corpus.jsonl").read_text(encoding="utf-8").splitlines():
            each = json.loads(line)
            for sentence in re.split(r"(?<=[.!?])\s+", str(each.get("text") or "")):
                text = " ".join(sentence.split())
                if 20 < len(text) < 300 and text[-1] not in "?!":
                    sentences.append((str(each.get("title") or " ".join(text.split()[:4])), text))
    random.Random(seed).shuffle(sentences)  # noqa: S311  (to be repeated, not to be secret)
    found = {}
    for number in range(min(count, len(sentences) // FACTS)):
        own = sentences[number * FACTS : (number + 1) * FACTS]
        facts = "".join(f"- {text} ^f{at}\n" for at, (_, text) in enumerate(own, 1))
        title = json.dumps(own[0][0], ensure_ascii=False)
        found[f"d{number % 40}/t{number % 9}/n{number}.md"] = (
            f"---\nid: n{number}\ntitle: {title}\ntime: {2000 + number % 25}-01-01\n---\n\n"
            f"## Facts\n\n{facts}"
        )
    return found


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Seconds, and what the work gave."""
    begin = time.perf_counter()
    given = work()
    return time.perf_counter() - begin, given


if __name__ == "__main__":
    main()
