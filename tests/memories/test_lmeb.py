"""LMEB: measures, plain BM25, files, the converter, and the whole benchmark on small data."""

from __future__ import annotations

import json
import random
from math import log, log2
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memtree import bench
from memtree.errors import MemtreeError, UsageError
from memtree.hosting.lab import ScratchLab, run
from memtree.memories.lmeb import Lmeb, checks, convert
from memtree.memories.lmeb.bm25 import Bm25, words
from memtree.memories.lmeb.checks import BY_HAND, GRADED
from memtree.memories.lmeb.converting import converted, is_plain, scene_id, write
from memtree.memories.lmeb.files import TYPES, Task, instructions, read, type_of
from memtree.memories.lmeb.means import NAMES, mean, means
from memtree.memories.lmeb.measures import CUTS, capped_recall, measured, ndcg
from memtree.memories.lmeb.rankers import MOST_TOKENS, cut
from memtree.testing import PluginContract

if TYPE_CHECKING:
    from pathlib import Path

PETS = (
    ("conv-1", "D1:1", "Ada", "My cat is called Mimi and sleeps all day."),
    ("conv-1", "D1:2", "Ben", "Our dog Rex chases the postman."),
    ("conv-1", "D1:3", "Ada", "I will paint the fence green in June."),
    ("conv-2", "D1:1", "Cleo", "The violin lesson moved to Thursday."),
    ("conv-2", "D1:2", "Dan", "I bought a kayak for the lake."),
)
ASKED: tuple[tuple[str, str, str, str, list[str]], ...] = (
    ("conv-1", "q0", "What is Ada's cat called?", "single-hop", ["D1:1"]),
    ("conv-1", "q1", "Which animals are there?", "multi-hop", ["D1:1", "D1:2"]),
    ("conv-2", "q0", "When is the violin lesson?", "temporal", ["D1:1"]),
    ("conv-2", "q1", "What did Dan buy?", "single-hop", ["D1:2"]),
    ("conv-2", "q2", "What is Dan's brother called?", "adversarial", []),
)


class TestContract(PluginContract):
    plugin = Lmeb


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """The form of `memtree bench retrieval`."""
    folder = tmp_path / "locomo_small"
    folder.mkdir()
    documents = [
        {"id": f"{group}/{turn}", "group": group, "speaker": who, "date": "2023-05-08T13:56",
         "session": 1, "text": text}
        for group, turn, who, text in PETS
    ]  # fmt: skip
    questions = [
        {"id": f"{group}/{name}", "group": group, "text": text, "category": category,
         "gold": [f"{group}/{turn}" for turn in gold]}
        for group, name, text, category, gold in ASKED
    ]  # fmt: skip
    for name, lines in (("corpus", documents), ("queries", questions)):
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / f"{name}.jsonl").write_text(text, "utf-8")
    return folder


def benched(data: Path, **options: str) -> dict[str, Any]:
    return bench.run("lmeb", data=str(data), options=options)


# -- measures -----------------------------------------------------------------------------------


def test_the_measures_of_five_queries_are_those_computed_by_hand() -> None:
    for found, grades, gain, recall in BY_HAND:
        assert ndcg(found, grades) == (None if gain is None else pytest.approx(gain, abs=1e-5))
        assert capped_recall(found, grades, 10) == recall
    assert ndcg(GRADED[0], GRADED[1]) == pytest.approx(GRADED[2], abs=1e-5)


def test_capped_recall_asks_for_no_more_than_fits() -> None:
    grades = {f"r{number}": 1.0 for number in range(12)}
    found = ["x", *(f"r{number}" for number in range(12))]
    by_cut = {cut: capped_recall(found, grades, cut) for cut in CUTS}
    assert by_cut == {1: 0.0, 5: 0.8, 10: 0.9, 25: 1.0, 50: 1.0}
    assert measured(found, {"x": 0.0}) == {}, "nothing is relevant: no measure applies"


