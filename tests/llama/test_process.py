from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from memtree.errors import ModelUnavailable
from memtree.llama.process import Process, plain

READY = """
import json, sys, os, time
load = json.loads(sys.stdin.readline())
print(json.dumps({"loaded": load["path"]}), flush=True)
"""
ECHO = """
for line in sys.stdin:
    print(json.dumps({"heard": json.loads(line)}), flush=True)
"""


def started(tmp_path: Path, code: str, *, timeout: float = 60) -> Process:
    worker = tmp_path / "worker.py"
    worker.write_text(READY + code)
    return Process("/a/model", {"use": "test"}, worker=str(worker), timeout=timeout)


def test_a_question_starts_the_process_and_the_next_one_uses_it(tmp_path: Path) -> None:
    process = started(tmp_path, ECHO)
    assert process.pid is None
    assert process.ask({"say": "木\n"}) == {"heard": {"say": "木\n"}}
    pid = process.pid
    assert process.ask({}) == {"heard": {}}
    assert process.pid == pid
    assert process.loaded == {"loaded": "/a/model"}
    assert process.close() == 0
    assert process.close() == 0
    assert process.ask({}) == {"heard": {}}
    assert process.pid != pid
    process.close()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import signal; os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"),
        ("sys.stdin.readline(); sys.exit(7)", "code 7"),
        ('print(json.dumps({"error": "no such thing"}))', "no such thing"),
        ('sys.stdin.readline(); print("half an ans", end="")', "code 0"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="signals are of POSIX")
def test_what_goes_wrong_is_told_in_words_and_ends_the_process(
    tmp_path: Path, code: str, words: str
) -> None:
    process = started(tmp_path, code)
    with pytest.raises(ModelUnavailable, match=words) as caught:
        process.ask({"say": "x"})
    assert "/a/model" in caught.value.message
    assert caught.value.hint
    assert process.pid is None


def test_a_question_that_takes_too_long_ends_the_process(tmp_path: Path) -> None:
    process = started(tmp_path, "time.sleep(600)", timeout=0.2)
    begin = time.monotonic()
    with pytest.raises(ModelUnavailable, match=r"longer than 0\.2 seconds"):
        process.ask({})
    assert time.monotonic() - begin < 30
    assert process.pid is None


def test_an_answer_that_nobody_waited_for_is_not_taken_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = started(tmp_path, ECHO)
    process.ask({})
    child = process._process
    assert child is not None
    assert child.stdout is not None

    def interrupted() -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr(child.stdout, "readline", interrupted)
    with pytest.raises(KeyboardInterrupt):
        process.ask({"first": 1})
    assert process.pid is None
    assert child.poll() is not None
    assert process.ask({"second": 2}) == {"heard": {"second": 2}}
    process.close()


def test_a_text_is_made_one_that_c_and_json_can_hold() -> None:
    assert plain("a\0b\ud83dc木") == "a b?c木"
