from __future__ import annotations

import io
import json
import os
import subprocess
import threading
import zipfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtree.errors import UsageError
from memtree.knowledge.source import Opened, Passage, Source
from memtree.sources import REMARKS, open_sources, parts
from memtree.sources.gitlog import git_time

if TYPE_CHECKING:
    from pathlib import Path

    from memtree.knowledge.problem import Problem


def read(
    *arguments: str, stdin: bytes = b"", kind: str = "auto"
) -> tuple[list[tuple[Source, list[Passage]]], list[Problem]]:
    sources = []
    problems = []
    for item in open_sources(arguments, stdin=io.BytesIO(stdin), kind=kind):
        if isinstance(item, Opened):
            sources.append((item.source, list(item.passages)))
        else:
            problems.append(item)
    return sources, problems


def one(stdin: bytes, *, kind: str = "auto") -> tuple[Source, list[Passage]]:
    sources, problems = read("-", stdin=stdin, kind=kind)
    assert [p for p in problems if p.code not in REMARKS] == []
    (found,) = sources
    return found


def test_an_argument_with_spaces_is_text() -> None:
    sources, problems = read("We use Redis.", "hello", "\u6211\u559c\u6b22\u8336", "see docs/a.md")
    assert [source.name for source, _ in sources] == ["text", "text-2", "text-3", "text-4"]
    assert sources[0][1][0].text == "We use Redis."
    assert problems == []


@pytest.mark.parametrize("word", ["notes.md", "a/b", "~nobody-here/x", "https://example.org/x"])
def test_what_looks_like_a_path_and_is_not_there_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match=r"nothing at|fetches nothing"):
        open_sources([word], stdin=io.BytesIO())


def test_a_near_name_is_suggested(tmp_path: Path) -> None:
    (tmp_path / "meeting.md").write_text("Text.")
    with pytest.raises(UsageError) as caught:
        open_sources([str(tmp_path / "meting.md")], stdin=io.BytesIO())
    assert "meeting.md" in caught.value.hint


def test_wrong_arguments_are_refused_before_anything_is_read() -> None:
    for arguments, kind in ([], "auto"), (["-", "-"], "auto"), (["a b"], "nope"), ([" "], "auto"):
        with pytest.raises(UsageError):
            open_sources(arguments, stdin=io.BytesIO(), kind=kind)


def test_a_folder_is_read_in_order_without_what_is_hidden_ignored_or_no_text(
    tmp_path: Path,
) -> None:
    for name, text in {
        "b.md": "B.", "a/z.txt": "Z.", "a/.hidden.md": "H.", ".git/x.md": "G.", "skip/s.md": "S.",
        "c.png": "P.", "README": "R.", "bin.txt": "\0\1\0\0\2", ".gitignore": "skip/\n",
        "other/.memtree/config.toml": "", "other/known.md": "K.",
    }.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    sources, problems = read(str(tmp_path))
    assert [os.path.relpath(source.name, tmp_path) for source, _ in sources] == [
        "README", "b.md", "a/z.txt",
    ]  # fmt: skip
    assert all(os.path.isabs(source.path) for source, _ in sources)
    assert sorted(p.code for p in problems) == ["binary", "left-out", "left-out"]


