"""Topic 7: what a note, a setting or a cloned tree says is data and does nothing."""

# ruff: noqa: E501  (tables of cases read better on one line each)

from __future__ import annotations

import marshal
import os
import pty
import random
import select
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from real_tree import RealTree, command, environment

EVIL = "\x1b]0;pwned\x07\x1b[31mred\x1b[2J\x9b31m\x1bP1$q\x1b\\\x1b]8;;http://evil\x1b\\x\x1b]52;c;cHduZWQ=\x07\x08\x08\r\x0b\x0c\x7f\x90\u202egpj\u2066x\u2069\u200e\u200f\u061c"
ALLOWED_TERM = {"TERM": "xterm-kitty", "COLUMNS": "100"}


def _on_a_terminal(tree: RealTree, *args: str, env: dict[str, str] | None = None) -> bytes:
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(tree.root)
        os.execve(sys.executable, [*command(), *args], environment(env or ALLOWED_TERM))  # noqa: S606
    out = b""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        ready, _, _ = select.select([fd], [], [], 1)
        if ready:
            try:
                part = os.read(fd, 65536)
            except OSError:
                break
            if not part:
                break
            out += part
    os.waitpid(pid, 0)
    os.close(fd)
    return out


def _evil_sequences(out: bytes) -> list[str]:
    """What a terminal would obey, beside colours and links to files that we made ourselves."""
    import re

    text = out.decode("utf-8", "replace").replace("\r\n", "\n")
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    text = re.sub(r"\x1b\]8;[^\x1b\x07]*\x1b\\", "", text)  # percent-encoded by us
    return [
        hex(ord(c))
        for c in text
        if (ord(c) < 32 and c != "\n") or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u2066\u2069"
    ]


@pytest.fixture
def evil(tree: RealTree) -> RealTree:
    yaml_evil = (
        "".join(f"\\x{ord(c):02x}" if ord(c) < 256 and not c.isprintable() else c for c in EVIL)
        .replace('"', "'")
        .replace("\\x1b\\\\", "\\x1b")
    )
    tree.write(
        "zoo/evil.md",
        f'---\ntitle: "Evil {yaml_evil}"\ndescription: "d {yaml_evil}"\ntags: ["t{yaml_evil}"]\naliases: ["al {yaml_evil}"]\n'
        f'type: "ty {yaml_evil}"\nmaturity: "{yaml_evil}"\nid: "id{yaml_evil}"\ncreated: "{yaml_evil}"\n---\n# H {EVIL}\n\ngiraffe {EVIL} body [[{EVIL}]] [x]({EVIL})\n'.replace(
            "\\\\", "\\\\"
        ),
    )
    tree.write(f"zoo/na{EVIL.replace('/', '')[:60]}me.md", "hippo giraffe\n")
    (tree.root / f"zoo/fo{EVIL.replace('/', '')[:60]}lder").mkdir()
    tree.write(f"zoo/fo{EVIL.replace('/', '')[:60]}lder/x.md", "giraffe zebra\n")
    tree.run(
        "add",
        f"written {EVIL}",
        "--to",
        "zoo/pen",
        "--title",
        f"T {EVIL}",
        "--tag",
        EVIL,
        "--type",
        EVIL,
    )
    tree.run("index")
    return tree


@pytest.mark.parametrize(
    "args",
    [("search", "giraffe"), ("query", "giraffe"), ("search", "giraffe", "--explain"), ("list",), ("tree",), ("show", "zoo/evil.md"), ("links", "zoo/evil.md"), ("check",), ("status",),
     ("log",), ("diff",), ("doctor",), ("search", EVIL.replace("\x00", "")), ("show", EVIL), ("search", "x", "--in", EVIL), ("search", "x", "--tier", EVIL), ("search", "giraffe", "--why-not", EVIL),
     ("search", "giraffe", "--why-not", "zoo/evil.md"), ("undo", EVIL), ("config", "set", EVIL, "x"), ("import", EVIL), ("mv", "zoo/evil.md", EVIL), (EVIL,), ("search", "--" + EVIL), ("index", "--rebuild"), ("export", "--to", EVIL), ("list", "--tree", EVIL)],
    ids=lambda args: " ".join("EVIL" if EVIL[:20] in part else part for part in args),
)  # fmt: skip
def test_no_sequence_of_a_note_reaches_the_terminal(evil: RealTree, args: tuple[str, ...]) -> None:
    out = _on_a_terminal(evil, *args)
    assert out.strip(), "nothing at all was said"
    assert b"Traceback" not in out, out[-1500:]
    assert _evil_sequences(out) == [], out[:1500]


