"""How well vectors alone find the right text: the shipped table beside tf-idf and the full model.

    ENV/bin/python benchmarks/embedding_quality.py [--data ../shared/data] [--table FILE]
        [--weights FOLDER] [--vectors FOLDER] [--groups] [--json]

Per set R@1, R@10 and nDCG@10 in percent, each question among the texts of its own group, by cosine:

- `tf-idf`: words, 1 + log(times), rarity within the set;
- `table`: the shipped table on both sides, without any weights at hand;
- with `--weights` (the folder of all-MiniLM-L6-v2): `MiniLM` on both sides; `re-learned`: the table
  learned further on the set's own texts, never its questions, on both sides; `asymmetric`: texts by
  MiniLM, questions by the re-learned table.

Sets: `docstrings` of Python's library, first line to the rest (always there; the table was not
trained on it), and the development sets. `locomo, no names` leaves the speakers' names out of texts
and questions: all turns of a conversation have them. Vectors of the model take a quarter of an
hour of one core; they are kept in `--vectors`.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import sys
import sysconfig
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from memtree.embed.learn import Bags, rarity, relearn, unit
from memtree.embed.minilm import MiniLM
from memtree.embed.table import BUILTIN, Table
from memtree.embed.wordpiece import WordPiece, longest_in, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    Matrix = npt.NDArray[np.float32]

HERE = os.path.dirname(os.path.abspath(__file__))
SETS = ("locomo", "musique", "lihua", "cranfield")
FIRST = 10
SCORES = ("R@1", "R@10", "nDCG@10")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieval:
    """Texts and questions; `gold` and `within` are numbers of texts."""

    name: str
    texts: list[str]
    questions: list[str]
    gold: list[set[int]]
    within: list[npt.NDArray[np.int64]]
    groups: list[str]


def development(data: str, name: str, *, names: bool = True) -> Retrieval:
    """A development set; without `names`, no speaker's name in texts and questions."""
    folder = os.path.join(data, f"{name}_dev")
    rows, asked = (_rows(os.path.join(folder, f"{part}.jsonl")) for part in ("corpus", "queries"))
    number = {row["id"]: at for at, row in enumerate(rows)}
    group = np.array([row["group"] for row in rows])
    members = {one: np.flatnonzero(group == one) for one in dict.fromkeys(group.tolist())}
    speakers: dict[str, set[str]] = {}
    for row in rows:
        speakers.setdefault(row["group"], set()).add(row.get("speaker", ""))
    texts = [_text(row, names=names) for row in rows]
    questions = [
        row["text"] if names else _without(row["text"], speakers[row["group"]]) for row in asked
    ]
    return Retrieval(
        name=name if names else f"{name}, no names",
        texts=texts,
        questions=questions,
        gold=[{number[one] for one in row["gold"] if one in number} for row in asked],
        within=[members[row["group"]] for row in asked],
        groups=[row["group"] for row in asked],
    )


def _rows(path: str) -> list[dict[str, str]]:
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def _text(row: Mapping[str, str], *, names: bool) -> str:
    text = row.get("text", "")
    if row.get("speaker"):
        return f"{row['speaker']}: {text}" if names else text
    return f"{row['title']}. {text}".strip() if row.get("title") else text


def _without(text: str, names: set[str]) -> str:
    for name in sorted(names - {""}):
        text = text.replace(name + "'s", " ").replace(name, " ")
    return text


def docstrings() -> Retrieval:
    """First lines of docstrings in the standard library as questions, the rest as texts."""
    pairs: dict[str, str] = {}
    for path in _modules(sysconfig.get_path("stdlib")):
        with open(path, encoding="utf-8", errors="replace") as file:
            try:
                tree = ast.parse(file.read())
            except (SyntaxError, ValueError):
                continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                first, _, rest = (ast.get_docstring(node) or "").partition("\n")
                rest = " ".join(rest.split())
                if len(first.split()) >= 4 and len(rest.split()) >= 15:
                    pairs.setdefault(first, rest)
    everything = np.arange(len(pairs))
    return Retrieval(
        name="docstrings",
        texts=list(pairs.values()),
        questions=list(pairs),
        gold=[{at} for at in range(len(pairs))],
        within=[everything] * len(pairs),
        groups=["library"] * len(pairs),
    )


def _modules(folder: str) -> Iterator[str]:
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(set(folders) - {"site-packages", "test", "tests", "idlelib", "lib2to3"})
        yield from (os.path.join(root, file) for file in sorted(files) if file.endswith(".py"))


def figures(retrieval: Retrieval, texts: Matrix, questions: Matrix) -> list[tuple[float, ...]]:
    """R@1, R@10 and nDCG@10 of each question that has an answer, in percent."""
    out = []
    discount = 1 / np.log2(np.arange(FIRST) + 2)
    for question, gold, within in zip(questions, retrieval.gold, retrieval.within, strict=True):
        if not gold:
            continue
        order = within[np.argsort(-(texts[within] @ question), kind="stable")[:FIRST]]
        hit = np.array([number in gold for number in order], float)
        ideal = float(discount[: min(FIRST, len(gold))].sum())
        gain = float(hit @ discount[: len(hit)]) / ideal
        out.append((hit[0] / len(gold), hit.sum() / len(gold), gain))
    return [tuple(100 * float(value) for value in row) for row in out]


