"""The net against a real server on this machine that behaves in all the ways that servers do."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtree.errors import Locked, ModelUnavailable, StorageFailed, Unavailable
from memtree.net import LONGEST_ANSWER, Poster, Rejected, download, wire

FILE = b"".join(hashlib.sha256(str(at).encode()).digest() for at in range(30_000))
DIGEST = hashlib.sha256(FILE).hexdigest()
SIZE = len(FILE)


class Server:
    """A real server: `plan` holds what it does next, then it is an honest one.

    It serves `file`, from anywhere in it, and answers every question with `{}`.
    """

    def __init__(self) -> None:
        self.url = ""
        self.file = FILE
        self.etag = '"one"'
        self.plan: list[Callable[[BaseHTTPRequestHandler], None]] = []
        self.seen: list[tuple[str, str, dict[str, str]]] = []

    def act(self, handler: BaseHTTPRequestHandler) -> None:
        handler.rfile.read(int(handler.headers.get("Content-Length", "0")))
        self.seen.append((handler.command, handler.path, dict(handler.headers)))
        if self.plan:
            self.plan.pop(0)(handler)
        elif handler.command == "POST":
            say(200, b"{}")(handler)
        else:
            self.serve(handler)

    def serve(self, handler: BaseHTTPRequestHandler, *, end: int | None = None) -> None:
        """The file, or what a Range asks of it; hangs up before the byte `end`."""
        asked = handler.headers.get("Range", "")
        begin = int(asked.removeprefix("bytes=").partition("-")[0]) if asked else 0
        if handler.headers.get("If-Range", self.etag) != self.etag:
            begin = 0
        if begin >= len(self.file):
            say(416, b"", {"Content-Range": f"bytes */{len(self.file)}"})(handler)
            return
        handler.send_response(206 if begin else 200)
        if begin:
            span = f"bytes {begin}-{len(self.file) - 1}/{len(self.file)}"
            handler.send_header("Content-Range", span)
        if self.etag:
            handler.send_header("ETag", self.etag)
        handler.send_header("Content-Length", str(len(self.file) - begin))
        handler.end_headers()
        handler.wfile.write(self.file[begin:end])

    def cut(self, end: int) -> Callable[[BaseHTTPRequestHandler], None]:
        return lambda handler: self.serve(handler, end=end)

    def starts(self) -> list[str]:
        """From where each request wanted the file."""
        return [headers.get("Range", "") for _, _, headers in self.seen]


def say(
    status: int, body: bytes = b"", headers: dict[str, str] | None = None
) -> Callable[[BaseHTTPRequestHandler], None]:
    def act(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return act


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            server.act(self)

        def do_GET(self) -> None:
            server.act(self)

        def log_message(self, *_: object) -> None:
            return

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Whoever asked may have left."""

    with Quiet(("127.0.0.1", 0), Handler) as http:
        server.url = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


def poster(server: Server, **more: Any) -> Poster:
    more.setdefault("pause", lambda _: None)
    return Poster(server.url, "/chat", what="model endpoint", room="llm", **more)


def load(server: Server, to: Path, **more: Any) -> str:
    more.setdefault("pause", lambda _: None)
    return download(f"{server.url}/model.gguf?signature=s3cret", str(to), **more)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# Questions


def test_a_question_goes_to_the_whole_address_as_json(server: Server) -> None:
    assert poster(server).post({"a": "ä\ud83d"}, attempts=1) == b"{}"
    method, path, headers = server.seen[0]
    assert (method, path) == ("POST", "/v1/chat")
    assert headers["Content-Type"] == "application/json"
    assert "Authorization" not in headers


def test_what_passes_is_asked_again_and_the_wait_is_bounded(server: Server) -> None:
    pauses: list[float] = []
    server.plan = [say(500), say(429, b"", {"Retry-After": "9" * 400}), say(408)]
    assert poster(server, pause=pauses.append).post({}, attempts=4) == b"{}"
    assert pauses == [1.0, wire.LONGEST_PAUSE, 4.0]


