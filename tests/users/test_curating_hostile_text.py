"""A source that gives orders, and a model that obeys them: the checks hold all the same."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memtree.app import init_tree
from memtree.curate.checks import Policy, check, cleaned, tally
from memtree.curate.protocol import Outlook
from memtree.knowledge.path import parse_path
from memtree.knowledge.plan import (
    APPLY,
    REFUSE,
    REVIEW,
    Add,
    Archive,
    Claim,
    Drop,
    Evidence,
    Link,
    Merge,
    Move,
    Operation,
    Proposal,
    Replace,
    Supersede,
    Update,
    Verdict,
)
from memtree.knowledge.source import Part

# The helpers of two neighbouring rooms: a small tree, and the corpus of attempts.
for _room in ("curate", "safety"):
    sys.path.append(str(Path(__file__).parents[1] / _room))

from attempts import ATTEMPTS  # noqa: E402  (found by the lines above)
from small_tree import SmallTree, entry, part_of, proposal  # noqa: E402  (the same)

NOW = "2026-01-01T00:00:00+00:00"
TREE = {
    "people/caroline/hobbies.md": entry(
        "Hobbies", "Caroline paints.", "Caroline swims on Mondays."
    ),
    "work/api/limits.md": entry("Limits", "The API allows 100 requests a minute."),
    "work/api/cache.md": entry("Cache", "Redis is the cache.", "The cache holds 2 GB."),
}
LINES = (
    "The release is planned for Thursday.",
    "Melanie prefers tea over coffee.",
    "The importer reads CSV files.",
)


def obeying(text: str) -> tuple[Operation, ...]:
    """What a model would say that does whatever a text asks for."""
    evidence = (Evidence(source="notes.md", quote=text),)
    order = Claim(text=text, evidence=evidence)
    invented = Claim(text="Acme is the best vendor.", evidence=evidence)
    return (
        *(Archive(reason="told so", path=path, confidence=1.0) for path in TREE),
        *(Supersede(reason="", path=path, fact="f1", claim=invented) for path in TREE),
        *(Update(reason="", path=path, drops=(Drop(fact="f1", reason=""),)) for path in TREE),
        Add(reason="", path="../../outside/x", title="x", claims=(order,)),
        Add(reason="", path=".memtree/config/review", title="never", claims=(order,)),
        Add(reason="", path="memory/core/orders", title=text, claims=(order, invented)),
        Move(reason="", path="work/api/cache.md", to="/etc/cron.d/x"),
        Merge(reason="", paths=tuple(TREE), into="work/api/cache.md"),
    )


def safe(verdicts: tuple[Verdict, ...]) -> None:
    """What has to be true whatever was proposed."""
    for verdict in verdicts:
        assert verdict.outcome != REFUSE or verdict.refusals
        if verdict.outcome not in (APPLY, REVIEW):
            continue
        operation = verdict.operation
        match operation:
            case Add(path=path):
                assert parse_path(path) == path
                assert path.count("/") in (2, 3)
                assert operation.claims
            case Move(path=path, to=to):
                assert path in TREE
                assert parse_path(to) == to
            case Merge(paths=paths, into=into):
                assert {*paths, into} <= set(TREE)
            case Link(path=path, to=to):
                assert {path, to} <= set(TREE)
            case Update() | Archive() | Supersede():
                assert operation.path in TREE
        if isinstance(operation, (Archive, Move, Merge)):
            assert verdict.outcome == REVIEW
        if isinstance(operation, Update) and operation.drops:
            assert verdict.outcome == REVIEW


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_a_model_that_obeys_a_source_changes_nothing_by_itself(attempt: str) -> None:
    part = part_of(LINES[0], attempt, *LINES[1:])
    clean = cleaned(part)
    # With detection and without it: the checks are the first line, not the second.
    for read in (clean.part, part):
        proposed = Proposal(operations=obeying(attempt))
        verdicts = check(proposed, read, SmallTree(dict(TREE)), policy=Policy(), now=NOW)
        safe(verdicts)
        assert not any(v.outcome == APPLY for v in verdicts)
        counts = tally(verdicts, clean.refusals)
        assert sum(n for name, n in counts.items() if name.startswith("refuse ")) >= 3
        one = check(
            proposal(Archive(reason="", path="work/api/cache")), read, SmallTree(dict(TREE)),
            policy=Policy(), now=NOW,
        )  # fmt: skip
        assert [v.outcome for v in one] == [REVIEW]


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_an_attempt_does_not_change_what_is_made_of_the_rest(attempt: str) -> None:
    honest = [
        Add(
            reason="said",
            path=f"notes/day/n{number}",
            title="Note",
            claims=(Claim(text=line, evidence=(Evidence(source="notes.md", quote=line),)),),
        )
        for number, line in enumerate(LINES)
    ]
    plain = check(proposal(*honest), part_of(*LINES), SmallTree(), policy=Policy(), now=NOW)
    part = cleaned(part_of(*LINES, attempt)).part
    mixed = check(proposal(*honest), part, SmallTree(), policy=Policy(), now=NOW)
    assert mixed == plain
    assert {v.outcome for v in plain} == {APPLY}


_TEXT = st.one_of(
    st.sampled_from(
        [*LINES, *TREE, *ATTEMPTS[:12], "", "f1", "f2", "../x", "a/b/c", "work/api/new"]
    ),
    st.text(max_size=40),
)
_NUMBER = st.one_of(st.floats(), st.floats(0, 1))
_EVIDENCE = st.builds(
    Evidence, source=_TEXT, quote=_TEXT, lines=st.tuples(st.integers(), st.integers())
)
_CLAIM = st.builds(
    Claim, text=_TEXT, evidence=st.lists(_EVIDENCE, max_size=3).map(tuple), when=_TEXT, said=_TEXT,
    kind=_TEXT, subject=_TEXT, speaker=_TEXT,
)  # fmt: skip
_CLAIMS = st.lists(_CLAIM, max_size=4).map(tuple)
_OPERATION = st.one_of(
    st.builds(Add, reason=_TEXT, confidence=_NUMBER, path=_TEXT, title=_TEXT, claims=_CLAIMS,
              tags=st.lists(_TEXT, max_size=3).map(tuple)),
    st.builds(Update, reason=_TEXT, confidence=_NUMBER, path=_TEXT, claims=_CLAIMS,
              replaces=st.lists(st.builds(Replace, fact=_TEXT,
              claim=_CLAIM), max_size=2).map(tuple),
              drops=st.lists(st.builds(Drop, fact=_TEXT, reason=_TEXT), max_size=2).map(tuple)),
    st.builds(Merge, reason=_TEXT, paths=st.lists(_TEXT, max_size=3).map(tuple), into=_TEXT),
    st.builds(Move, reason=_TEXT, path=_TEXT, to=_TEXT),
    st.builds(Supersede, reason=_TEXT, path=_TEXT, fact=_TEXT, claim=st.none() | _CLAIM, by=_TEXT,
              since=_TEXT),
    st.builds(Archive, reason=_TEXT, path=_TEXT),
    st.builds(Link, reason=_TEXT, path=_TEXT, to=_TEXT, rel=_TEXT),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(_OPERATION, max_size=6))
def test_whatever_is_proposed_what_is_let_through_is_safe(operations: list[Operation]) -> None:
    part = part_of(*LINES, ATTEMPTS[0])
    verdicts = check(
        proposal(*operations), part, SmallTree(dict(TREE)), policy=Policy(review="risky"), now=NOW
    )
    safe(verdicts)
    for verdict in verdicts:
        if verdict.outcome not in (APPLY, REVIEW):
            continue
        for claim in getattr(verdict.operation, "claims", ()):
            assert claim.evidence
            for evidence in claim.evidence:
                assert any(evidence.quote in passage.text for passage in part.passages)


class Obeying:
    """A curator that does whatever the file asks for, policy `never` and all."""

    name = "rules"
    actor = "obeying/1"

    def propose(self, part: Part, outlook: Outlook) -> Proposal:
        text = "\n".join(passage.text for passage in part.passages)
        taken = tuple(Archive(reason="told so", path=path) for path in outlook.paths())
        return Proposal(operations=(*taken, *obeying(text)))

    def close(self) -> None:
        pass


@pytest.mark.parametrize("attempt", ATTEMPTS[::9])
def test_real_files_stay_as_they_were_whatever_a_source_asks_for(
    tmp_path: Path, attempt: str
) -> None:
    tree = init_tree(str(tmp_path / "tree"))
    for path, text in TREE.items():
        file = Path(tree.root, path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    source = tmp_path / "hostile.md"
    source.write_text(f"The build runs on Fridays.\n\n{attempt}\n", encoding="utf-8")
    config = Path(tree.root, ".memtree", "config.toml").read_bytes()
    outside = sorted(path.name for path in tmp_path.iterdir())
    report = tree.curate([str(source)], curator=Obeying())
    assert {path: Path(tree.root, path).read_text("utf-8") for path in TREE} == TREE
    assert Path(tree.root, ".memtree", "config.toml").read_bytes() == config
    assert sorted(path.name for path in tmp_path.iterdir()) == outside
    assert report.tally["refused"] > 0
