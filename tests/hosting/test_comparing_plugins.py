"""A plugin against the plain tree: figures, intervals, and what is said of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_benchmark import installed

from memtree import bench
from memtree.cli import main
from memtree.errors import MemtreeError, UsageError
from memtree.hosting import registry
from memtree.hosting.comparing import HARMS, HELPS, LEVEL, chances, intervals, verdict
from memtree.plugins.api import Manifest, Ranked, Ranking

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NAMES = ("amber", "birch", "coral", "delta", "ember", "fjord", "grove", "haven", "inlet", "jetty",
         "knoll", "larch")  # fmt: skip


class Knowing:
    """A plugin that was told by the data folder which entry answers."""

    manifest = Manifest(name="knowing", title="Knows", source="tests", stage="semantic")

    def adopt(self, desk: Any, folder: str) -> str:
        told = json.loads(Path(folder, "told.json").read_text("utf-8"))
        desk.context.sidecar.write("told.jsonl", [told])
        return f"it was told {len(told)} things"

    def retrieve(self, query: Any, ctx: Any) -> Ranking:
        told = {
            key: value for line in ctx.sidecar.read("told.jsonl") for key, value in line.items()
        }
        right = told.get(query.text, "")
        hits = [Ranked(path=e.path, score=1.0) for e in ctx.tree.entries(query.scope)
                if e.id == right]  # fmt: skip
        return Ranking(hits=hits, sure=bool(hits), confidence=0.9)


class Idle:
    """A plugin that changes nothing."""

    manifest = Manifest(name="idle", title="Idle", source="tests")

    def refine(self, query: Any, hits: Sequence[Ranked], ctx: Any) -> Sequence[Ranked]:  # noqa: ARG002
        return hits


class Fails:
    """A plugin that fails, at some questions or at all."""

    manifest = Manifest(name="fails", title="Fails", source="tests")
    at = ""

    def refine(self, query: Any, hits: Sequence[Ranked], ctx: Any) -> Sequence[Ranked]:  # noqa: ARG002
        if self.at in query.text:
            raise RuntimeError("no luck")
        return hits


class Sieve:
    """A plugin that lets nothing through."""

    manifest = Manifest(name="sieve", title="Sieve", source="tests")

    def refine(self, query: Any, hits: Sequence[Ranked], ctx: Any) -> Sequence[Ranked]:  # noqa: ARG002
        return []


def compare(names: list[str], data: str, **more: Any) -> tuple[dict[str, Any], list[str]]:
    return bench.compare(names, data, **more)


@pytest.fixture(autouse=True)
def plugins(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    names = {each.manifest.name: each.__name__ for each in (Knowing, Idle, Sieve, Fails)}
    installed(tmp_path_factory.mktemp("site"), names, monkeypatch, module="test_comparing_plugins")
    registry.forget()
    yield
    monkeypatch.undo()
    registry.forget()


@pytest.fixture
def data(tmp_path: Path) -> str:
    """Twelve notes that begin alike; a question names what its note does not say."""
    documents = [
        {"id": name, "text": f"The house {name} has a door, a roof and a garden."} for name in NAMES
    ]
    others = dict(zip(NAMES, [*NAMES[1:], NAMES[0]], strict=True))
    questions = [
        {"id": f"q{name}", "text": f"Which house is beside the garden of {name}?",
         "gold": [others[name]]}
        for name in NAMES
    ]  # fmt: skip
    told = {f"Which house is beside the garden of {name}?": others[name] for name in NAMES}
    for name, lines in (("corpus", documents), ("queries", questions)):
        (tmp_path / f"{name}.jsonl").write_text(
            "".join(json.dumps(line) + "\n" for line in lines), "utf-8"
        )
    (tmp_path / "told.json").write_text(json.dumps(told), "utf-8")
    return str(tmp_path)


def test_a_plugin_that_knows_more_helps(data: str) -> None:
    report, lines = compare(["knowing"], data)
    (found,) = report["plugins"]
    assert found["verdict"] == HELPS
    assert found["measures"]["recall@1"]["with"] == 1.0
    assert found["measures"]["recall@1"]["plain"] < 0.5
    low, high = found["measures"]["ndcg@10"]["interval"]
    assert 0 < low <= found["measures"]["ndcg@10"]["difference"] <= high
    assert found["ms"]["plain"] > 0
    assert report["notes"] == ["it was told 12 things"]
    text = "\n".join(lines)
    assert "knowing: helps on this tree (recall@1 +" in text
    assert "* beyond chance" in text
    assert "all@5" in text
    assert json.dumps(report)


def test_a_plugin_that_does_nothing_shows_no_difference_and_one_that_harms_does_not_help(
    data: str,
) -> None:
    report, lines = compare(["idle", "sieve"], data, seed=1)
    idle, sieve, both = report["plugins"]
    assert idle["verdict"] == "no difference that 12 questions can show"
    assert idle["measures"]["mrr"]["interval"] == [0.0, 0.0]
    assert sieve["verdict"] == HARMS
    assert both["plugin"] == "idle+sieve"
    assert "idle: no difference that 12 questions can show" in "\n".join(lines)


def test_few_questions_show_nothing(data: str) -> None:
    report, _ = compare(["knowing"], data, limit=3)
    assert report["plugins"][0]["verdict"] == "no difference that 3 questions can show"
    assert verdict([], [], 1) == "no difference that 1 question can show"
    assert verdict(["mrr"], ["all@5"], 9) == "helps with mrr and harms all@5"


def test_a_plugin_that_fails_is_not_said_to_make_no_difference(
    data: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    report, lines = compare(["fails"], data)
    assert report["plugins"][0]["verdict"] == "was left out of 12 of 12 questions"
    said = "the plugin fails was left out (refine): RuntimeError: no luck (12 of 12 questions)"
    assert report["notes"] == [said]
    assert f"note: {said}" in lines
    monkeypatch.setattr(registry.load("fails").plugin, "at", "amber")  # type: ignore[union-attr]
    report, _ = compare(["fails"], data)
    assert report["plugins"][0]["failed"] == 1
    assert report["plugins"][0]["verdict"].startswith("was left out of 1 of 12 questions; as it is")


def test_a_limit_draws_questions_evenly_and_the_command_takes_it(
    data: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[str] = []
    report, _ = compare(["idle"], data, limit=4, progress=lambda what, *_: told.append(what))
    assert report["questions"] == 4
    assert {"importing documents", "making idle ready", "asking with idle"} <= set(told)
    command = ["plugins", "compare", "knowing", "--data", data, "--seed", "3", "--limit", "5"]
    assert main([*command, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["questions"], report["seed"]) == (5, 3)
    assert main([*command[:-1], "500", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["questions"] == 12
    assert main([*command[:-1], "-1"]) == 2


def test_data_without_gold_is_a_mistake_and_gold_without_a_document_is_said(data: str) -> None:
    queries = Path(data, "queries.jsonl")
    lines = queries.read_text("utf-8").splitlines()
    queries.write_text("\n".join([*lines, '{"id": "x", "text": "Who?", "gold": ["zz"]}']), "utf-8")
    report, _ = compare(["idle"], data)
    assert report["notes"] == ["1 gold ids name no document of the corpus, 'zz' for one"]
    queries.write_text('{"id": "x", "text": "Who?", "gold": []}\n', "utf-8")
    for measure in (lambda: compare(["idle"], data), lambda: bench.retrieval(data),
                    lambda: bench.run("lmeb", data=data)):  # fmt: skip
        with pytest.raises(UsageError, match=r"no question in .* has gold documents"):
            measure()


def test_what_is_not_there_is_said(data: str, tmp_path: Path) -> None:
    with pytest.raises(MemtreeError) as caught:
        compare(["nosuch"], data)
    assert caught.value.exit_code == 3
    with pytest.raises(UsageError, match=r"corpus\.jsonl"):
        compare(["idle"], str(tmp_path / "nowhere"))


def test_the_same_seed_gives_the_same_interval_and_it_is_that_of_the_formula() -> None:
    random = np.random.default_rng(5)
    values = random.normal(0.1, 1.0, 400).tolist()
    (same,) = intervals([values], seed=3)
    assert [same] == intervals([values], seed=3) != intervals([values], seed=4)
    mean, error = float(np.mean(values)), float(np.std(values, ddof=1)) / 20
    assert same == pytest.approx((mean - 1.96 * error, mean + 1.96 * error), abs=0.005)
    assert intervals([[], []]) == [(0.0, 0.0), (0.0, 0.0)]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=1, max_size=30))
def test_an_interval_lies_within_its_differences_and_turns_with_their_sign(
    values: list[float],
) -> None:
    (low, high), turned, nothing = intervals(
        [values, [-value for value in values], [0.0] * len(values)]
    )
    assert min(values) - 1e-12 <= low <= high <= max(values) + 1e-12
    assert turned == pytest.approx((-high, -low))
    assert nothing == (0.0, 0.0)


def test_chance_is_that_of_flipped_signs() -> None:
    for changed in range(1, 9):
        (found,) = chances([[1.0] * changed + [0.0] * 50])
        assert found == pytest.approx(2 * 0.5**changed if changed > 1 else 1.0, abs=0.015)
    assert chances([[0.0] * 9]) == [1.0]
    assert chances([[]]) == [1.0]
    (alone,) = chances([[1.0] * 8 + [0.0] * 50])
    beside = chances([[1.0] * 8 + [0.0] * 50, *np.random.default_rng(1).normal(size=(6, 58))])
    assert beside[0] > alone, "among seven measures one is sooner large"


def test_nothing_is_seldom_called_something() -> None:
    """Of 100 plugins that change measures at random, about 5 may seem to help or to harm."""
    random = np.random.default_rng(7)
    seem = 0
    for _ in range(100):
        shared = random.normal(size=40)
        lists = [(shared + random.normal(size=40)).round(1).tolist() for _ in range(7)]
        seem += min(chances(lists)) <= LEVEL
    assert 0 <= seem <= 11


def test_a_plugin_without_a_part_in_search_is_not_compared(data: str) -> None:
    with pytest.raises(UsageError, match="no part in a search"):
        compare(["lmeb"], data)
