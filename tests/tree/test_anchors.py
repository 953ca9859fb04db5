from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memtree.errors import PathRefused, UsageError
from memtree.knowledge.anchor import anchors_of
from memtree.tree.anchors import (
    MAX_SOURCES,
    MAX_TOTAL,
    anchor,
    digest_of,
    evidence_of,
    freshness,
    look,
    meant,
    normal,
    pieces_of,
    states,
)
from memtree.tree.format import find_front, new_document
from memtree.tree.reach import MAX_BYTES, Unread, find, ground_of
from memtree.tree.sources import _quick, _Unusual, anchors_in

SOURCE = "".join(f"value_{number} = {number}\n" for number in range(1, 41))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with code in `src/` and its tree in `memory/`."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "src").mkdir()
    (tmp_path / "memory" / ".memtree").mkdir(parents=True)
    (tmp_path / "src" / "http.py").write_text(SOURCE)
    return tmp_path


def _root(project: Path) -> str:
    return str(project / "memory")


def _state(project: Path, source: dict[str, object]) -> tuple[str, tuple[int, int] | None]:
    found = states(_root(project), {"sources": [source]})[0]
    return found.state, found.now


def _entry(project: Path, *sources: dict[str, object], path: str = "a/b/c.md") -> str:
    file = project / "memory" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(new_document({"type": "fact", "sources": list(sources)}, "It is so.\n"))
    return path


# -- what a digest is -------------------------------------------------------------------------


def test_the_digest_is_what_the_format_says() -> None:
    wanted = hashlib.sha256(b"  a\n\nb\n").hexdigest()
    for data in (b"  a\n\nb\n", b"  a \t\r\n\r\nb", b"\xef\xbb\xbf  a\n \nb\r\n"):
        assert digest_of(normal(pieces_of(data))) == wanted


def test_a_source_names_its_file_from_the_repository(project: Path) -> None:
    source = anchor(_root(project), "src/http.py", (10, 12), at="2026-05-06T07:08:09Z")
    text = "value_10 = 10\nvalue_11 = 11\nvalue_12 = 12\n"
    assert source == {
        "id": "http",
        "resource": "src/http.py",
        "lines": "10-12",
        "digest": hashlib.sha256(text.encode()).hexdigest(),
        "at": "2026-05-06T07:08:09Z",
    }
    assert _state(project, source) == ("fresh", None)


def test_without_a_repository_sources_start_at_the_tree(tmp_path: Path) -> None:
    (tmp_path / "tree" / ".memtree").mkdir(parents=True)
    (tmp_path / "tree" / "notes.txt").write_text("one\n")
    (tmp_path / "outside.txt").write_text("two\n")
    root = str(tmp_path / "tree")
    assert ground_of(root) == root
    assert anchor(root, "notes.txt", None)["resource"] == "notes.txt"
    with pytest.raises(PathRefused):
        anchor(root, "../outside.txt", None)


def test_what_is_not_there_can_not_be_cited(project: Path) -> None:
    root = _root(project)
    (project / "src" / "blank.py").write_text("\n \n")
    for resource, lines in (
        ("src/none.py", None),
        ("src", None),
        ("src/http.py", (40, 41)),
        ("src/blank.py", None),
    ):
        with pytest.raises(UsageError):
            anchor(root, resource, lines)


@pytest.mark.parametrize(
    ("typed", "start", "named"),
    [
        ("src/http.py:10-24", ".", ("src/http.py", (10, 24))),
        ("http.py:7", "src", ("src/http.py", (7, 7))),
        ("../src/http.py", "memory", ("src/http.py", None)),
        ("src/http.py:3", "memory", ("src/http.py", (3, 3))),
        ("src/a:b.txt", ".", ("src/a:b.txt", None)),
        ("src/http.py:24-10", ".", ("src/http.py:24-10", None)),
    ],
)
def test_a_place_is_read_as_people_type_it(
    project: Path, typed: str, start: str, named: tuple[str, tuple[int, int] | None]
) -> None:
    (project / "src" / "a:b.txt").write_text("x\n")
    assert meant(_root(project), typed, start=str(project / start)) == named


