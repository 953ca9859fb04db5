from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).resolve().parents[1] / "llm"))

from make_llm import CHATML, make_llm

sys.path.append(str(Path(__file__).resolve().parents[1] / "embed"))

from make_gguf import STRING, U32, write_gguf

from memtree.errors import ModelUnavailable
from memtree.llama.head import read_head


def test_a_head_says_what_the_model_is(tmp_path: Path) -> None:
    extra = [
        ("general.license", STRING, "apache-2.0"),
        ("general.size_label", STRING, "1.5B"),
        ("general.type", STRING, "model"),
    ]
    head = read_head(str(make_llm(tmp_path / "a.gguf", template=CHATML, extra=extra)))
    assert head._asdict() == {
        "name": "tiny writer",
        "dimension": 32,
        "pooling": -1,
        "context": 2048,
        "kind": "llama",
        "template": True,
        "writes": True,
        "license": "apache-2.0",
        "size": "1.5B",
    }
    assert not read_head(str(make_llm(tmp_path / "b.gguf"))).template


@pytest.mark.parametrize(
    ("kind", "sort", "writes"),
    [
        ("llama", "", True),
        ("qwen2", "model", True),
        ("bert", "", False),
        ("llama", "adapter", False),
    ],
)
def test_what_writes_is_told_from_what_embeds_and_what_adapts(
    tmp_path: Path, kind: str, sort: str, writes: bool
) -> None:
    keys = [("general.architecture", STRING, kind), ("general.type", STRING, sort)]
    head = read_head(str(write_gguf(tmp_path / "x", keys, {})))
    assert head.writes == writes
    assert head.name == kind
    assert head.context == head.dimension == 0


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
            read_head(str(tmp_path / name))
        assert caught.value.exit_code == 3
    nameless = write_gguf(tmp_path / "nameless", [("some.key", U32, 1)], {})
    with pytest.raises(ModelUnavailable, match="what kind"):
        read_head(str(nameless))
    with pytest.raises(ModelUnavailable, match="No such file"):
        read_head(str(tmp_path / "none"))
    with pytest.raises(ModelUnavailable):
        read_head(str(tmp_path))


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_damaged_head_is_refused_or_read_and_never_hangs(
    tmp_path: Path, data: st.DataObject
) -> None:
    whole = tmp_path / "whole.gguf"
    if not whole.exists():
        make_llm(whole)
    raw = bytearray(whole.read_bytes()[: data.draw(st.integers(0, 9000))])
    for _ in range(data.draw(st.integers(0, 4))):
        if raw:
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.sampled_from([0, 1, 255]))
    path = tmp_path / "damaged.gguf"
    path.write_bytes(raw)
    try:
        head = read_head(str(path))
    except ModelUnavailable:
        return
    assert head.kind
