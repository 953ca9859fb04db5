"""The loop of the benchmarks: trees, questions, tables, going on, and what goes wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from toy_benchmark import ToySuite, installed

from memtree import bench
from memtree.cli import main
from memtree.errors import MemtreeError, UsageError
from memtree.hosting import registry
from memtree.hosting.bench_log import Done, Log
from memtree.hosting.bench_measures import by_kind, measures
from memtree.hosting.benching import Run, SuiteFailed, run
from memtree.plugins.api import Manifest, Mode, Ranked

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def toys(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """The plugins of the tests, installed beside those that came with memtree."""
    installed(
        tmp_path_factory.mktemp("site"),
        {"toy": "Toy", "sick": "Sick", "crashes": "Crashes"},
        monkeypatch,
    )
    registry.forget()
    yield
    monkeypatch.undo()
    registry.forget()


def ran(suite: ToySuite, **more: Any) -> dict[str, Any]:
    return run(Run(suite=suite, plugin="toy", opened=bench._opened, **more))


def kinds(report: dict[str, Any]) -> dict[str, dict[str, float]]:
    return {row.pop("kind"): row for row in report["kinds"]}


# -- the loop -----------------------------------------------------------------------------------


def test_each_setup_is_asked_in_a_tree_of_its_own() -> None:
    suite = ToySuite()
    report = ran(suite)
    assert suite.planted == ["kitchen", "cellar"]
    table = kinds(report)
    assert list(table) == ["all", "kitchen", "cellar"]
    assert table["all"]["n"] == 4
    assert table["all"]["right"] == 1.0, "plain questions about three notes"
    assert table["kitchen"]["ms"] > 0
    assert (report["questions"], report["setups"], report["resumed"]) == (4, 2, 0)
    assert json.loads(json.dumps(report))


def test_a_suite_that_answers_by_itself_is_believed_its_time() -> None:
    table = kinds(ran(ToySuite(), options={"how": "know"}))
    assert table["all"]["known"] == 1.0
    assert table["all"]["ms"] == 7.0


def test_a_suites_own_options_reach_its_cases_and_its_lines_the_report() -> None:
    report = ran(ToySuite(), options={"rooms": "cellar"}, seed=5)
    assert report["lines"] == ["1 rows, and the tree is \x1b[31mred"]
    assert report["options"] == {"rooms": "cellar"}
    assert report["seed"] == 5
    assert [row["kind"] for row in report["kinds"]] == ["all"], "one kind is not said twice"


def test_limit_asks_the_first_cases_and_builds_no_tree_for_the_rest() -> None:
    suite = ToySuite()
    assert ran(suite, limit=1)["questions"] == 1
    assert suite.planted == ["kitchen"]


def test_a_case_names_what_it_is_asked_of(tmp_path: Path) -> None:
    found: dict[str, dict[str, list[str]]] = {}
    for retriever in ("memtree", "toy", "memtree+toy"):
        log = tmp_path / retriever
        ran(ToySuite(), options={"rooms": "cellar", "retriever": retriever}, resume=str(log))
        lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()[1:]]
        found[retriever] = {line["case"]: line["found"] for line in lines if "case" in line}
    first, second = "cellar-boiler-0", "cellar-coal-0"
    assert found["toy"] == {first: ["coal"], second: ["coal"]}, "its retriever alone"
    assert found["memtree"][first][0] == found["memtree+toy"][first][0] == "boiler"
    assert found["memtree"][first] == ["boiler", "wine"]
    assert set(found["memtree+toy"][first]) == {"boiler", "wine", "coal"}, "the two are fused"


def test_a_plugin_that_is_not_there_is_unavailable_before_anything_is_asked() -> None:
    with pytest.raises(MemtreeError) as caught:
        ran(ToySuite(), plugins=["nosuch"])
    assert caught.value.exit_code == 3
    with pytest.raises(MemtreeError) as caught:
        ran(ToySuite(), options={"retriever": "nosuch"})
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("named", ["mint", "memtree+mint"])
def test_a_retriever_that_finds_nothing_by_itself_is_a_mistake(named: str) -> None:
    with pytest.raises(UsageError, match=r"the plugin mint .* is no retriever"):
        ran(ToySuite(), options={"retriever": named})


def test_plugins_that_took_no_part_are_said() -> None:
    report = ran(ToySuite(), plugins=["toy"], options={"how": "know"})
    assert "nothing was searched in the tree: --with toy made no difference" in report["notes"]
    assert not any("no difference" in note for note in ran(ToySuite(), plugins=["toy"])["notes"])
    own = ran(ToySuite(), plugins=["toy"], options={"retriever": "memtree"})
    assert not any("no difference" in note for note in own["notes"])


def test_a_plugin_that_fails_in_a_search_is_named() -> None:
    report = ran(ToySuite(), plugins=["crashes"])
    (said,) = (note for note in report["notes"] if "crashes" in note)
    assert said == "the plugin crashes was left out (retrieve): RuntimeError: no luck"


class Adopting:
    """A plugin that can be used once it was told something by the data."""

    manifest = Manifest(name="adopting", title="Adopts", source="tests", modes=("full", "bare"))

    def adopt(self, desk: Any, folder: str) -> str:
        told = Path(folder, "told.txt").read_text("utf-8")
        desk.context.sidecar.write("told.jsonl", [{"told": told}])
        return f"it was told {told}"

    def mode(self, ctx: Any) -> Mode:
        return Mode() if ctx.sidecar.read("told.jsonl") else Mode(label="bare", reason="not told")

    def retrieve(self, query: Any, ctx: Any) -> list[Ranked]:
        told = ctx.sidecar.read("told.jsonl")[0]["told"]
        return [Ranked(path=entry.path, score=1.0) for entry in ctx.tree.entries(query.scope)
                if entry.id == told]  # fmt: skip


@pytest.mark.parametrize("named", ["adopting", "memtree+adopting", ""])
def test_a_plugin_takes_what_the_data_has_for_it(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch,
    named: str,
) -> None:  # fmt: skip
    class WithData(ToySuite):
        def cases(self, *, data: str, seed: int, **more: Any) -> Iterator[Any]:
            assert data
            return super().cases(data="", seed=seed, **more)

    site = tmp_path_factory.mktemp("more")
    installed(site, {"adopting": "Adopting"}, monkeypatch, module="test_bench_plugins")
    registry.forget()
    (tmp_path / "told.txt").write_text("coal", "utf-8")
    options = {"rooms": "cellar", "retriever": named}
    plugins = [] if named else ["adopting"]
    report = ran(WithData(), data=str(tmp_path), options=options, plugins=plugins)
    assert report["notes"] == ["it was told coal"]


def test_operations_are_counted_also_when_a_run_goes_on(tmp_path: Path) -> None:
    from memtree.knowledge.plan import Add, Archive, Claim

    class Writing(ToySuite):
        writes = True

        def prepare(self, setup: str, desk: Any) -> None:
            self.planted.append(setup)
            claim = Claim(text="The tin is blue.", evidence=(), when="")
            add = Add(path=f"notes/all/{setup}.md", title=setup, claims=(claim,), reason="told")
            desk.apply([add], dry_run=True)  # is not counted
            desk.apply([add, Archive(path="notes/all/none.md", reason="gone")])

    log = str(tmp_path / "log")
    suite = Writing()
    suite.fails_at, suite.failure = "cellar-boiler-0", KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        ran(suite, resume=log)
    again = Writing()
    report = ran(again, resume=log)
    assert again.planted == ["cellar"]
    assert report["operations"] == {"add": 2, "archive refused": 2}
    assert report["build_s"] > 0
    assert ran(Writing(), resume=log)["operations"] == report["operations"]
    assert ran(ToySuite())["operations"] == {}


def test_a_suite_may_prepare_its_tree_itself_and_set_its_settings() -> None:
    class Prepared(ToySuite):
        totals = False

        def settings(self, setup: str) -> dict[str, str]:
            assert setup == "cellar"
            return {"embed.model": "none"}

        def prepare(self, setup: str, desk: Any) -> None:
            desk.write("notes/all/coal.md", "---\nid: coal\n---\nCoal was burnt until 1974.\n")
            self.seen = (setup, desk.tree.config.text("embed.model"))

        def summary(self, rows: list[dict[str, object]]) -> dict[str, object]:
            return {"kinds": [row["kind"] for row in rows]}

    suite = Prepared()
    report = ran(suite, options={"rooms": "cellar"})
    assert suite.planted == []
    assert suite.seen == ("cellar", "none")
    assert report["summary"] == {"kinds": ["cellar"]}, "no row of all is wanted"
    assert report["kinds"][0]["right"] == 0.5


def test_only_candidates_count() -> None:
    class Picky(ToySuite):
        def cases(self, **given: Any) -> Iterator[Any]:
            from dataclasses import replace

            for case in super().cases(**given):
                yield replace(case, candidates=["wine", "coal"])

        def grade(self, case: Any, result: Any) -> dict[str, float]:
            assert set(result.found) <= {"wine", "coal"}
            return super().grade(case, result)  # type: ignore[return-value]

    assert ran(Picky(), options={"rooms": "cellar"})["kinds"][0]["right"] == 0.5


# -- going on -----------------------------------------------------------------------------------


def test_an_interrupted_run_goes_on_where_it_was(tmp_path: Path) -> None:
    log = str(tmp_path / "log.jsonl")
    suite = ToySuite()
    suite.fails_at, suite.failure = "cellar-boiler-0", KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        ran(suite, resume=log)
    again = ToySuite()
    report = ran(again, resume=log)
    assert again.graded == ["cellar-boiler-0", "cellar-coal-0"]
    assert again.planted == ["cellar"], "a finished setup is not built again"
    assert report["resumed"] == 2
    whole, fresh = kinds(report), kinds(ran(ToySuite()))
    for table in (whole, fresh):
        for row in table.values():
            row.pop("ms")
    assert whole == fresh
    third = ToySuite()
    assert ran(third, resume=log)["resumed"] == 4
    assert third.planted == []


def test_a_log_of_another_run_or_of_something_else_is_refused(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    ran(ToySuite(), resume=str(log), limit=1)
    with pytest.raises(UsageError, match="another run"):
        ran(ToySuite(), resume=str(log), seed=1)
    log.write_text("notes\n", "utf-8")
    with pytest.raises(UsageError, match="no file of finished cases"):
        ran(ToySuite(), resume=str(log))
    assert log.read_text("utf-8") == "notes\n", "what is somebody else's stays"
    with pytest.raises(MemtreeError) as caught:
        ran(ToySuite(), resume=str(tmp_path))
    assert caught.value.exit_code == 4


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cut=st.integers(0, 400), text=st.text(max_size=8))
def test_wherever_a_log_is_cut_off_whole_lines_are_kept(
    tmp_path: Path, cut: int, text: str
) -> None:
    path = tmp_path / "log.jsonl"
    path.unlink(missing_ok=True)
    cases = [Done(case=f"{number}", kind=text, measures={"m": number / 3}) for number in range(3)]
    with Log(str(path), {"suite": text}) as log:
        for done in cases:
            log.add(done)
    whole = path.read_bytes()
    path.write_bytes(whole[:cut])
    kept = max(0, whole[:cut].count(b"\n") - 1)
    with Log(str(path), {"suite": text}) as log:
        assert list(log.done.values()) == cases[:kept]
        for done in cases[kept:]:
            log.add(done)
    assert path.read_bytes() == whole


# -- what goes wrong ----------------------------------------------------------------------------


def test_a_suite_that_fails_is_named_and_finished_cases_are_kept(tmp_path: Path) -> None:
    suite = ToySuite()
    suite.fails_at = "kitchen-salt-0"
    with pytest.raises(SuiteFailed, match=r"toy failed \(kitchen-salt-0\): ZeroDivisionError: by"):
        ran(suite, resume=str(tmp_path / "log"))
    assert ran(ToySuite(), resume=str(tmp_path / "log"))["resumed"] == 1


def test_no_cases_and_equal_ids_are_said() -> None:
    with pytest.raises(UsageError, match="no cases"):
        ran(ToySuite(), options={"rooms": ""})
    with pytest.raises(SuiteFailed, match="one id"):
        ran(ToySuite(), options={"rooms": "kitchen,kitchen"})
    with pytest.raises(UsageError, match="toys have no data"):
        ran(ToySuite(), data="somewhere")


# -- the command line ---------------------------------------------------------------------------


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> None:
    from memtree.cli import bench as shell

    monkeypatch.setattr(shell, "COMMANDS", {"bench": shell._members()})


@pytest.mark.usefixtures("commands")
def test_a_suite_is_a_command_with_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "toy", "--help"]) == 0
    said = capsys.readouterr().out
    for word in ("Where things are in a house.", "--rooms", "Which rooms, with commas.", "--seed",
                 "--data", "--with", "--limit", "--resume", "--json", "ask|know"):  # fmt: skip
        assert word in said
    assert main(["bench", "toy", "--rooms", "cellar", "--seed", "3"]) == 0
    said = capsys.readouterr().out
    assert "cellar" not in said
    assert "\x1b" not in said, "what a plugin says tells the terminal nothing"
    assert "2 questions" in said
    assert main(["bench", "toy", "--how", "know", "--limit", "2", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["kinds"][0] == {"kind": "all", "n": 2, "right": 1.0, "known": 1.0, "ms": 7.0}
    assert report["suite"] == report["plugin"] == "toy"


@pytest.mark.usefixtures("commands")
def test_mistakes_on_the_command_line_have_their_exit_codes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["bench", "toy", "--data", "x"]) == 2
    assert main(["bench", "toy", "--with", "nosuch"]) == 3
    assert main(["bench", "toy", "--how", "guess"]) == 2
    assert main(["bench", "nosuch"]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_suites_are_those_of_the_plugins_that_can_be_loaded() -> None:
    known = bench.suites()
    assert known["toy"][0] == "toy"
    assert {"lmeb", "toy"} <= set(known)
    with pytest.raises(UsageError, match="'nosuch'"):
        bench.run("nosuch")


# -- somebody's own questions -------------------------------------------------------------------


@pytest.fixture
def data(tmp_path: Path) -> Path:
    from toy_benchmark import ASKED, ROOMS

    folder = tmp_path / "data"
    folder.mkdir()
    documents = [
        {"id": name, "group": room, "text": text}
        for room, some in ROOMS.items()
        for name, text in some.items()
    ]
    questions = [
        {"id": name, "group": room, "text": text, "gold": [name], "category": room}
        for room, some in ASKED.items()
        for name, text in some.items()
    ]
    for name, lines in (("corpus", documents), ("queries", questions)):
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / f"{name}.jsonl").write_text(text, "utf-8")
    return folder


@pytest.mark.usefixtures("commands")
def test_retrieval_with_a_plugin_says_so_and_one_that_is_not_there_is_unavailable(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = bench.retrieval(str(data))
    assert "with" not in plain
    assert main(["bench", "retrieval", str(data), "--with", "toy", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["with"] == ["toy"]
    assert [row["category"] for row in report["categories"]] == ["all", "cellar", "kitchen"]
    assert main(["bench", "retrieval", str(data), "--with", "toy,nosuch"]) == 3
    assert main(["bench", "retrieval", str(data), "--with", "toy"]) == 0
    assert "toy" in capsys.readouterr().out


# -- measures -----------------------------------------------------------------------------------


def test_measures_are_those_computed_by_hand() -> None:
    found = measures(["x", "a", "y", "b"], ["a", "b"], complete=(3, 10))
    assert found["recall@1"] == 0
    assert found["recall@5"] == found["all@10"] == 1
    assert found["all@3"] == 0
    assert found["mrr"] == 0.5
    assert found["ndcg@10"] == pytest.approx(0.65092, abs=1e-5)
    with pytest.raises(ValueError, match="gold"):
        measures(["a"], [])


def test_a_mean_is_of_those_that_have_the_measure() -> None:
    rows = [("a", 2.0, {"m": 1.0}), ("b", 4.0, {}), ("a", 6.0, {"m": 0.0, "o": 1.0})]
    table = by_kind(rows, label="kind", count="n", total=True)
    assert table == [
        {"kind": "all", "n": 3, "m": 0.5, "o": 1.0, "ms": 4.0},
        {"kind": "a", "n": 2, "m": 0.5, "o": 1.0, "ms": 4.0},
        {"kind": "b", "n": 1, "ms": 4.0},
    ]