def tf_idf(retrieval: Retrieval) -> tuple[Matrix, Matrix]:
    """Unit vectors over the words of the set's texts."""
    numbers: dict[str, int] = {}
    for text in retrieval.texts:
        for word in words(text):
            numbers.setdefault(word, len(numbers))
    out = []
    weights: Matrix | None = None
    for some in (retrieval.texts, retrieval.questions):
        known = [[numbers[word] for word in words(text) if word in numbers] for text in some]
        bags = Bags.of(known, len(numbers))
        weights = rarity(bags) if weights is None else weights
        dense = np.zeros((len(bags), len(numbers)), np.float32)
        dense[bags.owners(), bags.columns] = (1 + np.log(bags.values)) * weights[bags.columns]
        out.append(unit(dense))
    return out[0], out[1]


class Ways:
    """The ways of embedding that are at hand."""

    def __init__(self, table: str, weights: str | None, vectors: str | None) -> None:
        self._table = Table(table)
        scales, rows = (np.array(part) for part in self._table.arrays())
        rows = rows.reshape(self._table.tokens, -1).astype(np.float32)
        self._dense = scales.astype(np.float32)[:, None] * rows
        self._pieces = WordPiece(longest_in(self._table.vocabulary())).pieces
        self._model = MiniLM(weights) if weights else None
        self._folder = vectors

    def of(self, retrieval: Retrieval) -> Iterator[tuple[str, Matrix, Matrix]]:
        """Each way's name, the vectors of the texts and of the questions."""
        yield "tf-idf", *tf_idf(retrieval)
        texts, questions = self._bags(retrieval.texts), self._bags(retrieval.questions)
        yield "table", unit(texts.times(self._dense)), unit(questions.times(self._dense))
        if self._model is None:
            return
        by_model = self._embedded(retrieval.name, retrieval.texts)
        asked = self._embedded(f"{retrieval.name}_q", retrieval.questions)
        yield "MiniLM", by_model, asked
        learned = relearn(texts, by_model, self._dense)
        asked = unit(questions.times(learned))
        yield "re-learned", unit(texts.times(learned)), asked
        yield "asymmetric", by_model, asked

    def _bags(self, texts: Sequence[str]) -> Bags:
        lists = [[piece for word in words(text) for piece in self._pieces(word)] for text in texts]
        return Bags.of(lists, self._table.tokens)

    def _embedded(self, name: str, texts: Sequence[str]) -> Matrix:
        file = name.replace(", ", "_").replace(" ", "_")
        path = os.path.join(self._folder, f"dev_minilm_{file}.npy") if self._folder else ""
        if path and os.path.isfile(path):
            kept = np.asarray(np.load(path), np.float32)
            if len(kept) == len(texts):
                return kept
        assert self._model is not None
        vectors = np.asarray(self._model.passages(texts), np.float32)
        if path:
            np.save(path, vectors)
        return vectors


def _sets(data: str) -> Iterator[Retrieval]:
    yield docstrings()
    for name in SETS:
        if os.path.isdir(os.path.join(data, f"{name}_dev")):
            yield development(data, name)
            if name == "locomo":
                yield development(data, name, names=False)


def _means(
    retrieval: Retrieval, way: str, measured: Sequence[tuple[float, ...]], *, groups: bool
) -> Iterator[dict[str, str | float]]:
    """A row for the whole set, and one for each group if they are wanted."""
    answered = [g for g, gold in zip(retrieval.groups, retrieval.gold, strict=True) if gold]
    for group in ["all", *(dict.fromkeys(answered) if groups else ())]:
        some = [row for row, of in zip(measured, answered, strict=True) if group in {"all", of}]
        mean = np.mean(some, axis=0).round(1).tolist()
        yield {
            "set": retrieval.name,
            "way": way,
            "group": group,
            **dict(zip(SCORES, mean, strict=True)),
        }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", default=os.path.join(HERE, "..", "..", "shared", "data"))
    parser.add_argument("--table", default=BUILTIN)
    parser.add_argument("--weights", help="folder of the full model")
    parser.add_argument("--vectors", help="folder where the model's vectors are kept")
    parser.add_argument("--groups", action="store_true", help="also each group of a set by itself")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    ways = Ways(args.table, args.weights, args.vectors)
    rows: list[dict[str, str | float]] = []
    for retrieval in _sets(args.data):
        if not args.json:
            print(f"\n{retrieval.name}: {len(retrieval.texts)} texts, {len(retrieval.gold)} asked")
        for way, texts, questions in ways.of(retrieval):
            measured = figures(retrieval, texts, questions)
            for row in _means(retrieval, way, measured, groups=args.groups):
                rows.append(row)
                if not args.json:
                    scores = " ".join(f"{row[name]:5}" for name in SCORES)
                    print(f"  {row['way']:12} {row['group']:10} {scores}")
                    sys.stdout.flush()
    if args.json:
        print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
