"""What users of evidence anchors trip over: HEAD for the files, reads that write, hostile paths."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from real_tree import RealTree, new_tree

SOURCE = "import time\n\nRETRIES = 3\nDELAY = 0.5\n"


@pytest.fixture
def project(tmp_path: Path) -> RealTree:
    """A code repository with its tree in `memory/`, and one entry that rests on code."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    _git(tmp_path, "init", "-q", "-b", "main", ".")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "http.py").write_text(SOURCE)
    tree = new_tree(tmp_path / "memory")
    tree.run(
        "add", "The client retries three times.", "--to", "net/http/retries.md",
        "--title", "Client retries", "--source", "src/http.py:3-4", cwd=tmp_path,
    )  # fmt: skip
    tree.write("net/http/delay.md", "# Delay\n\nThe client waits before it retries.\n")
    _git(tmp_path, "add", "-A")
    _git(tmp_path, "commit", "-qm", "one")
    return tree


def _git(folder: Path, *args: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *args],
        cwd=folder, capture_output=True, check=True, text=True,
    )  # fmt: skip
    return done.stdout


def _state(project: RealTree) -> str | None:
    hits = project.run("search", "--json", "client retries three times").json["hits"]
    found = {hit["path"]: hit["evidence"] for hit in hits}
    assert found.get("net/http/delay.md") is None
    evidence = found["net/http/retries.md"]
    return evidence["state"] if evidence else None


def test_an_answer_says_at_once_when_its_source_changed(project: RealTree) -> None:
    above = project.root.parent
    assert _state(project) == "fresh"
    # What counts is what lies there, committed or not, on this branch.
    (above / "src" / "http.py").write_text(SOURCE.replace("3", "5"))
    assert _state(project) == "drifted"
    shown = project.run("search", "client retries three times").out.decode()
    assert "source drifted: src/http.py:3-4" in shown
    assert project.found("client retries three times"), "demoted, not hidden"
    _git(above, "checkout", "-q", "--", ".")
    assert _state(project) == "fresh"
    _git(above, "rm", "-q", "src/http.py")
    assert _state(project) == "gone"


def test_looking_at_evidence_never_dirties_git(project: RealTree) -> None:
    above = project.root.parent
    (above / "src" / "http.py").write_text(SOURCE.replace("3", "5"))
    before = project.files()
    for _ in range(5):
        project.run("search", "client retries")
        project.run("query", "how often does the client retry")
        assert project.codes() == {"net/http/retries.md": {"drifted-source"}}
        project.run("show", "Client retries")
    assert project.files() == before
    assert _git(above, "status", "--porcelain").split() == ["M", "src/http.py"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_an_entry_from_elsewhere_leads_nowhere(project: RealTree) -> None:
    above = project.root.parent
    os.mkfifo(above / "pipe")
    (above / "way").symlink_to("/")
    resources = ["/etc/passwd", "../../etc/passwd", "way/etc/passwd", "pipe", "/dev/zero"]
    sources = "".join(f"  - {{resource: {each}, digest: {'0' * 64}}}\n" for each in resources)
    project.write("from/elsewhere.md", f"---\ntitle: Odd\nsources:\n{sources}---\nOdd text.\n")
    found = project.run("check", "--json").json
    assert [item["code"] for item in found] == ["outside-source"] * len(resources)
    assert project.found("odd text")[0] == "from/elsewhere.md"
    assert project.run("verify", "Odd", "--re-anchor").code == 0
    assert len(project.run("check", "--json").json) == len(resources)


def test_the_day_of_checking_is_kept_beside_the_day_of_writing(project: RealTree) -> None:
    entry = project.root / "net" / "http" / "retries.md"
    before = entry.read_text()
    project.run("verify", "Client retries", "--by", "ann")
    project.run("verify", "Client retries", "--by", "ann")
    after = entry.read_text()
    assert after.count("human:ann") == 1
    head, _, rest = after.partition("verified:\n")
    assert before == head + rest.partition("\n")[2]
