"""The models of a person: registered, chosen, tried, and forgotten, with real files."""

from __future__ import annotations

import hashlib
import json
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
from make_llm import make_llm

from memtree import config
from memtree.errors import ModelUnavailable, StorageFailed, UsageError
from memtree.llm import store
from memtree.llm.catalogue import BESIDES, CATALOGUE, listed
from memtree.llm.choose import choose
from memtree.llm.scripted import ScriptedModel
from memtree.llm.trial import tried

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person who has nothing yet."""
    monkeypatch.setenv("MEMTREE_CONFIG", str(tmp_path / "person" / "config.toml"))
    monkeypatch.setenv("MEMTREE_MODELS", str(tmp_path / "person" / "models"))
    return tmp_path / "person"


def settings(model: str) -> config.Config:
    found = config.load("")
    found.values["llm.model"] = model
    return found


def test_a_file_is_added_where_it_is_and_found_by_its_name(tmp_path: Path) -> None:
    path = make_llm(tmp_path / "Tiny.gguf")
    model = store.add(str(path))
    assert (model.name, model.path, model.kind) == ("tiny", str(path), "llama")
    assert model.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert store.find("tiny") == model == store.models()[0]
    assert store.add(str(path)) == model, "adding it again changes nothing"
    assert len(store.models()) == 1


def test_another_file_does_not_take_a_name_that_is_taken(tmp_path: Path) -> None:
    store.add(str(make_llm(tmp_path / "a.gguf")), name="mine")
    with pytest.raises(UsageError, match="already"):
        store.add(str(make_llm(tmp_path / "b.gguf", seed=2)), name="mine")


@pytest.mark.parametrize("name", ["", "../x", "a b", "endpoint:x", "-x", "x" * 81, "ä"])
def test_a_name_is_letters_and_digits(tmp_path: Path, name: str) -> None:
    path = str(make_llm(tmp_path / "a.gguf"))
    if not name:
        assert store.add(path, name=name).name == "a"
        return
    with pytest.raises(UsageError, match="no name"):
        store.add(path, name=name)


def test_a_file_that_is_gone_or_changed_is_not_used(tmp_path: Path) -> None:
    path = make_llm(tmp_path / "a.gguf")
    store.add(str(path))
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(ModelUnavailable, match="changed"):
        store.find("a")
    path.unlink()
    with pytest.raises(ModelUnavailable, match="can't be read"):
        store.find("a")


def test_what_is_no_model_is_not_added(tmp_path: Path) -> None:
    (tmp_path / "notes.gguf").write_text("some notes", "utf-8")
    with pytest.raises(ModelUnavailable):
        store.add(str(tmp_path / "notes.gguf"))
    assert store.models() == []


def test_forgetting_leaves_a_file_that_was_added(tmp_path: Path) -> None:
    path = make_llm(tmp_path / "a.gguf")
    store.add(str(path))
    store.remove("a")
    assert path.exists()
    assert store.models() == []
    with pytest.raises(ModelUnavailable):
        store.remove("a")


def test_a_damaged_register_is_said_and_kept(person: Path) -> None:
    (person / "models").mkdir(parents=True)
    register = person / "models" / store.REGISTER
    register.write_text("{", "utf-8")
    with pytest.raises(StorageFailed, match="register"):
        store.models()
    assert register.read_text("utf-8") == "{"


def test_no_model_is_used_unless_it_is_set() -> None:
    with pytest.raises(ModelUnavailable, match="no language model is set"):
        choose(config.load(""))


@pytest.mark.parametrize(
    ("setting", "says"),
    [("endpoint:m", "llm.endpoint"), ("endpoint:", "llm.endpoint"), ("gguf:", "names no model"),
     ("other:x", "names no model"), ("nothing", "no language model 'nothing'")],
)  # fmt: skip
def test_a_setting_that_leads_nowhere_is_said_in_words(setting: str, says: str) -> None:
    with pytest.raises(ModelUnavailable, match=says):
        choose(settings(setting))


def test_a_name_of_the_catalogue_is_offered_and_not_fetched() -> None:
    with pytest.raises(ModelUnavailable) as told:
        choose(settings("qwen3-4b"))
    assert "memtree models pull qwen3-4b" in told.value.hint


def test_an_endpoint_is_chosen_without_being_asked() -> None:
    found = settings("endpoint:small")
    found.values["llm.endpoint"] = "http://127.0.0.1:9/v1"
    model = choose(found)
    assert (model.name, model.actor) == ("small", "openai/small")
    model.close()


def test_a_registered_model_is_chosen_by_its_name(tmp_path: Path) -> None:
    if find_spec("llama_cpp") is None:
        pytest.skip("llama-cpp-python is not installed")
    store.add(str(make_llm(tmp_path / "a.gguf")))
    model = choose(settings("a"))
    try:
        assert model.name == "a"
        trial = tried(model)
    finally:
        model.close()
    assert trial.fits, trial.problem
    assert trial.reused > 0


def test_a_model_that_does_not_fill_in_the_form_is_said_to() -> None:
    good = json.dumps({"kind": "fact", "words": "The ferry"})
    assert tried(ScriptedModel([good, good])).fits
    for bad in ("The ferry leaves.", '{"kind": "song", "words": "x"}', '{"kind": "fact"}'):
        trial = tried(ScriptedModel([bad, bad]))
        assert not trial.fits
        assert trial.problem


def test_the_catalogue_says_what_each_model_is_and_takes() -> None:
    assert len({each.name for each in CATALOGUE}) == len(CATALOGUE)
    for each in CATALOGUE:
        assert each.url.startswith("https://")
        assert "/main/" not in each.url, "a revision does not move"
        assert len(bytes.fromhex(each.sha256)) == 32
        assert each.license
        assert each.memory(4096) > each.size + BESIDES
        assert listed(each.name) is each
    assert listed("unknown") is None
