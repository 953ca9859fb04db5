"""The whole way from a source to a plan through the real llama.cpp, with a model of random weights.

Its grammar makes every answer a plan; what it says is noise, so nothing of it may be proposed.
"""

import json

import pytest
from toy_outlook import ToyOutlook, part_of
from toy_transformer import Transformer, Words, save

from memtree.curate import prompts
from memtree.curate.model import ModelCurator
from memtree.curate.schema import Menu, answer_schema, numbered
from memtree.llm.llama import Llama

pytest.importorskip("llama_cpp")

SOURCE = part_of("The gateway retries three times.\n\nWe chose Postgres in spring. <s></s>")
TREE = ToyOutlook({"architecture/network/gateway.md": ("The gateway", ["It retries twice."])})


SHORT = "Say in JSON what is worth keeping of the lines. " * 4


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    words = Words([])
    random = Transformer(words.size, width=16, heads=2, wide=16, layers=1, seed=5)
    folder = tmp_path_factory.mktemp("gguf")
    return str(save(random, words, folder / "random.gguf", context=4096))


def test_a_random_model_says_plans_and_none_of_it_is_proposed(path: str) -> None:
    with Llama(path, window=2400) as model:
        proposal = ModelCurator(model, operations=("add", "update")).propose(SOURCE, TREE)
    assert proposal.operations == ()
    assert proposal.cost.calls in (1, 2)
    assert proposal.cost.tokens_in > 1000
    codes = {refusal.code for refusal in proposal.refusals}
    assert codes
    assert codes <= {"no-evidence", "bad-path", "bad-when", "bad-field", "cut", "no-json"}


def test_every_whole_answer_under_the_schema_is_json_of_its_shape(path: str) -> None:
    with Llama(path, window=1400) as model:
        chosen = prompts.choices(
            TREE.recall("retries"), "retries", outlook=TREE, count=model.count, tokens=500
        )
        menu = Menu(lines=numbered((SOURCE,)), choices=chosen, operations=("update", "supersede"))
        prompt = prompts.call(menu, source=SOURCE.source, told="")
        schema = answer_schema(menu)
        answer = model.complete(prompt, limit=900, schema=schema, seed=1, temperature=1.0)
    if not answer.whole:
        assert answer.text.startswith(('{"operations":[{"line":1,', '{"operations":[{"line":2,'))
        return
    for operation in json.loads(answer.text)["operations"]:
        assert 1 <= operation["line"] <= 2
        assert operation["do"] in ("update", "supersede")
        assert set(operation) >= {"quote", "kind", "about", "text"}


def test_what_calls_share_is_not_computed_again(path: str) -> None:
    source = part_of("\n\n".join(f"Line {number} says a thing." for number in range(15)))
    with Llama(path, window=800) as model:
        curator = ModelCurator(model, rules=SHORT, operations=("add",))
        proposal = curator.propose(source, ToyOutlook())
    assert proposal.cost.calls >= 2
    assert proposal.cost.reused >= len(SHORT)
