"""`stats` and the life that `show` tells: in windows of every kind, in a pipe, as JSON."""

from __future__ import annotations

import io
import json
import re
import time
from pathlib import Path

import pytest
from transcript import run

from memtree.cli import stats as command
from memtree.cli._terminal import Terminal, cells
from memtree.index.row import Row
from memtree.lifecycle.figures import Flow
from memtree.lifecycle.stats import stats_of
from memtree.tree import use_log

NAMES = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "CLICOLOR", "TERM", "COLUMNS")
NOW = 20_779.5  # 2026-11-22, noon


class Window(io.TextIOWrapper):
    """A stream that says it is a terminal, and remembers what it was sent."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding=encoding, newline="")

    def isatty(self) -> bool:
        return True

    def sent(self) -> str:
        self.flush()
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode(self.encoding)


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def rows(count: int, *, title: str = "Note") -> list[Row]:
    found = []
    for at in range(count):
        month = f"2026-{1 + at % 11:02d}-01"
        grown = ("draft", "draft", "validated", "core")[at % 4]
        found.append(
            Row((at, f"a/b/{at}.md", f"k{at}", f"{title} {at}", "fact", "", "", 37.0 * at % 101,
                 grown, month, month, "", "", "", 0, 1, 1, b"", 1, 1,
                 f"2026-11-0{1 + at % 9}\t" + "\t" * 7, 1))
        )  # fmt: skip
    return found


def drawn(count: int, *, encoding: str = "utf-8", title: str = "Note") -> str:
    uses = {f"k{at}": [(NOW - 7 * week, "opened") for week in range(at % 6)] for at in range(count)}
    flow = [Flow(at="2026-11-01", promoted=2, demoted=0, archived=1)] if count else []
    found = stats_of(rows(count, title=title), now=NOW, uses=uses, flow=flow)
    window = Window(encoding)
    command._picture(Terminal(window), found)
    return window.sent()


def without_styles(text: str) -> str:
    return re.sub(r"\x1b\[[\d;]*m", "", text)


@pytest.mark.parametrize("count", [0, 1, 2, 5, 300])
@pytest.mark.parametrize("width", [20, 40, 79, 100, 300])
def test_a_tree_of_any_size_fits_into_any_window(
    count: int, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    shown = without_styles(drawn(count))
    # The notes under the titles are sentences; the plots and lists keep to the window.
    plots = [line for line in shown.splitlines() if line.startswith("  ")]
    assert all(
        cells(line) <= max(width, 40) for line in plots if "`" not in line and ":" not in line
    )
    assert bool(plots) == (count > 0)


def test_plots_show_heights_in_the_colours_of_maturity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    shown = drawn(300)
    assert all(f"\x1b[{style}m" in shown for style in command._STYLES.values())
    assert "█" in shown
    assert "settled 2026-11-01: 2 promoted, 1 archived" in shown
    assert "Most used" in shown
    assert "Fading" in shown


def test_a_terminal_without_blocks_gets_plain_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = drawn(300, encoding="ascii")
    assert shown.isascii()
    assert "\x1b" not in shown  # TERM is not set: no colours either
    assert "####" in shown


def test_titles_cannot_speak_to_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    shown = drawn(8, title="\x1b]0;evil\x07\u202e")
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "\u202e" not in shown
    assert "\\x1b]0;evil" in shown


def test_an_empty_tree_is_told_what_to_do_next(tmp_path: Path) -> None:
    assert run("init", cwd=tmp_path).returncode == 0
    assert json.loads(run("stats", "--json", cwd=tmp_path).stdout)["entries"] == 0
    assert b"entries" in run("stats", cwd=tmp_path).stdout
    shown = run("stats", cwd=tmp_path, FORCE_COLOR="1").stdout.decode()
    assert "Next: `memtree add TEXT`" in shown


def test_stats_as_json_has_every_figure(tmp_path: Path) -> None:
    assert run("init", cwd=tmp_path).returncode == 0
    assert run("add", "The tea is in the tin.", cwd=tmp_path).returncode == 0
    found = json.loads(run("stats", "--json", cwd=tmp_path).stdout)
    assert found["entries"] == 1
    assert len(found["importance"]) == 10
    assert found["maturity"] == {"core": 0, "draft": 1, "validated": 0}
    assert set(found["due"]) == {"archived", "demoted", "promoted"}
    assert found["growth"][-1]["total"] == 1


def test_show_tells_in_sums_where_a_score_comes_from(tmp_path: Path) -> None:
    assert run("init", cwd=tmp_path).returncode == 0
    raw = b"---\ntype: fact\nid: tea1\nimportance: 60\nsettled: 2026-01-01\n---\n# Tea\n\nBlack.\n"
    (tmp_path / "tea.md").write_bytes(raw)
    use_log.note(str(tmp_path), "confirmed", ["tea1"], time.time())
    shown = without_styles(run("show", "Tea", cwd=tmp_path, FORCE_COLOR="1").stdout.decode())
    _, _, life = shown.partition("\nLife\n")
    assert re.search(r"importance +\d+\.\d +█*", life)
    assert re.search(r"60\.0 +when settled on 2026-01-01", life)
    assert re.search(r"-\d+\.\d +x0\.995 a day for \d+ days", life)
    assert re.search(r"\+5\.0 +confirmed once", life)
    assert re.search(r"maturity +draft +validated at 65", life)
    assert re.search(r"ranking +\+\d+\.\d % +of at most 15 %", life)


def test_show_as_json_has_the_life_beside_what_it_had(tmp_path: Path) -> None:
    assert run("init", cwd=tmp_path).returncode == 0
    (tmp_path / "tea.md").write_text("---\ntype: fact\nimportance: 70\n---\n# Tea\n")
    found = json.loads(run("show", "Tea", "--json", cwd=tmp_path).stdout)
    assert found["importance"] == 70
    assert found["life"]["importance"] == 70
    assert found["life"]["parts"] == [
        {"name": "start", "points": 70.0, "words": "70, never settled"}
    ]
    assert found["life"]["sources"] == []


def test_what_an_entry_rests_on_is_shown_with_its_state(tmp_path: Path) -> None:
    assert run("init", cwd=tmp_path).returncode == 0
    (tmp_path / "kettle.txt").write_text("Boil it.\n")
    digest = "0" * 64
    (tmp_path / "kettle.md").write_text(
        f"---\ntype: fact\nsources:\n- resource: kettle.txt\n  digest: '{digest}'\n---\n# Kettle\n"
    )
    shown = without_styles(run("show", "Kettle", cwd=tmp_path, FORCE_COLOR="1").stdout.decode())
    assert re.search(r"rests on +drifted +kettle\.txt", shown)
