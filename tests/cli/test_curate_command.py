"""`curate` and `review` as a person and a program use them: the process, its output, its exit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from transcript import environment, run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    assert run("init", ".", cwd=folder).returncode == 0
    return folder


def document(tree: Path, *args: str, stdin: bytes = b"", code: int = 0) -> Any:
    done = run(*args, "--json", cwd=tree, stdin=stdin)
    assert done.returncode == code, done.stderr.decode()
    return json.loads(done.stdout)


def plan(*operations: dict[str, object]) -> bytes:
    return json.dumps({"operations": operations}).encode()


def add(path: str, text: str, line: int, quote: str) -> dict[str, object]:
    claim = {"text": text, "evidence": [{"line": line, "quote": quote}]}
    return {
        "op": "add", "path": path, "title": "Tides", "reason": "new", "confidence": 0.9,
        "claims": [claim],
    }  # fmt: skip


def test_json_is_one_document_with_everything(tree: Path) -> None:
    (tree.parent / "tides.txt").write_text("High water is at six.\n")
    told = document(tree, "curate", "../tides.txt")
    assert (told["curator"], told["degraded"], told["dry_run"], told["exit"]) == (
        "rules", None, False, 0,
    )  # fmt: skip
    assert told["tally"]["added"] == 1
    assert len(told["transactions"]) == 1
    (operation,) = told["operations"]
    assert (operation["op"], operation["outcome"]) == ("add", "applied")
    assert operation["claims"][0]["evidence"][0]["lines"] == [1, 1]
    assert (tree / operation["at"]).exists()
    assert document(tree, "curate", "../tides.txt")["skipped"] == 1
    again = document(tree, "curate", "../tides.txt", "--again")
    assert again["transactions"] == []


def test_a_plan_comes_through_a_pipe_and_says_what_to_correct(tree: Path) -> None:
    (tree / "tides.txt").write_text("High water is at six.\n")
    good = add("sea/water/tides.md", "High water is at six.", 1, "High water is at six.")
    lie = add("sea/water/lies.md", "High water is at nine.", 1, "High water is at six.")
    told = document(
        tree, "curate", "tides.txt", "--plan", "-", stdin=plan(good, lie), code=1
    )  # fmt: skip
    assert told["curator"] == "host"
    assert told["tally"] == {"added": 1, "refused": 1}
    refused = [each for each in told["operations"] if each["outcome"] == "refused"]
    assert refused[0]["path"] == "sea/water/lies.md"
    assert refused[0]["refusals"][0]["message"]
    assert told["codes"]
    assert not (tree / "sea/water/lies.md").exists()


def test_a_model_that_cannot_be_used_is_said_with_exit_3(tree: Path) -> None:
    own = tree.parent / "own.toml"
    own.write_text('[llm]\nmodel = "gguf:/nowhere/at-all.gguf"\n')
    more = {"cwd": tree, "MEMTREE_CONFIG": str(own)}
    done = run("curate", "-", "--json", stdin=b"High water is at six.", **more)  # type: ignore[arg-type]
    told = json.loads(done.stdout)
    assert done.returncode == told["exit"] == 3
    assert told["curator"] == "rules"
    assert told["degraded"]
    assert told["tally"]["added"] == 1
    assert done.stderr.startswith(b"warning: the model could not be used")
    named = run("curate", "-", "--curator", "llama", stdin=b"Fog hides.", **more)  # type: ignore[arg-type]
    assert named.returncode == 3
    assert named.stderr.startswith(b"error:")
    rules = run("curate", "-", "--curator", "rules", stdin=b"Fog hides.", **more)  # type: ignore[arg-type]
    assert rules.returncode == 0


def test_the_prompt_is_one_document_and_writes_nothing(tree: Path) -> None:
    done = run("curate", "-", "--plan-prompt", cwd=tree, stdin=b"High water is at six.")
    assert done.returncode == 0
    assert b"High water is at six." in done.stdout
    assert not list(tree.glob("*/*/*.md"))
    assert run("log", cwd=tree).returncode == 1


def test_standard_input_is_not_source_and_plan_at_once(tree: Path) -> None:
    done = run("curate", "-", "--plan", "-", cwd=tree, stdin=b"{}")
    assert done.returncode == 2
    assert b"both" in done.stderr


def test_what_a_source_says_never_reaches_the_terminal_raw(tree: Path) -> None:
    evil = b"The pilot \x1b[2J\x1b]0;owned\x07 lives on the north shore.\n"
    for args in (("--dry-run",), ("--review", "always")):
        done = run("curate", "-", *args, cwd=tree, stdin=evil)
        assert b"\x1b" not in done.stdout + done.stderr
        assert b"\x07" not in done.stdout + done.stderr
    for args in (("list",), ("show",), ("accept", "--all")):
        done = run("review", *args, cwd=tree)
        assert b"\x1b" not in done.stdout + done.stderr
    texts = [path.read_bytes() for path in tree.glob("*/*/*.md")]
    assert not any(b"\x1b" in text for text in texts)


def test_review_list_is_what_review_alone_says(tree: Path) -> None:
    run("curate", "-", "--review", "always", cwd=tree, stdin=b"High water is at six.")
    alone = document(tree, "review")
    assert document(tree, "review", "list") == alone
    (waiting,) = alone["waiting"]
    assert waiting["operation"]["op"] == "add"
    assert document(tree, "status")["reviews"] == 1
    gone = document(tree, "review", "reject", waiting["id"])
    assert gone == {"rejected": [waiting["id"]]}
    assert document(tree, "review", code=1)["waiting"] == []


def test_an_agent_that_would_empty_the_tree_is_stopped(tree: Path) -> None:
    text = "".join(
        f"{word} is here.\n\n" for word in ("Ann", "Bob", "Carl", "Dora", "Emil", "Finn")
    )
    for word in text.split("\n\n")[:-1]:
        assert run("add", word, "--to", "notes/people/", cwd=tree).returncode == 0
    paths = [str(path.relative_to(tree)) for path in sorted(tree.glob("notes/people/*.md"))]
    assert len(paths) == 6
    archive = {"op": "archive", "reason": "clean", "confidence": 1.0}
    everything = [{**archive, "path": path} for path in paths]
    done = run("curate", "Clean up.", "--plan", "-", "--review", "never", cwd=tree,
               stdin=plan(*everything))  # fmt: skip
    assert done.returncode == 4
    assert b"--yes" in done.stderr
    assert sorted(tree.glob("notes/people/*.md")) == [tree / path for path in paths]
    assert not (tree / "_archive").exists()


@pytest.mark.skipif(os.name == "nt", reason="signals are another thing there")
def test_control_c_keeps_what_was_finished_and_says_how_to_go_on(tree: Path) -> None:
    first = "".join(f"Keeper number {n} oils lamp {n}.\n\n" for n in range(3))
    (tree.parent / "a.txt").write_text(first)
    process = subprocess.Popen(
        [sys.executable, "-m", "memtree", "curate", "../a.txt", "-"],
        cwd=tree, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=environment(),
    )  # fmt: skip
    try:
        until = time.monotonic() + 60
        done = tree / ".memtree/state/curate/done.jsonl"
        while not done.exists() and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(0.5)  # it waits for the pipe by now
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, error.decode()
    assert b"goes on behind it" in out
    assert b"Traceback" not in error
    assert document(tree, "curate", "../a.txt")["skipped"] == 1
