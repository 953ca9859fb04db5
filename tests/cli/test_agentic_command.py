"""`memtree query` and tier 5 at the command line: what it prints, writes, reads, and exits with."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from transcript import EXAMPLES, environment, run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("agentic") / "atlas"
    shutil.copytree(EXAMPLES / "atlas", folder, ignore=shutil.ignore_patterns("cache", "state"))
    run("index", cwd=folder)
    return folder


def test_several_steps_without_a_model_are_degraded_and_say_so(atlas: Path) -> None:
    done = run("query", "seat holds", "--tier", "agentic", "--json", cwd=atlas)
    given = json.loads(done.stdout)
    assert done.returncode == 3
    assert given["status"] == "degraded"
    assert given["tier"] == "agentic"
    assert given["by"] == ["agentic", "multi-step", "no model"]
    assert given["trace"]["steps"][0]["action"] == "search"
    assert given["hits"]


def test_what_is_not_there_is_absent_with_exit_code_1(atlas: Path) -> None:
    done = run(
        "query", "Who sold the Zorblax submarine to Admiral Quexley?", "--tier", "agentic",
        cwd=atlas,
    )  # fmt: skip
    assert done.returncode == 1
    assert b"Absent" in done.stdout


def test_the_steps_are_shown_and_nothing_in_them_can_steer_a_terminal(atlas: Path) -> None:
    done = run("query", "seat\x1b[2J holds", "--tier", "agentic", "--explain", cwd=atlas)
    assert b"Steps by multi-step" in done.stdout
    assert b"stopped:" in done.stdout
    assert b"\x1b" not in done.stdout


@pytest.mark.parametrize("budget", ["8 stps", "", "0 steps", "soon"])
def test_a_budget_that_is_none_is_wrong_usage(atlas: Path, budget: str) -> None:
    done = run("query", "seat", "--tier", "agentic", f"--budget={budget} ", cwd=atlas)
    assert done.returncode == 2
    assert b"8 steps, 6000 tokens, 60 s" in done.stderr


def test_a_trace_is_written_and_read_again(atlas: Path, tmp_path: Path) -> None:
    file = tmp_path / "trace.json"
    words = ("query", "seat holds", "--tier", "agentic", "--json")
    first = json.loads(run(*words, "--trace", str(file), cwd=atlas).stdout)
    document = json.loads(file.read_text("utf-8"))
    assert document["question"] == "seat holds"
    assert document["entries"]
    again = run("query", "seat holds", "--replay", str(file), "--json", cwd=atlas)
    assert again.returncode == 3
    notes = json.loads(again.stdout)["notes"]
    assert json.loads(again.stdout)["answer"] == first["answer"]
    assert any("replayed: the" in note and "unchanged" in note for note in notes)


@pytest.mark.parametrize("text", ["", "no trace", "[]", "{}", '{"steps": []}'])
def test_a_file_that_is_no_trace_is_wrong_usage(atlas: Path, tmp_path: Path, text: str) -> None:
    file = tmp_path / "trace.json"
    file.write_text(text, "utf-8")
    done = run("query", "seat holds", "--replay", str(file), cwd=atlas)
    assert done.returncode == 2
    assert b"trace" in done.stderr
    assert run("query", "x", "--replay", str(tmp_path / "none"), cwd=atlas).returncode == 2


def test_a_trace_that_can_not_be_written_is_said(atlas: Path, tmp_path: Path) -> None:
    file = tmp_path / "no" / "folder" / "trace.json"
    done = run("query", "seat", "--tier", "agentic", "--trace", str(file), cwd=atlas)
    assert done.returncode == 2
    assert b"can't be written" in done.stderr


def test_an_agent_reads_one_document_and_its_answer_is_checked(atlas: Path) -> None:
    asked = ("query", "how long is a seat held")
    text = run(*asked, "--plan-prompt", cwd=atlas).stdout.decode()
    assert "[E1]" in text
    digest = text.partition('"evidence": "')[2].partition('"')[0]
    lie = {"evidence": digest, "sentences": [{"text": "Bjarne has 77 cats.", "cites": ["E1"]}]}
    done = run(*asked, "--plan", "-", "--json", cwd=atlas, stdin=json.dumps(lie).encode())
    given = json.loads(done.stdout)
    assert done.returncode == 1
    assert given["answer"] is None
    assert any("77" in note for note in given["notes"])
    passage = text.partition("[E1]")[2].partition("[E2]")[0]
    lines = [line.strip(" #-") for line in passage.splitlines()[1:]]
    true = max((line for line in lines if len(line) < 250), key=len)
    said = {"evidence": digest, "sentences": [{"text": true, "cites": ["E1"]}]}
    done = run(*asked, "--plan", "-", "--json", cwd=atlas, stdin=json.dumps(said).encode())
    assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout)["by"] == ["agentic", "host"]
    bad = run(*asked, "--plan", "-", cwd=atlas, stdin=b"Four minutes, I think.")
    assert bad.returncode == 2
    assert b"--plan-prompt" in bad.stderr


def test_without_a_model_an_absent_answer_loads_nothing_of_this(
    atlas: Path, tmp_path: Path
) -> None:
    code = (
        "import sys; from memtree._fast import run; run(sys.argv[1:]);"
        "print(sorted(n for n in sys.modules if 'agentic' in n or n.startswith(('memtree.llm',"
        " 'memtree.consulting', 'memtree.safety', 'llama'))), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "query", "Who sold the Zorblax submarine to Quexley?"],
        cwd=atlas,
        env=environment(MEMTREE_CONFIG=str(tmp_path / "none.toml")),
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert b"Absent" in done.stdout
    assert done.stderr.strip().endswith(b"[]")


def test_a_search_has_no_agentic_tier(atlas: Path) -> None:
    done = run("search", "seat", "--tier", "agentic", cwd=atlas)
    assert done.returncode == 3
    assert b"memtree query --tier agentic" in done.stderr


def test_a_model_that_is_set_and_gone_leaves_an_answer_that_says_so(
    atlas: Path, tmp_path: Path
) -> None:
    pytest.importorskip("memtree.llm.choose")
    own = tmp_path / "own.toml"
    own.write_text('[llm]\nmodel = "nosuchmodel"\n', "utf-8")
    mine = str(own)
    unsure = "Who sold the Zorblax submarine to Admiral Quexley?"
    for words in ((unsure,), (unsure, "--explain")):
        done = run("query", *words, cwd=atlas, MEMTREE_CONFIG=mine)
        assert done.returncode == 3
        assert b"No answer" in done.stdout
        assert b"the language model was not used" in done.stdout
    done = run("query", unsure, "--json", cwd=atlas, MEMTREE_CONFIG=mine)
    given = json.loads(done.stdout)
    assert done.returncode == 3
    assert given["status"] == "degraded"
    assert given["answer"] is None
    lower = run("query", unsure, "--max-tier", "semantic", "--json", cwd=atlas, MEMTREE_CONFIG=mine)
    assert lower.returncode == 1
    assert "trace" not in json.loads(lower.stdout)
    sure = run("query", "seat-holds", "--json", cwd=atlas, MEMTREE_CONFIG=mine)
    assert sure.returncode == 0
    assert json.loads(sure.stdout)["tier"] in ("exact", "fuzzy")
