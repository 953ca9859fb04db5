"""The rules curator on long conversations: what a search of its tree still finds, and at what size.

Each conversation of `locomo_dev` becomes two trees: every turn an entry, as `memtree import` makes
them, and what `memtree curate` (rules, `--yes`, the default review policy) makes of the same file.
Both answer every question with ten hits. A gold turn counts as found in the curated tree only when
a claim that cites it (a footnote with the turn's line) stands in the lines that a hit shows;
anywhere in the ten entries is the looser figure. Claims are checked against the turns that they
cite by this script, not by the product. Conversations in `TUNED` were looked at while the rules
were made; the others were not.

    python benchmarks/curation.py [--groups conv-41,conv-42] [--load] [--json]

`--load` adds megabytes a minute and the peak memory of a curating process at 1, 4 and 16 MB.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from typing import TYPE_CHECKING

from curation_figures import Claimed, answered, claims_in, doubles, invented
from measuring import HERE, Report, clean_environment

from memtree.app import Tree, init_tree
from memtree.knowledge.query import Query

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

TUNED = ("conv-26", "conv-30")
DATA = os.path.join(HERE, "..", "..", "shared", "data", "locomo_dev")
ADVERSARIAL = "adversarial"
ASKED = ("raw", "strict", "entry", "kept", "shown")
Turn = dict[str, object]


def main() -> None:
    """Measure, print, and exit with 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=DATA, help="folder of the set")
    parser.add_argument("--groups", default="", help="conversations, all by default")
    parser.add_argument("--load", action="store_true", help="throughput and memory too")
    parser.add_argument("--child", nargs=2, metavar=("TREE", "FILE"), help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    args = parser.parse_args()
    if args.child:
        loaded(*args.child)
        return
    turns = rows(os.path.join(args.data, "corpus.jsonl"))
    questions = rows(os.path.join(args.data, "queries.jsonl"))
    groups = args.groups.split(",") if args.groups else sorted({str(t["group"]) for t in turns})
    report = Report(benchmark="curation by rules", settings={"groups": ",".join(groups)})
    with tempfile.TemporaryDirectory() as work:
        results = {}
        for group in groups:
            own = [turn for turn in turns if turn["group"] == group]
            asked = [each for each in questions if each["group"] == group]
            results[group] = measured(os.path.join(work, group), own, asked)
        tell(report, results)
        if args.load:
            load(report, work, turns)
    report.print(as_json=args.json)
    sys.exit(any(figure.verdict == "FAIL" for figure in report.figures))


def rows(path: str) -> list[Turn]:
    """The objects of a JSONL file."""
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def written(path: str, turns: Iterable[Turn]) -> str:
    """A JSONL file with these turns, and its path."""
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(turn) + "\n" for turn in turns)
    return path


def made(root: str) -> Tree:
    """A new, empty tree."""
    os.makedirs(root)
    init_tree(root)
    return Tree(root)


def measured(folder: str, turns: Sequence[Turn], asked: Sequence[Turn]) -> dict[str, float]:
    """Everything that one conversation says."""
    os.makedirs(folder)
    path = written(os.path.join(folder, "chat.jsonl"), turns)
    raw, tree = made(os.path.join(folder, "raw")), made(os.path.join(folder, "curated"))
    raw.import_paths([path])
    before = time.process_time()
    curation = tree.curate([path], curator="rules", yes=True)
    out: dict[str, float] = {"cpu_s": time.process_time() - before}
    claims = claims_in(tree.root, [str(turn["id"]) for turn in turns])
    texts = {str(turn["id"]): turn for turn in turns}
    out |= sizes(raw, tree, turns, claims)
    out["refused"] = sum(curation.codes.values())
    out["held"] = len(tree.reviews()[0])
    out["invented"] = sum(bool(invented(claim, texts)) for claim in claims)
    out["doubles"] = doubles(claims)
    plain = [each for each in asked if each["category"] != ADVERSARIAL]
    out["answered"], out["answers"] = answered(plain, texts, claims)
    for name, chosen in (("", False), ("adversarial ", True)):
        some = [each for each in asked if (each["category"] == ADVERSARIAL) == chosen]
        out |= {name + key: value for key, value in searched(raw, tree, claims, some).items()}
    before_again = state(tree.root)
    tree.curate([path], curator="rules", yes=True, again=True)
    out["changed again"] = len(before_again ^ state(tree.root))
    out["shuffled"] = shuffled(folder, turns, claims, whole=True)
    out["torn"] = shuffled(folder, turns, claims, whole=False)
    return out