def test_a_link_is_followed_once_when_it_is_typed_and_never_stored(project: Path) -> None:
    (project / "to").symlink_to("src")
    (project / "away").symlink_to("/etc")
    root = _root(project)
    assert meant(root, "to/http.py:1", start=str(project))[0] == "src/http.py"
    for typed in ("away/passwd", "/etc/passwd", "../../x", "x\0y"):
        with pytest.raises(PathRefused):
            meant(root, typed, start=str(project))


# -- edits ------------------------------------------------------------------------------------

_LINES = st.lists(st.text("ab {}=\t", max_size=6), min_size=1, max_size=14)


@settings(max_examples=300, deadline=None)
@given(data=st.data(), lines=_LINES, end=st.sampled_from(["\n", "\r\n"]))
def test_an_edit_elsewhere_never_drifts_and_one_inside_does(
    tmp_path_factory: pytest.TempPathFactory,
    data: st.DataObject,
    lines: list[str],
    end: str,
) -> None:
    above, below = data.draw(_LINES), data.draw(_LINES)
    root = tmp_path_factory.getbasetemp() / "edits"
    (root / ".memtree").mkdir(parents=True, exist_ok=True)
    file = root / "x.txt"

    def write(*parts: list[str]) -> None:
        # As git does on checkout: all ends alike. White space before them is nobody's meaning.
        file.write_bytes("".join(f"{line} {end}" for part in parts for line in part).encode())

    write(above, lines, below)
    first, last = len(above) + 1, len(above) + len(lines)
    if not any(line.strip() for line in lines):
        with pytest.raises(UsageError):
            anchor(str(root), "x.txt", (first, last))
        return
    source = anchor(str(root), "x.txt", (first, last))
    meta: dict[str, object] = {"sources": [source]}

    new_above, new_below = data.draw(_LINES), data.draw(_LINES)
    write(new_above, lines, new_below)
    found = states(str(root), meta)[0]
    if len(new_above) == len(above):
        assert found.state == "fresh"
    else:
        assert found.state in {"moved", "fresh"}  # fresh: the same text stands there by chance
        begin, _ = found.now or (first, last)
        pieces = normal(pieces_of(file.read_bytes()))
        assert pieces[begin - 1 : begin - 1 + len(lines)] == [
            line.rstrip(" \t").encode() for line in lines
        ]

    changed = [*lines]
    changed[data.draw(st.integers(0, len(lines) - 1))] += "!"
    write(above, changed, below)
    wanted = [line.rstrip(" \t").encode() for line in lines]
    pieces = normal(pieces_of(file.read_bytes()))
    twice = any(pieces[at : at + len(wanted)] == wanted for at in range(len(pieces)))
    assert states(str(root), meta)[0].state == ("moved" if twice else "drifted")


def test_text_that_moves_says_where_it_is_now(project: Path) -> None:
    source = anchor(_root(project), "src/http.py", (10, 12))
    file = project / "src" / "http.py"
    file.write_text("import os\n\n" + SOURCE)
    assert _state(project, source) == ("moved", (12, 14))
    file.write_text(SOURCE.split("value_4 ")[0] + "value_10" + SOURCE.split("value_10")[1])
    assert _state(project, source) == ("moved", (4, 6))
    file.write_text(SOURCE.replace("value_11 = 11", "value_11 = 12"))
    assert _state(project, source) == ("drifted", None)
    file.write_text("")
    assert _state(project, source) == ("drifted", None)
    file.unlink()
    assert _state(project, source) == ("gone", None)
    file.mkdir()
    assert _state(project, source) == ("gone", None)


def test_a_whole_file_drifts_with_any_line(project: Path) -> None:
    source = anchor(_root(project), "src/http.py", None)
    assert "lines" not in source
    file = project / "src" / "http.py"
    file.write_bytes(SOURCE.replace("\n", "\r\n").rstrip().encode())
    assert _state(project, source) == ("fresh", None)
    file.write_text(SOURCE + "\nmore\n")
    assert _state(project, source) == ("drifted", None)


def test_an_edit_that_keeps_size_and_time_of_a_young_file_is_seen(project: Path) -> None:
    source = anchor(_root(project), "src/http.py", (1, 1))
    file = project / "src" / "http.py"
    stamp = file.stat()
    assert _state(project, source)[0] == "fresh"
    file.write_text(SOURCE.replace("value_1 ", "walue_1 "))
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert _state(project, source)[0] == "drifted"