@pytest.mark.parametrize(
    "args",
    [("search", "giraffe"), ("list",), ("check",), ("search", "x", "--in", EVIL), ("show", EVIL)],
    ids=lambda a: a[0],
)
def test_in_a_pipe_no_line_of_a_note_pretends_to_be_another(
    evil: RealTree, args: tuple[str, ...]
) -> None:
    done = evil.run(*args)
    assert b"\x1b" not in done.out + done.err, done


def test_a_newline_in_a_name_makes_one_line_of_a_list(tree: RealTree) -> None:
    tree.write("zoo/one\ntwo.md", "giraffe\n")
    tree.write("zoo/three.md", "giraffe\n")
    assert len(tree.run("list").out.splitlines()) == 2


def test_front_matter_values_given_on_the_command_line_stay_values(tree: RealTree) -> None:
    inject = "x\nid: pwned\n---\nbody"
    done = tree.run(
        "add",
        "the text",
        "--to",
        "a/b",
        "--title",
        inject,
        "--tag",
        inject,
        "--type",
        inject,
        "--json",
    )
    assert done.code == 0, done
    shown = tree.run("show", done.json["path"], "--json").json
    assert shown["id"] == done.json["id"]
    assert "the text" in shown["body"]
    assert not [c for codes in tree.codes().values() for c in codes if "yaml" in c]


def test_words_of_a_query_are_never_options_or_syntax(atlas: RealTree) -> None:
    for question in ("seat AND", "seat OR", "NOT seat", "+seat -holds", "title:seat", "seat^2", "seat~", "/seat/", "[a TO b]", "(", ")", "((((", '"', '""', '"unclosed', "*", "**", "?", "\\", "'", "seat:holds", "{", "}",
                     "' OR 1=1 --", "%", "_", "a" * 10000, " ".join(["word"] * 5000), "\x01", "\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace"), "*" * 500, '"' * 501, "seat* " * 200, "\t\n", "🦒", "．", "─", "://", "--"):  # fmt: skip
        for verb in ("search", "query"):
            done = (
                atlas.run(verb, "--json", question, timeout=20)
                if question[:1] != "-"
                else atlas.run(verb, "--json", "--", question)
            )
            assert done.code in (0, 1, 2), (question, done)


HOSTILE_CONFIG = {
    "nan": "[index]\nwait = nan\n[write]\nwait = nan\n", "inf": "[index]\nwait = inf\n[write]\nwait = inf\n", "huge": "[index]\nwait = 1e300\n[write]\nwait = 1e300\n",
    "negative": "[index]\nwait = -5\n[write]\nwait = -5.5\n", "everything": '[search]\nignore = ["*", "!x", "[", "\\\\", "", "#", "**/", "/"]\n', "bad pattern": '[search]\nignore = ["[z-a]", "!", "/", "a***b", "\\\\"]\n',
    "language": '[search]\nlanguage = "../../etc/passwd"\n', "language nul": '[search]\nlanguage = "a\\u0000b"\n', "types": "[search]\nlanguage = 5\nignore = 7\n[index]\nwait = 'x'\n", "not toml": "]]]=\x00",
    "latin": "[search]\nlanguage = 'é'\n".encode("latin-1").decode("utf-8", "surrogateescape"), "deep list": "a = " + "[" * 3000 + "]" * 3000, "deep keys": ".".join(["a"] * 3000) + " = 1", "deep table": "[" + ".".join(["a"] * 3000) + "]",
    "escape": '"\x1b[31m" = 1\n', "unknown": "[plugins]\nrun = 'rm -rf'\n", "huge int": "[index]\nwait = " + "9" * 400 + "\n", "huger int": "[index]\nwait = " + "9" * 6000 + "\n", "date": "[index]\nwait = 2024-01-01\n",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(HOSTILE_CONFIG))