def sizes(
    raw: Tree, tree: Tree, turns: Sequence[Turn], claims: Sequence[Claimed]
) -> dict[str, float]:
    """Characters of turns and of curated bodies, bytes of both trees' entries, counts."""
    return {
        "turns": len(turns),
        "claims": len(claims),
        "entries": len({claim.path for claim in claims}),
        "raw characters": sum(len(str(turn["text"])) for turn in turns),
        "characters": sum(body for _, body, _ in state(tree.root)),
        "raw bytes": sum(size for *_, size in disk(raw.root)),
        "bytes": sum(size for *_, size in disk(tree.root)),
    }


def disk(root: str) -> list[tuple[str, int]]:
    """The entries of a tree and their bytes."""
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if name.endswith(".md") and name != "index.md":
                path = os.path.join(folder, name)
                found.append((path, os.path.getsize(path)))
    return found


def state(root: str) -> set[tuple[str, int, str]]:
    """Path, characters of the body and content of every entry."""
    found = set()
    for path, _ in disk(root):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        body = text.split("\n---\n", 1)[-1]
        found.add((path, len(body), text))
    return found


def searched(
    raw: Tree, tree: Tree, claims: Sequence[Claimed], asked: Sequence[Turn]
) -> dict[str, float]:
    """Shares of gold turns found, as means over questions; how many claims ten hits show."""
    by_path: dict[str, list[Claimed]] = defaultdict(list)
    for claim in claims:
        by_path[claim.path].append(claim)
    held = {turn for claim in claims for turn in claim.turns}
    totals: dict[str, float] = defaultdict(float)
    for each in asked:
        gold = each["gold"]
        if not isinstance(gold, list) or not gold:
            continue
        plain = {hit.id for hit in raw.search(Query(str(each["text"]))).hits}
        hits = tree.search(Query(str(each["text"]))).hits
        near = [(hit, claim) for hit in hits for claim in by_path[hit.path]]
        seen = [claim for hit, claim in near if hit.lines[0] <= claim.line <= hit.lines[1]]
        found = {
            "raw": plain,
            "strict": {turn for claim in seen for turn in claim.turns},
            "entry": {turn for _, claim in near for turn in claim.turns},
            "kept": held,
        }
        for name, turns in found.items():
            totals[name] += len(turns.intersection(gold)) / len(gold)
        totals["shown"] += len(seen)
        totals["questions"] += 1
    number = totals.pop("questions", 0.0)
    means = {name: totals[name] / max(number, 1.0) for name in ASKED}
    return {**means, "questions": number}


def shuffled(
    folder: str, turns: Sequence[Turn], claims: Sequence[Claimed], *, whole: bool
) -> float:
    """How many claims differ when the file's sessions (`whole`), or its turns, stand in disorder.

    An answer told with its question needs it near: torn apart by tens of thousands of characters,
    it is told without.
    """
    mixed = list(turns)
    random.Random(1).shuffle(mixed)  # noqa: S311  (the same order each time)
    if whole:
        order = {
            session: at for at, session in enumerate(dict.fromkeys(t["session"] for t in mixed))
        }
        mixed = sorted(turns, key=lambda turn: order[turn["session"]])
    name = "sessions" if whole else "turns"
    tree = made(os.path.join(folder, name))
    path = written(os.path.join(folder, f"{name}.jsonl"), mixed)
    tree.curate([path], curator="rules", yes=True)
    other = claims_in(tree.root, [str(turn["id"]) for turn in mixed])
    return len({claim.text for claim in claims} ^ {claim.text for claim in other})


