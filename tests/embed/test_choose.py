from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from make_bert import make_bert
from make_gguf import make_llama

from memtree.embed.choose import choose, settled
from memtree.embed.endpoint import Endpoint
from memtree.embed.gguf import GGUF
from memtree.embed.minilm import MiniLM
from memtree.embed.table import BUILTIN, Table
from memtree.errors import ModelUnavailable, UsageError


def test_each_way_leads_to_its_embedder(tmp_path: Path) -> None:
    make_bert(tmp_path)
    llama = make_llama(tmp_path / "tiny: a.gguf")
    assert choose("none") is None
    assert isinstance(choose(f" minilm:{tmp_path} "), MiniLM)
    gguf = choose(f"gguf:{llama}", prefix="query: ")
    assert isinstance(gguf, GGUF)
    assert gguf.identity.prefix == "query: "
    endpoint = choose("endpoint:org/model:tag", endpoint="http://localhost:1/v1")
    assert isinstance(endpoint, Endpoint)
    assert endpoint.model == "org/model:tag"


def test_the_default_is_the_table_that_comes_with_memtree() -> None:
    table = choose("builtin")
    assert isinstance(table, Table)
    assert table.path == BUILTIN
    assert table.foreground
    related, unrelated = (
        sum(a * b for a, b in zip(table.question("a fast car"), table.question(other), strict=True))
        for other in ("a quick vehicle", "boiled potatoes")
    )
    assert related > unrelated
    table.close()


def test_a_path_may_begin_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    make_bert(tmp_path / "models")
    chosen = choose("minilm:~/models")
    assert isinstance(chosen, MiniLM)
    assert chosen.folder == os.path.join(str(tmp_path), "models")


@pytest.mark.parametrize(
    "setting",
    [
        "",
        "gpt",
        "builtin:x",
        "none:",
        "minilm:",
        "gguf",
        "gguf:",
        "endpoint",
        "endpoint:",
        "Builtin",
    ],
)
def test_a_setting_that_says_nothing_known_is_a_usage_error(setting: str) -> None:
    with pytest.raises(UsageError, match=r"embed\.model") as caught:
        choose(setting, endpoint="http://localhost/v1")
    assert "builtin" in caught.value.hint


def test_an_endpoint_without_its_address_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r"embed\.endpoint"):
        choose("endpoint:m")


def test_a_model_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    for way in ("minilm", "gguf"):
        with pytest.raises(ModelUnavailable) as caught:
            choose(f"{way}:{tmp_path / 'none'}")
        assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("setting", "absent"),
    [
        ("none", {"memtree.embed.table", "memtree.embed.minilm"}),
        ("builtin", {"memtree.embed.minilm", "memtree.embed.bulk", "re", "json", "typing"}),
        ("endpoint:m", {"memtree.embed.gguf", "urllib.request", "ssl"}),
    ],
)
def test_only_what_is_chosen_is_imported(setting: str, absent: set[str]) -> None:
    code = (
        f"import sys; sys.path[:0] = {sys.path!r}\n"
        "from memtree.embed.choose import choose\n"
        f"choose({setting!r}, endpoint='http://localhost/v1')\n"
        "print(*sys.modules)"
    )
    command = [sys.executable, "-S", "-c", code]
    done = subprocess.run(command, capture_output=True, check=True, encoding="utf-8")
    loaded = set(done.stdout.split())
    assert not loaded & (absent | {"numpy", "llama_cpp", "dataclasses"})


def test_a_settled_setting_means_the_same_from_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "models").mkdir()
    llama = make_llama(tmp_path / "models" / "tiny.gguf")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: object())
    monkeypatch.chdir(tmp_path)
    assert settled("gguf:models/tiny.gguf") == f"gguf:{llama}"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert settled("gguf:~/models/tiny.gguf") == "gguf:~/models/tiny.gguf"
    assert settled(" builtin ") == "builtin"
    assert settled("none") == "none"
    assert settled("endpoint:a", endpoint="http://localhost:1/v1") == "endpoint:a"


def test_settling_reads_the_models_files(tmp_path: Path) -> None:
    make_bert(tmp_path)
    with pytest.raises(ModelUnavailable, match="SHA-256"):
        settled(f"minilm:{tmp_path}")


def test_settling_a_gguf_model_without_llama_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    llama = make_llama(tmp_path / "tiny.gguf")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ModelUnavailable) as caught:
        settled(f"gguf:{llama}")
    assert caught.value.hint == 'pip install "memtree[llm]"'
