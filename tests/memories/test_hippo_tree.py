"""hippo on trees: building, editing, asking, and what its commands say."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from memtree.errors import EntryNotFound, Unavailable, UsageError
from memtree.hosting.desk import WorkDesk
from memtree.hosting.lab import ScratchLab, run
from memtree.knowledge.query import Query
from memtree.memories.hippo import Hippo, fixture, graph
from memtree.memories.hippo.commands import build, import_, path, show
from memtree.memories.hippo.triples import key_of
from memtree.plugins import Context, NotReady
from memtree.testing import PluginContract

FILES = {
    "team/ada.md": "---\nid: ada-1\n---\n# Ada Greve\n\nAda Greve leads Payments.\n",
    "team/payments.md": "# Payments\n\nPayments has its desk in Bergen.\n",
    "city/bergen.md": "# Bergen\n\nIn Bergen it rains. See [[team/payments]].\n",
    "city/oslo.md": "# Oslo\n\nOslo has a tram.\n",
}
TRIPLES = {
    "ada-1": [["Ada Greve", "leads", "Payments"]],
    "team/payments": [["Payments", "has its desk in", "Bergen"]],
    "Bergen": [["Bergen", "has", "rain"]],
}


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[ScratchLab]:
    with ScratchLab(Hippo, place=str(tmp_path)) as made:
        yield made


def jsonl(tmp_path: Path, *records: object) -> str:
    file = tmp_path / "given.jsonl"
    file.write_text("".join(json.dumps(each) + "\n" for each in records), "utf-8")
    return str(file)


def imported(lab: ScratchLab, tmp_path: Path) -> WorkDesk:
    desk = lab.tree(FILES)
    desk.follow()
    records = [{"id": name, "triples": triples} for name, triples in TRIPLES.items()]
    assert import_(desk, jsonl(tmp_path, *records)).code == 0
    return desk


def says(triples: list[tuple[str, str, str]]) -> str:
    told = [dict(zip("spo", triple, strict=True)) for triple in triples]
    return json.dumps({"entities": [], "triples": told})


def phrases(desk: WorkDesk) -> set[str]:
    network = graph.held(desk.context).network
    return {key_of(network.names[at]) for at in range(len(network.names))}


class TestContract(PluginContract):
    plugin = Hippo


def test_the_acceptance_check_passes(lab: ScratchLab) -> None:
    found = run(lab)
    assert len(found) == 9
    assert [check for check in found if not check.passed] == []
    assert len(lab.skipped) == 1  # MuSiQue, which nobody gave


# -- making triples ---------------------------------------------------------------------------


def test_without_a_model_build_says_so_and_makes_the_graph(lab: ScratchLab) -> None:
    desk = lab.tree(FILES)
    report = build(desk)
    assert report.code == 3
    assert report.lines[0].startswith("entries not read: 4, no language model")
    assert "4 stand with the names in them" in report.lines[-1]
    assert Hippo().mode(desk.context).label == "graph=cooccurrence"


def test_what_was_read_is_not_read_again_and_what_failed_is(lab: ScratchLab) -> None:
    asked: list[str] = []
    broken = [True]

    def model(prompt: str) -> str:
        asked.append(prompt.rpartition("Title: ")[2].partition("\n")[0])
        return "no JSON" if broken[0] and asked[-1] == "Oslo" else says([])

    desk = lab.tree(FILES, model=model)
    report = build(desk)
    assert report.code == 1
    assert report.lines[:2] == [
        "entries read: 3, triples: 0; still to be read: 1",
        "script gave no triples of 'city/oslo.md' that could be read",
    ]
    broken[0] = False
    del asked[:]
    assert build(desk).value["read"] == 1  # type: ignore[index]
    assert asked == ["Oslo"]
    assert build(desk).value["read"] == 0  # type: ignore[index]
    assert build(desk, limit=1, again=True).value["read"] == 1  # type: ignore[index]


def test_a_model_that_follows_no_schema_is_given_up(lab: ScratchLab) -> None:
    desk = lab.tree(FILES, model=lambda _: "no JSON")
    with pytest.raises(Unavailable, match="gave no triples"):
        build(desk)


def test_an_answer_that_is_cut_off_is_asked_for_in_smaller_parts(lab: ScratchLab) -> None:
    sizes: list[int] = []

    def model(prompt: str) -> str:
        sizes.append(len(prompt.partition("Note:\n")[2]))
        return '{"entities":["x"' if sizes[-1] > 1000 else says([("Ada", "met", "Bob")])

    body = "Ada met Bob.\n" * 110
    desk = lab.tree({"a.md": f"# Long\n\n{body}"}, model=model)
    assert build(desk).value["triples"] == 1  # type: ignore[index]
    assert sizes[0] > 1000 > max(sizes[1:])


def test_a_model_may_say_only_what_stands_in_the_entry(lab: ScratchLab) -> None:
    made = [("Ada Greve", "leads", "Payments"), ("Ada Greve", "married", "Napoleon")]
    desk = lab.tree(FILES, model=lambda _: says(made))
    report = build(desk, "team")
    assert report.value["read"] == 2  # type: ignore[index]
    assert show(desk, "ada-1").lines == ["line 6: Ada Greve | leads | Payments  [llm]"]
    assert show(desk, "team/payments").code == 1
    assert show(desk, "team/payments").lines == ["no triples: the entry was read and states none"]


def test_what_a_person_wrote_stays_when_a_model_reads_the_entry_again(
    lab: ScratchLab, tmp_path: Path
) -> None:
    desk = lab.tree(FILES, model=lambda _: says([("Ada Greve", "leads", "Payments")]))
    import_(desk, jsonl(tmp_path, {"id": "ada-1", "s": "Ada Greve", "p": "runs", "o": "Payments"}))
    build(desk, again=True)
    assert show(desk, "ada-1").lines == [
        "line 6: Ada Greve | runs | Payments  [human]",
        "line 6: Ada Greve | leads | Payments  [llm]",
    ]


def test_imports_take_ids_paths_and_titles_and_name_what_they_dont_know(
    lab: ScratchLab, tmp_path: Path
) -> None:
    desk = lab.tree(FILES)
    file = jsonl(
        tmp_path,
        {"id": "ada-1", "triples": [["Ada Greve", "leads", "Payments"], ["one", "two"], 7]},
        {"title": "Oslo", "subject": "Oslo", "predicate": "has", "object": "a tram"},
        {"id": "nobody", "triples": [["a", "b", "c"]]},
        {"id": "ada-1"},
        [1, 2],
    )
    report = import_(desk, file)
    assert report.code == 1
    assert report.lines[:4] == [
        "2 triples of 2 entries", "line 3: no entry is called 'nobody'",
        "line 4: no id, or no triple", "line 5: no id, or no triple",
    ]  # fmt: skip
    assert import_(desk, file).value == report.value  # the same again changes nothing
    with pytest.raises(UsageError, match="can't be read"):
        import_(desk, str(tmp_path / "none.jsonl"))
    with pytest.raises(UsageError, match="--by"):
        import_(desk, file, by="nobody")


# -- the graph follows ------------------------------------------------------------------------


def test_an_edited_entry_keeps_what_still_stands(lab: ScratchLab, tmp_path: Path) -> None:
    desk = imported(lab, tmp_path)
    desk.write("team/payments.md", "# Payments\n\nPayments has its desk in Oslo.\n")
    desk.follow()
    assert "[human] no longer stands in the entry" in show(desk, "Payments").lines[0]
    assert not [hit for hit in desk.retrieve("Where is the desk of Ada's team?").hits
                if "Bergen" in hit.why]  # fmt: skip


def test_a_removed_entry_takes_its_triples_along(lab: ScratchLab, tmp_path: Path) -> None:
    desk = imported(lab, tmp_path)
    assert "ada greve" in phrases(desk)
    desk.remove("team/ada.md")
    desk.follow()
    assert "ada greve" not in phrases(desk)
    assert "triples/ada-1.jsonl" not in desk.context.sidecar.names()


def test_an_entry_that_moves_keeps_its_triples(lab: ScratchLab, tmp_path: Path) -> None:
    desk = imported(lab, tmp_path)
    for old, new in (("team/ada.md", "who/ada.md"), ("team/payments.md", "who/payments.md")):
        desk.write(new, desk.read(old))
        desk.remove(old)
    desk.follow()
    assert desk.context.sidecar.names() == [
        "triples/ada-1.jsonl", "triples/city/bergen.jsonl", "triples/who/payments.jsonl",
    ]  # fmt: skip
    assert show(desk, "who/payments").code == 0


def test_a_person_corrects_a_triple_in_its_file(lab: ScratchLab, tmp_path: Path) -> None:
    desk = imported(lab, tmp_path)
    sidecar = desk.context.sidecar
    records = sidecar.read("triples/ada-1.jsonl")
    sidecar.write("triples/ada-1.jsonl", [{**records[0], "o": "Search"}])
    assert "search" in phrases(desk)


def test_relations_of_the_tree_are_triples(lab: ScratchLab, tmp_path: Path) -> None:
    report = path(imported(lab, tmp_path), "Bergen", "Ada Greve")
    assert report.lines[-1] == "Ada Greve - leads - Payments  (team/ada.md)"
    assert len(report.lines) == 2
    lone = lab.tree(
        {"a.md": "# Alpha\n\nit rests on [[b]] now\n", "b.md": "# Beta\n\nnothing else\n"}
    )
    assert path(lone, "Alpha", "Beta").lines == ["Alpha - links to - Beta  (a.md)"]


def test_rebuilding_gives_what_following_gave(lab: ScratchLab, tmp_path: Path) -> None:
    desk = imported(lab, tmp_path)
    desk.write("city/rome.md", "# Rome\n\nRome has Payments too.\n")
    desk.remove("city/oslo.md")
    desk.follow()
    followed = graph.held(desk.context).network.arrays()
    rebuilt = graph.rebuild(desk.context).network.arrays()
    assert all(np.array_equal(followed[name], rebuilt[name]) for name in rebuilt)


def test_a_deleted_cache_costs_nothing_but_time(lab: ScratchLab, tmp_path: Path) -> None:
    desk = imported(lab, tmp_path)
    before = [hit.path for hit in desk.retrieve("Who leads Payments?").hits]
    for file in Path(desk.context.cache.folder).iterdir():
        file.unlink()
    graph._open.clear()
    assert [hit.path for hit in desk.retrieve("Who leads Payments?").hits] == before


def test_a_large_graph_waits_with_single_changes_and_says_so(
    lab: ScratchLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph, "SMALL", 10)
    files = {f"n/{at}.md": f"# Place {at}\n\nPlace {at} borders Place {at + 1}.\n"
             for at in range(150)}  # fmt: skip
    desk = lab.tree(files)
    desk.follow()
    desk.write("n/7.md", "# Place 7\n\nPlace 7 borders Atlantis.\n")
    desk.follow()
    assert "atlantis" not in phrases(desk)
    ctx = desk.context
    hits = Hippo().retrieve(Query("What does Place 7 border?"), ctx).hits
    assert "n/7.md" not in [hit.path for hit in hits]
    assert ctx.notes == [
        "1 of the entries changed since the graph was made: memtree hippo build makes it anew"
    ]
    build(desk)
    assert "atlantis" in phrases(desk)


# -- asking -----------------------------------------------------------------------------------


def test_a_question_finds_what_lies_two_steps_away_and_says_why(
    lab: ScratchLab, tmp_path: Path
) -> None:
    desk = imported(lab, tmp_path)
    found = desk.retrieve("What does Ada Greve lead?")
    reasons = {hit.path: hit.why for hit in found.hits}
    assert reasons["team/ada.md"] == "says: Ada Greve - leads - Payments"
    assert reasons["team/payments.md"] == "names Payments"
    assert found.hits[0].lines == (6, 6)
    answer = desk.search("What does Ada Greve lead?")
    assert answer.by[-1:] == ["hippo[facts=words]"]


def test_a_scope_is_kept(lab: ScratchLab, tmp_path: Path) -> None:
    desk = imported(lab, tmp_path)
    hits = desk.retrieve("What does Ada Greve lead?", scope="city").hits
    assert {hit.path.partition("/")[0] for hit in hits} <= {"city"}


def test_the_trace_holds_facts_seeds_and_reasons(lab: ScratchLab, tmp_path: Path) -> None:
    ctx = imported(lab, tmp_path).context
    Hippo().retrieve(Query("What does Ada Greve lead?"), ctx)
    facts, ways = ctx.steps
    first = str(next(iter(facts["facts"])))  # type: ignore[call-overload]
    assert first.startswith("kept ")
    assert first.endswith(": Ada Greve | leads | Payments")
    assert facts["recognition"] == "relative"
    assert facts["seeds"] == ["Ada Greve 1.000", "Payments 0.333"]
    assert str(ways["ways"]).startswith("['team/ada.md 0.")


@pytest.mark.parametrize(
    ("said", "by", "notes"),
    [('{"keep":[]}', "model", 0), ("nothing at all", "relative", 0), ('{"keep":[1]}', "model", 0)],
)
def test_a_model_judges_the_facts_and_nonsense_is_not_believed(
    lab: ScratchLab, tmp_path: Path, said: str, by: str, notes: int
) -> None:
    desk = lab.tree(FILES, model=lambda _: said)
    import_(desk, jsonl(tmp_path, {"id": "ada-1", "triples": TRIPLES["ada-1"]}))
    ctx = desk.context
    found = Hippo().retrieve(Query("What does Ada Greve lead?"), ctx)
    step = next(step for step in ctx.steps if "recognition" in step)
    assert step["recognition"] == by
    assert len(ctx.notes) == notes
    assert found.hits[0].path == "team/ada.md"
    assert ("no fact fits" in found.why) == (said == '{"keep":[]}')


@pytest.mark.parametrize(
    ("options", "said"),
    [({"damping": 1.0}, "damping"), ({"damping": "much"}, "damping"),
     ({"recognition": "loud"}, "recognition"), ({"passages": "none"}, "passages"),
     ({"passage_weight": -1}, "passage_weight")],
)  # fmt: skip
def test_an_option_that_makes_no_sense_is_named(
    lab: ScratchLab, options: dict[str, object], said: str
) -> None:
    desk = lab.tree(FILES)
    desk.follow()
    ctx = desk.context
    ctx.options = {**ctx.options, **options}
    with pytest.raises(UsageError, match=said):
        Hippo().retrieve(Query("What does Payments do?"), ctx)


def test_a_tree_of_nothing_is_asked_in_vain(lab: ScratchLab) -> None:
    desk = lab.tree({})
    desk.follow()
    assert list(desk.retrieve("anything").hits) == []


def test_a_question_that_fits_no_fact_gets_plain_search(lab: ScratchLab, tmp_path: Path) -> None:
    desk = imported(lab, tmp_path)
    found = desk.retrieve("tram")
    assert found.hits[0].path == "city/oslo.md"


# -- a model that reads -----------------------------------------------------------------------


class Reading:
    """An embedder that is no table: counted trigrams, hashed; it counts what it embeds."""

    id = "reading 1"
    dimension = 256
    lexical = False

    def __init__(self) -> None:
        self.embedded = 0

    def embed(self, texts: list[str]) -> np.ndarray:
        self.embedded += len(texts)
        found = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in zip(found, texts, strict=True):
            spaced = f" {text.casefold()} "
            for at in range(len(spaced) - 2):
                row[sum(map(ord, spaced[at : at + 3])) % self.dimension] += 1
        found /= np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)
        return found

    def question(self, text: str) -> np.ndarray:
        return np.asarray(self.embed([text])[0])


def test_a_model_that_reads_links_facts_and_embeds_nothing_twice(
    lab: ScratchLab, tmp_path: Path
) -> None:
    desk = imported(lab, tmp_path)
    reading = Reading()
    ctx = desk.context
    ctx._embedder.append(reading)  # type: ignore[arg-type]
    assert Hippo().mode(ctx).label == "recognition=relative"
    with pytest.raises(NotReady):
        Hippo().retrieve(Query("What does Ada Greve lead?"), ctx)
    graph.rebuild(ctx)
    found = Hippo().retrieve(Query("What does Ada Greve lead?"), ctx)
    assert found.hits[0].path == "team/ada.md"
    held = graph.held(ctx)
    assert held.vectors is not None
    assert held.vectors.shape == (held.network.facts, 256)
    count = reading.embedded
    graph.rebuild(ctx)
    assert reading.embedded == count
    Hippo().retrieve(Query("What does Ada Greve lead?"), ctx)
    assert reading.embedded == count + 1  # the question


# -- looking ----------------------------------------------------------------------------------


def test_names_that_the_graph_does_not_know_are_named(lab: ScratchLab, tmp_path: Path) -> None:
    desk = imported(lab, tmp_path)
    with pytest.raises(EntryNotFound, match="Atlantis"):
        path(desk, "Oslo", "Atlantis")
    with pytest.raises(EntryNotFound):
        show(desk, "nobody")
    assert path(desk, "rain", "rain").lines == ["rain and rain are one"]


def test_names_that_nothing_joins_have_no_path(lab: ScratchLab, tmp_path: Path) -> None:
    desk = lab.tree({"a.md": "# Alpha\n\nx\n", "b.md": "# Beta\n\ny\n"})
    file = jsonl(tmp_path, {"id": "a", "s": "P", "p": "is", "o": "Q"},
                 {"id": "b", "s": "V", "p": "is", "o": "W"})  # fmt: skip
    import_(desk, file)
    report = path(desk, "P", "W")
    assert (report.code, list(report.lines)) == (1, ["nothing leads from P to W"])


def test_importing_the_package_loads_no_numpy() -> None:
    import subprocess
    import sys

    code = "import sys, memtree.memories.hippo as h; h.Hippo(); sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_fixture_has_forty_distractors() -> None:
    assert len(fixture.files()) == fixture.DISTRACTORS + 3


def test_a_graph_that_is_damaged_is_made_again_outside_of_the_time_of_a_question(
    lab: ScratchLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = imported(lab, tmp_path)
    question = "where does Ada Greve's team have its desk"
    before = [hit.path for hit in desk.search(question).hits]
    Path(desk.context.cache.folder, "graph.npz").write_bytes(b"torn")
    monkeypatch.setattr(graph, "_open", {})
    made: list[str] = []
    rebuild = graph.rebuild

    def noted(ctx: Context) -> graph.Held:
        made.append(inspect.stack()[1].function)
        return rebuild(ctx)

    monkeypatch.setattr(graph, "rebuild", noted)
    answer = desk.search(question)
    assert [hit.path for hit in answer.hits] == before
    assert not [note for note in answer.notes if "left out" in note]
    assert made == ["follow"]