def tell(report: Report, results: Mapping[str, Mapping[str, float]]) -> None:
    """Add the figures of all conversations, and of those that were not looked at."""
    rest = [group for group in results if group not in TUNED]
    for name, groups in (("all", list(results)), ("not tuned on", rest)):
        for prefix in ("", "adversarial "):
            tell_search(report, f"{name}: {prefix}", prefix, [results[g] for g in groups])
        if not groups:
            continue
        some = [results[group] for group in groups]

        def total(key: str, some: Sequence[Mapping[str, float]] = some) -> float:
            return sum(each[key] for each in some)

        share = 100 * total("characters") / total("raw characters")
        report.add(f"{name}: text of turns", share, "%", bar=50.0)
        report.add(f"{name}: bytes on disk", 100 * total("bytes") / total("raw bytes"), "%")
        report.add(f"{name}: claims", total("claims"), "")
        report.add(f"{name}: entries", total("entries"), "")
        report.add(f"{name}: invented claims", total("invented"), "", bar=0.0)
        report.add(f"{name}: doubles", 100 * total("doubles") / total("claims"), "%", bar=2.0)
        words = 100 * total("answered") / total("answers")
        report.add(f"{name}: words of answers in gold turns that claims keep", words, "%")
        report.add(f"{name}: held for review", total("held"), "")
        report.add(f"{name}: claims refused", total("refused"), "")
        report.add(f"{name}: files changed by a second run", total("changed again"), "", bar=0.0)
        changed = f"{name}: claims changed by another order of"
        report.add(f"{changed} sessions", total("shuffled"), "", bar=0.0)
        report.add(f"{changed} single turns", total("torn"), "")
        report.add(f"{name}: processor", total("cpu_s"), "s")


def tell_search(
    report: Report, name: str, prefix: str, some: Sequence[Mapping[str, float]]
) -> None:
    """Add what searching found, weighted by questions."""
    number = sum(each[f"{prefix}questions"] for each in some)
    if not number:
        return
    mean = {
        key: sum(each[prefix + key] * each[f"{prefix}questions"] for each in some) / number
        for key in ASKED
    }
    report.add(f"{name}recall@10, turns as they are", 100 * mean["raw"], "%")
    report.add(f"{name}recall@10, claims in the lines shown", 100 * mean["strict"], "%")
    bar = None if prefix else 85.0
    ratio = 100 * mean["strict"] / mean["raw"]
    report.add(f"{name}of what turns give", ratio, "%", bar=bar, at_least=True)
    report.add(f"{name}recall@10, anywhere in the entries", 100 * mean["entry"], "%")
    report.add(f"{name}gold turns with a claim", 100 * mean["kept"], "%")
    report.add(f"{name}claims that ten hits show", mean["shown"], "")


def load(report: Report, work: str, turns: Sequence[Turn]) -> None:
    """Curate 1, 4 and 16 MB in processes of their own."""
    for size in (1, 4, 16):
        path = os.path.join(work, f"load-{size}.jsonl")
        letters = larger(path, turns, size * 1_000_000)
        root = os.path.join(work, f"load-{size}")
        made(root).close()
        argv = [sys.executable, os.path.abspath(__file__), "--child", root, path]
        done = subprocess.run(
            argv, capture_output=True, text=True, check=True, env=clean_environment()
        )
        told = json.loads(done.stdout)
        speed = letters / 1e6 / (told["cpu_s"] / 60)
        report.add(f"{size} MB: a minute of processor", speed, "MB", bar=1.0, at_least=True)
        report.add(f"{size} MB: a minute", letters / 1e6 / (told["wall_s"] / 60), "MB")
        report.add(f"{size} MB: peak memory", told["peak_mb"], "MB")


def larger(path: str, turns: Sequence[Turn], letters: int) -> int:
    """Write turns until their text has so many characters: each time round in another year."""
    done = number = 0
    with open(path, "w", encoding="utf-8") as file:
        while done < letters:
            year = 1990 + number
            for at, turn in enumerate(turns):
                text = f"{turn['text']} I noted it as number {number}-{at}."
                row = {**turn, "id": f"{number}/{turn['id']}", "text": text}
                row["date"] = f"{year}{str(turn['date'])[4:]}".replace("-02-29", "-02-28")
                row["session"] = f"{number}-{turn['group']}-{turn['session']}"
                file.write(json.dumps(row) + "\n")
                done += len(text)
                if done >= letters:
                    break
            number += 1
    return done


def peak() -> float:
    """The most memory that this process had at once, in MB.

    Linux hands `ru_maxrss` of a parent down to its children, so it is read from where it begins
    anew with the program.
    """
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            return next(int(line.split()[1]) / 1e3 for line in file if line.startswith("VmHWM"))
    except OSError:
        unit = 1e6 if sys.platform == "darwin" else 1e3
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def loaded(root: str, path: str) -> None:
    """Curate one file, and print what that took: the work of a child process."""
    wall, cpu = time.perf_counter(), time.process_time()
    Tree(root).curate([path], curator="rules", yes=True)
    told = {
        "wall_s": time.perf_counter() - wall,
        "cpu_s": time.process_time() - cpu,
        "peak_mb": peak(),
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