@settings(max_examples=100, deadline=None)
@given(
    st.permutations([f"d{number}" for number in range(14)]),
    st.dictionaries(st.sampled_from([f"d{number}" for number in range(14)]), st.integers(0, 3)),
)
def test_measures_lie_between_nothing_and_an_oracle(
    found: list[str], grades: dict[str, float]
) -> None:
    got = measured(found, grades)
    oracle = sorted(grades, key=lambda item: -grades[item])
    best = measured(oracle, grades)
    assert set(got) == set(best)
    for name, value in got.items():
        assert 0 <= value <= best[name] + 1e-12
        assert best[name] == pytest.approx(1.0)


def test_a_shuffled_ranking_is_at_chance() -> None:
    chance = random.Random(1)
    items = [f"d{number}" for number in range(50)]
    gains = []
    for _ in range(3000):
        chance.shuffle(items)
        gains.append(ndcg(items, {"d7": 1.0}) or 0.0)
    expected = sum(1 / log2(rank + 1) for rank in range(1, 11)) / 50
    assert sum(gains) / len(gains) == pytest.approx(expected, abs=0.01)


# -- plain BM25 ---------------------------------------------------------------------------------


def naive(texts: list[str], query: str, k1: float, b: float) -> list[float]:
    """The formula, word by word."""
    split = [words(text) for text in texts]
    mean_length = sum(map(len, split)) / len(split)
    scores = []
    for text in split:
        score = 0.0
        for word in words(query):
            holding = sum(word in other for other in split)
            often = text.count(word)
            idf = log(1 + (len(split) - holding + 0.5) / (holding + 0.5))
            norm = k1 * (1 - b + b * len(text) / (mean_length or 1))
            score += idf * often * (k1 + 1) / (often + norm) if often else 0.0
        scores.append(score)
    return scores


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from(["a", "b", "c", "dd", "Ee"]), max_size=6), min_size=1, max_size=6
    ),
    st.lists(st.sampled_from(["a", "dd", "ee", "zz"]), max_size=4),
    st.sampled_from([(1.2, 0.75), (0.9, 0.3), (0.0, 0.0), (2.0, 1.0)]),
)
def test_bm25_is_its_formula(
    texts: list[list[str]], query: list[str], constants: tuple[float, float]
) -> None:
    k1, b = constants
    whole = [" ".join(text) for text in texts]
    scores = Bm25(whole, k1=k1, b=b).scores(" ".join(query))
    assert list(scores) == pytest.approx(naive(whole, " ".join(query), k1, b))


def test_bm25_ranks_within_a_scene_with_the_statistics_of_all() -> None:
    import numpy as np

    texts = ["red fox", "red hen", "red cow", "blue fox", ""]
    index = Bm25(texts)
    assert index.rank("blue fox")[0] == 3
    among = np.array([0, 2, 4], dtype=np.intp)
    assert index.rank("blue fox", among=among) == [0, 2, 4], "equal scores: the earlier one first"
    whole = index.scores("blue fox")
    assert [float(whole[number]) for number in (0, 2)] == pytest.approx([whole[0], 0.0])
    assert index.rank("red", limit=2) == [0, 1]
    assert Bm25([]).rank("anything") == []


# -- files --------------------------------------------------------------------------------------


