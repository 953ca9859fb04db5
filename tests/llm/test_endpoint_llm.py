"""A model behind an endpoint, against a real server on this machine that does what servers do."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtree.errors import ModelUnavailable, UsageError
from memtree.llm.contract import EXAMPLE, PROMPT, SCHEMA, LanguageModelContract
from memtree.llm.endpoint import ATTEMPTS, FORMS, Endpoint
from memtree.llm.fit import FRAME
from memtree.llm.protocol import LanguageModel, Prompt

Reply = tuple[int, bytes]


class Server:
    """A real server. `replies` come first; then it says `says`, if it knows what is asked of it.

    `knows` are the kinds of response_format it takes, `forbids` the parameters it refuses, each
    with the words for it. A token is a letter.
    """

    def __init__(self) -> None:
        self.url = ""
        self.says = EXAMPLE
        self.knows = set(FORMS)
        self.forbids: dict[str, str] = {}
        self.replies: list[Reply | Callable[[], Reply]] = []
        self.seen: list[tuple[str, dict[str, str], dict[str, Any]]] = []

    def reply(self, asked: dict[str, Any]) -> Reply:
        if self.replies:
            planned = self.replies.pop(0)
            return planned() if callable(planned) else planned
        form = asked.get("response_format", {"type": "text"})["type"]
        if form not in self.knows:
            return 400, json.dumps({"error": {"message": f"response_format {form}?"}}).encode()
        roles = [message["role"] for message in asked["messages"]]
        for name, words in self.forbids.items():
            if name in asked or name in roles:
                return 422, json.dumps({"error": words}).encode()
        limit = asked.get("max_tokens") or asked["max_completion_tokens"]
        text = self.says[:limit]
        told = sum(len(message["content"]) for message in asked["messages"])
        usage = {"prompt_tokens": told // 4, "completion_tokens": len(text)}
        return 200, said(text, "stop" if text == self.says else "length", usage=usage)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [body for _, _, body in self.seen]


def said(content: object, finish: str = "stop", **more: object) -> bytes:
    choice = {"message": {"role": "assistant", "content": content}, "finish_reason": finish}
    return json.dumps({"choices": [choice], **more}).encode()


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.seen.append((self.path, dict(self.headers), asked))
            status, body = server.reply(asked)
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", body.decode())
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

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


def opened(server: Server, **more: Any) -> Endpoint:
    more.setdefault("pause", lambda _: None)
    return Endpoint(server.url, "some/model:7b", **more)


class TestEndpoint(LanguageModelContract):
    @pytest.fixture(autouse=True)
    def _server(self, server: Server) -> None:
        self.server = server

    def opened(self) -> LanguageModel:
        return opened(self.server)


class ToldInWords(TestEndpoint):
    """A server that knows no schemas reads it in the message: the one bound that is another."""

    __test__ = False

    def test_an_answer_says_what_it_took(self) -> None:
        model = self.opened()
        answer = model.complete(PROMPT, limit=self.limit, schema=SCHEMA)
        known = sum(map(model.count, (PROMPT.system, PROMPT.shared, PROMPT.user)))
        assert 0 < answer.tokens_out <= self.limit
        assert answer.tokens_in <= known + FRAME + model.count(json.dumps(SCHEMA))


class TestEndpointThatKnowsNoSchema(ToldInWords):
    __test__ = True

    @pytest.fixture(autouse=True)
    def _knows_none(self, server: Server) -> None:
        server.knows = {"text"}


class TestEndpointThatKnowsLittle(ToldInWords):
    __test__ = True

    @pytest.fixture(autouse=True)
    def _knows_little(self, server: Server) -> None:
        server.knows = {"json_object", "text"}
        server.forbids = {
            "seed": "extra inputs are not permitted: seed",
            "max_tokens": "'max_tokens' is not known here. Use 'max_completion_tokens' instead.",
            "system": "System role not supported",
        }


@pytest.mark.parametrize("given", ["", "/", "/v1", "/v1/", "/v1/chat/completions"])
def test_however_much_of_the_address_is_given_the_same_is_asked(server: Server, given: str) -> None:
    Endpoint(server.url + given, "m").complete(PROMPT, limit=100)
    assert server.seen[0][0] == "/v1/chat/completions"


def test_nothing_is_sent_before_something_is_asked(server: Server) -> None:
    with opened(server) as model:
        assert (model.name, model.actor) == ("some/model:7b", "openai/some/model:7b")
        assert model.count("kettle") == 3
    assert server.seen == []


def test_what_is_asked_is_all_there(server: Server) -> None:
    prompt = Prompt(system="Rules.", shared="1: nul\x00 \ud83d", user="What boils?")
    opened(server).complete(prompt, limit=99, schema=SCHEMA, seed=7, temperature=0.5)
    assert server.bodies == [
        {
            "model": "some/model:7b",
            "stream": False,
            "messages": [
                {"role": "system", "content": "Rules."},
                {"role": "user", "content": "1: nul  ?\n\nWhat boils?"},
            ],
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA},
            },
            "max_tokens": 99,
            "seed": 7,
            "temperature": 0.5,
        }
    ]


def test_without_a_schema_no_format_is_asked_for(server: Server) -> None:
    server.says = "Water boils."
    answer = opened(server).complete(PROMPT, limit=99)
    assert answer.text == "Water boils."
    assert "response_format" not in server.bodies[0]
    assert "schema" not in json.dumps(server.bodies[0]["messages"])


@pytest.mark.parametrize(
    ("knows", "asked"),
    [
        ({"json_schema"}, ["json_schema"]),
        ({"json_object", "text"}, ["json_schema", "json_object"]),
        ({"text"}, ["json_schema", "json_object", "text"]),
    ],
)
def test_what_a_server_knows_is_found_once(
    server: Server, knows: set[str], asked: list[str]
) -> None:
    server.knows = knows
    model = opened(server)
    for _ in range(2):
        assert model.complete(PROMPT, limit=120, schema=SCHEMA).text == EXAMPLE
    forms = [body.get("response_format", {"type": "text"})["type"] for body in server.bodies]
    assert forms == [*asked, asked[-1]]
    system = server.bodies[-1]["messages"][0]["content"]
    assert system.startswith(PROMPT.system)
    assert ('"Überblick"' in system) == (asked[-1] != "json_schema")


@pytest.mark.parametrize("status", [400, 404, 415, 422])
def test_a_refused_schema_is_asked_for_in_another_way(server: Server, status: int) -> None:
    server.replies = [(status, b"no")]
    assert opened(server).complete(PROMPT, limit=120, schema=SCHEMA).text == EXAMPLE
    assert len(server.seen) == 2


def test_one_odd_question_changes_nothing_for_the_others(server: Server) -> None:
    model = opened(server)
    model.complete(PROMPT, limit=120, schema=SCHEMA)
    server.replies = [(400, b"this once")]
    model.complete(PROMPT, limit=120, schema=SCHEMA)
    model.complete(PROMPT, limit=120, schema=SCHEMA)
    assert server.bodies[-1]["response_format"]["type"] == "json_schema"


def test_what_no_way_gets_is_told_once_and_nothing_is_learnt(server: Server) -> None:
    model = opened(server)
    server.replies = [(404, b'{"error": {"message": "no model of that name"}}')] * 3
    with pytest.raises(ModelUnavailable, match="404 no model of that name") as caught:
        model.complete(PROMPT, limit=120, schema=SCHEMA)
    assert "llm.model" in caught.value.hint
    assert len(server.seen) == 3
    model.complete(PROMPT, limit=120, schema=SCHEMA)
    assert server.bodies[-1]["response_format"]["type"] == "json_schema"


def test_a_parameter_that_is_not_known_is_left_out_from_then_on(server: Server) -> None:
    server.forbids = {
        "max_tokens": "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
        "temperature": "'temperature' does not support 0 with this model.",
        "seed": "seed: extra inputs are not permitted",
        "system": "System role not supported",
    }
    model = opened(server)
    for _ in range(2):
        assert model.complete(PROMPT, limit=120, schema=SCHEMA).text == EXAMPLE
    assert len(server.seen) == 6
    last = server.bodies[-1]
    assert last["max_completion_tokens"] == 120
    assert not last.keys() & {"max_tokens", "temperature", "seed"}
    assert last["response_format"]["type"] == "json_schema"
    assert [message["role"] for message in last["messages"]] == ["user"]
    for text in (PROMPT.system, PROMPT.shared, PROMPT.user):
        assert text in last["messages"][0]["content"]


def test_the_address_does_not_name_what_is_not_known(server: Server) -> None:
    server.replies = [(400, b"no")]
    with pytest.raises(ModelUnavailable, match="400 no"):
        Endpoint(f"{server.url}/seed/temperature", "m").complete(PROMPT, limit=9)
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "content",
    [
        f"<think>Hm, {{}} or\n[] ...</think>\n\n{EXAMPLE}",
        f"Hm, I see.\n</think>\n{EXAMPLE}",
        f"```json\n{EXAMPLE}\n```\n",
        f"  ```\n{EXAMPLE}\n```",
        f"<think></think>```JSON\n{EXAMPLE}\n  ```",
        [{"type": "text", "text": EXAMPLE[:9]}, {"type": "text", "text": EXAMPLE[9:]}],
    ],
)
def test_thoughts_and_one_fence_are_taken_off(server: Server, content: object) -> None:
    server.replies = [(200, said(content))]
    assert opened(server).complete(PROMPT, limit=120, schema=SCHEMA).text == EXAMPLE


@pytest.mark.parametrize(
    "content",
    [
        '{"text":"a </think> in a text"}',
        "Two:\n```\n1\n```\nand\n```\n2\n```",
        "I said </think> aloud.",
        "``` is a fence",
    ],
)
def test_what_belongs_to_the_answer_stays(server: Server, content: str) -> None:
    server.replies = [(200, said(content))]
    schema = SCHEMA if content.startswith("{") else None
    assert opened(server).complete(PROMPT, limit=120, schema=schema).text == content


def test_thoughts_that_take_all_the_room_are_an_answer_cut_off(server: Server) -> None:
    server.replies = [(200, said("<think>Let me see", "length")), (200, said(None, "length"))]
    for _ in range(2):
        answer = opened(server).complete(PROMPT, limit=120, schema=SCHEMA)
        assert (answer.text, answer.whole) == ("", False)


def test_half_of_a_letter_in_an_answer_is_no_trouble_later(server: Server) -> None:
    server.replies = [(200, said("a \ud83d b \x00"))]
    opened(server).complete(PROMPT, limit=99).text.encode()
    assert b"\\ud83d" in said("\ud83d")


def test_the_figures_are_the_servers_if_it_has_any(server: Server) -> None:
    usage: dict[str, object] = {
        "prompt_tokens": 50,
        "completion_tokens": 20,
        "prompt_tokens_details": {"cached_tokens": 40},
    }
    server.replies = [(200, said("kettle", usage=usage))]
    answer = opened(server).complete(PROMPT, limit=99)
    assert (answer.tokens_in, answer.tokens_out, answer.reused) == (50, 20, 40)
    wrong: list[object] = [None, [], {"prompt_tokens": -1, "completion_tokens": True}, {"a": "x"}]
    for odd in wrong:
        server.replies = [(200, said("kettle", usage=odd))]
        answer = opened(server).complete(PROMPT, limit=99)
        assert (answer.tokens_out, answer.reused) == (3, 0)
        assert answer.tokens_in == sum(
            map(opened(server).count, (PROMPT.system, PROMPT.shared, PROMPT.user))
        )


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<html>hello</html>", id="a page"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"{}", id="no choices"),
        pytest.param(b'{"choices": []}', id="empty choices"),
        pytest.param(b'{"choices": {"a": 1}}', id="choices of another kind"),
        pytest.param(b'{"choices": [{"message": "text"}]}', id="no message"),
        pytest.param(said(None), id="no text"),
        pytest.param(said(" \n"), id="blank"),
        pytest.param(said("<think>and nothing else</think>"), id="only thoughts"),
        pytest.param(said({"text": "a"}), id="an object"),
        pytest.param(said([None]), id="a list of nothing"),
        pytest.param(b"[" * 100_000, id="nested"),
        pytest.param(b"\xff\xfe\x00", id="bytes"),
    ],
)
def test_an_answer_of_another_kind_is_told_in_words(server: Server, body: bytes) -> None:
    server.replies = [(200, body)]
    with pytest.raises(
        ModelUnavailable, match="does not answer as a model endpoint does"
    ) as caught:
        opened(server).complete(PROMPT, limit=99, schema=SCHEMA)
    assert caught.value.exit_code == 3
    assert caught.value.hint
    assert len(server.seen) == 1


def test_a_model_that_refuses_is_told_in_its_words(server: Server) -> None:
    message = {"content": None, "refusal": "I can't \x1b[31mhelp\nwith that."}
    server.replies = [(200, json.dumps({"choices": [{"message": message}]}).encode())]
    with pytest.raises(ModelUnavailable, match="help with that") as caught:
        opened(server).complete(PROMPT, limit=99)
    assert caught.value.message.isprintable()


def test_a_server_that_loads_is_waited_for(server: Server) -> None:
    pauses: list[float] = []
    server.replies = [(503, b"loading"), (500, b"")]
    assert opened(server, pause=pauses.append).complete(PROMPT, limit=99, schema=SCHEMA).whole
    assert pauses == [1.0, 2.0]
    server.replies = [(500, b"oh")] * ATTEMPTS
    with pytest.raises(ModelUnavailable, match="does not answer: 500 oh"):
        opened(server).complete(PROMPT, limit=99, schema=SCHEMA)


def test_a_model_that_takes_too_long_is_not_asked_twice(server: Server) -> None:
    gate = threading.Event()

    def hang() -> Reply:
        gate.wait(20)
        return 200, b""

    server.replies = [hang]
    try:
        with pytest.raises(ModelUnavailable, match="timed out"):
            opened(server, timeout=0.1).complete(PROMPT, limit=99)
    finally:
        gate.set()
    assert len(server.seen) == 1


def test_the_key_goes_to_the_server_alone(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "s3cret-value")
    model = opened(server, key_env="MY_KEY")
    model.complete(PROMPT, limit=99)
    assert server.seen[0][1]["Authorization"] == "Bearer s3cret-value"
    server.replies = [(401, b'{"error": {"message": "bad key s3cret-value"}}')]
    with pytest.raises(ModelUnavailable, match="401 bad key") as caught:
        model.complete(PROMPT, limit=99)
    assert "s3cret" not in caught.value.message + caught.value.hint
    assert "llm.key_env" in caught.value.hint
    with serving() as other:
        server.replies = [(307, f"{other.url}/v1/chat/completions".encode())]
        with pytest.raises(ModelUnavailable, match="307") as caught:
            model.complete(PROMPT, limit=99)
        assert "redirect" in caught.value.hint
        assert other.seen == []
    monkeypatch.delenv("MY_KEY")
    with pytest.raises(ModelUnavailable, match="MY_KEY"):
        opened(server, key_env="MY_KEY")


@pytest.mark.parametrize("url", ["", "localhost", "ftp://host/v1", "http://me:s3cret@host/v1"])
def test_what_is_no_address_is_told_in_words(url: str) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        Endpoint(url, "m")
    assert "llm." in caught.value.hint
    assert "s3cret" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("name", ["", "  ", "two\nlines", "\x1b[31mred"])
def test_what_is_no_name_is_told_in_words(server: Server, name: str) -> None:
    with pytest.raises(UsageError, match="no name of a model"):
        Endpoint(server.url, name)


def test_what_does_not_fit_is_not_sent(server: Server) -> None:
    model = opened(server, window=256)
    with pytest.raises(UsageError, match="256 tokens"):
        model.complete(Prompt(system="", user="kettle " * 60), limit=50)
    assert server.seen == []


@given(st.text())
def test_the_estimate_is_between_half_and_all_of_the_bytes(text: str) -> None:
    size = len(text.encode("utf-8", "replace"))
    tokens = Endpoint("http://localhost/v1", "m").count(text)
    assert size <= 2 * tokens <= 2 * size


def test_digits_signs_and_other_letters_count_in_full() -> None:
    model = Endpoint("http://localhost/v1", "m")
    assert model.count("2026-11-22") == 10
    assert model.count("木") == 3
    assert model.count("The kettle boils") == 8
