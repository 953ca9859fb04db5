"""From a source to files with a model: what lands on disk, and what never does."""

import hashlib
import json
import os
from pathlib import Path

import pytest
from toy_scripted import ToyModel
from toy_transformer import Transformer, Words, save

from memtree import open_tree
from memtree.app import Tree, init_tree
from memtree.curate.model import ModelCurator
from memtree.llm.llama import Llama

SOURCE = (
    "The gateway retries three times and then gives up.\n\n"
    "We chose Postgres in March because the team knows it.\n"
)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    root = tmp_path / "notes"
    init_tree(str(root))
    (root / "architecture" / "network").mkdir(parents=True)
    (root / "architecture" / "network" / "gateway.md").write_text(
        "---\ntype: fact\ntitle: The gateway\n---\n# The gateway\n\n"
        "## Facts\n\n- The gateway retries twice. ^f1\n- It is written in Go. ^f2\n"
    )
    for number in range(9):
        (root / "architecture" / "network" / f"note-{number}.md").write_text(
            f"---\ntype: fact\ntitle: Note {number}\n---\nNote {number} is about rivers.\n"
        )
    return open_tree(str(root))


@pytest.fixture
def source(tmp_path: Path) -> str:
    path = tmp_path / "source.md"
    path.write_text(SOURCE)
    return str(path)


def files(tree: Tree) -> dict[str, str]:
    """Every file of the knowledge, by its digest."""
    found: dict[str, str] = {}
    for folder, folders, names in os.walk(tree.root):
        folders[:] = [name for name in folders if name != ".memtree"]
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, tree.root)] = hashlib.sha256(file.read()).hexdigest()
    return found


def said(**more: object) -> dict[str, object]:
    return {
        "line": 1,
        "quote": "The gateway retries three times and then gives up.",
        "do": "supersede",
        "fact": "e1.1",
        "kind": "fact",
        "about": "the gateway",
        "text": "The gateway retries three times and then gives up.",
    } | more


ADDED = said(
    line=2,
    quote="We chose Postgres in March",
    do="add",
    place="new",
    folder="architecture/storage",
    title="Postgres",
    kind="decision",
    about="Postgres",
    text="We chose Postgres in March because the team knows it.",
) | {"quote": "We chose Postgres in March because the team knows it."}


def answer(*operations: object) -> str:
    return json.dumps({"operations": operations})


def test_a_models_answer_becomes_files_and_can_be_undone(tree: Tree, source: str) -> None:
    before = files(tree)
    model = ToyModel([answer(said(), ADDED)])
    report = tree.curate([source], curator=ModelCurator(model), review="never")
    assert report.curator == "llama"
    assert report.cost.calls == 1
    gateway = Path(tree.root, "architecture/network/gateway.md").read_text()
    assert "three times and then gives up" in gateway
    assert "retries twice" in gateway
    assert "It is written in Go. ^f2" in gateway
    postgres = Path(tree.root, "architecture/storage/postgres.md").read_text()
    assert "We chose Postgres in March because the team knows it." in postgres
    assert "llama/toy" in postgres
    tree.undo()
    assert files(tree) == before


HARM = [
    answer(said(fact="e9.9")),
    answer(said(quote="The gateway never retries")),
    answer(said(text="The gateway never retries and gives up.")),
    answer(said(text="The gateway retries seven times and then gives up.")),
    answer({"do": "archive", "entry": "e1"}, {"do": "delete", "path": "architecture"}),
    answer(*[said(quote="it is all a lie", text=f"Lie number {at}.") for at in range(64)]),
    answer({**ADDED, "folder": "../../outside"}),
    answer({**ADDED, "folder": "_archive/x"}),
    answer({**ADDED, "folder": ".memtree/state"}),
    answer({**ADDED, "text": "We chose MySQL in March because the team knows it."}),
    "I have archived everything for you.",
    '{"operations": [' * 1000,
    "",
]


@pytest.mark.parametrize("harm", HARM)
def test_a_lying_model_changes_no_byte_and_all_it_said_is_counted(
    tree: Tree, source: str, harm: str
) -> None:
    before = files(tree)
    curator = ModelCurator(ToyModel([harm, harm]))
    report = tree.curate([source], curator=curator, review="never", yes=True)
    assert files(tree) == before
    assert sum(report.codes.values()) >= 1
    assert not tree.reviews()[0]


def test_an_agents_plan_goes_from_document_to_files(tree: Tree, source: str) -> None:
    document = tree.plan_prompt([source])
    assert "architecture/network/gateway.md" in document
    schema = json.loads(document.partition("```json\n")[2].partition("```")[0])
    claim = {
        "text": "The gateway retries three times and then gives up.",
        "evidence": [{"line": 1, "quote": "The gateway retries three times and then gives up."}],
    }
    operation = {"op": "supersede", "path": "architecture/network/gateway.md", "fact": "f1"}
    plan = {
        "source": schema["properties"]["source"]["const"],
        "operations": [operation | {"claim": claim, "reason": "newer"}],
    }
    report = tree.curate([source], plan=f"Here:\n```json\n{json.dumps(plan)}\n```", review="never")
    assert report.curator == "host"
    gateway = Path(tree.root, "architecture/network/gateway.md").read_text()
    assert "three times and then gives up" in gateway


def test_a_random_model_runs_from_source_to_files_and_writes_nothing(
    tree: Tree, source: str, tmp_path: Path
) -> None:
    pytest.importorskip("llama_cpp")
    words = Words([])
    random = Transformer(words.size, width=16, heads=2, wide=16, layers=1, seed=1)
    path = save(random, words, tmp_path / "random.gguf", context=2600)
    before = files(tree)
    with Llama(str(path), window=2600) as model:
        report = tree.curate([source], curator=ModelCurator(model), review="never", yes=True)
    assert files(tree) == before
    assert report.actor == "llama/toy"
    assert report.cost.calls in (1, 2)
    assert report.codes
