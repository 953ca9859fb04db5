from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from make_bert import HEADS, make_bert
from make_gguf import STRING, U32, make_bert_gguf, make_llama, write_gguf

from memtree.embed.contract import EmbedderContract
from memtree.embed.gguf import GGUF, _embedding_head
from memtree.embed.minilm import MiniLM
from memtree.errors import ModelUnavailable

if TYPE_CHECKING:
    from memtree.embed.protocol import Embedder

with_llama = pytest.mark.skipif(
    importlib.util.find_spec("llama_cpp") is None, reason="llama-cpp-python is not installed"
)


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_llama(tmp_path_factory.mktemp("llama") / "tiny.gguf")


@with_llama
class TestGGUF(EmbedderContract):
    @pytest.fixture(autouse=True)
    def _files(self, llama: Path, tmp_path: Path) -> None:
        self.one = llama
        self.other = make_llama(tmp_path / "other.gguf", seed=2)

    def opened(self) -> Embedder:
        return GGUF(str(self.one))

    def opened_after_a_change(self) -> Embedder:
        return GGUF(str(self.other))


@with_llama
def test_the_same_weights_give_the_same_vectors_in_llama_cpp_and_in_numpy(tmp_path: Path) -> None:
    expected = make_bert(tmp_path)
    theirs = GGUF(str(make_bert_gguf(tmp_path / "bert.gguf", tmp_path)))
    ours = MiniLM(str(tmp_path), expected=expected, heads=HEADS)
    texts = ["The kettle: water at ninety-six degrees.", "a", "told slowly", "zzz \u6728 floor?"]
    assert theirs.passages(texts) == pytest.approx(ours.passages(texts), abs=1e-4)
    theirs.close()


@with_llama
def test_a_prefix_stands_before_what_is_embedded_and_in_the_identity(llama: Path) -> None:
    plain, told = GGUF(str(llama)), GGUF(str(llama), prefix="passage: |question: ")
    assert told.question("kettle") == pytest.approx(plain.question("question: kettle"), abs=1e-5)
    same = plain.passages(["passage: kettle"])
    assert told.passages(["kettle"]) == pytest.approx(same, abs=1e-5)
    assert told.identity != plain.identity
    plain.close()
    told.close()


@with_llama
def test_a_text_longer_than_the_window_counts_from_its_beginning(llama: Path) -> None:
    model = GGUF(str(llama))
    one, other = model.passages(["x" * 4000, "x" * 4000 + "yyy"])
    assert one == pytest.approx(other, abs=1e-5)
    model.close()


@with_llama
def test_progress_counts_the_texts_that_are_done(llama: Path) -> None:
    model, seen = GGUF(str(llama)), list[int]()
    model.passages(["a", "b", ""], progress=seen.append)
    assert seen == [1, 2, 3]
    model.close()


@with_llama
def test_a_model_cut_short_is_told_in_words(llama: Path, tmp_path: Path) -> None:
    short = tmp_path / "short.gguf"
    short.write_bytes(llama.read_bytes()[:20_000])
    model = GGUF(str(short))
    with pytest.raises(ModelUnavailable, match=r"short\.gguf"):
        model.question("kettle")
    model.close()


@with_llama
def test_a_model_that_is_gone_after_it_was_named_is_told_in_words(tmp_path: Path) -> None:
    path = make_llama(tmp_path / "gone.gguf")
    model = GGUF(str(path))
    path.unlink()
    with pytest.raises(ModelUnavailable, match=r"gone\.gguf"):
        model.question("kettle")


# Workers that go wrong in one way each, after they have said that the model is loaded.
READY = """
import json, sys, os, time
print(json.dumps({"dimension": 32}), flush=True)
sys.stdin.readline()
sys.stdin.readline()
"""


def gone_wrong(tmp_path: Path, llama: Path, code: str, *, timeout: float = 60) -> GGUF:
    worker = tmp_path / "worker.py"
    worker.write_text(READY + code)
    return GGUF(str(llama), worker=str(worker), timeout=timeout)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import signal; os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"),
        ("sys.exit(7)", "code 7"),
        ('print(json.dumps({"error": "no such thing"}))', "no such thing"),
        ('print(json.dumps({"vector": "AAAA"}))', "numbers"),
        ('print("half an ans", end="")', "code 0"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="signals are of POSIX")
def test_a_process_that_goes_wrong_is_told_in_words(
    tmp_path: Path, llama: Path, code: str, words: str
) -> None:
    model = gone_wrong(tmp_path, llama, code)
    with pytest.raises(ModelUnavailable, match=words) as caught:
        model.question("kettle")
    assert caught.value.hint
    model.close()


