"""Grow a folder of real markdown to as many entries as a benchmark needs, the same ones each time.

The first entries are the real files, in a seeded order, under their own paths. What goes beyond
them is recombined from their paragraphs, headings and titles: sizes are drawn from the real files,
most paragraphs of an entry come from one real folder (so that an entry has a subject), and a line
of invented names, dates, numbers and ticket ids is added to most, so that the vocabulary keeps
growing as it does in real notes. About a third has front matter with id, tags and aliases.

Entry number i depends on the seed and on i alone: the corpus of 10,000 is a prefix of the corpus
of 100,000, and a folder that already holds some of it is completed instead of written anew.

    python benchmarks/corpus.py FOLDER --entries 100000 --source ../shared/data/markdown
"""

# ruff: noqa: S311  (random numbers are seeded here so that runs repeat; nothing is secret)
from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from measuring import default_source, markdown_files, stop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STAMP = ".corpus.json"
CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
ENTRIES_PER_FOLDER = 35  # the real notes have 24 (til) to 60 (cpp-docs) files in a folder
ONSETS = (
    "b",
    "br",
    "cl",
    "d",
    "dr",
    "f",
    "gr",
    "h",
    "k",
    "kr",
    "l",
    "m",
    "n",
    "pr",
    "s",
    "sk",
    "t",
    "v",
)
VOWELS = ("a", "e", "i", "o", "u", "ai", "au", "ea", "io", "or", "an", "en", "il")
SURNAMES = ("Abara", "Brandt", "Castellan", "Dufresne", "Eriksen", "Fontana", "Greve", "Imai")
FORENAMES = ("Ada", "Bruno", "Chiara", "Dmitri", "Esme", "Farid", "Greta", "Hana", "Ivo", "Jun")
TYPES = ("fact", "decision", "procedure", "reference", "event", "preference", "concept")
DETAILS = (
    "{person} measured {number} ms for {name} on {date}.",
    "Since {date} the limit in {name} is {number}, see {ticket}.",
    "{ticket} was closed by {person}; {name} now runs version {version}.",
    "Ask {person} about `{name}_{name2}` before changing {number} here.",
    "The {name} cluster moved from {version} to {version2} on {date} ({ticket}).",
    "`ERR_{upper}_{number}` means that {name2} could not reach {name}.",
    "Meeting of {date}: {person} and {person2} agreed to retire {name}.",
    "Budget for {name} is {number} EUR a month, approved by {person2}.",
    "Not to be confused with {name2}, which keeps {number} copies.",
    "Run `{name} --{name2} {number}` and compare with {ticket}.",
)


@dataclass(frozen=True, slots=True)
class Real:
    """One real folder's material: paragraphs, headings and titles to recombine."""

    folder: str
    paragraphs: tuple[str, ...]
    headings: tuple[str, ...]
    titles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Material:
    """Everything that was read from the source: the files, their sizes, and the pieces."""

    files: tuple[tuple[str, bytes], ...]
    sizes: tuple[int, ...]
    folders: tuple[Real, ...]
    weights: tuple[int, ...]


def read_material(source: str) -> Material:
    """Read every markdown file below `source`; the order of the result is that of the paths."""
    files: list[tuple[str, bytes]] = []
    pieces: dict[str, tuple[list[str], list[str], list[str]]] = {}
    for path in markdown_files(source):
        with open(os.path.join(source, path), "rb") as opened:
            raw = opened.read()
        files.append((path, raw))
        text = raw.decode("utf-8", "replace").replace("\r\n", "\n").removeprefix("\ufeff")
        found = pieces.setdefault(_subject(path), ([], [], []))
        for paragraph in _paragraphs(text):
            if paragraph.startswith("#"):
                words = paragraph.lstrip("#").strip()
                if 3 <= len(words) <= 90 and "\n" not in words:
                    found[2 if paragraph.startswith("# ") else 1].append(words)
            elif len(paragraph) <= 4000:
                found[0].append(paragraph)
    if not files:
        stop(f"no markdown below {source}")
    everything = [p for paragraphs, _, _ in pieces.values() for p in paragraphs] or ["Nothing."]
    folders: list[Real] = []
    for folder, (paragraphs, headings, titles) in sorted(pieces.items()):
        folders.append(
            Real(
                folder=folder,
                paragraphs=tuple(paragraphs or everything[:20]),
                headings=tuple(headings or ("Notes", "Details", "Example", "Background")),
                titles=tuple(titles or (folder.replace("-", " ").title(),)),
            )
        )
    return Material(
        files=tuple(files),
        sizes=tuple(len(raw) for _, raw in files),
        folders=tuple(folders),
        weights=tuple(len(real.paragraphs) for real in folders),
    )


def _subject(path: str) -> str:
    """Name the real folder of a file's words; dotted names are a hierarchy of their own."""
    folder, _, name = path.rpartition("/")
    last = folder.rpartition("/")[2] or "notes"
    return f"{last}-{name.split('.')[0]}" if name.count(".") > 1 else last


