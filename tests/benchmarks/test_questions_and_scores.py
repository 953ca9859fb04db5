"""The questions and scores behind the figures: gold that exists, scores that are right by hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

BENCHMARKS = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "benchmarks"))


def in_benchmarks(code: str, *arguments: str) -> object:
    """Run code beside the benchmarks, as their scripts run, and return what it printed as JSON."""
    argv = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=BENCHMARKS)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def letters(number: int) -> str:
    return "".join(chr(97 + digit) for digit in (number // 26 % 26, number % 26))


@pytest.fixture
def notes(tmp_path: os.PathLike[str]) -> str:
    """Two hundred notes whose rare words each stand in two to four of them."""
    folder = os.path.join(tmp_path, "notes")
    os.makedirs(folder)
    for number in range(200):
        with open(os.path.join(folder, f"{number:03}.md"), "w") as opened:
            opened.write(f"# Watering plan for {letters(number)}garden\n\n")
            opened.write(f"The {letters(number // 2)}rose and {letters(number // 3)}fern ")
            opened.write(f"like {letters(number // 4)}soil.\n")
    return folder


def test_known_item_questions_name_files_that_exist_and_repeat_by_seed(notes: str) -> None:
    code = (
        "import json, sys, dataclasses; from questions import known_items\n"
        "rows = [[dataclasses.asdict(q) for q in known_items(sys.argv[1], 10, seed=s)]"
        " for s in (1, 1, 2)]\nprint(json.dumps(rows))"
    )
    rows = in_benchmarks(code, notes)
    assert isinstance(rows, list)
    one, again, other = rows
    assert one
    assert one == again != other
    assert all(os.path.isfile(os.path.join(notes, q["gold"][0])) for q in one)


def test_scores_are_those_computed_by_hand() -> None:
    code = """
import json
from dataclasses import asdict
from against_fts5 import Asked, score
asked = [
    Asked(text="a", scope="", kind="k", gold=frozenset(["x"])),
    Asked(text="b", scope="", kind="k", gold=frozenset(["y", "z"])),
]
print(json.dumps(asdict(score(asked, {0: ["w", "x"], 1: ["y", "y", "q"]}))))
"""
    found = in_benchmarks(code)
    assert isinstance(found, dict)
    second = 1 / 1.584962500721156  # 1 / log2(3): gold in the second place
    assert found["recall"] == pytest.approx(100 * (1 + 0.5) / 2)
    assert found["mrr"] == pytest.approx(100 * (0.5 + 1) / 2)
    assert found["first"] == pytest.approx(50)
    assert found["ndcg"] == pytest.approx(100 * (second + 1 / (1 + second)) / 2)


def test_the_peer_finds_a_file_by_its_words_and_keeps_to_the_folder(
    tmp_path: os.PathLike[str],
) -> None:
    root = os.path.join(tmp_path, "tree")
    for folder in ("a", "b"):
        os.makedirs(os.path.join(root, folder))
        with open(os.path.join(root, folder, "note.md"), "w") as opened:
            opened.write("---\ntitle: Pruning\n---\n\nCut the roses in March.\n")
    database = os.path.join(tmp_path, "peer.db")
    questions = os.path.join(tmp_path, "questions.jsonl")
    with open(questions, "w") as opened:
        opened.write('{"query": "rose cutting?", "in": "b", "id": "1"}\n')
    peer = os.path.join(BENCHMARKS, "fts5.py")
    subprocess.run([sys.executable, peer, "build", root, database], check=True)
    argv = [sys.executable, peer, "search", database, questions, "5"]
    out = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    assert json.loads(out)["hits"] == ["b/note.md"]
