from __future__ import annotations

import hashlib
import json
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from memtree.embed.contract import EmbedderContract
from memtree.embed.endpoint import ATTEMPTS, BATCH, LETTERS, Endpoint
from memtree.errors import ModelUnavailable

if TYPE_CHECKING:
    from memtree.embed.protocol import Embedder

Reply = tuple[int, dict[str, str], bytes]


class Server:
    """A real server on this machine; `replies` come first, then honest vectors."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.replies: list[Reply | Callable[[dict[str, Any]], Reply]] = []
        self.dimension = 8
        self.url = ""

    def reply(self, request: dict[str, Any]) -> Reply:
        if self.replies:
            planned = self.replies.pop(0)
            return planned(request) if callable(planned) else planned
        rows = [
            {"index": at, "embedding": self.vector(request["model"], text)}
            for at, text in enumerate(request["input"])
        ]
        return 200, {}, json.dumps({"data": rows[::-1]}).encode()

    def vector(self, model: str, text: str) -> list[float]:
        raw = hashlib.sha256(f"{model}\n{text}".encode()).digest()
        return [byte - 127.5 for byte in raw[: self.dimension]]


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            request = json.loads(raw)
            server.seen.append((self.path, dict(self.headers), request))
            status, headers, body = server.reply(request)
            if not status:
                return  # hang up without an answer
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
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


def opened(server: Server, *, model: str = "m", **more: Any) -> Endpoint:
    more.setdefault("pause", lambda _: None)
    return Endpoint(server.url, model, **more)


class TestEndpoint(EmbedderContract):
    @pytest.fixture(autouse=True)
    def _server(self, server: Server) -> None:
        self.server = server

    def opened(self) -> Embedder:
        return opened(self.server)

    def opened_after_a_change(self) -> Embedder:
        return opened(self.server, model="another")


@pytest.mark.parametrize("given", ["", "/", "/v1", "/v1/", "/v1/embeddings"])
def test_however_much_of_the_address_is_given_the_same_is_asked(server: Server, given: str) -> None:
    Endpoint(server.url + given, "m").question("kettle")
    assert server.seen[0][0] == "/v1/embeddings"
    assert server.seen[0][2] == {"model": "m", "input": ["kettle"], "encoding_format": "float"}


def test_nothing_is_sent_before_something_is_asked(server: Server) -> None:
    opened(server).close()
    assert server.seen == []


def test_many_texts_go_in_batches_and_keep_their_order(server: Server) -> None:
    texts = [f"text {number}" for number in range(2 * BATCH + 3)]
    texts[5] = " \x00"
    progress: list[int] = []
    vectors = opened(server).passages(texts, progress=progress.append)
    sizes = [len(request["input"]) for _, _, request in server.seen[1:]]
    assert sizes == [BATCH, BATCH, 2]
    assert progress[-1] == len(texts)
    assert np.all(vectors[5] == 0)
    for at in (0, 4, 6, BATCH, len(texts) - 1):
        raw = server.vector("m", texts[at])
        length = math.sqrt(sum(value * value for value in raw))
        assert vectors[at].tolist() == pytest.approx([value / length for value in raw], abs=1e-6)


def test_prefixes_and_the_length_of_a_text_are_kept(server: Server) -> None:
    model = opened(server, prefix="passage: |query: ")
    model.question("kettle")
    model.passages(["k" * 2 * LETTERS])
    sent = [request["input"][0] for _, _, request in server.seen]
    assert sent == ["query: kettle", "passage: " + "k" * LETTERS]


def test_the_key_comes_from_the_environment_and_is_in_no_message(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "s3cret-value")
    model = opened(server, key_env="MY_KEY")
    model.question("kettle")
    assert server.seen[0][1]["Authorization"] == "Bearer s3cret-value"
    server.replies = [(401, {}, b'{"error": {"message": "bad key"}}')]
    with pytest.raises(ModelUnavailable, match="401 bad key") as caught:
        model.question("kettle")
    assert "s3cret" not in caught.value.message + caught.value.hint
    assert "embed.key_env" in caught.value.hint
    assert "s3cret" not in model.identity.text()


def test_without_the_variable_nothing_is_sent(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MY_KEY", raising=False)
    with pytest.raises(ModelUnavailable, match="MY_KEY"):
        opened(server, key_env="MY_KEY")
    assert server.seen == []


def test_without_a_key_no_header_is_sent(server: Server) -> None:
    opened(server).question("kettle")
    assert "Authorization" not in server.seen[0][1]


def test_what_may_pass_is_tried_again_with_growing_pauses(server: Server) -> None:
    pauses: list[float] = []
    model = opened(server, pause=pauses.append)
    asked = len(server.seen) + bool(model.identity)
    server.replies = [(503, {}, b""), (429, {"Retry-After": "7"}, b""), (0, {}, b"")]
    model.passages(["kettle"])
    assert pauses == [1.0, 7.0, 4.0]
    assert len(server.seen) == asked + ATTEMPTS


def test_a_question_is_tried_once_for_somebody_waits(server: Server) -> None:
    pauses: list[float] = []
    server.replies = [(503, {}, b"busy")]
    with pytest.raises(ModelUnavailable, match="503 busy"):
        opened(server, pause=pauses.append).question("kettle")
    assert pauses == []


def test_a_server_that_asks_for_an_hour_is_not_waited_for(server: Server) -> None:
    pauses: list[float] = []
    server.replies = [(429, {"Retry-After": "3600"}, b"")]
    opened(server, pause=pauses.append).passages(["kettle"])
    assert pauses == [30.0]


def test_what_does_not_pass_is_told_in_words(server: Server) -> None:
    server.replies = [(503, {}, b"all\nbusy")] * ATTEMPTS
    with pytest.raises(ModelUnavailable, match="does not answer: 503 all busy") as caught:
        opened(server).passages(["kettle"])
    assert caught.value.exit_code == 3
    assert len(server.seen) == ATTEMPTS


def test_what_is_refused_is_not_tried_again(server: Server) -> None:
    server.replies = [(404, {}, b'{"error": "no model \\u001b[31mred"}')]
    with pytest.raises(ModelUnavailable, match="404 no model") as caught:
        opened(server).question("kettle")
    assert len(server.seen) == 1
    assert "\x1b" not in caught.value.message


def test_a_redirect_is_not_followed(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "s3cret-value")
    with serving() as other:
        for status in (301, 302, 303, 307, 308):
            server.replies = [(status, {"Location": other.url + "/v1/embeddings"}, b"")]
            with pytest.raises(ModelUnavailable, match=str(status)) as caught:
                opened(server, key_env="MY_KEY").question("kettle")
            assert "redirect" in caught.value.hint
        assert other.seen == []


def test_a_server_that_is_not_there_is_told_in_words() -> None:
    with serving() as server:
        model = opened(server)
    with pytest.raises(ModelUnavailable, match="does not answer"):
        model.question("kettle")


def test_a_server_that_hangs_is_left_in_time(server: Server) -> None:
    gate = threading.Event()

    def hang(_: dict[str, Any]) -> Reply:
        gate.wait(20)
        return 0, {}, b""

    server.replies = [hang] * ATTEMPTS
    try:
        with pytest.raises(ModelUnavailable, match="timed out"):
            opened(server, timeout=0.1).question("kettle")
    finally:
        gate.set()


def rows(*vectors: object) -> bytes:
    return json.dumps(
        {"data": [{"index": at, "embedding": vector} for at, vector in enumerate(vectors)]}
    ).encode()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<html>hello</html>", id="a page"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'{"data": [{}]}', id="no index"),
        pytest.param(b'{"data": [{"index": 0, "embedding": "AAAA"}]}', id="text"),
        pytest.param(rows([1.0], [2.0]), id="too many"),
        pytest.param(b'{"data": []}', id="too few"),
        pytest.param(rows([]), id="empty"),
        pytest.param(b"[" * 100_000, id="nested"),
    ],
)
def test_an_answer_of_another_kind_is_told_in_words(server: Server, body: bytes) -> None:
    server.replies = [(200, {}, body)]
    with pytest.raises(ModelUnavailable, match=r"127\.0\.0\.1"):
        opened(server).question("kettle")


def test_vectors_that_change_their_length_are_refused(server: Server) -> None:
    model = opened(server)
    model.question("kettle")
    server.dimension = 9
    with pytest.raises(ModelUnavailable, match=r"different lengths: \[8, 9\]"):
        model.question("water")


def test_numbers_that_are_none_become_zeros(server: Server) -> None:
    server.replies = [(200, {}, b'{"data": [{"index": 0, "embedding": [NaN, 1.0]}]}')]
    assert opened(server).question("kettle") == [0.0, 0.0]


@pytest.mark.parametrize(
    "url", ["", "localhost", "ftp://host/v1", "file:///etc/passwd", "http://", "http://a:b:c/"]
)
def test_what_is_no_address_is_told_in_words(url: str) -> None:
    with pytest.raises(ModelUnavailable, match="address"):
        Endpoint(url, "m")


def test_an_address_with_a_password_is_refused_without_repeating_it(server: Server) -> None:
    with pytest.raises(ModelUnavailable, match="password") as caught:
        Endpoint(server.url.replace("//", "//user:s3cret@"), "m")
    assert "s3cret" not in caught.value.message + caught.value.hint
    assert "embed.key_env" in caught.value.hint


def test_the_identity_names_host_and_model(server: Server) -> None:
    identity = Endpoint(server.url + "/v1?key=s3cret", "some model").identity
    host = server.url.partition("//")[2]
    assert identity.text() == f"{host}/some%20model 8 - endpoint -"