def _paragraphs(text: str) -> Iterator[str]:
    """Blocks between blank lines, without front matter; fenced code stays whole."""
    lines = text.split("\n")
    if lines and lines[0].rstrip() == "---":
        ends = [i for i, line in enumerate(lines[1:60], 1) if line.rstrip() == "---"]
        lines = lines[ends[0] + 1 :] if ends else lines
    block: list[str] = []
    fence = ""
    for line in lines:
        mark = line.lstrip()[:3]
        if fence:
            block.append(line)
            fence = "" if mark == fence else fence
        elif mark in ("```", "~~~"):
            fence = mark
            block.append(line)
        elif not line.strip() or line.startswith("#"):
            if block:
                yield "\n".join(block)
            block = []
            if line.startswith("#"):
                yield line.rstrip()
        else:
            block.append(line)
    if block:
        yield "\n".join([*block, fence] if fence else block)


def order_of_real(count: int, seed: int) -> list[int]:
    """Put the real files in a seeded order: a small corpus is a sample of all of them."""
    order = list(range(count))
    Random(f"{seed}:order").shuffle(order)
    return order


def invented_name(number: int, seed: int) -> str:
    """Make the pronounceable word that belongs to one number: rare, the same in every run."""
    random = Random(f"{seed}:name:{number}")
    parts = [random.choice(ONSETS) + random.choice(VOWELS) for _ in range(random.randint(2, 4))]
    return "".join(parts) + random.choice(("", "", "n", "s", "x", "ra", "lis"))


class Generator:
    """Entry number i of a seeded corpus: its path and its bytes."""

    def __init__(self, material: Material, *, seed: int) -> None:
        self.material = material
        self.seed = seed
        self.order = order_of_real(len(material.files), seed)
        folders = material.folders
        self.subjects = Random(f"{seed}:subjects").choices(folders, material.weights, k=4096)
        self.names: dict[int, str] = {}

    def entry(self, number: int) -> tuple[str, bytes]:
        """Path (relative, with `/`) and content of entry `number`, counted from 0."""
        if number < len(self.order):
            return self.material.files[self.order[number]]
        random = Random(f"{self.seed}:{number}")
        folder, usual = self._folder(number, random.randint(0, 11))
        subject = usual if random.random() < 0.8 else random.choice(self.subjects)
        title = self._title(random, subject, number)
        path = f"{folder}/{_slug(title)}-{number:x}.md"
        return path, self._body(random, subject, title, number)

    def _name(self, number: int) -> str:
        if number not in self.names:
            self.names[number] = invented_name(number, self.seed)
        return self.names[number]

    def _some_name(self, random: Random, number: int) -> str:
        """Half of the names are new with this entry, the others were seen: old ones more often."""
        if random.random() < 0.5:
            return self._name(number)
        return self._name(int(number * random.random() ** 3))

    def _title(self, random: Random, subject: Real, number: int) -> str:
        first = random.choice(subject.titles)
        shape = random.random()
        if shape < 0.45:
            other = random.choice(random.choice(self.subjects).titles).split()
            return f"{first} {random.choice(('and', 'with', 'for'))} {' '.join(other[:4])}"
        if shape < 0.75:
            return f"{first} in {self._name(number).capitalize()}"
        if shape < 0.9:
            return f"{random.choice(subject.headings)}: {first} {random.randint(2, 400)}"
        return f"{self._name(number).capitalize()} {random.choice(subject.headings).lower()}"

    def _folder(self, number: int, corner: int) -> tuple[str, Real]:
        """Domain, Topic and mostly a Subtopic for one of twelve corners of a stretch of numbers."""
        stretch = number // (ENTRIES_PER_FOLDER * 12)
        random = Random(f"{self.seed}:folder:{stretch}:{corner}")
        usual = random.choice(self.subjects)
        parts = [_slug(random.choice(self.subjects).folder), _slug(usual.folder)]
        if random.random() < 0.7:
            parts.append(self._name(random.randint(0, stretch + 1)))
        return "/".join(parts), usual

    def _body(self, random: Random, subject: Real, title: str, number: int) -> bytes:
        wanted = random.choice(self.material.sizes)
        blocks = [f"# {title}"] if random.random() < 0.85 else []
        size = len(title)
        while size < wanted:
            if size > 600 and random.random() < 0.25:
                blocks.append("## " + random.choice(subject.headings))
            source = subject if random.random() < 0.8 else random.choice(self.subjects)
            block = random.choice(source.paragraphs)
            if size + len(block) > 2 * wanted + 200:
                break
            blocks.append(block)
            size += len(block) + 2
        for _ in range(random.choice((0, 1, 1, 2, 3))):
            blocks.insert(random.randint(1, max(1, len(blocks))), self._detail(random, number))
        if random.random() < 0.2:
            blocks.append(f"See also [[{self._name(random.randrange(number))}]].")
        text = self._front_matter(random, subject, title, number) + "\n\n".join(blocks) + "\n"
        if random.random() < 0.01:
            text = text.replace("\n", "\r\n")
        return text.encode("utf-8", "replace")

    def _detail(self, random: Random, number: int) -> str:
        name2 = self._some_name(random, number)
        return random.choice(DETAILS).format(
            person=f"{random.choice(FORENAMES)} {random.choice(SURNAMES)}",
            person2=random.choice(SURNAMES),
            name=self._some_name(random, number),
            name2=name2,
            upper=name2.upper(),
            number=random.randint(2, 9999),
            date=f"20{random.randint(18, 26)}-0{random.randint(1, 9)}-{random.randint(10, 28)}",
            ticket=f"{random.choice(('PAY', 'OPS', 'WEB', 'LAB'))}-{random.randint(1, 9999)}",
            version=f"{random.randint(0, 9)}.{random.randint(0, 30)}.{random.randint(0, 9)}",
            version2=f"{random.randint(0, 9)}.{random.randint(0, 30)}",
        )

    def _front_matter(self, random: Random, subject: Real, title: str, number: int) -> str:
        if random.random() > 0.35:
            return ""
        quoted = json.dumps(title, ensure_ascii=False)
        rows = ["---", f"type: {random.choice(TYPES)}", f"title: {quoted}"]
        rows.append("id: " + "".join(random.choice(CROCKFORD) for _ in range(10)))
        rows.append(
            f"tags: [{_slug(subject.folder)}, {_slug(random.choice(self.subjects).folder)}]"
        )
        if random.random() < 0.4:
            rows += ["aliases:", f"  - {self._name(number)}"]
        if random.random() < 0.5:
            rows.append(f"importance: {random.randint(20, 90)}")
        return "\n".join([*rows, "---", "", ""])