def test_a_refusal_holds_its_status_and_names_the_settings(server: Server) -> None:
    server.plan = [say(422, b'{"error": "no such\\u001b[2J parameter"}'), say(401), say(307)]
    with pytest.raises(Rejected, match=r"the model endpoint .* refuses: 422 no such") as caught:
        poster(server).post({}, attempts=4)
    assert (caught.value.status, caught.value.exit_code) == (422, 3)
    assert "\x1b" not in caught.value.message
    assert "llm.model" in caught.value.hint
    with pytest.raises(Rejected) as caught:
        poster(server).post({}, attempts=4)
    assert "llm.key_env" in caught.value.hint
    with pytest.raises(Rejected) as caught:
        poster(server).post({}, attempts=4)
    assert "redirect" in caught.value.hint
    assert len(server.seen) == 3


def test_a_key_that_a_server_repeats_is_not_shown(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", " s3cret-value\n")
    server.plan = [say(401, b"wrong key: s3cret-value, go away"), say(503, b"s3cret-value")]
    asking = poster(server, key_env="MY_KEY")
    with pytest.raises(ModelUnavailable, match="wrong key") as caught:
        asking.post({}, attempts=1)
    assert server.seen[0][2]["Authorization"] == "Bearer s3cret-value"
    assert "s3cret" not in caught.value.message + caught.value.hint
    with pytest.raises(ModelUnavailable, match="503") as caught:
        asking.post({}, attempts=1)
    assert "s3cret" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("key", ["", "  ", "s3cret\nHost: other", "s3crét", "s3cret\x7f"])
def test_what_is_no_key_is_told_without_it(
    server: Server, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("MY_KEY", key)
    with pytest.raises(ModelUnavailable, match="MY_KEY") as caught:
        poster(server, key_env="MY_KEY")
    assert "s3cr" not in caught.value.message + caught.value.hint


def test_an_error_without_end_is_shown_by_its_beginning(server: Server) -> None:
    server.plan = [say(400, b"word " * 100_000)]
    with pytest.raises(Rejected) as caught:
        poster(server).post({}, attempts=1)
    assert len(caught.value.words) < 250


def test_an_answer_without_end_is_left(server: Server) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:  # until the other side has gone
            handler.wfile.write(b" " * (1 << 20))

    server.plan = [endless]
    with pytest.raises(ModelUnavailable, match="without end"):
        poster(server).post({}, attempts=2)
    assert len(server.seen) == 1
    assert LONGEST_ANSWER == 64 << 20


def test_an_answer_that_is_cut_is_asked_for_again(server: Server) -> None:
    def cut(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b'{"a":')

    server.plan = [cut]
    assert poster(server).post({}, attempts=2) == b"{}"
    server.plan = [cut]
    with pytest.raises(ModelUnavailable, match="broke off after 5 of 100 bytes"):
        poster(server).post({}, attempts=1)


def test_a_server_that_drips_or_hangs_is_left_in_time(server: Server) -> None:
    gone = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not gone.wait(0.02):
            handler.wfile.write(b" ")

    def hang(_: BaseHTTPRequestHandler) -> None:
        gone.wait(20)

    server.plan = [drip, hang]
    begin = time.monotonic()
    try:
        for _ in range(2):
            with pytest.raises(ModelUnavailable, match="timed out"):
                poster(server, timeout=0.2).post({}, attempts=4, again_if_slow=False)
    finally:
        gone.set()
    assert time.monotonic() - begin < 10
    assert len(server.seen) == 2


def test_a_proxy_is_used_but_for_this_machine(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY", "HTTP_PROXY", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
    with serving() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        poster(server).post({}, attempts=1)
        assert proxy.seen == []
        away = Poster("http://elsewhere.invalid/v1", "/chat", what="model endpoint", room="llm")
        assert away.post({}, attempts=1) == b"{}"
        assert proxy.seen[0][1] == "http://elsewhere.invalid/v1/chat"


def test_what_speaks_no_http_is_told_in_one_short_line() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(100_000)
                connection.sendall(b"SSH-2.0-\x1b[31m" + b"x" * 50_000 + b"\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        asking = Poster(
            f"http://127.0.0.1:{listening.getsockname()[1]}", "/chat", what="model", room="llm"
        )
        with pytest.raises(ModelUnavailable, match="does not answer") as caught:
            asking.post({}, attempts=1)
        thread.join()
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 400


@pytest.mark.parametrize(
    "url",
    [
        "http://host/a b?key=s3cret", "http://host/\n?key=s3cret", "http://hö st/?key=s3cret",
        "http://host/ä?key=s3cret", "http://a..b/?key=s3cret", "http://[::1/?key=s3cret",
        "file:///etc/passwd?key=s3cret", "http://host:99999/?key=s3cret",
    ],
)  # fmt: skip
def test_an_address_that_cannot_be_asked_is_told_without_its_query(url: str) -> None:
    with pytest.raises(ModelUnavailable, match="no address of the model endpoint") as caught:
        Poster(url, "/chat", what="model endpoint", room="llm")
    assert "s3cret" not in caught.value.message + caught.value.hint
    with pytest.raises(Unavailable, match="no address") as other:
        download(url, "/nowhere/file")
    assert "s3cret" not in other.value.message + other.value.hint


@given(st.text() | st.text("htps:/@[]?#.%\\ \t1a", max_size=20).map("http://{}".format))
def test_any_text_is_an_address_or_told_in_words(url: str) -> None:
    with suppress(ModelUnavailable):
        asked = Poster(url, "/chat", what="model endpoint", room="llm")
        assert "@" not in asked.host
        assert asked.shown.isprintable()
        assert asked.url.partition("?")[0].endswith("/chat")


# Files


def test_a_file_comes_whole_with_its_digest_and_progress(server: Server, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    to = tmp_path / "new" / "model.gguf"
    digest = load(
        server, to, sha256=DIGEST.upper(), size=SIZE, progress=lambda *at: told.append(at)
    )
    assert digest == DIGEST
    assert to.read_bytes() == FILE
    assert names(to.parent) == ["model.gguf"]
    assert told[0] == (0, SIZE)
    assert told[-1] == (SIZE, SIZE)
    assert told == sorted(told)


def test_without_size_and_digest_the_digest_is_told(server: Server, tmp_path: Path) -> None:
    assert load(server, tmp_path / "m") == DIGEST
    assert "Range" not in server.seen[0][2]


def test_a_file_of_no_length_is_loaded_to_its_end(server: Server, tmp_path: Path) -> None:
    def chunked(handler: BaseHTTPRequestHandler) -> None:
        handler.protocol_version = "HTTP/1.1"
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.send_header("Connection", "close")
        handler.end_headers()
        for at in range(0, SIZE, 7000):
            block = FILE[at : at + 7000]
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(block), block))
        handler.wfile.write(b"0\r\n\r\n")

    server.plan = [chunked]
    assert load(server, tmp_path / "m") == DIGEST


def test_a_cut_connection_is_taken_up_where_it_broke(server: Server, tmp_path: Path) -> None:
    pauses: list[float] = []
    server.plan = [server.cut(400_000), server.cut(700_000), say(503)]
    to = tmp_path / "m"
    assert load(server, to, sha256=DIGEST, size=SIZE, pause=pauses.append) == DIGEST
    assert to.read_bytes() == FILE
    assert server.starts() == ["", "bytes=400000-", "bytes=700000-", "bytes=700000-"]
    assert server.seen[1][2]["If-Range"] == '"one"'
    assert pauses == [1.0, 1.0, 2.0]


def test_a_connection_that_stays_broken_keeps_what_came(server: Server, tmp_path: Path) -> None:
    server.plan = [server.cut(400_000), *[say(500, b"oh")] * 3]
    to = tmp_path / "m"
    with pytest.raises(Unavailable, match="500 oh") as caught:
        load(server, to, sha256=DIGEST, size=SIZE)
    assert f"400000 of {SIZE} bytes are kept" in caught.value.hint
    assert "s3cret" not in caught.value.message + caught.value.hint
    assert names(tmp_path) == ["m.note", "m.part"]
    assert "s3cret" not in (tmp_path / "m.note").read_text()
    assert load(server, to, sha256=DIGEST, size=SIZE) == DIGEST
    assert server.starts()[-1] == "bytes=400000-"
    assert to.read_bytes() == FILE
    assert names(tmp_path) == ["m"]


def test_an_interrupt_keeps_what_came(server: Server, tmp_path: Path) -> None:
    def stop(have: int, _total: int) -> None:
        if have:
            raise KeyboardInterrupt

    to = tmp_path / "m"
    with pytest.raises(KeyboardInterrupt):
        load(server, to, progress=stop)
    kept = (tmp_path / "m.part").stat().st_size
    assert 0 < kept < SIZE
    assert load(server, to) == DIGEST
    assert server.starts() == ["", f"bytes={kept}-"]


def test_a_file_that_changed_meanwhile_is_loaded_anew(server: Server, tmp_path: Path) -> None:
    server.plan = [server.cut(400_000), *[say(500)] * 3]
    with pytest.raises(Unavailable):
        load(server, tmp_path / "m")
    server.file, server.etag = FILE[::-1], '"two"'
    assert load(server, tmp_path / "m") == hashlib.sha256(FILE[::-1]).hexdigest()
    assert (tmp_path / "m").read_bytes() == FILE[::-1]


@pytest.mark.parametrize("etag", ["", 'W/"one"'])
def test_without_a_sign_that_it_is_the_same_nothing_is_gone_on_with(
    server: Server, tmp_path: Path, etag: str
) -> None:
    server.etag = etag
    server.plan = [server.cut(400_000), *[say(500)] * 3]
    with pytest.raises(Unavailable):
        load(server, tmp_path / "m")
    assert load(server, tmp_path / "m") == DIGEST
    assert server.starts()[-1] == ""


def test_the_beginning_of_another_file_is_not_gone_on_with(server: Server, tmp_path: Path) -> None:
    server.plan = [server.cut(400_000), *[say(500)] * 3]
    with pytest.raises(Unavailable):
        load(server, tmp_path / "m", sha256="0" * 64)
    assert load(server, tmp_path / "m", sha256=DIGEST) == DIGEST
    assert server.starts()[-1] == ""


def test_a_server_that_ignores_where_to_begin_is_read_anew(server: Server, tmp_path: Path) -> None:
    server.plan = [server.cut(400_000), say(200, FILE)]
    assert load(server, tmp_path / "m", sha256=DIGEST, size=SIZE) == DIGEST
    assert (tmp_path / "m").read_bytes() == FILE


def test_a_server_that_goes_on_elsewhere_is_not_believed(server: Server, tmp_path: Path) -> None:
    elsewhere = say(206, FILE[10:], {"Content-Range": f"bytes 10-{SIZE - 1}/{SIZE}"})
    server.plan = [server.cut(400_000), elsewhere]
    assert load(server, tmp_path / "m", sha256=DIGEST) == DIGEST
    assert server.starts()[-1] == ""


def test_a_server_that_gives_it_piece_by_piece_is_asked_on(server: Server, tmp_path: Path) -> None:
    piece = say(206, FILE[400_000:500_000], {"Content-Range": f"bytes 400000-499999/{SIZE}"})
    server.plan = [server.cut(400_000), piece]
    assert load(server, tmp_path / "m") == DIGEST
    assert server.starts()[-1] == "bytes=500000-"


def test_all_of_it_without_the_last_step_needs_no_more_bytes(
    server: Server, tmp_path: Path
) -> None:
    def stop(have: int, _total: int) -> None:
        if have == SIZE:
            raise KeyboardInterrupt

    for more in ({}, {"size": SIZE, "sha256": DIGEST}):
        server.seen.clear()
        with pytest.raises(KeyboardInterrupt):
            load(server, tmp_path / "m", progress=stop, **more)
        assert load(server, tmp_path / "m", **more) == DIGEST
        assert server.starts() == (["", f"bytes={SIZE}-"] if not more else [""])


def test_a_file_that_shrank_is_loaded_anew(server: Server, tmp_path: Path) -> None:
    server.plan = [server.cut(400_000), *[say(500)] * 3]
    with pytest.raises(Unavailable):
        load(server, tmp_path / "m")
    server.file = b"short"
    assert load(server, tmp_path / "m") == hashlib.sha256(b"short").hexdigest()


def test_a_wrong_digest_leaves_nothing(server: Server, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=f"{DIGEST}, not 0000") as caught:
        load(server, tmp_path / "m", sha256="0" * 64)
    assert "nothing was kept" in caught.value.hint
    assert names(tmp_path) == []


def test_damage_in_what_was_kept_is_found(server: Server, tmp_path: Path) -> None:
    server.plan = [server.cut(400_000), *[say(500)] * 3]
    with pytest.raises(Unavailable):
        load(server, tmp_path / "m", sha256=DIGEST)
    with open(tmp_path / "m.part", "r+b") as part:
        part.write(b"damage")
    with pytest.raises(Unavailable, match="not the file that was expected"):
        load(server, tmp_path / "m", sha256=DIGEST)
    assert load(server, tmp_path / "m", sha256=DIGEST) == DIGEST


@pytest.mark.parametrize("size", [SIZE - 1, SIZE + 1])
def test_another_size_is_refused_before_it_is_read(
    server: Server, tmp_path: Path, size: int
) -> None:
    with pytest.raises(Unavailable, match=f"it has {SIZE} bytes, not {size}"):
        load(server, tmp_path / "m", size=size)
    assert names(tmp_path) == []


def test_more_than_was_said_is_not_read(server: Server, tmp_path: Path) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(b" " * (1 << 16))

    server.plan = [endless]
    with pytest.raises(Unavailable, match="more than 100000 bytes"):
        load(server, tmp_path / "m", size=100_000)
    assert names(tmp_path) == []


def test_what_is_there_stays_until_the_new_one_is_whole(server: Server, tmp_path: Path) -> None:
    to = tmp_path / "m"
    to.write_bytes(b"old")
    with pytest.raises(Unavailable):
        load(server, to, sha256="0" * 64)
    assert to.read_bytes() == b"old"
    load(server, to)
    assert to.read_bytes() == FILE


def test_a_file_that_is_not_there_is_told_in_words(server: Server, tmp_path: Path) -> None:
    server.plan = [say(404, b"no\nsuch file"), say(403)]
    with pytest.raises(Unavailable, match=r"/model\.gguf can't be loaded: 404 no such file"):
        load(server, tmp_path / "m")
    with pytest.raises(Unavailable, match="403") as caught:
        load(server, tmp_path / "m")
    assert "browser" in caught.value.hint


def test_redirects_stay_on_safe_ground(server: Server, tmp_path: Path) -> None:
    with serving() as other:
        server.plan = [say(302, b"", {"Location": f"{other.url}/there?signed=s3cret"})]
        assert load(server, tmp_path / "m", sha256=DIGEST) == DIGEST
        assert other.seen[0][1] == "/there?signed=s3cret"
    for away in ("http://192.0.2.1/m?k=s3cret", "ftp://192.0.2.1/m", "file:///etc/passwd",
                 "https://name:s3cret@192.0.2.1/m", "http://[::1"):  # fmt: skip
        server.plan = [say(302, b"", {"Location": away})] * 4
        with pytest.raises(Unavailable) as caught:
            load(server, tmp_path / "n")
        assert "k=s3cret" not in caught.value.message
        assert not (tmp_path / "n").exists()


def test_a_redirect_from_https_never_leaves_it() -> None:
    for url in ("http://127.0.0.1/m", "http://localhost/m"):
        wire.check_source(url)
        with pytest.raises(Unavailable, match="sends on to"):
            wire.check_source(url, sent_by="https://host/m")
    wire.check_source("https://elsewhere/m", sent_by="https://host/m")


def test_redirects_in_a_circle_end(server: Server, tmp_path: Path) -> None:
    server.plan = [say(302, b"", {"Location": "/model.gguf?signature=s3cret"})] * 50
    with pytest.raises(Unavailable, match="sent on and on"):
        load(server, tmp_path / "m")
    assert len(server.seen) < 15


@pytest.mark.parametrize("url", ["http://192.0.2.1/m", "https://me:s3cret@host/m", "ftp://host/m"])
def test_only_safe_addresses_are_loaded_from(url: str, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="no address that a file can be loaded from"):
        download(url, str(tmp_path / "m"))
    assert names(tmp_path) == []


def test_two_at_once_do_not_mix(server: Server, tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    with open(tmp_path / "m.part", "a+b") as part:
        fcntl.flock(part, fcntl.LOCK_EX)
        with pytest.raises(Locked, match="another process"):
            load(server, tmp_path / "m")
    assert load(server, tmp_path / "m") == DIGEST


def test_a_disk_without_room_is_told_before_anything_is_written(
    server: Server, tmp_path: Path
) -> None:
    def vast(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(1 << 60))
        handler.end_headers()

    server.plan = [vast]
    with pytest.raises(StorageFailed, match=f"{1 << 60} bytes are needed"):
        load(server, tmp_path / "m")


def test_a_place_that_cannot_be_written_is_told_in_words(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageFailed, match="can't write"):
        load(server, tmp_path / "file" / "m")
    assert server.seen == []