def lay(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")


CORPUS = '{"id": "d1", "title": "Bees", "text": "On the roof."}\n{"id": "d2", "text": "A key."}\n'


def test_the_layouts_of_its_sets_are_read(tmp_path: Path) -> None:
    query, qrels = '{"id": "s_1_q1", "text": "Bees?"}\n', "s_1_q1\td1\t1\n"
    scenes = '{"scene_id": "s_1", "candidate_doc_ids": ["d1"]}\n'
    lay(
        tmp_path,
        {
            "Dialogue/LoCoMo/corpus.jsonl": CORPUS,
            "Dialogue/LoCoMo/candidates.jsonl": scenes,
            "Dialogue/LoCoMo/single_hop/queries.jsonl": query,
            "Dialogue/LoCoMo/single_hop/qrels.tsv": qrels,
            "Semantic/CovidQA/corpus.jsonl": CORPUS,
            "Semantic/CovidQA/queries.jsonl": query,
            "Semantic/CovidQA/qrels.tsv": "s_1_q1\td1\t2\r\ns_1_q1\td2\t0\r\n",
            "Semantic/CovidQA/candidates.jsonl": scenes.replace("s_1", "s_1_q1"),
            "Episodic/KnowMeBench/dataset1/corpus.jsonl": CORPUS,
            "Episodic/KnowMeBench/dataset1/logic/queries.jsonl": query,
            "Episodic/KnowMeBench/dataset1/logic/qrels.tsv": "query-id\tcorpus-id\tscore\n" + qrels,
        },
    )
    found = {task.label: task for task in read(str(tmp_path)).tasks}
    assert {label: task.type for label, task in found.items()} == {
        "LoCoMo/single_hop": "dialogue", "CovidQA": "semantic",
        "KnowMeBench/dataset1/logic": "episodic",
    }  # fmt: skip
    assert found["LoCoMo/single_hop"].scene("s_1_q1") == "s_1", "the first two parts of its id"
    assert found["CovidQA"].scene("s_1_q1") == "s_1_q1", "or the whole of it"
    assert found["KnowMeBench/dataset1/logic"].scene("s_1_q1") is None
    assert found["CovidQA"].grades == {"s_1_q1": {"d1": 2.0, "d2": 0.0}}
    assert found["KnowMeBench/dataset1/logic"].grades == {"s_1_q1": {"d1": 1.0}}, "not its header"
    texts = read(str(tmp_path), ["semantic"]).corpora
    assert [text.whole for some in texts.values() for text in some] == [
        "Bees On the roof.",
        "A key.",
    ]
    assert [task.label for task in read(str(tmp_path), ["locomo/single_hop"]).tasks] == [
        "LoCoMo/single_hop"
    ]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "holds no task"),
        ({"t/queries.jsonl": "{}", "t/qrels.tsv": ""}, r"no corpus\.jsonl"),
        ({"corpus.jsonl": "[1]", "queries.jsonl": "", "qrels.tsv": ""}, "line 1 is no JSON object"),
        ({"corpus.jsonl": '{"id": 1}', "queries.jsonl": "", "qrels.tsv": ""}, "has no 'text'"),
        ({"corpus.jsonl": "{", "queries.jsonl": "", "qrels.tsv": ""}, "can't be read"),
        (
            {"corpus.jsonl": CORPUS, "queries.jsonl": "", "qrels.tsv": "a b\n"},
            r"qrels\.tsv.*line 1",
        ),
        ({"corpus.jsonl": CORPUS, "queries.jsonl": "", "qrels.tsv": "a\tb\t1\nc\td\tx"}, "line 2"),
    ],
)
def test_files_that_are_not_its_are_refused_in_words(
    tmp_path: Path, files: dict[str, str], said: str
) -> None:
    lay(tmp_path, files)
    with pytest.raises(UsageError, match=said):
        read(str(tmp_path))
    with pytest.raises(UsageError, match="no folder"):
        read(str(tmp_path / "nowhere"))


def test_every_set_has_one_type() -> None:
    names = [name for names in TYPES.values() for name in names if name != "scifact"]
    assert len(names) == len(set(names)) == 22
    assert type_of("Gorilla") == "procedural"
    assert type_of("mine", "Procedural/mine") == "procedural"
    assert type_of("mine") == "other"


