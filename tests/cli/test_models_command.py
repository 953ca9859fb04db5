"""`memtree models` as a person and a script would type it, with a real server for what is fetched.

No tree is needed, and each test is a person who has nothing yet.
"""

from __future__ import annotations

import hashlib
import json
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from transcript import run

sys.path.append(str(Path(__file__).resolve().parents[1] / "llm"))

from make_llm import make_llm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from subprocess import CompletedProcess

needs_llama = pytest.mark.skipif(
    find_spec("llama_cpp") is None, reason="llama-cpp-python is not installed"
)


class Person:
    """Somebody at a command line, with settings and models of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.models = folder / "models"
        self.settings = folder / "config.toml"

    def types(self, *args: str, code: int = 0) -> CompletedProcess[bytes]:
        done = run(
            *args, cwd=self.folder, MEMTREE_CONFIG=str(self.settings),
            MEMTREE_MODELS=str(self.models),
        )  # fmt: skip
        assert done.returncode == code, done.stdout.decode() + done.stderr.decode()
        assert b"Traceback" not in done.stderr
        return done

    def sees(self, *args: str, code: int = 0) -> str:
        return self.types(*args, code=code).stdout.decode()

    def is_told(self, *args: str, code: int) -> str:
        return self.types(*args, code=code).stderr.decode()

    def kept(self) -> list[str]:
        return sorted(path.name for path in self.models.iterdir()) if self.models.exists() else []


@pytest.fixture
def person(tmp_path: Path) -> Person:
    return Person(tmp_path)


@contextmanager
def _serving(content: bytes, *, breaks: int = 0) -> Iterator[tuple[str, list[str]]]:
    """A server for one file that breaks off the first `breaks` answers half way.

    Gives its address, and from where it was asked to begin.
    """
    begins: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range", "")
            begins.append(asked)
            begin = int(asked.removeprefix("bytes=").rstrip("-") or 0) if asked else 0
            self.send_response(206 if begin else 200)
            if begin:
                span = f"bytes {begin}-{len(content) - 1}/{len(content)}"
                self.send_header("Content-Range", span)
            self.send_header("Content-Length", str(len(content) - begin))
            self.send_header("ETag", '"one"')
            self.end_headers()
            end = (begin + len(content)) // 2 if len(begins) <= breaks else len(content)
            self.wfile.write(content[begin:end])

        def log_message(self, *_: object) -> None:
            return

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Whoever asked may have left."""

    with Quiet(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{http.server_port}/Tiny.gguf", begins
        finally:
            http.shutdown()
            thread.join()


def test_somebody_without_models_is_told_what_there_could_be(person: Person) -> None:
    shown = person.sees("models", "list")
    assert "No model is used" in shown
    assert "Apache-2.0" in shown
    told = json.loads(person.sees("models", "list", "--json"))
    assert told["used"] == ""
    assert told["here"] == []
    assert all(each["memory"] > each["size"] > 0 for each in told["catalogue"])
    assert not person.models.exists(), "looking leaves nothing behind"


@needs_llama
def test_a_file_is_added_chosen_tried_and_forgotten(person: Person) -> None:
    file = make_llm(person.folder / "Tiny.gguf")
    assert "models use tiny" in person.sees("models", "add", "Tiny.gguf")
    assert "used from now on: tiny" in person.sees("models", "use", "tiny")
    assert "tiny (used)" in person.sees("models", "list")
    tried = json.loads(person.sees("models", "test", "--json"))
    assert tried["fits"]
    assert tried["memory"] > file.stat().st_size
    assert tried["speed"] > 0
    assert "filled in as it should be" in person.sees("models", "test", "tiny")
    person.sees("models", "rm", "tiny")
    assert file.exists()
    assert "no language model 'tiny'" in person.is_told("models", "test", code=3)
    person.sees("models", "use", "none")
    assert "no language model is set" in person.is_told("models", "test", code=3)


def test_a_model_that_can_not_be_used_is_refused_where_it_is_chosen(person: Person) -> None:
    for wanted in ("nothing", "endpoint:some", "gguf:nowhere.gguf"):
        assert "error: " in person.is_told("models", "use", wanted, code=3)
    (person.folder / "notes.gguf").write_text("notes", "utf-8")
    assert "no model in GGUF" in person.is_told("models", "add", "notes.gguf", code=3)
    assert not person.settings.exists()


@needs_llama
def test_the_file_that_is_chosen_is_the_same_from_every_folder(person: Person) -> None:
    file = make_llm(person.folder / "Tiny.gguf")
    person.sees("models", "use", "gguf:Tiny.gguf")
    assert json.loads(person.sees("models", "list", "--json"))["used"] == f"gguf:{file}"


def test_nothing_is_fetched_where_nobody_can_be_asked(person: Person) -> None:
    for wanted in ("qwen2.5-0.5b", "https://models.example/some.gguf"):
        assert "--yes" in person.is_told("models", "pull", wanted, code=4)
    assert person.kept() == []


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("unheard-of",), "no model 'unheard-of'"),
        (("file:///etc/passwd",), "no model"),
        (("https://models.example/a.gguf", "--sha256", "12"), "64 hexadecimal"),
        (("https://models.example/a.gguf", "--name", "../a"), "no name"),
        (("qwen3-4b", "--sha256", "0" * 64), "another SHA-256"),
    ],
)
def test_what_can_not_be_meant_is_said_before_anything_is_asked(
    person: Person, args: tuple[str, ...], says: str
) -> None:
    assert says in person.is_told("models", "pull", *args, "--yes", code=2)