def test_a_process_that_hangs_is_ended_in_time(tmp_path: Path, llama: Path) -> None:
    model = gone_wrong(tmp_path, llama, "time.sleep(600)", timeout=0.3)
    begin = time.monotonic()
    with pytest.raises(ModelUnavailable, match=r"longer than 0\.3 seconds"):
        model.question("kettle")
    assert time.monotonic() - begin < 30
    model.close()


def test_after_a_crash_the_next_question_starts_a_new_process(tmp_path: Path, llama: Path) -> None:
    mark = tmp_path / "crashed"
    vector = (
        'import base64, struct\nv = base64.b64encode(struct.pack("<32f", 2, *[0] * 31)).decode()'
    )
    model = gone_wrong(
        tmp_path,
        llama,
        f"{vector}\nif not os.path.exists({str(mark)!r}):\n    open({str(mark)!r}, 'w').close()\n"
        '    sys.exit(1)\nprint(json.dumps({"vector": v}))\n',
    )
    with pytest.raises(ModelUnavailable):
        model.question("kettle")
    assert model.question("kettle") == [1.0] + [0.0] * 31
    model.close()


@with_llama
def test_the_process_ends_with_the_one_that_started_it(llama: Path) -> None:
    code = (
        f"import sys, os; sys.path[:0] = {sys.path!r}\n"
        "from memtree.embed.gguf import GGUF\n"
        f"model = GGUF({str(llama)!r})\n"
        "model.question('kettle')\n"
        "print(model._process.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True)
    pid = int(done.stdout)
    deadline = time.monotonic() + 20
    while _runs(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(pid)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return os.path.isdir("/proc") is False
    return state != "Z"


def test_without_llama_cpp_the_hint_says_how_to_install_it(tmp_path: Path, llama: Path) -> None:
    error = 'print(json.dumps({"error": "No module named llama_cpp", "missing": True}))'
    with pytest.raises(ModelUnavailable) as caught:
        gone_wrong(tmp_path, llama, error).question("kettle")
    assert "pip install" in caught.value.hint


def test_the_head_says_how_texts_are_pooled_or_else_it_is_the_mean(tmp_path: Path) -> None:
    assert _embedding_head(str(make_llama(tmp_path / "a"))).pooling == 1
    cls = make_llama(tmp_path / "b", extra=[("llama.pooling_type", U32, 2)])
    assert GGUF(str(cls)).identity.pooling == "cls"
    none = make_llama(tmp_path / "c", extra=[("llama.pooling_type", U32, 0)])
    assert _embedding_head(str(none))[:4] == ("tiny llama", 32, 1, 256)
    for odd in (4, 9):
        path = make_llama(tmp_path / "d", extra=[("llama.pooling_type", U32, odd)])
        with pytest.raises(ModelUnavailable):
            _embedding_head(str(path))


def test_a_file_that_is_no_model_is_told_in_words(tmp_path: Path) -> None:
    for name, raw in {
        "empty": b"",
        "text": b"hello, this is no model",
        "magic": b"GGUF",
        "old": b"GGUF" + bytes([1, 0, 0, 0]) + bytes(40),
        "endless": b"GGUF\3\0\0\0" + b"\xff" * 64,
    }.items():
        (tmp_path / name).write_bytes(raw)
        with pytest.raises(ModelUnavailable, match=name) as caught:
            GGUF(str(tmp_path / name))
        assert caught.value.exit_code == 3
    bare = write_gguf(tmp_path / "bare", [("general.architecture", STRING, "bert")], {})
    with pytest.raises(ModelUnavailable, match="how long"):
        GGUF(str(bare))
    with pytest.raises(ModelUnavailable, match="No such file"):
        GGUF(str(tmp_path / "none"))


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_damaged_head_is_refused_or_read_and_never_hangs(
    llama: Path, data: st.DataObject
) -> None:
    raw = bytearray(llama.read_bytes()[: data.draw(st.integers(0, 8000))])
    for _ in range(data.draw(st.integers(0, 4))):
        if raw:
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.sampled_from([0, 1, 255]))
    path = llama.with_name("damaged.gguf")
    path.write_bytes(raw)
    try:
        head = _embedding_head(str(path))
    except ModelUnavailable:
        return
    assert head.dimension > 0


def test_an_empty_text_starts_no_process(tmp_path: Path, llama: Path) -> None:
    model = gone_wrong(tmp_path, llama, "sys.exit(1)")
    assert model.question(" \x00\n") == [0.0] * 32
    assert np.all(model.passages(["", "\t"]) == 0)
    model.close()
