from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from memtree.errors import PathRefused, Unavailable, UsageError
from memtree.exchange import import_paths
from memtree.exchange.exporting import as_object
from memtree.knowledge.path import parse_path
from memtree.tree.format import find_front
from memtree.tree.history import transactions, undo
from memtree.tree.locate import init_tree

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from memtree.exchange import ImportReport

AT = "2026-05-06T07:08:09Z"


class Case:
    """A tree and a JSONL file beside it."""

    def __init__(self, folder: Path) -> None:
        (folder / "tree" / ".memtree").mkdir(parents=True)
        self.root = init_tree(str(folder / "tree"), start=str(folder)).root
        self.file = folder / "in.jsonl"

    def run(self, *lines: object, **options: Any) -> ImportReport:
        self.file.write_bytes(
            b"".join(
                (line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n"
                for line in lines
            )
        )
        return import_paths(self.root, [str(self.file)], at=AT, **options)

    def files(self) -> dict[str, str]:
        found = {}
        for above, _, names in os.walk(self.root):
            for name in names:
                path = os.path.join(above, name)
                if ".memtree" not in path:
                    with open(path, encoding="utf-8", newline="") as file:
                        found[os.path.relpath(path, self.root).replace(os.sep, "/")] = file.read()
        return found

    def metas(self) -> dict[str, dict[str, object]]:
        return {path: find_front(text).meta for path, text in self.files().items()}


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def _counts(report: ImportReport) -> tuple[int, int, int, int]:
    return report.added, report.unchanged, report.changed, report.skipped


TALK = [
    {"id": f"conv-26/D1:{n}", "text": text, "time": "2023-05-08T13:56", "speaker": who,
     "session": 1, "path": f"conv-26/D1:{n}", "img": {"url": "x", "n": [1, 2]}}
    for n, (who, text) in enumerate(
        [("Ada", "Hi!"), ("Bob", "Hi!\n\n---\nid: no\n---"), ("Ada", "木")], 1
    )
]  # fmt: skip


def test_a_conversation_keeps_ids_speakers_and_the_order_of_turns(case: Case) -> None:
    report = case.run(*TALK)
    assert _counts(report) == (3, 0, 0, 0)
    files = case.files()
    assert set(files) == {f"conv-26/session-1/d1-{n}.md" for n in (1, 2, 3)}
    second = files["conv-26/session-1/d1-2.md"]
    front = find_front(second)
    assert front.meta == {
        "type": "message", "id": "conv-26/D1:2", "time": "2023-05-08T13:56", "speaker": "Bob",
        "session": 1, "turn": 2, "img": {"url": "x", "n": [1, 2]},
    }  # fmt: skip
    assert second[front.body :] == "Hi!\n\n---\nid: no\n---\n"


def test_a_second_run_changes_nothing(case: Case) -> None:
    case.run(*TALK)
    before = case.files()
    assert _counts(case.run(*TALK)) == (0, 3, 0, 0)
    assert _counts(case.run(*reversed(TALK))) == (0, 3, 0, 0)
    assert case.files() == before


def test_an_interrupted_import_goes_on_where_it_stopped(case: Case) -> None:
    lines = [{"text": "same words", "session": "s"}] * 5
    case.run(*lines[:2])
    assert _counts(case.run(*lines)) == (3, 2, 0, 0)
    assert _counts(case.run(*lines)) == (0, 5, 0, 0)


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ({"text": "Hello big world"}, "notes/entries/hello-big-world.md"),
        ({"text": "x", "title": "The Title"}, "notes/entries/the-title.md"),
        ({"text": "x", "session": 3}, "notes/session-3/x.md"),
        ({"text": "x", "session": "Monday talk"}, "notes/monday-talk/x.md"),
        ({"text": "x", "time": "2026-01-02T03:04:05Z"}, "notes/2026-01-02/x.md"),
        ({"text": "x", "source": "mail:Bob"}, "notes/mail-bob/x.md"),
        ({"text": "x", "path": "a/b/c.md"}, "a/b/c.md"),
        ({"text": "x", "path": "a/b/C d"}, "a/b/C d.md"),
        ({"text": "x", "path": "a/b"}, "a/entries/b.md"),
        ({"text": "x", "path": "a/b/c/"}, "a/b/c/x.md"),
        ({"text": "Words", "path": "a"}, "a/entries/words.md"),
        ({"text": "x", "path": "c.md"}, "notes/entries/c.md"),
        ({"text": "x", "path": "a/b/index"}, "a/b/index-entry.md"),
        ({"text": "知識の木", "path": "日本/語/"}, "日本/語/知識の木.md"),
        ({"text": "x", "path": "a/b.v1.2/c.v3"}, "a/b.v1.2/c.v3.md"),
    ],
)
def test_a_line_goes_where_it_belongs(case: Case, line: dict[str, object], path: str) -> None:
    case.run(line)
    assert list(case.files()) == [path]