def _slug(text: str) -> str:
    """Lower-case letters and digits of the text with single hyphens, at most 50 characters."""
    kept = "".join(c if c.isalnum() and c.isascii() else " " for c in text.lower())
    return "-".join(kept.split())[:50].strip("-") or "notes"


def grow(
    source: str,
    target: str,
    *,
    entries: int,
    seed: int = 1,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Write entries 0 to `entries` - 1 below `target`; returns how many files were written.

    A target that already holds a part of the same corpus (its stamp says so) is completed; one
    that holds another corpus ends the run.
    """
    done = _already(target, source=source, seed=seed)
    if done >= entries:
        if done > entries:
            stop(f"{target} holds {done} entries, more than {entries}: give another folder")
        return 0
    generator = Generator(read_material(source), seed=seed)
    made: set[str] = set()
    _stamp(target, source=source, seed=seed, entries=done)
    for number in range(done, entries):
        path, raw = generator.entry(number)
        folder = os.path.join(target, os.path.dirname(path))
        if folder not in made:
            os.makedirs(folder, exist_ok=True)
            made.add(folder)
        with open(os.path.join(target, path), "wb") as opened:
            opened.write(raw)
        if progress is not None and number % 2000 == 0:
            progress(number)
    _stamp(target, source=source, seed=seed, entries=entries)
    return entries - done


def _stamp(target: str, *, source: str, seed: int, entries: int) -> None:
    """Note what the target holds; before the first file, so that a broken run can be resumed."""
    os.makedirs(target, exist_ok=True)
    stamp = {"entries": entries, "seed": seed, "source": _name_of(source)}
    with open(os.path.join(target, STAMP), "w", encoding="utf-8") as opened:
        json.dump(stamp, opened)


def _already(target: str, *, source: str, seed: int) -> int:
    try:
        with open(os.path.join(target, STAMP), encoding="utf-8") as opened:
            stamp = json.load(opened)
    except FileNotFoundError:
        if os.path.isdir(target) and os.listdir(target):
            stop(f"{target} is not empty and not one of our corpora")
        return 0
    if stamp["seed"] != seed or stamp["source"] != _name_of(source):
        stop(f"{target} holds another corpus: give another folder, or remove it")
    return int(stamp["entries"])


def _name_of(source: str) -> str:
    """Digest what the source holds: a changed source is another corpus."""
    names = hashlib.sha256()
    for path in markdown_files(source):
        size = os.stat(os.path.join(source, path)).st_size
        names.update(f"{path}\0{size}\n".encode())
    return names.hexdigest()[:16]


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="grow real markdown to a corpus of N entries")
    parser.add_argument("target")
    parser.add_argument("--entries", type=int, default=10_000)
    parser.add_argument("--source", default=default_source())
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    started = time.perf_counter()
    shown = sys.stderr.isatty()

    def progress(number: int) -> None:
        if shown:
            print(f"\r{number:,} of {arguments.entries:,}", end="", file=sys.stderr)

    written = grow(
        arguments.source,
        arguments.target,
        entries=arguments.entries,
        seed=arguments.seed,
        progress=progress,
    )
    seconds = time.perf_counter() - started
    print(f"{written:,} files written to {arguments.target} in {seconds:.1f} s")


if __name__ == "__main__":
    main()