def test_settings_of_any_kind_cost_a_warning_and_not_the_tree(tree: RealTree, name: str) -> None:
    tree.write("a/n.md", "giraffe\n")
    (tree.root / ".memtree/config.toml").write_bytes(
        HOSTILE_CONFIG[name].encode("utf-8", "surrogateescape")
    )
    for args in (
        ("search", "giraffe", "--json"),
        ("list",),
        ("add", "hippo", "--to", "a/b"),
        ("doctor",),
        ("config", "list"),
        ("index", "--rebuild"),
        ("status", "--json"),
        ("check",),
    ):
        done = tree.run(*args, timeout=25)
        assert done.code in (0, 1), done
    if name != "everything":
        assert tree.run("search", "giraffe", "--json").json["hits"]


@pytest.mark.parametrize("kind", ["folder", "dangling link", "link out", "device"])
def test_a_settings_file_that_is_no_file_costs_a_warning(
    tree: RealTree, kind: str, tmp_path: Path
) -> None:
    tree.write("a/n.md", "giraffe\n")
    file = tree.root / ".memtree/config.toml"
    file.unlink()
    outside = tmp_path / "outside.toml"
    outside.write_text("# mine\n")
    if kind == "folder":
        file.mkdir()
    else:
        file.symlink_to(
            {"dangling link": "nowhere", "link out": str(outside), "device": "/dev/null"}[kind]
        )
    assert tree.run("search", "giraffe", "--json", timeout=25).json["hits"]
    done = tree.run("config", "set", "index.wait", "3")
    assert done.code in (0, 3, 4), done
    assert outside.read_text() == "# mine\n"


def test_a_rule_file_of_a_cloned_tree_can_not_hang_a_search(tree: RealTree) -> None:
    tree.write("a/n.md", "giraffe\n")
    tree.write("a/" + "a" * 200 + ".md", "giraffe\n")
    tree.write(".gitignore", "a*" * 14 + "b\n")
    assert len(tree.run("search", "giraffe", "--json", timeout=20).json["hits"]) == 2


def _listen_tcp() -> tuple[socket.socket, list[bytes]]:
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(8)
    heard: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(1)
                try:
                    heard.append(connection.recv(4096))
                    connection.sendall(b"current\n")
                except OSError:
                    pass

    threading.Thread(target=serve, daemon=True).start()
    return server, heard


def test_a_watch_file_from_a_clone_sends_nothing_to_a_port_of_its_choice(tree: RealTree) -> None:
    tree.write("a/n.md", "giraffe\n")
    tree.run("index")
    server, heard = _listen_tcp()
    (tree.root / ".memtree/state").mkdir(exist_ok=True)
    (tree.root / ".memtree/state/watch").write_text(
        f"tcp:{server.getsockname()[1]}:FLUSHALL\r\nSET x y\r\n"
    )
    tree.run("search", "giraffe", "--json")
    tree.run("doctor")
    server.close()
    assert heard == [], heard


def test_a_watch_file_from_a_clone_can_not_make_answers_stale(
    tree: RealTree, tmp_path: Path
) -> None:
    tree.write("a/n.md", "giraffe\n")
    tree.run("index")
    address = str(tmp_path / "liar")
    server = socket.socket(socket.AF_UNIX)
    server.bind(address)
    server.listen(8)

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.recv(100)
                connection.sendall(b"current\n")

    threading.Thread(target=serve, daemon=True).start()
    (tree.root / ".memtree/state").mkdir(exist_ok=True)
    (tree.root / ".memtree/state/watch").write_text(address)
    tree.write("a/m.md", "hippo\n")
    found = tree.run("search", "hippo", "--json").json
    server.close()
    assert found["hits"], "a socket that anybody named was believed"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00",
        b"/nosuch",
        b"tcp:",
        b"tcp:99999:x",
        b"tcp:-1:x",
        b"tcp:abc:x",
        b"tcp:1",
        b"\xff\xfe",
        b"x" * 5000,
        b"\n\n",
        b"tcp:1:" + b"\xc3\xa9" * 5,
    ],
)
def test_a_watch_file_with_anything_in_it_is_no_watcher(tree: RealTree, content: bytes) -> None:
    tree.write("a/n.md", "giraffe\n")
    (tree.root / ".memtree/state").mkdir(exist_ok=True)
    (tree.root / ".memtree/state/watch").write_bytes(content)
    assert tree.found("giraffe") == ["a/n.md"]
    assert tree.run("doctor").code in (0, 1)