@pytest.mark.parametrize(
    "path", ["../../etc/passwd", "/etc/passwd", "a/../../b/c", "C:\\x\\y", "a/.git/hooks/x",
             "con/nul/aux.md", "a/b/" + "x" * 400, "a\0/b\n/c", "..", "a/b/c.", "a/ /b?/c*"]
)  # fmt: skip
def test_a_path_is_made_safe(case: Case, path: str) -> None:
    case.run({"text": "some words", "path": path})
    (found,) = case.files()
    assert parse_path(found) == found
    assert found.count("/") >= 2
    assert sorted(os.listdir(os.path.dirname(case.root))) == ["in.jsonl", "tree"]


def test_a_path_that_several_lines_share_is_their_folder(case: Case) -> None:
    case.run(*({"text": f"text {n}", "path": "chat/monday"} for n in range(3)))
    assert sorted(case.files()) == [f"chat/monday/text-{n}.md" for n in range(3)]


def test_into_puts_everything_below_one_folder(case: Case) -> None:
    case.run({"text": "a"}, {"text": "b", "path": "x/y/z"}, {"text": "c", "path": "work/t/z"},
             {"text": "d", "session": 1}, into="work")  # fmt: skip
    assert sorted(case.files()) == [
        "work/entries/a.md", "work/session-1/d.md", "work/t/z.md", "work/x/y/z.md",
    ]  # fmt: skip
    with pytest.raises(PathRefused):
        case.run({"text": "a"}, into="../out")


def test_what_is_not_understood_is_reported_with_its_line_and_the_rest_comes_in(case: Case) -> None:
    report = case.run(
        b"\xef\xbb\xbf" + json.dumps({"text": "first"}).encode(),
        b"{not json", b"", b"[1]", {"title": "no text"}, {"text": "  "}, {"text": 5},
        b'{"text": "caf\xe9"}', {"text": "nul \0 bell \7"}, {"text": "half \ud800"},
        {"text": "t", "time": "last week"}, b"[" * 100_000,
    )  # fmt: skip
    assert report.added == 4
    assert report.skipped == 7
    assert [(p.line, p.code) for p in report.problems] == [
        (2, "bad-json"), (4, "bad-json"), (5, "no-text"), (6, "no-text"), (7, "no-text"),
        (8, "bad-json"), (9, "replaced-character"), (10, "replaced-character"),
        (11, "time-not-iso"), (12, "bad-json"),
    ]  # fmt: skip
    assert all(p.path == str(case.file) for p in report.problems)


def test_unknown_keys_and_odd_values_survive(case: Case) -> None:
    line = {
        "text": "x", "id": 7, "tags": "a, b", "time": 1_700_000_000, "no": "yes", "when": "12:30",
        "n": 1.5, "list": [1, "two", None], "deep": {"k": ["v"]}, "type": "decision", "num": "007",
        "empty": "", "quote": "it's: \"x\" # y",
    }  # fmt: skip
    case.run(line)
    (meta,) = case.metas().values()
    assert meta == {
        "type": "decision", "tags": ["a", "b"], "id": "7", "time": "2023-11-14T22:13:20Z",
        "no": "yes", "when": "12:30", "n": 1.5, "list": [1, "two", None], "deep": {"k": ["v"]},
        "num": "007", "empty": "", "quote": "it's: \"x\" # y",
    }  # fmt: skip


def test_one_id_with_two_texts_is_reported_and_both_are_kept(case: Case) -> None:
    lines = [{"id": "a", "text": "one"}, {"id": "a", "text": "two"}, {"id": "a", "text": "one"}]
    report = case.run(*lines)
    assert _counts(report) == (2, 1, 0, 0)
    assert [(p.line, p.code) for p in report.problems] == [(2, "id-collision")]
    assert _counts(case.run(*lines)) == (0, 3, 0, 0)


