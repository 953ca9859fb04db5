"""Models by choice: what a person lives through who changes `embed.model`."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from real_tree import RealTree, command, environment

WEIGHTS = "MEMTREE_MINILM"  # a folder with the published files, for the tests that need them


class Server:
    """A model on this machine that takes its time: words that sound alike are alike to it."""

    def __init__(self) -> None:
        self.seconds = 0.0  # for a text
        self.texts: list[str] = []
        self.url = ""

    def answer(self, texts: list[str]) -> bytes:
        time.sleep(self.seconds * len(texts))
        self.texts += texts
        rows = [{"index": at, "embedding": vector(text)} for at, text in enumerate(texts)]
        return json.dumps({"data": rows}).encode()

    def passages(self) -> list[str]:
        """What was embedded, leaving out what is asked for the length of a vector."""
        return [text for text in self.texts if text != "dimension"]


def vector(text: str) -> list[float]:
    row = [0.01] * 32
    for word in re.findall("[a-z]+", text.lower()):
        row[zlib.crc32(word[:3].encode()) % 32] += 1.0
    return row


@pytest.fixture
def server() -> Iterator[Server]:
    model = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = model.answer(request["input"])
            try:
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                return  # who asked was interrupted

        def log_message(self, *_: object) -> None:
            return

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    model.url = f"http://127.0.0.1:{http.server_port}/v1"
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    yield model
    http.shutdown()
    thread.join()
    http.server_close()


def many(tree: RealTree, count: int) -> None:
    for number in range(count):
        tree.write(
            f"notes/n{number:03}.md", f"The harbour of place {number} has {number} cranes.\n"
        )


def served(tree: RealTree, server: Server) -> None:
    tree.run("config", "set", "embed.endpoint", server.url)
    assert tree.run("config", "set", "embed.model", "endpoint:test").code == 0


def left(tree: RealTree) -> int:
    """How many entries have no vectors, as an answer says it."""
    notes = tree.run("search", "harbour lights", "--json").json["notes"]
    counted = [int(note.split()[0]) for note in notes if "no vectors" in note]
    assert len(counted) <= 1, notes
    return counted[0] if counted else 0


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("minilm:/no/such/folder", b"no folder '/no/such/folder'"),
        ("minilm:.", b"no model.safetensors"),
        ("minlm", b"it can be builtin, none, minilm"),
        ("minilm:", b"it can be builtin, none, minilm"),
        ("gguf:/no/such.gguf", b"/no/such.gguf"),
        ("endpoint:some", b"embed.endpoint"),
    ],
)
def test_a_model_that_cannot_be_used_is_refused_where_it_is_set(
    tree: RealTree, setting: str, says: bytes
) -> None:
    tree.write("a.md", "a harbour\n")
    done = tree.run("config", "set", "embed.model", setting)
    assert done.code in {2, 3}, done
    assert says in done.err
    assert tree.run("config", "get", "embed.model").out.strip() == b"builtin"
    assert tree.found("harbour") == ["a.md"]


def test_a_changed_model_file_is_refused_where_it_is_set(tree: RealTree) -> None:
    for name in ("model.safetensors", "vocab.txt"):
        tree.write(f"../model/{name}", "not what was published")
    done = tree.run("config", "set", "embed.model", "minilm:../model")
    assert done.code == 3
    assert b"SHA-256" in done.err


def test_a_model_that_went_away_leaves_the_words_and_every_answer_says_so(
    tree: RealTree,
) -> None:
    tree.write("a.md", "a harbour\n")
    tree.write(".memtree/config.toml", '[embed]\nmodel = "minilm:/gone"\n')
    for verb in ("search", "query"):
        answer = tree.run(verb, "the harbour lights", "--json").json
        if verb == "search":
            assert [hit["path"] for hit in answer["hits"]] == ["a.md"]
            assert any("/gone" in note for note in answer["notes"]), answer
        told = tree.run("search", "the harbour lights")
        assert b"/gone" in told.out + told.err
    index = tree.run("index")
    assert index.code == 3
    assert b"/gone" in index.out
    doctor = tree.run("doctor", "--json")
    row = next(row for row in doctor.json if row["name"] == "vectors")
    assert not row["ok"]
    assert "/gone" in row["detail"]


def test_wanting_no_model_is_no_trouble(tree: RealTree) -> None:
    tree.write("a.md", "a harbour\n")
    tree.run("config", "set", "embed.model", "none")
    assert tree.run("search", "harbour", "--json").json["notes"] == []
    assert tree.run("index").code == 0
    assert tree.run("doctor").code == 0


def test_a_question_after_the_change_says_what_has_no_vectors_and_mixes_nothing(
    tree: RealTree, server: Server
) -> None:
    many(tree, 40)
    assert left(tree) == 0
    server.seconds = 0.1
    served(tree, server)
    began = time.monotonic()
    missing = left(tree)
    assert 0 < missing < 40
    assert time.monotonic() - began < 10
    # What was made is kept, and each question makes a little more.
    assert left(tree) < missing
    server.seconds = 0.0
    assert tree.run("index").code == 0
    assert left(tree) == 0
    assert len(set(server.passages())) == len([t for t in server.passages() if "cranes" in t]) + 1
    row = next(r for r in tree.run("doctor", "--json").json if r["name"] == "vectors")
    assert row["ok"]
    assert "test" in row["detail"]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT is a console's there")
def test_ctrl_c_ends_an_index_run_and_keeps_what_was_made(tree: RealTree, server: Server) -> None:
    many(tree, 60)
    assert left(tree) == 0
    server.seconds = 0.05
    served(tree, server)
    process = tree.start("index")
    deadline = time.monotonic() + 30
    while len(server.passages()) < 16 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert process.returncode == 130, (out, err)
    assert b"Traceback" not in err
    assert b"kept" in err
    before = len(server.passages())
    assert before < 60
    server.seconds = 0.0
    done = tree.run("index", "--json")
    assert done.code == 0, done
    # At most the lot at work was lost.
    assert 60 - before <= done.json["vectors"]["embedded"] <= 60 - before + 4
    assert left(tree) == 0


def test_a_killed_index_run_goes_on_where_it_was(tree: RealTree, server: Server) -> None:
    many(tree, 60)
    assert left(tree) == 0
    server.seconds = 0.05
    served(tree, server)
    process = tree.start("index")
    deadline = time.monotonic() + 30
    while len(server.passages()) < 16 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    process.communicate(timeout=10)
    server.seconds = 0.0
    assert tree.run("index", "--json").json["vectors"]["embedded"] <= 60 - 12
    assert left(tree) == 0


def test_a_watcher_makes_the_vectors_and_answers_meanwhile(tree: RealTree, server: Server) -> None:
    many(tree, 30)
    assert left(tree) == 0
    server.seconds = 0.05
    served(tree, server)
    process = tree.start("watch", "--json")
    try:
        assert process.stdout is not None
        process.stdout.readline()
        tree.write("notes/new.md", "A brand new lighthouse\n")
        assert tree.found("lighthouse") == ["notes/new.md"]
        deadline = time.monotonic() + 30
        while left(tree) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert left(tree) == 0
    finally:
        process.terminate()
        process.communicate(timeout=10)


def test_progress_is_shown_on_a_terminal(tree: RealTree, server: Server) -> None:
    pty = pytest.importorskip("pty")
    many(tree, 40)
    server.seconds = 0.06
    served(tree, server)
    outer, inner = pty.openpty()
    process = subprocess.Popen(
        [*command(), "index"], cwd=tree.root, env=environment(tree.own | {"TERM": "xterm"}),
        stdin=inner, stdout=subprocess.PIPE, stderr=inner,
    )  # fmt: skip
    process.communicate(timeout=60)
    os.close(inner)
    shown = os.read(outer, 100_000)
    os.close(outer)
    assert process.returncode == 0
    assert re.search(rb"embedding \d+ of 4[01]", shown), shown


@pytest.mark.skipif(WEIGHTS not in os.environ, reason=f"{WEIGHTS} names no folder with MiniLM")
def test_minilm_finds_what_no_word_says_and_then_learns_the_trees_words(tree: RealTree) -> None:
    for number in range(220):
        tree.write(
            f"notes/n{number:03}.md",
            f"# Place {number}\n\nThe harbour number {number} has cranes and ships.\n\n"
            f"## Food\n\nThe canteen of place {number} serves soup and bread.\n",
        )
    tree.write("notes/doctor.md", "The physician treats patients in her surgery.\n")
    folder = Path(os.environ[WEIGHTS]).absolute()
    relative = os.path.relpath(folder, tree.root)
    assert tree.run("config", "set", "embed.model", f"minilm:{relative}").code == 0
    told = tree.run("config", "get", "embed.model").out.decode().strip()
    assert Path(told.removeprefix("minilm:")) == folder
    assert tree.run("index", timeout=300).code == 0
    assert tree.found("medical practitioner")[0] == "notes/doctor.md"
    answered = tree.run("doctor").out
    assert b"all-MiniLM-L6-v2" in answered
    assert b"a table learned from" in answered