def test_a_source_tells_its_title_and_date(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("---\ntitle: Retries\ndate: 2024-03-05\n---\n# Other\n\nText.\n")
    named = tmp_path / "2023-05-08 standup.md"
    named.write_text("# Standup\n\nText.\n")
    sources, _ = read(str(path), str(named))
    assert [(s.title, s.time, s.kind) for s, _ in sources] == [
        ("Retries", "2024-03-05", "markdown"),
        ("Standup", "2023-05-08", "markdown"),
    ]


def test_bytes_that_are_no_utf8_are_read_and_told() -> None:
    sources, problems = read("-", stdin=b"\xef\xbb\xbfGood \xff day.\r\nMore.\r\n")
    assert sources[0][1][0].text == "Good \ufffd day.\nMore."
    assert [p.code for p in problems] == ["bad-utf8"]
    assert {p.code for p in problems} <= REMARKS


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_told_and_not_read(encoding: str) -> None:
    sources, problems = read("-", stdin="Some text in two bytes each.\n".encode(encoding))
    assert sources == []
    assert [p.code for p in problems] == ["encoding"]


def test_a_named_pipe_is_read_like_standard_input(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=("We use Redis.\n",))
    writer.start()
    sources, _ = read(str(path))
    writer.join()
    assert sources[0][1][0].text == "We use Redis."
    assert sources[0][0].path == ""


def test_git_log_gives_messages_with_author_and_date(tmp_path: Path) -> None:
    def git(*words: str) -> bytes:
        who = ["-c", "user.name=Ann Lee", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
        return subprocess.run(
            ["git", *who, *words],
            cwd=tmp_path, check=True, capture_output=True,
            env={**os.environ, "GIT_AUTHOR_DATE": "2023-05-08T13:56:00+02:00",
                 "GIT_CONFIG_GLOBAL": os.devnull, "GIT_PAGER": "cat"},
        ).stdout  # fmt: skip

    git("init", "-q")
    (tmp_path / "a.txt").write_text("commit 1234567 is only text\n\nAuthor: nobody\n")
    git("add", ".")
    git("commit", "-qm", "Use Redis\n\nBecause it is fast.\n\nSigned-off-by: Ann <a@b.c>")
    (tmp_path / "a.txt").write_text("other\n")
    git("commit", "-qam", "Change a")
    sha = git("rev-parse", "HEAD").decode().strip()
    for options in (
        [], ["-p"], ["--stat"], ["--graph"], ["--graph", "-p"], ["--format=fuller"],
        ["--date=iso"], ["--date=iso-strict"], ["--date=rfc"],
    ):  # fmt: skip
        log = git("log", *options)
        source, passages = one(log)
        assert source.kind == "log"
        assert [(p.text, p.speaker, p.kind) for p in passages] == [
            ("Change a", "Ann Lee", "commit"),
            ("Use Redis\n\nBecause it is fast.", "Ann Lee", "commit"),
        ], options
        assert {p.time for p in passages} == {"2023-05-08T13:56:00+02:00"}, options
        assert passages[0].key == sha
        lines = log.decode().split("\n")
        assert "Because it is fast." in lines[passages[1].lines[1] - 1]
    assert [p.text for p in one(git("log", "--oneline"))[1]] == ["Change a", "Use Redis"]


def test_dates_of_git_are_iso() -> None:
    assert git_time("Mon May 8 13:56:00 2023 +0200") == "2023-05-08T13:56:00+02:00"
    assert git_time("Mon, 8 May 2023 13:56:00 +0200") == "2023-05-08T13:56:00+02:00"
    assert git_time("2023-05-08 13:56:00 +0200") == "2023-05-08T13:56:00+02:00"
    assert git_time("2 weeks ago") == ""


def jsonl(*rows: object) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def test_lines_of_json_are_messages_with_all_that_they_say() -> None:
    source, passages = one(
        jsonl(
            {"text": "Hi", "speaker": "Ann", "time": "2023-05-08T13:56", "session": 3, "id": "x1"},
            {"text": "Yo", "speaker": "Bob", "date": "2023-05-08", "session": 3, "turn": 7},
            {"text": "A note.", "title": "Title"},
        )
    )
    assert source.kind == "transcript"
    assert passages == [
        Passage(text="Hi", lines=(1, 1), kind="message", speaker="Ann", time="2023-05-08T13:56",
                session="3", turn=1, key="x1"),
        Passage(text="Yo", lines=(2, 2), kind="message", speaker="Bob", time="2023-05-08",
                session="3", turn=7),
        Passage(text="A note.", lines=(3, 3), heading="Title"),
    ]  # fmt: skip


def test_lines_with_roles_are_messages() -> None:
    _, passages = one(
        jsonl(
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": [{"type": "text", "text": "Yo"}, {"type": "image"}]},
            {
                "messages": [
                    {"role": "user", "content": "One"},
                    {"role": "assistant", "content": "2"},
                ]
            },
        )
    )
    assert [(p.speaker, p.text, p.turn) for p in passages] == [
        ("user", "Hi", 1), ("assistant", "Yo", 2), ("user", "One", 1), ("assistant", "2", 2),
    ]  # fmt: skip


def test_of_an_agents_session_only_what_was_said_is_read() -> None:
    base = {"sessionId": "s1", "timestamp": "2025-01-02T03:04:05.678Z"}
    rows = [
        {"type": "summary", "summary": "About caches", "leafUuid": "u"},
        {**base, "type": "user", "uuid": "u1", "message": {"role": "user", "content": "Use Redis"}},
        {**base, "type": "user", "isMeta": True, "message": {"role": "user", "content": "meta"}},
        {**base, "type": "user", "message": {"role": "user", "content": "<command-name>/x"}},
        {**base, "type": "assistant", "uuid": "u2", "message": {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Done."},
            {"type": "tool_use", "name": "Bash", "input": {"command": "ls"}}]}},
        {**base, "type": "user", "message": {"role": "user", "content": [
            {"type": "tool_result", "content": "secret output"}]}},
        {**base, "type": "assistant", "isSidechain": True,
         "message": {"role": "assistant", "content": "aside"}},
        {"timestamp": "2025-01-02T03:04:05Z", "type": "response_item", "payload": {
            "type": "message", "role": "user",
            "content": [{"type": "input_text", "text": "Codex"}]}},
    ]  # fmt: skip
    sources, problems = read("-", stdin=jsonl(*rows))
    found = [(p.speaker, p.text, p.session, p.key, p.time) for p in sources[0][1]]
    assert found == [
        ("user", "Use Redis", "s1", "u1", "2025-01-02T03:04:05.678Z"),
        ("assistant", "Done.", "s1", "u2", "2025-01-02T03:04:05.678Z"),
        ("user", "Codex", "", "", "2025-01-02T03:04:05Z"),
    ]
    assert {p.code for p in problems} == {"left-out"}


def test_bad_lines_are_told_and_the_rest_is_read() -> None:
    sources, problems = read(
        "-", stdin=b'{"text": "a"}\nno json\n[1]\n{"text": ""}\n{"text": "b"}\n', kind="jsonl"
    )
    assert [p.text for p in sources[0][1]] == ["a", "b"]
    assert sorted((p.code, p.line) for p in problems) == [("bad-json", 2), ("no-text", 4)]


def chatgpt(title: str = "Trip", identity: str = "c1") -> dict[str, object]:
    def node(name: str, parent: str | None, children: list[str], message: object) -> object:
        return {"id": name, "parent": parent, "children": children, "message": message}

    def message(role: str, *said: object, **more: object) -> dict[str, object]:
        return {
            "id": f"m-{said[:1]}", "author": {"role": role}, "create_time": 1683554160.5,
            "content": {"content_type": "text", "parts": list(said)}, **more,
        }  # fmt: skip

    hidden = message("user", "hidden", metadata={"is_visually_hidden_from_conversation": True})
    call = message("assistant", "tool", recipient="browser")
    photo = message("user", {"content_type": "image_asset_pointer"})
    photo["content"] = {"content_type": "multimodal_text", "parts": [{"asset_pointer": "x"}]}
    return {
        "id": identity, "title": title, "create_time": 1683554160, "current_node": "g",
        "mapping": {
            "root": node("root", None, ["a"], None),
            "a": node("a", "root", ["b"], message("system", "be brief")),
            "b": node("b", "a", ["c", "other"], message("user", "Where\nto?", create_time=None)),
            "other": node("other", "b", [], message("assistant", "not chosen")),
            "c": node("c", "b", ["d"], hidden),
            "d": node("d", "c", ["e"], call),
            "e": node("e", "d", ["f"], message("tool", "result")),
            "f": node("f", "e", ["g"], photo),
            "g": node("g", "f", [], message("assistant", "To Rome \ue200c\ue202x\ue201.", {})),
        },
    }  # fmt: skip


def claude(title: str = "Plans", identity: str = "k1") -> dict[str, object]:
    return {
        "uuid": identity, "name": title, "created_at": "2024-01-02T03:04:05Z",
        "chat_messages": [
            {"uuid": "x", "sender": "human", "text": "Hi", "created_at": "2024-01-02T03:04:06Z"},
            {"uuid": "y", "sender": "assistant", "text": "",
             "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Yo"},
                         {"type": "tool_use", "input": {}}], "created_at": None},
        ],
    }  # fmt: skip


