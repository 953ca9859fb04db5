"""The corpora that figures are measured on: the same ones each time, and shaped like real notes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

BENCHMARKS = os.path.join(os.path.dirname(__file__), "..", "..", "benchmarks")
SCRIPT = os.path.join(BENCHMARKS, "corpus.py")


@pytest.fixture
def source(tmp_path: os.PathLike[str]) -> str:
    """A tiny folder of real-looking notes in three folders."""
    folder = os.path.join(tmp_path, "source")
    for topic in ("garden", "kitchen", "cellar"):
        os.makedirs(os.path.join(folder, topic))
        for number in range(7):
            with open(os.path.join(folder, topic, f"note-{number}.md"), "w") as opened:
                opened.write(f"# The {topic} note {number}\n\nA line about the {topic}.\n\n")
                opened.write(f"## Part {number}\n\nAnother paragraph, number {number}.\n\n")
                opened.write("```sh\n# not a heading\n\nls\n```\n")
    return folder


def grow(source: str, target: str, entries: int, seed: int = 1, *, code: int = 0) -> str:
    argv = [sys.executable, SCRIPT, target, "--source", source]
    argv += ["--entries", str(entries), "--seed", str(seed)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=BENCHMARKS)
    assert done.returncode == code, done.stderr
    return done.stderr


def contents(folder: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for at, _, names in os.walk(folder):
        for name in names:
            if name.endswith(".md"):
                path = os.path.join(at, name)
                with open(path, "rb") as opened:
                    found[os.path.relpath(path, folder)] = opened.read()
    return found


def test_the_same_seed_grows_the_same_corpus(source: str, tmp_path: os.PathLike[str]) -> None:
    one, two, other = (os.path.join(tmp_path, name) for name in ("one", "two", "other"))
    grow(source, one, 120)
    grow(source, two, 120)
    grow(source, other, 120, seed=2)
    assert contents(one) == contents(two)
    assert len(contents(one)) == 120
    assert contents(one) != contents(other)


def test_the_real_files_come_first_and_unchanged(source: str, tmp_path: os.PathLike[str]) -> None:
    grown = os.path.join(tmp_path, "grown")
    grow(source, grown, 60)
    real = contents(source)
    assert {path: raw for path, raw in contents(grown).items() if path in real} == real


def test_a_smaller_corpus_is_a_part_of_the_larger_and_can_be_completed(
    source: str, tmp_path: os.PathLike[str]
) -> None:
    small, large = os.path.join(tmp_path, "small"), os.path.join(tmp_path, "large")
    grow(source, small, 50)
    grow(source, large, 150)
    assert contents(small).items() <= contents(large).items()
    grow(source, small, 150)
    assert contents(small) == contents(large)


def test_a_folder_that_is_not_ours_is_left_alone(source: str, tmp_path: os.PathLike[str]) -> None:
    mine = os.path.join(tmp_path, "mine")
    os.makedirs(mine)
    with open(os.path.join(mine, "diary.txt"), "w") as opened:
        opened.write("dear diary")
    assert "not empty" in grow(source, mine, 30, code=3)
    assert os.listdir(mine) == ["diary.txt"]


def test_the_vocabulary_keeps_growing(source: str, tmp_path: os.PathLike[str]) -> None:
    sizes = []
    for entries in (100, 200, 400):
        grown = os.path.join(tmp_path, str(entries))
        grow(source, grown, entries)
        sizes.append(len({word for raw in contents(grown).values() for word in raw.split()}))
    assert sizes[1] > 1.3 * sizes[0]
    assert sizes[2] > 1.3 * sizes[1]