def test_a_settled_file_is_read_once(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _entry(project, anchor(_root(project), "src/http.py", (1, 3)))
    long_ago = time.time() - 100
    for file in (project / "src" / "http.py", project / "memory" / path):
        os.utime(file, (long_ago, long_ago))
    opened: list[str] = []
    real = os.open

    def counted(where: str, flags: int) -> int:
        opened.append(where)
        return real(where, flags)

    monkeypatch.setattr(os, "open", counted)
    assert [freshness(_root(project), path) for _ in range(3)] == ["fresh"] * 3
    assert len(opened) == 2


# -- paths are data ---------------------------------------------------------------------------

HOSTILE = [
    "/etc/passwd",
    "../../../../../../etc/passwd",
    "src/../../secret",
    "src/./http.py",
    "src//http.py",
    "..",
    ".",
    "./..",
    ".git/config",
    "src/.GIT/config",
    ".memtree/config.toml",
    "memory/.memtree/config.toml",
    "out/secret",
    "linked.txt",
    "src\\..\\..\\secret",
    "src/\0",
    "src/ht\ntp.py",
    "/dev/zero",
    "pipe",
    "socket",
]


@pytest.mark.parametrize("resource", HOSTILE)
def test_a_path_that_leads_out_is_never_opened(
    project: Path, resource: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = project.parent / "secret"
    secret.write_text("the secret\n")
    (project / "out").symlink_to(project.parent)
    (project / "linked.txt").symlink_to(secret)
    (project / ".git" / "config").write_text("the secret\n")
    if hasattr(os, "mkfifo"):
        os.mkfifo(project / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        monkeypatch.chdir(project)  # the name of a socket is short
        listening.bind("socket")

        def opened(*_: object, **__: object) -> int:
            raise AssertionError("it was opened")

        source: dict[str, object] = {
            "id": "x",
            "resource": resource,
            "digest": digest_of([b"the secret"]),
        }
        with monkeypatch.context() as patch:
            patch.setattr(os, "open", opened)
            found = states(_root(project), {"sources": [source]})[0]
        assert found.state == "outside"
        assert found.code == "outside-source"
        assert found.trouble().startswith("the source ")
        with pytest.raises(PathRefused):
            anchor(_root(project), resource, None)


@given(
    st.text(max_size=40) | st.lists(st.sampled_from(["..", ".", "", "src", "/", "x"])).map("/".join)
)
def test_no_path_is_found_outside_of_the_ground(
    tmp_path_factory: pytest.TempPathFactory, resource: str
) -> None:
    ground = tmp_path_factory.getbasetemp() / "ground"
    (ground / "src").mkdir(parents=True, exist_ok=True)
    (ground / "src" / "x").write_text("x")
    try:
        where, _ = find(str(ground), resource)
    except Unread:
        return
    assert os.path.realpath(where).startswith(str(ground.resolve()) + os.sep)


def test_size_and_number_are_bounded(project: Path) -> None:
    with open(project / "big.bin", "wb") as file:
        file.truncate(MAX_BYTES + 1)
    for number in range(3):
        with open(project / f"large{number}.txt", "wb") as file:
            file.write(b"text\n")
            file.truncate(MAX_TOTAL // 2 - 10)
    big: dict[str, object] = {"resource": "big.bin", "digest": "0" * 64}
    assert _state(project, big)[0] == "unchecked"
    with pytest.raises(PathRefused, match="larger than 8 MiB"):
        anchor(_root(project), "big.bin", None)
    digest = digest_of([b"text"])
    large: list[object] = [
        {"resource": f"large{number}.txt", "lines": 1, "digest": digest} for number in range(3)
    ]
    found = states(_root(project), {"sources": large})
    assert [each.state for each in found] == ["fresh", "fresh", "unchecked"]
    assert found[2].code == "unchecked-source"
    many = [anchor(_root(project), "src/http.py", (1, 1))] * (MAX_SOURCES + 2)
    found = states(_root(project), {"sources": many})
    assert [each.state for each in found] == ["fresh"] * MAX_SOURCES + ["unchecked"] * 2


def test_looking_for_text_that_moved_ends_soon(project: Path) -> None:
    source = anchor(_root(project), "src/http.py", (1, 30))
    with open(project / "src" / "http.py", "w") as file:
        file.writelines(f"other = {number}\n" for number in range(400_000))
    begin = time.perf_counter()
    assert _state(project, source)[0] == "drifted"
    assert time.perf_counter() - begin < 5.0


def test_sources_of_any_shape_are_read_without_complaint(project: Path) -> None:
    odd: list[object] = [
        "text", 7, None, [], {}, {"resource": 7}, {"resource": "src/http.py"},
        {"resource": "https://example.org/a", "digest": "0" * 64},
        {"resource": "file:///etc/passwd", "digest": "0" * 64},
        {"resource": "src/http.py", "digest": "short"},
        {"resource": "src/http.py", "digest": "0" * 64, "lines": "all"},
        {"resource": "An interview, 2024"},
    ]  # fmt: skip
    found = states(_root(project), {"sources": odd})
    assert [(each.state, each.code) for each in found] == [
        ("unchecked", ""), ("unchecked", ""), ("unchecked", ""),
        ("unchecked", "unchecked-source"), ("unchecked", "unchecked-source"), ("unchecked", ""),
    ]  # fmt: skip
    for value in ("src/http.py", {"resource": "x"}, 7, None):
        assert states(_root(project), {"sources": value}) == []
    assert states(_root(project), {}) == []


# -- at query time ----------------------------------------------------------------------------


def test_the_worst_source_speaks_for_the_entry(project: Path) -> None:
    root = _root(project)
    (project / "src" / "other.py").write_text("x = 1\n")
    good = anchor(root, "src/http.py", (1, 2))
    other = anchor(root, "src/other.py", None)
    web: dict[str, object] = {"id": "w", "resource": "https://example.org"}
    path = _entry(project, good, other, web)
    assert freshness(root, path) == "fresh"
    (project / "src" / "other.py").write_text("x = 2\n")
    assert freshness(root, path) == "drifted"
    (project / "src" / "http.py").unlink()
    evidence = evidence_of(root, path)
    assert evidence is not None
    assert evidence.state == "gone"
    assert evidence.said() == ["source gone: src/http.py:1-2", "source drifted: src/other.py"]
    assert freshness(root, _entry(project, web, path="a/b/web.md")) == ""
    assert freshness(root, "a/b/none.md") == ""


_KEYS = st.sampled_from(["id", "resource", "lines", "digest", "at", "title", "note"])
_VALUES = (
    st.sampled_from(["src/http.py", "10-24", "7", "0" * 64, "2026-05-06T07:08:09Z", "yes", "null"])
    | st.text("ab1 .:#'\"{}[],-&*!|>~", max_size=8)
)  # fmt: skip
_SOURCES = st.lists(st.dictionaries(_KEYS, _VALUES | st.integers(0, 99), max_size=5), max_size=4)


@settings(max_examples=400)
@given(_SOURCES, st.dictionaries(st.sampled_from(["title", "tags", "x"]), _VALUES), st.booleans())
def test_the_quick_way_reads_what_yaml_reads(
    sources: list[dict[str, object]], others: dict[str, object], windows: bool
) -> None:
    text = new_document({**others, "sources": sources, "generated": {"by": "a", "at": "b"}}, "x\n")
    raw = text.replace("\n", "\r\n").encode() if windows else text.encode()
    wanted = anchors_of(find_front(raw.decode()).meta)
    told = [(each.resource, each.lines, each.digest, each.id, each.bad) for each in wanted]
    try:
        quick = _quick(raw.decode())
    except _Unusual:
        quick = anchors_in(raw)
    assert [(each.resource, each.lines, each.digest, each.id, each.bad) for each in quick] == told


_BLOCK = r"""
sources:
sources: []
sources: {
  - {resource: a, lines: 1}
  - resource: a
    lines: "1-2"
    digest: ab
- resource: b
  id: c
title: x
title: "x
y"
text: |
  sources:
tags: [a, b]
tags: [a,
b]
# c
  - {resource: a, id: 'b, c'}
other:
  - a
  - {x: 1
generated: {a: b}
'sources': x
  # c
    - {resource: d}
a: b: c
key: - x
  - {resource: a, resource: b}
  - resource: null
  - {resource: a}  # why
  - {resource: a, lines: [1, 2]}
  - {"resource": a}
  -   resource: a
"""
_BLOCK_LINES = st.lists(st.sampled_from(_BLOCK.split("\n")), max_size=7)


@settings(max_examples=1500)
@given(_BLOCK_LINES)
def test_the_quick_way_leaves_what_is_unusual_to_yaml(lines: list[str]) -> None:
    text = "\n".join(["---", *lines, "---", "body"])
    wanted = [(each.resource, each.lines, each.id) for each in anchors_of(find_front(text).meta)]
    assert [(each.resource, each.lines, each.id) for each in anchors_in(text.encode())] == wanted


def test_what_memtree_writes_is_read_the_quick_way(project: Path) -> None:
    path = _entry(project, anchor(_root(project), "src/http.py", (3, 4), at="2026-05-06T07:08:09Z"))
    asked = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r}); "
        "from memtree.tree.anchors import freshness; "
        f"print(freshness({_root(project)!r}, {path!r})); "
        "print(sorted({'yaml', 're', 'json', 'typing', 'dataclasses'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", asked],
        capture_output=True, check=True, text=True,
    )  # fmt: skip
    assert done.stdout.split("\n")[:2] == ["fresh", "[]"]


