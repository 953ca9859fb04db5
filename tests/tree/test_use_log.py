"""Uses are noted by many processes at once, read back whatever happened to the file."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memtree.knowledge.lifecycle import EVENTS, REAL, day_number
from memtree.tree import use_log
from memtree.tree.use_log import FOLDING, OLD_USES, SHOWN, USES, fold, note, shown, uses

if TYPE_CHECKING:
    from pathlib import Path

AT = 1_764_000_000.25
DAY = AT / 86_400


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / ".memtree").mkdir()
    return tmp_path


def state(root: Path, name: str = USES) -> Path:
    return root / ".memtree" / "state" / name


def events(root: Path, key: str) -> list[str]:
    return [event for _, event in uses(str(root)).get(key, [])]


def test_what_is_noted_is_read_back(root: Path) -> None:
    assert note(str(root), "opened", ["k3", "notes/b.md"], AT)
    assert note(str(root), "edited", ["k3"], AT + 1)
    found = uses(str(root))
    assert [event for _, event in found["k3"]] == ["opened", "edited"]
    assert found["k3"][0][0] == pytest.approx(DAY, abs=1e-8)
    assert found["notes/b.md"] == [(found["k3"][0][0], "opened")]
    assert state(root).read_text().startswith("2025-11-24T16:00:00.250Z\topened\tk3\n")


def test_what_was_merely_shown_is_kept_apart(root: Path) -> None:
    note(str(root), "shown", ["k3"], AT)
    assert uses(str(root)) == {}
    assert not state(root).exists()
    assert [event for _, event in shown(str(root))["k3"]] == ["shown"]


@given(keys=st.lists(st.text(min_size=1, max_size=50)), event=st.sampled_from(REAL))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_key_can_break_a_line(root: Path, keys: list[str], event: str) -> None:
    state(root).unlink(missing_ok=True)
    note(str(root), event, keys, AT)
    found = uses(str(root))
    assert found.keys() == set(keys)
    assert sum(map(len, found.values())) == len(keys)
    lines = state(root).read_bytes().splitlines() if keys else []
    assert len(lines) == len(keys)


@given(st.lists(st.binary(max_size=80), max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_log_costs_only_its_damaged_lines(root: Path, parts: list[bytes]) -> None:
    state(root).parent.mkdir(exist_ok=True)
    state(root).write_bytes(b"".join(parts))
    note(str(root), "cited", ["mine"], AT)
    assert events(root, "mine")[-1] == "cited"


@pytest.mark.parametrize(
    "line",
    ["", "2026-01-01", "2026-01-01T00:00:00.000Z\topened", "yesterday\topened\tk",
     "2026-01-01T00:00:00.000Z\tstolen\tk", "2026-01-01T00:00:00.000Z\topened\tk\tmore",
     "2026-01-01T00:00:00.000Z\topened\t"],
)  # fmt: skip
def test_a_foreign_line_is_skipped(root: Path, line: str) -> None:
    note(str(root), "opened", ["good"], AT)
    with state(root).open("a") as file:
        file.write(line + "\n")
    note(str(root), "opened", ["better"], AT)
    assert uses(str(root)).keys() == {"good", "better"}


def test_an_unknown_event_is_a_bug(root: Path) -> None:
    assert "stolen" not in EVENTS
    with pytest.raises(ValueError, match="stolen"):
        note(str(root), "stolen", ["k"], AT)


def test_writers_of_several_processes_do_not_mix(root: Path) -> None:
    program = (
        "import sys; from memtree.tree.use_log import note\n"
        "for n in range(200): note(sys.argv[1], 'opened', [sys.argv[2] * 30, f'n{n}'], 1764e6 + n)"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", program, str(root), letter]) for letter in "abcd"
    ]
    assert [process.wait(60) for process in running] == [0] * 4
    found = uses(str(root))
    assert [len(found[letter * 30]) for letter in "abcd"] == [200] * 4
    assert all(len(found[f"n{n}"]) == 4 for n in range(200))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
def test_a_tree_that_cannot_be_written_is_silent_for_its_owner(root: Path) -> None:
    state(root).parent.mkdir()
    state(root).parent.chmod(0o500)
    try:
        assert not note(str(root), "opened", ["k"], AT)
    finally:
        state(root).parent.chmod(0o700)


def test_a_state_that_cannot_be_made_is_silent(root: Path) -> None:
    (root / ".memtree" / "state").write_text("a file in the way")
    assert not note(str(root), "opened", ["k"], AT)
    assert uses(str(root)) == {}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_in_the_place_of_the_log_holds_nobody_up(root: Path) -> None:
    state(root).parent.mkdir()
    os.mkfifo(state(root))
    assert not note(str(root), "opened", ["k"], AT)
    assert uses(str(root)) == {}


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_no_link_is_followed(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    victim = outside / "victim"
    victim.write_bytes(b"precious")
    state(root).parent.mkdir()
    state(root).symlink_to(victim)
    assert not note(str(root), "opened", ["k"], AT)
    assert victim.read_bytes() == b"precious"
    state(root).unlink()
    state(root).parent.rmdir()
    state(root).parent.symlink_to(outside)
    assert not note(str(root), "opened", ["k"], AT)
    assert list(outside.iterdir()) == [victim]
    assert uses(str(root)) == {}


def test_what_was_shown_is_bounded(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(use_log, "SHOWN_BYTES", 2000)
    for number in range(200):
        note(str(root), "shown", [f"k{number}"], AT)
    assert state(root, SHOWN).stat().st_size <= 2050
    assert state(root, "shown.old").stat().st_size <= 2050
    assert "k199" in shown(str(root))


def test_only_the_end_of_a_long_log_is_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(use_log, "READ", 1000)
    for number in range(100):
        note(str(root), "opened", [f"k{number}"], AT)
    found = uses(str(root))
    assert "k99" in found
    assert 15 < len(found) < 30


def test_what_was_folded_is_kept_for_looking_back(root: Path) -> None:
    note(str(root), "opened", ["a", "b"], AT)
    note(str(root), "opened", ["a"], AT + 86_400)
    fold(str(root), lambda key, day: key == "a" and day <= DAY + 0.1)
    assert {key: len(found) for key, found in uses(str(root)).items()} == {"a": 1, "b": 1}
    assert len(uses(str(root), folded=True)["a"]) == 2
    assert not state(root, FOLDING).exists()
    before = state(root).stat().st_mtime_ns
    fold(str(root), lambda key, day: key == "a" and day <= DAY + 0.1)
    assert state(root).stat().st_mtime_ns == before
    assert len(uses(str(root), folded=True)["a"]) == 2


@pytest.mark.parametrize("died_after", ["rename", "kept", "old"])
def test_folding_that_died_counts_nothing_twice(root: Path, died_after: str) -> None:
    note(str(root), "opened", ["a", "b"], AT)
    lines = state(root).read_bytes().splitlines(keepends=True)
    state(root).rename(state(root, FOLDING))
    if died_after != "rename":
        state(root).write_bytes(lines[1])
    if died_after == "old":
        state(root, OLD_USES).write_bytes(lines[0])
    note(str(root), "cited", ["b"], AT + 5)
    assert {key: len(found) for key, found in uses(str(root)).items()} == {"a": 1, "b": 2}
    fold(str(root), lambda key, _: key == "a")
    assert {key: len(found) for key, found in uses(str(root)).items()} == {"b": 2}
    assert not state(root, FOLDING).exists()


def test_old_uses_are_bounded(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(use_log, "OLD_BYTES", 2000)
    for number in range(100):
        note(str(root), "opened", [f"k{number}"], AT + number)
        fold(str(root), lambda _key, _day: True)
    assert state(root, OLD_USES).stat().st_size <= 2050
    assert "k99" in uses(str(root), folded=True)


def test_reading_ten_thousand_uses_is_quick(root: Path) -> None:
    for number in range(100):
        note(str(root), "opened", [f"k{n}" for n in range(100)], AT + number)
    started = time.perf_counter()
    assert sum(map(len, uses(str(root)).values())) == 10_000
    # 25 ms where this was written; ten times that on a busy machine.
    assert time.perf_counter() - started < 0.25
    assert day_number("2025-11-24T16:00:00.250Z") == pytest.approx(DAY, abs=1e-9)