def test_of_a_chatgpt_conversation_the_chosen_branch_is_read() -> None:
    sources, problems = read("-", stdin=json.dumps([chatgpt()], indent=1).encode())
    ((source, passages),) = sources
    assert (source.name, source.title, source.time) == ("-#c1", "Trip", "2023-05-08T13:56:00Z")
    assert [(p.speaker, p.text, p.time, p.turn, p.lines, p.session) for p in passages] == [
        ("user", "Where\nto?", "", 1, (1, 1), "c1"),
        ("assistant", "To Rome .", "2023-05-08T13:56:00Z", 2, (2, 2), "c1"),
    ]
    assert [p.message for p in problems] == ["messages without words (images, files): 1"]


def test_a_claude_export_is_read_also_from_its_archive(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data/conversations.json", json.dumps([claude(), claude("B", "k2")]))
        archive.writestr("users.json", "[]")
    sources, problems = read(str(path))
    assert [source.name for source, _ in sources] == [
        f"{path}/data/conversations.json#k1", f"{path}/data/conversations.json#k2",
    ]  # fmt: skip
    assert [(p.speaker, p.text, p.time) for p in sources[0][1]] == [
        ("user", "Hi", "2024-01-02T03:04:06Z"), ("assistant", "Yo", ""),
    ]  # fmt: skip
    assert problems == []


def test_an_array_of_messages_is_one_source() -> None:
    data = json.dumps([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yo"}])
    _, passages = one(data.encode())
    assert [(p.speaker, p.text) for p in passages] == [("user", "Hi"), ("assistant", "Yo")]


@pytest.mark.parametrize("data", [b"{}", b"[]", b'{"a": 1}', b"[1, 2]", b'[{"mapping": 3}]', b"[{"])
def test_json_without_a_conversation_is_told(data: bytes) -> None:
    sources, problems = read("-", stdin=data, kind="chatgpt")
    assert sources == []
    assert {p.code for p in problems} <= {"not-understood", "bad-json"}
    assert problems


def test_a_damaged_export_gives_what_stands_before_the_damage(tmp_path: Path) -> None:
    data = json.dumps([chatgpt(identity="c1"), chatgpt(identity="c2")]).encode()
    sources, problems = read("-", stdin=data[:-40])
    assert [source.name for source, _ in sources] == ["-#c1"]
    assert "bad-json" in [p.code for p in problems]
    path = tmp_path / "x.zip"
    path.write_bytes(b"PK\x03\x04 and nothing more")
    assert [p.code for p in read(str(path))[1]] == ["unreadable"]


ANY_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(
                [
                    "mapping",
                    "chat_messages",
                    "message",
                    "content",
                    "parts",
                    "author",
                    "role",
                    "text",
                    "parent",
                    "children",
                    "current_node",
                    "messages",
                    "sender",
                    "time",
                    "id",
                    "a",
                ]
            ),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=25,
)


@given(ANY_JSON, st.sampled_from(["auto", "jsonl", "chatgpt", "claude"]))
def test_no_json_makes_a_reader_raise(value: object, kind: str) -> None:
    for data in (json.dumps(value), json.dumps([value, value])):
        for source, passages in read("-", stdin=data.encode(), kind=kind)[0]:
            assert all(passage.text.strip() for passage in passages)
            assert source.name.startswith("-")


@given(
    st.binary(max_size=300),
    st.sampled_from(["auto", "text", "markdown", "transcript", "log", "jsonl", "claude"]),
)
def test_no_bytes_make_a_reader_raise(data: bytes, kind: str) -> None:
    for _, passages in read("-", stdin=data, kind=kind)[0]:
        for passage in passages:
            passage.text.encode()  # no halves of surrogate pairs
            assert "\0" not in passage.text
            assert 1 <= passage.lines[0] <= passage.lines[1]


@given(
    st.lists(
        st.builds(
            Passage,
            text=st.text(min_size=1, max_size=30),
            lines=st.just((1, 1)),
            session=st.sampled_from("abc"),
            heading=st.sampled_from("xy"),
        ),
        max_size=20,
    ),
    st.integers(min_value=1, max_value=80),
)
def test_parts_hold_every_passage_once_and_stay_within_bounds(
    passages: list[Passage], letters: int
) -> None:
    found = list(parts(Opened(source=Source(name="-"), passages=iter(passages)), letters=letters))
    assert [p for part in found for p in part.passages] == passages
    assert [part.number for part in found] == list(range(1, len(found) + 1))
    assert [part.last for part in found] == [False] * (len(found) - 1) + [True] * bool(found)
    assert all(part.letters() <= letters or len(part.passages) == 1 for part in found)
    assert len({part.digest for part in found}) == len(
        {tuple((p.text) for p in x.passages) for x in found}
    )


def test_a_session_that_fits_is_not_divided() -> None:
    said = [Passage(text="x" * 10, lines=(n, n), session=str(n // 4)) for n in range(12)]
    found = list(parts(Opened(source=Source(name="-"), passages=iter(said)), letters=50))
    assert [[p.session for p in part.passages] for part in found] == [
        ["0"] * 4,
        ["1"] * 4,
        ["2"] * 4,
    ]


def test_a_row_that_holds_a_whole_conversation_is_read_as_one() -> None:
    text = "Ann: Hi!\nLiHua: Hello.\n\nHow are you?\nAnn: Fine."
    _, passages = one(jsonl({"id": "d1", "time": "2026-04-08", "text": text}))
    assert [(p.speaker, p.text, p.time, p.session, p.turn, p.lines) for p in passages] == [
        ("Ann", "Hi!", "2026-04-08", "d1", 1, (1, 1)),
        ("LiHua", "Hello.\n\nHow are you?", "2026-04-08", "d1", 2, (1, 1)),
        ("Ann", "Fine.", "2026-04-08", "d1", 3, (1, 1)),
    ]


def test_a_first_line_longer_than_the_look_is_still_a_line() -> None:
    rows = [{"text": "long " * 20_000, "speaker": "Ann"}, {"text": "short", "speaker": "Bob"}]
    assert one(jsonl(*rows))[1][-1].text == "short"
    big = claude("A", "k9")
    _, passages = one(jsonl({**big, "summary": "x" * 90_000}, claude("B", "k8")))
    assert [(p.session, p.text) for p in passages] == [
        ("k9", "Hi"), ("k9", "Yo"), ("k8", "Hi"), ("k8", "Yo"),
    ]  # fmt: skip


def test_a_file_whose_name_is_no_text_is_read_and_can_be_written_about(tmp_path: Path) -> None:
    with open(os.path.join(os.fsencode(tmp_path), b"b\xffd.md"), "wb") as file:
        file.write(b"Text.\n\xff\n")
    ((source, passages),), problems = read(str(tmp_path))
    assert source.name.endswith("b\\udcffd.md")
    assert source.path == ""
    assert len(passages) == 1
    assert all(p.path.encode() for p in problems)


def test_an_empty_folder_has_no_sources_and_a_device_is_none(tmp_path: Path) -> None:
    assert read(str(tmp_path)) == ([], [])
    assert [p.code for p in read("/dev/null")[1]] == ["not-a-file"]
