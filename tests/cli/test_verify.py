"""`anchor`, `verify`, `add --source` and what a hit says of its sources."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from test_commands import on_a_terminal
from test_rendering import Window, sent
from transcript import run

from memtree.cli._render import answer
from memtree.cli._terminal import Terminal
from memtree.knowledge.anchor import Anchor, Evidence, SourceState
from memtree.knowledge.query import FOUND, Answer, Hit, Query

SOURCE = "import time\n\nRETRIES = 3\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "http.py").write_text(SOURCE)
    assert run("init", "memory", cwd=tmp_path).returncode == 0
    added = run(
        "add", "Three retries.", "--to", "net/http/retries.md", "--source", "src/http.py:3",
        cwd=tmp_path,
    )  # fmt: skip
    assert added.returncode == 0, added.stderr
    return tmp_path


def _document(project: Path, *args: str) -> dict[str, object]:
    done = run(*args, "--json", cwd=project)
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    document = json.loads(done.stdout)
    assert isinstance(document, dict)
    return document


def test_a_source_is_named_from_where_one_is(project: Path) -> None:
    done = run("anchor", "retries", "http.py:1", "--json", cwd=project / "src")
    (source,) = json.loads(done.stdout)["sources"]
    assert (source["resource"], source["lines"], source["id"]) == ("src/http.py", "1", "http-2")


def test_what_programs_are_told(project: Path) -> None:
    (project / "src" / "http.py").write_text("# new\n" + SOURCE)
    told = _document(project, "verify", "retries", "--by", "ann", "--re-anchor")
    assert told == {
        "verified": [
            {
                "path": "net/http/retries.md",
                "sources": [
                    {"id": "http", "resource": "src/http.py", "lines": [4, 4], "state": "fresh"}
                ],
                "re_anchored": ["src/http.py:4"],
            }
        ],
        "by": "human:ann",
        "at": told["at"],
        "transaction": told["transaction"],
    }
    (project / "src" / "http.py").unlink()
    done = run("check", "--json", cwd=project)
    assert done.returncode == 1
    assert [problem["code"] for problem in json.loads(done.stdout)] == ["gone-source"]


def test_where_nobody_can_be_asked_nothing_is_taken_anew(project: Path) -> None:
    (project / "src" / "http.py").write_text(SOURCE.replace("3", "5"))
    entry = project / "memory" / "net" / "http" / "retries.md"
    before = entry.read_text().split("sources:")[1].split("---")[0]
    done = run("verify", "retries", cwd=project, stdin=b"y\n")
    assert done.returncode == 0
    assert b"no longer reads" in done.stderr
    assert before in entry.read_text()


@pytest.mark.parametrize(("typed", "state"), [(b"y\n", 0), (b"\n", 1)])
def test_on_a_terminal_it_is_shown_what_stands_there_and_asked(
    project: Path, typed: bytes, state: int
) -> None:
    (project / "src" / "http.py").write_text("\n\nRETRIES = 5 \x1b[31m\n")
    code, shown = on_a_terminal("verify", "retries", "--by", "ann", cwd=project, typed=typed)
    assert code == 0
    assert "src/http.py:3 drifted. There now:" in shown
    assert "RETRIES = 5" in shown
    assert "\x1b[31m" not in shown.partition("There now:")[2].partition("[y/N]")[0]
    assert run("check", cwd=project).returncode == state


def _hit(*states: SourceState) -> Hit:
    return Hit(
        id="a", path="a.md", title="A", score=0.9, tier="exact", snippet="It is so.",
        evidence=Evidence(states) if states else None,
    )  # fmt: skip


def _shown(hit: Hit) -> str:
    stream = Window()
    found = Answer(
        query=Query("a"), status=FOUND, tier="exact", confidence=0.9, hits=[hit], tiers=[],
        indexed=1, pending=0, ms=1.0,
    )  # fmt: skip
    answer(Terminal(stream), found, root="/x")
    return sent(stream)


def test_a_hit_says_which_of_its_sources_do_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    anchor = Anchor("src/http\x1b.py", lines=(10, 24), digest="0" * 64)
    drifted = SourceState(anchor, "drifted")
    gone = SourceState(Anchor("src/old.py", digest="0" * 64), "gone")
    shown = _shown(_hit(drifted, gone))
    assert "source drifted: src/http" in shown
    assert ".py:10-24" in shown
    assert "source gone: src/old.py" in shown
    assert "\x1b" not in shown
    assert "sources fresh" not in shown
    assert "sources fresh" in _shown(_hit(SourceState(anchor, "moved", now=(1, 15))))
    plain = _shown(_hit())
    assert "source" not in plain


def test_the_evidence_of_a_hit_is_one_more_key() -> None:
    anchor = Anchor("src/http.py", lines=(10, 24), digest="0" * 64, id="http")
    assert _hit().as_dict()["evidence"] is None
    assert _hit(SourceState(anchor, "moved", now=(12, 26))).as_dict()["evidence"] == {
        "state": "fresh",
        "sources": [
            {
                "id": "http",
                "resource": "src/http.py",
                "lines": [10, 24],
                "state": "moved",
                "now": [12, 26],
            }
        ],
    }
