"""What a model has learned passes through: a small one that was taught a notation beats the rules.

It is trained here, in numpy, and asked through the product: prompt, grammar, llama.cpp, parse and
checks. The items that it is asked about hold pairs of words that it never saw together.
"""

import hashlib
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from toy_ledger import EMPTY, Found, Item, example, found, make_item, score

from memtree.curate.checks import Policy, check
from memtree.curate.model import ModelCurator
from memtree.curate.protocol import Curator
from memtree.curate.rules import RulesCurator
from memtree.knowledge.plan import APPLY, REVIEW
from memtree.llm.llama import Llama

pytest.importorskip("llama_cpp")

HERE = Path(__file__).parent
ITEMS = 60


@pytest.fixture
def taught(pytestconfig: pytest.Config, tmp_path: Path) -> str:
    """The trained model's file, kept for the next run as long as nothing it depends on changes."""
    files = sorted(HERE.glob("toy_*.py"))
    key = hashlib.sha256(b"".join(file.read_bytes() for file in files))
    key.update(repr(example(make_item(random.Random(0), held_out=False))).encode())
    cache = pytestconfig.cache
    folder = tmp_path if cache is None else cache.mkdir("memtree-toy")
    path = folder / f"{key.hexdigest()[:16]}.gguf"
    if not path.exists():
        alone = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        command = [sys.executable, str(HERE / "toy_teach.py"), str(path)]
        subprocess.run(command, check=True, env=os.environ | alone, timeout=900)
    return str(path)


def through(curator: Curator, item: Item) -> Found:
    """What of an item lands: what the curator proposes and the checks let through."""
    proposal = curator.propose(item.part, EMPTY)
    verdicts = check(
        proposal, item.part, EMPTY, policy=Policy(yes=True), now="2026-05-01T12:00:00Z"
    )
    kept = tuple(each.operation for each in verdicts if each.outcome in (APPLY, REVIEW))
    return found(kept)


def kept(pairs: list[tuple[Found, Found]]) -> float:
    """F1 of which lines are worth keeping, whatever kind they are said to be."""

    def lines(found: Found) -> Found:
        return frozenset((line, "") for line, _ in found)

    return score([(lines(said), lines(wanted)) for said, wanted in pairs])


@pytest.mark.slow
def test_a_model_that_learned_the_notation_beats_the_rules(taught: str) -> None:
    generator = random.Random(99)
    items = [make_item(generator, held_out=True) for _ in range(ITEMS)]
    with Llama(taught, window=1024) as model:
        curator = ModelCurator(model, rules="")
        learned = [(through(curator, item), item.wanted) for item in items]
        cost = curator.propose(items[0].part, EMPTY).cost
    ruled = [(through(RulesCurator(), item), item.wanted) for item in items]
    figures = {"lines and kinds": score, "lines": kept}
    for name, measure in figures.items():
        print(f"{name}: model {measure(learned):.3f}, rules {measure(ruled):.3f}")  # noqa: T201
    print(cost)  # noqa: T201
    assert score(learned) > 0.9
    assert score(ruled) < 0.5
    assert kept(learned) > kept(ruled)
    assert cost.calls == 1