# -- git --------------------------------------------------------------------------------------


def _git(project: Path, *args: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *args],
        cwd=project, capture_output=True, check=True, text=True,
    )  # fmt: skip
    return done.stdout


@pytest.fixture
def repository(project: Path) -> Path:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    (project / ".git").rmdir()
    _git(project, "init", "-q", "-b", "main", ".")
    _git(project, "add", "src")
    _git(project, "commit", "-qm", "one")
    return project


def test_another_branch_changes_states_at_once(repository: Path) -> None:
    source = anchor(_root(repository), "src/http.py", (10, 12))
    _git(repository, "checkout", "-qb", "other")
    (repository / "src" / "http.py").write_text(SOURCE.replace("value_11", "eleven"))
    # Not yet committed: the files count, not HEAD.
    assert _state(repository, source)[0] == "drifted"
    _git(repository, "commit", "-qam", "two")
    assert _state(repository, source)[0] == "drifted"
    _git(repository, "checkout", "-q", "main")
    assert _state(repository, source)[0] == "fresh"


def test_line_ends_that_git_converts_are_no_drift(repository: Path) -> None:
    source = anchor(_root(repository), "src/http.py", (10, 12))
    (repository / ".gitattributes").write_text("*.py text eol=crlf\n")
    (repository / "src" / "http.py").unlink()
    _git(repository, "checkout", "--", "src/http.py")
    assert b"\r\n" in (repository / "src" / "http.py").read_bytes()
    assert _state(repository, source) == ("fresh", None)