@pytest.mark.parametrize("name", ["cache", "state", "cache/full_text", "state/history", "sidecar"])
def test_machinery_folders_that_are_links_are_never_written_through(
    tree: RealTree, name: str, tmp_path: Path
) -> None:
    outside = tmp_path / "precious"
    (outside / "full_text").mkdir(parents=True)
    (outside / "full_text/keep.txt").write_text("keep")
    (outside / "history").mkdir()
    (outside / "catalog.db").write_text("mine")
    (outside / "lock").write_text("mine")
    tree.write("a/n.md", "giraffe\n")
    place = tree.root / ".memtree" / name
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(outside)
    before = {str(p): p.read_bytes() for p in outside.rglob("*") if p.is_file()}
    for args in (
        ("search", "giraffe", "--json"),
        ("index", "--rebuild"),
        ("add", "x", "--to", "a/b"),
        ("undo",),
    ):
        done = tree.run(*args, timeout=30)
        assert done.code in (0, 1, 3, 4), done
    assert {str(p): p.read_bytes() for p in outside.rglob("*") if p.is_file()} == before


def _db(tree: RealTree) -> sqlite3.Connection:
    return sqlite3.connect(tree.root / ".memtree/cache/catalog.db", isolation_level=None)


BOMBS = {
    "list bomb": b"[\xff\xff\xff\x7f", "truncated": marshal.dumps({"a": [1, 2, 3]})[:-3], "deep": b"[\x01\x00\x00\x00" * 50000 + b"N", "code": marshal.dumps(compile("import os; os.system('touch /tmp/memtree-pwned')", "x", "exec")),
    "empty": b"", "junk": b"\x00\x01\x02junk", "text": marshal.dumps("text"), "none": marshal.dumps(None), "nan": marshal.dumps(float("nan")), "refs": b"r\xff\x00\x00\x00", "string bomb": b"s\xff\xff\xff\x7f", "tuple": marshal.dumps((1, 2)),
}  # fmt: skip


@pytest.mark.parametrize("bomb", sorted(BOMBS))
@pytest.mark.parametrize(
    "fact", ["version", "settings", "config", "snapshot", "entries", "generation", "last_number"]
)
def test_a_cache_made_by_somebody_else_is_rebuilt_or_read_never_obeyed(
    tree: RealTree, fact: str, bomb: str
) -> None:
    tree.write("a/n.md", "giraffe\n")
    tree.run("index")
    with _db(tree) as db:
        db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (fact, BOMBS[bomb]))
    db.close()
    done = tree.run("search", "giraffe", "--json", timeout=25)
    assert [hit["path"] for hit in done.json["hits"]] == ["a/n.md"], done
    tree.write("a/m.md", "hippo\n")
    assert [
        hit["path"] for hit in tree.run("search", "hippo", "--json", timeout=25).json["hits"]
    ] == ["a/m.md"]
    assert not os.path.exists("/tmp/memtree-pwned")


def test_a_snapshot_that_holds_a_bomb_inside_is_rebuilt(tree: RealTree) -> None:
    tree.write("a/n.md", "giraffe\n")
    for inner in (
        b"",
        b"junk",
        marshal.dumps(5),
        marshal.dumps((1, 2, 3, 4)),
        marshal.dumps(({}, [], [], [])),
        marshal.dumps(({"": 5}, [], [], [])),
        marshal.dumps(({"../../etc": {"passwd.md": 1}}, [], [], [(1, 2, 3, 4, 5)])),
    ):
        tree.run("index")
        with _db(tree) as db:
            db.execute(
                "INSERT OR REPLACE INTO meta VALUES ('snapshot', ?)", (marshal.dumps(inner, 4),)
            )
        db.close()
        assert tree.found("giraffe") == ["a/n.md"], inner


def test_rows_of_a_catalog_made_by_somebody_else_never_lead_out_of_the_tree(
    tree: RealTree, tmp_path: Path
) -> None:
    (tmp_path / "private.md").write_text("secret hippo\n")
    tree.write("a/n.md", "giraffe\n")
    tree.run("index")
    time.sleep(0.1)
    tree.run("search", "giraffe")
    with _db(tree) as db:
        db.execute("UPDATE entry SET path = '../private.md', title = 'giraffe'")
        db.execute("UPDATE key SET key = 'private' WHERE kind = 'title'")
    db.close()
    for args in (
        ("show", "../private.md"),
        ("show", "private"),
        ("export", "--to", "jsonl"),
        ("check",),
        ("rm", "private"),
        ("edit", "private"),
        ("links", "private"),
    ):
        done = tree.run(*args, env={"EDITOR": "true"})
        assert b"secret" not in done.out + done.err, done
    assert (tmp_path / "private.md").exists()