def test_a_text_is_embedded_up_to_its_thousandth_word() -> None:
    long = "word, " * MOST_TOKENS
    assert cut(long).split() == ["word,"] * (MOST_TOKENS // 2)
    assert cut("short.") == "short."


# -- the converter ------------------------------------------------------------------------------


def test_a_folder_of_questions_becomes_lmeb_and_comes_back(plain: Path, tmp_path: Path) -> None:
    assert is_plain(str(plain))
    made = converted(str(plain))
    assert [task.label for task in made.tasks] == [
        "LoCoMo/single_hop", "LoCoMo/multi_hop", "LoCoMo/temporal_reasoning",
    ]  # fmt: skip
    out = tmp_path / "out"
    assert write(made, str(out)) == (5, 4), "what has no gold can't be measured"
    again = read(str(out))
    assert not is_plain(str(out / "LoCoMo"))
    assert {task.label: task.grades for task in again.tasks} == {
        task.label: task.grades for task in made.tasks
    }
    assert [*again.corpora.values()] == [*made.corpora.values()]
    first = json.loads((out / "LoCoMo" / "corpus.jsonl").read_text("utf-8").splitlines()[0])
    assert first["text"] == "Ada: My cat is called Mimi and sleeps all day."
    assert first["title"] == ""
    assert first["time"] == "2023-05-08T13:56"
    for task in again.tasks:
        assert all(task.scene(query) in task.scenes for query, _ in task.queries)
    with pytest.raises(UsageError, match="there already"):
        write(made, str(out))
    dated = converted(str(plain), dates=True)
    assert next(iter(dated.corpora.values()))[0].title == "2023-05-08T13:56"


@given(st.text(max_size=12))
def test_a_scene_is_two_parts_whatever_a_group_is_called(group: str) -> None:
    scene = scene_id(group)
    assert "_".join(f"{scene}_q0".split("_")[:2]) == scene


def test_locomos_own_file_is_converted(tmp_path: Path) -> None:
    sample = {
        "sample_id": "conv-9",
        "conversation": {
            "speaker_a": "Ada", "session_1_date_time": "1:56 pm on 8 May, 2023",
            "session_1": [
                {"speaker": "Ada", "dia_id": "D1:1", "text": "My cat is Mimi."},
                {"speaker": "Ben", "dia_id": "D1:2", "text": "Mine is Rex."},
            ],
        },
        "qa": [
            {"question": "What is the cat called?", "evidence": ["D1:1; D1:2"], "category": 4},
            {"question": "Who has a dog?", "evidence": ["D7:1"], "category": 5},
        ],
    }  # fmt: skip
    path = tmp_path / "locomo10.json"
    path.write_text(json.dumps([sample]), "utf-8")
    made = converted(str(path))
    (task,) = made.tasks
    assert task.label == "LoCoMo/single_hop"
    assert task.grades == {"scene_conv-9_q0": {"conv-9/D1:1": 1.0, "conv-9/D1:2": 1.0}}
    (corpus,) = made.corpora.values()
    assert (corpus[1].whole, corpus[1].time) == ("Ben: Mine is Rex.", "2023-05-08T13:56")
    for wrong in ("{}", "[1]", "["):
        path.write_text(wrong, "utf-8")
        with pytest.raises(UsageError):
            converted(str(path))
    with pytest.raises(UsageError, match="neither"):
        converted(str(tmp_path / "notes.txt"))


def test_the_command_converts_and_says_what_it_did(plain: Path, tmp_path: Path) -> None:
    with ScratchLab(Lmeb, place=str(tmp_path / "lab")) as lab:
        desk = lab.tree({})
        report = convert(desk, str(plain), str(tmp_path / "out"))
        assert report.lines[0].startswith("5 documents and 4 queries in 3 tasks")
        with pytest.raises(UsageError):
            convert(desk, str(tmp_path / "nowhere"), str(tmp_path / "other"))


# -- the benchmark ------------------------------------------------------------------------------


def test_retrievers_stand_side_by_side(plain: Path, tmp_path: Path) -> None:
    report = benched(plain, retriever="bm25,memtree,embed")
    rows = {row["kind"]: row for row in report["kinds"]}
    assert len(rows) == 9, "three retrievers on three tasks"
    assert rows["bm25 LoCoMo/single_hop"]["n"] == 2
    assert rows["bm25 LoCoMo/single_hop"]["ndcg@10"] == 1.0
    assert rows["memtree LoCoMo/single_hop"]["ndcg@10"] == 1.0
    for row in report["kinds"]:
        assert all(0 <= row[name] <= 1 for name in NAMES)
    assert list(report["summary"]) == ["bm25", "memtree", "embed"]
    assert report["lines"][-1] == "Means over 1 of the 22 sets of LMEB."
    out = tmp_path / "out"
    write(converted(str(plain)), str(out))
    again = benched(out, retriever="bm25,memtree,embed")
    same = [
        {row["kind"]: [row[name] for name in NAMES] for row in each["kinds"]}
        for each in (report, again)
    ]
    assert same[0] == same[1], "the same in either form"


def test_a_scenes_documents_alone_count(tmp_path: Path) -> None:
    """The best document of all is of another scene; scenes that share documents are picked out."""
    files = {
        "S/corpus.jsonl": "".join(
            json.dumps({"id": name, "text": text}) + "\n"
            for name, text in (
                ("d1", "Bees live on the roof, bees and bees."), ("d2", "Bees again."),
                ("d3", "The key hangs there."),
            )
        ),
        "S/t/queries.jsonl": '{"id": "s_2_q", "text": "Where are the bees?"}\n',
        "S/t/qrels.tsv": "s_2_q\td2\t1\n",
    }  # fmt: skip
    for shared in (["d2", "d3"], ["d2"]):
        scenes = [("s_1", ["d1", "d3"]), ("s_2", shared)]
        files["S/candidates.jsonl"] = "".join(
            json.dumps({"scene_id": scene, "candidate_doc_ids": ids}) + "\n"
            for scene, ids in scenes
        )
        folder = tmp_path / str(len(shared))
        lay(folder, files)
        for row in benched(folder, retriever="bm25,memtree,embed")["kinds"]:
            assert row["r_cap@1"] == 1.0, row


def test_tasks_are_chosen_and_what_is_not_there_is_said(plain: Path) -> None:
    report = benched(plain, tasks="multi_hop", retriever="bm25")
    assert [row["kind"] for row in report["kinds"]] == ["bm25 LoCoMo/multi_hop"]
    for options, code in (
        ({"tasks": "nosuch"}, 2), ({"retriever": ","}, 2), ({"retriever": "nosuch"}, 3),
        ({"retriever": "embed:none"}, 3),
    ):  # fmt: skip
        with pytest.raises(MemtreeError) as caught:
            benched(plain, **options)
        assert caught.value.exit_code == code, options
    with pytest.raises(UsageError, match="needs its data"):
        bench.run("lmeb")


def test_an_instruction_goes_before_what_is_embedded(plain: Path, tmp_path: Path) -> None:
    with_it = benched(plain, retriever="embed", instruct="Find the turn that answers.")
    without = benched(plain, retriever="embed")
    assert [row["n"] for row in with_it["kinds"]] == [row["n"] for row in without["kinds"]]
    tasks = converted(str(plain)).tasks
    assert instructions("Find it.", tasks) == {task.label: "Find it." for task in tasks}
    assert instructions("", tasks) == {}
    table = tmp_path / "table.json"
    table.write_text('{"LoCoMo": {"Multi_hop": "Find all."}}', "utf-8")
    assert instructions(str(table), tasks) == {"LoCoMo/multi_hop": "Find all."}
    table.write_text("[]", "utf-8")
    with pytest.raises(UsageError, match="no table"):
        instructions(str(table), tasks)


def test_stems_make_a_row_of_their_own(tmp_path: Path) -> None:
    """`hanging` and `hangs` are one word to a stemmer, and two to plain BM25."""
    lay(
        tmp_path,
        {
            "S/corpus.jsonl": '{"id": "d1", "text": "Bees."}\n{"id": "d2", "text": "It hangs."}\n',
            "S/queries.jsonl": '{"id": "q", "text": "what is hanging"}\n',
            "S/qrels.tsv": "q\td2\t1\n",
        },
    )
    rows = benched(tmp_path, retriever="bm25,bm25-stemmed")["kinds"]
    assert [row["r_cap@1"] for row in rows] == [0.0, 1.0]


def test_sets_and_types_weigh_alike() -> None:
    def task(label: str, kind: str, name: str) -> Task:
        return Task(set=label, type=kind, name=name, corpus="", queries=[], grades={})

    rows = [
        (task("A", "dialogue", "one"), {"ndcg@10": 1.0, "ms": 1.0}),
        (task("A", "dialogue", "two"), {"ndcg@10": 0.0, "ms": 3.0}),
        (task("B", "dialogue", ""), {"ndcg@10": 0.5}),
        (task("C", "semantic", ""), {"ndcg@10": 0.0}),
    ]
    made = means(rows)
    assert made["sets"] == {"A": {"ndcg@10": 0.5}, "B": {"ndcg@10": 0.5}, "C": {"ndcg@10": 0.0}}
    assert made["mean_sets"] == {"ndcg@10": 0.3333}
    assert made["types"] == {"dialogue": {"ndcg@10": 0.5}, "semantic": {"ndcg@10": 0.0}}
    assert made["mean_types"] == {"ndcg@10": 0.25}
    assert made["ms"] == 2.0
    assert mean([]) == {}


def test_its_own_check_passes(tmp_path: Path) -> None:
    with ScratchLab(Lmeb, place=str(tmp_path)) as lab:
        found = run(lab)
        assert len(found) == 8
        assert [check.name for check in found if not check.passed] == []
        assert [name for name, _ in lab.skipped] == [
            "plain BM25 lands on the published LoCoMo figures"
        ]


def test_the_published_figures_are_held_against_locomo_alone(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(data: Path) -> tuple[list[Any], list[tuple[str, str]]]:
        with ScratchLab(Lmeb, place=str(tmp_path / "lab" / data.name), data=str(data)) as lab:
            return [check for check in run(lab) if "published" in check.name], lab.skipped

    found, skipped = told(plain)
    assert not found
    assert skipped[0][1] == "the data is not LoCoMo", "it lacks two of the tasks"
    whole = tmp_path / "locomo_whole"
    whole.mkdir()
    for name in ("corpus.jsonl", "queries.jsonl"):
        (whole / name).write_text((plain / name).read_text("utf-8"), "utf-8")
    with (whole / "queries.jsonl").open("a", encoding="utf-8") as file:
        for number, category in enumerate(("open-domain", "adversarial")):
            question = {"id": f"conv-1/x{number}", "group": "conv-1", "text": "Who chases postmen?",
                        "category": category, "gold": ["conv-1/D1:2"]}  # fmt: skip
            file.write(json.dumps(question) + "\n")
    found, skipped = told(whole)
    assert not found
    assert "over 6 queries: the published 38.69 / 50.88 are of 1981" in skipped[0][1]
    monkeypatch.setattr(checks, "LOCOMO_QUERIES", 6)
    found, skipped = told(whole)
    assert [check.passed for check in found] == [False], "six easy questions are no LoCoMo"
    assert not skipped


def test_a_limit_is_shared_by_all_rows(tmp_path: Path) -> None:
    """Tasks and retrievers take turns, and each retriever is asked the same."""
    from memtree import bench

    documents = [{"id": f"d{n}", "text": f"word{n} is here"} for n in range(6)]
    asked = [{"id": f"q{n}", "text": f"where is word{n}", "gold": [f"d{n}"],
              "category": "first" if n < 3 else "second"} for n in range(6)]  # fmt: skip
    for name, lines in (("corpus", documents), ("queries", asked)):
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (tmp_path / f"{name}.jsonl").write_text(text, encoding="utf-8")
    report: Any = bench.run(
        "lmeb", data=str(tmp_path), limit=8, options={"retriever": "bm25,memtree"}
    )
    rows = {row["kind"]: row["n"] for row in report["kinds"]}
    assert list(rows.values()) == [2, 2, 2, 2]
    assert [kind.partition(" ")[0] for kind in rows] == ["bm25", "bm25", "memtree", "memtree"]