def test_a_worktree_is_judged_by_its_own_files(repository: Path) -> None:
    path = _entry(repository, anchor(_root(repository), "src/http.py", (10, 12)))
    (repository / "memory" / ".memtree" / "config.toml").write_text("")
    _git(repository, "add", "memory")
    _git(repository, "commit", "-qm", "memory")
    _git(repository, "worktree", "add", "-q", "../beside", "-b", "beside")
    beside = repository.parent / "beside"
    (beside / "src" / "http.py").write_text("other\n")
    assert freshness(_root(repository), path) == "fresh"
    assert freshness(str(beside / "memory"), path) == "drifted"


def test_looking_never_writes(repository: Path) -> None:
    path = _entry(repository, anchor(_root(repository), "src/http.py", (10, 12)))
    (repository / "memory" / ".memtree" / "config.toml").write_text("")
    _git(repository, "add", "-A")
    _git(repository, "commit", "-qm", "all")
    (repository / "src" / "http.py").write_text("other\n")

    def files() -> dict[str, tuple[bytes, int]]:
        return {
            str(file): (file.read_bytes(), file.stat().st_mtime_ns)
            for file in repository.rglob("*")
            if file.is_file()
        }

    before = files()
    for _ in range(100):
        assert freshness(_root(repository), path) == "drifted"
        look(_root(repository), anchors_in((repository / "memory" / path).read_bytes()))
    assert files() == before
    assert _git(repository, "status", "--porcelain").split() == ["M", "src/http.py"]