@pytest.mark.slow
def test_a_cache_with_broken_bytes_is_mended_by_itself(  # noqa: C901, PLR0912  (every file, every way)
    tree: RealTree,
) -> None:
    for number in range(60):
        tree.write(
            f"a/n{number}.md", f"# Note {number}\n\ngiraffe item{number} [[n{number + 1}]]\n"
        )
    tree.run("index")
    cache = tree.root / ".memtree/cache"
    kept = tree.root.parent / "cache"
    shutil.copytree(cache, kept)
    chance = random.Random(5)
    failures = []
    files = sorted(path.relative_to(kept).as_posix() for path in kept.rglob("*") if path.is_file())
    ways = ["empty", "gone", "half", "junk", "zeros"]
    for name in files:
        for way in ways:
            shutil.rmtree(cache)
            shutil.copytree(kept, cache)
            data = bytearray((kept / name).read_bytes())
            if way == "gone":
                (cache / name).unlink()
            else:
                if way == "empty":
                    data = bytearray()
                elif way == "half":
                    data = data[: len(data) // 2]
                elif way == "zeros":
                    data[len(data) // 3 : 2 * len(data) // 3] = bytes(
                        len(data[len(data) // 3 : 2 * len(data) // 3])
                    )
                else:
                    for _ in range(1 + len(data) // 50):
                        if data:
                            data[chance.randrange(len(data))] = chance.randrange(256)
                (cache / name).write_bytes(bytes(data))
            for args in (
                ("search", "giraffe item7", "--json", "--limit", "100"),
                ("links", "a/n7.md", "--json"),
            ):
                try:
                    done = tree.run(*args, timeout=25)
                except AssertionError as error:
                    lines = [line for line in str(error).split("\\n") if line.strip()]
                    failures.append(
                        (
                            name.split(".")[-1],
                            way,
                            args[0],
                            lines[-2][-150:] if len(lines) > 1 else str(error)[-150:],
                        )
                    )
                    continue
                if args[0] == "search" and len(done.json["hits"]) != 60 and done.code == 0:
                    failures.append(
                        (name.split(".")[-1], way, "silently", str(len(done.json["hits"])))
                    )
    assert not failures, "\n".join(map(str, failures))


def test_a_cache_or_state_that_is_a_file_is_said_in_a_sentence(tree: RealTree) -> None:
    tree.write("a/n.md", "giraffe\n")
    for name in ("cache", "state"):
        place = tree.root / ".memtree" / name
        shutil.rmtree(place, ignore_errors=True)
        place.write_text("a file")
        for args in (
            ("search", "giraffe", "--json"),
            ("add", "x", "--to", "a/b"),
            ("doctor",),
            ("watch",) if name == "state" else ("status",),
        ):
            if args == ("watch",):
                continue
            done = tree.run(*args, timeout=25)
            assert done.code in (0, 1, 3, 4), done
        place.unlink()


def test_git_settings_of_a_cloned_tree_start_nothing(tree: RealTree, tmp_path: Path) -> None:
    def git(*args: str) -> None:
        subprocess.run(
            ["git", "-c", "user.name=n", "-c", "user.email=e@x", *args],
            cwd=tree.root,
            check=True,
            capture_output=True,
        )

    pwn = tmp_path / "pwned"
    tree.write("a/n.md", "giraffe\n")
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "x")
    for key, value in {"core.pager": f"touch {pwn}", "diff.external": f"touch {pwn}", "core.fsmonitor": f"touch {pwn}", "diff.x.textconv": f"touch {pwn};cat", "filter.x.clean": f"touch {pwn};cat", "filter.x.smudge": f"touch {pwn};cat",
                       "core.sshCommand": f"touch {pwn}", "core.editor": f"touch {pwn}", "gpg.program": f"touch {pwn}", "log.showSignature": "true", "core.hooksPath": str(tmp_path)}.items():  # fmt: skip
        git("config", key, value)
    tree.write(".gitattributes", "*.md diff=x filter=x\n")
    tree.write("a/n.md", "giraffe changed\n")
    for args in (
        ("diff", "--rev", "HEAD"),
        ("restore", "a/n.md", "--rev", "HEAD"),
        ("status",),
        ("doctor",),
        ("log",),
        ("search", "giraffe"),
        ("check",),
    ):
        tree.run(*args)
    assert not pwn.exists()