def test_a_source_that_changed_updates_what_nobody_touched(case: Case) -> None:
    case.run({"id": "a", "text": "Words v1", "title": "T"}, {"id": "b", "text": "B", "title": "U"})
    path = os.path.join(case.root, "notes", "entries", "u.md")
    with open(path, "a", encoding="utf-8") as file:
        file.write("a person's line\n")
    report = case.run(
        {"id": "a", "text": "Words v2", "title": "T"}, {"id": "b", "text": "B2", "title": "U"}
    )
    assert _counts(report) == (0, 0, 1, 1)
    assert [(p.line, p.code) for p in report.problems] == [(2, "kept")]
    files = case.files()
    assert files["notes/entries/t.md"].endswith("Words v2\n")
    assert files["notes/entries/u.md"].endswith("B\na person's line\n")


def test_an_entry_that_moved_is_known_by_its_id(case: Case) -> None:
    case.run({"id": "a", "text": "Words"})
    os.makedirs(os.path.join(case.root, "x", "y"))
    os.rename(
        os.path.join(case.root, "notes", "entries", "words.md"),
        os.path.join(case.root, "x", "y", "w.md"),
    )
    report = case.run({"id": "a", "text": "Words"}, known_ids={"a": "x/y/w.md"})
    assert _counts(report) == (0, 1, 0, 0)


def test_turns_are_counted_per_conversation_and_given_ones_stay(case: Case) -> None:
    case.run(
        {"text": "a", "session": 1, "path": "c1/x1/a"},
        {"text": "b", "session": 1, "path": "c2/x1/b"},
        {"text": "c", "session": 1, "path": "c1/x1/c"},
        {"text": "d", "session": 1, "turn": 9, "path": "c1/x1/d"},
        {"text": "e", "session": 1, "path": "c1/x1/e"},
        {"text": "f", "path": "c1/x1/f"},
    )
    turns = {path: meta.get("turn") for path, meta in case.metas().items()}
    assert turns == {
        "c1/x1/a.md": 1, "c2/x1/b.md": 1, "c1/x1/c.md": 2, "c1/x1/d.md": 9, "c1/x1/e.md": 10,
        "c1/x1/f.md": None,
    }  # fmt: skip


def test_a_dry_run_says_the_same_and_writes_nothing(case: Case) -> None:
    report = case.run(*TALK, dry_run=True)
    assert _counts(report) == (3, 0, 0, 0)
    assert report.dry_run
    assert report.receipts == ()
    assert case.files() == {}


def test_an_import_is_in_the_history_and_can_be_undone(case: Case) -> None:
    report = case.run(*TALK)
    assert [r.id for r in transactions(case.root, 10)] == list(report.receipts)
    undo(case.root, None, at=AT)
    assert case.files() == {}


def test_an_entry_exported_and_imported_again_says_the_same(case: Case) -> None:
    case.run(*TALK, {"text": "x", "front_matter": {"text": "kept", "k": 1}})
    objects = [as_object(path, text.encode()) for path, text in case.files().items()]
    before = case.metas()
    other = Case(case.file.parent / "other")
    assert other.run(*objects).problems == ()
    assert {p: {**m, "turn": 0} for p, m in other.metas().items()} == {
        p: {**m, "turn": 0} for p, m in before.items()
    }


def test_wrong_usage_is_one_sentence(case: Case) -> None:
    def run(paths: Sequence[str], **options: Any) -> None:
        import_paths(case.root, paths, at=AT, **options)

    with pytest.raises(UsageError, match="nothing at"):
        run(["/no/such/file.jsonl"])
    with pytest.raises(UsageError, match="no import kind"):
        run([str(case.file)], kind="nope")
    with pytest.raises(Unavailable, match="comes in a later version"):
        run([str(case.file)], kind="mem0")
    with pytest.raises(UsageError, match="is a folder"):
        run([str(case.file.parent)], kind="jsonl")


def test_three_thousand_lines_take_at_most_three_seconds_of_cpu(case: Case) -> None:
    lines = [
        {"id": f"conv-{n // 600}/D{n // 20}:{n}", "text": f"What I said {n} was: a b c. " * 4,
         "time": "2023-05-08T13:56", "speaker": "Ada", "session": n // 20,
         "path": f"conv-{n // 600}/D{n // 20}:{n}"}
        for n in range(3000)
    ]  # fmt: skip
    start = time.process_time()
    report = case.run(*lines)
    assert report.added == 3000
    assert time.process_time() - start < 3
    assert len(report.receipts) == 6