def test_an_address_that_others_could_change_is_refused(person: Person) -> None:
    said = person.is_told("models", "pull", "http://models.example/a.gguf", "--yes", code=3)
    assert "https://" in said
    assert person.kept() == []


def test_a_file_is_fetched_over_a_broken_connection_and_deleted_again(person: Person) -> None:
    content = make_llm(person.folder / "source.gguf").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    with _serving(content, breaks=1) as (url, begins):
        args = ("models", "pull", url, "--yes", "--json", "--sha256", digest.upper())
        model = json.loads(person.sees(*args))["fetched"]
        assert [bool(begin) for begin in begins] == [False, True], "it went on where it broke off"
        assert (model["name"], model["sha256"], model["ours"]) == ("tiny", digest, True)
        assert person.kept() == ["models.json", "tiny.gguf"]
        person.sees(*args)
        assert len(begins) == 2, "what is here is not fetched again"
    person.sees("models", "rm", "tiny")
    assert person.kept() == ["models.json"]


def test_a_file_of_another_digest_is_not_kept_and_what_was_there_stays(person: Person) -> None:
    content = make_llm(person.folder / "source.gguf").read_bytes()
    with _serving(content) as (url, _):
        person.sees("models", "pull", url, "--yes")
        said = person.is_told("models", "pull", url, "--yes", "--sha256", "0" * 64, code=3)
    assert "not the file that was expected" in said
    assert person.kept() == ["models.json", "tiny.gguf"]
    assert (person.models / "tiny.gguf").read_bytes() == content


def test_what_is_fetched_and_is_no_language_model_is_not_kept(person: Person) -> None:
    content = make_llm(person.folder / "source.gguf").read_bytes()
    with _serving(content) as (url, _):
        person.sees("models", "pull", url, "--yes")
    with _serving(b"<html>sign in first</html>") as (url, _):
        said = person.is_told("models", "pull", url, "--yes", code=3)
    assert "no model in GGUF" in said
    assert person.kept() == ["models.json", "tiny.gguf"]
    assert (person.models / "tiny.gguf").read_bytes() == content


def test_a_name_of_a_person_s_own_file_is_not_taken_by_a_fetched_one(person: Person) -> None:
    content = make_llm(person.folder / "tiny.gguf").read_bytes()
    person.sees("models", "add", "tiny.gguf")
    with _serving(content) as (url, begins):
        assert "already" in person.is_told("models", "pull", url, "--yes", code=2)
        assert begins == []


def test_the_doctor_says_which_model_is_set_and_that_its_file_is_gone(person: Person) -> None:
    person.sees("init", "tree")
    assert "none is set" in person.sees("doctor", "--tree", "tree")
    person.settings.write_text('[llm]\nmodel = "gguf:/nowhere/some.gguf"\n', "utf-8")
    told = person.types("doctor", "--tree", "tree", code=1)
    assert "/nowhere/some.gguf" in told.stdout.decode()


def test_what_a_tree_says_about_models_is_not_taken_and_said(person: Person) -> None:
    person.sees("init", "tree")
    file = person.folder / "tree" / ".memtree" / "config.toml"
    with open(file, "a", encoding="utf-8") as config:
        config.write('\n[llm]\nmodel = "endpoint:x"\nendpoint = "http://127.0.0.1:9/v1"\n')
    told = person.types("config", "list", "--tree", "tree")
    assert told.stderr.decode().count("is not taken from a tree") == 2
    assert "language model: none is set" in person.sees("doctor", "--tree", "tree", code=1)
    assert person.sees("config", "get", "llm.endpoint", "--tree", "tree").strip() == ""
    person.sees("config", "set", "llm.endpoint", "http://127.0.0.1:9/v1", "--tree", "tree")
    assert "127.0.0.1:9" in person.settings.read_text("utf-8")


def test_a_setting_of_ones_own_needs_no_tree(person: Person) -> None:
    assert "yours" in person.sees("config", "set", "llm.endpoint", "http://localhost:8080/v1")
    assert person.sees("config", "get", "llm.endpoint").strip() == "http://localhost:8080/v1"
    assert "there is no tree" in person.is_told("config", "set", "index.wait", "3", code=3)
