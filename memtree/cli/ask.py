"""`query` climbs to the first tier that is sure; `search` ranks, with `--batch` in bulk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from memtree.cli._errors import DONE, NOTHING, UNAVAILABLE
from memtree.cli._open import opened
from memtree.cli._typer import JsonOption, TreeOption
from memtree.cli._with import (
    ConflictsOption,
    ElicitOption,
    ModeOption,
    PackOption,
    SetOption,
    ShowPromptOption,
    ThinkOption,
    Wanted,
    WithOption,
    keep_thoughts,
    plugins_of,
    print_pack,
)  # fmt: skip
from memtree.errors import Unavailable, UsageError
from memtree.knowledge.query import ABSENT, AGENTIC, DEGRADED, TIERS, Query

if TYPE_CHECKING:
    from collections.abc import Callable

    from memtree.app import Tree
    from memtree.knowledge.query import Answer

_NAMES = ", ".join(TIERS)
InOption = Annotated[
    str, typer.Option("--in", metavar="FOLDER", help="Ask only this part of the tree.")
]
LimitOption = Annotated[
    int, typer.Option("--limit", "-n", min=1, max=1000, help="At most so many entries.")
]
TierOption = Annotated[
    str | None, typer.Option("--tier", metavar="TIER", help=f"Ask one tier alone: {_NAMES}.")
]
MaxTierOption = Annotated[
    str | None, typer.Option("--max-tier", metavar="TIER", help="Climb no further than this tier.")
]
ExplainOption = Annotated[
    bool, typer.Option("--explain", help="Show the candidates and scores of each tier.")
]
WhyNotOption = Annotated[
    str | None, typer.Option("--why-not", metavar="ENTRY", help="Say why this entry did not come.")
]
AtOption = Annotated[
    str | None,
    typer.Option("--at", metavar="REV", help="As the tree was then [not in this version]."),
]
BudgetOption = Annotated[
    str,
    typer.Option(
        "--budget",
        metavar="BUDGET",
        help='What the agentic tier may spend, like "8 steps, 6000 tokens, 60 s".',
    ),
]
TraceOption = Annotated[
    str | None,
    typer.Option("--trace", metavar="FILE", help="Write the steps of the agentic tier to a file."),
]
ReplayOption = Annotated[
    str | None,
    typer.Option(
        "--replay", metavar="FILE", help="Take the steps of a trace again, without the model."
    ),
]
PromptOption = Annotated[
    bool,
    typer.Option("--plan-prompt", help="Print the question with evidence, for an agent to answer."),
]
PlanOption = Annotated[
    str | None,
    typer.Option(
        "--plan", metavar="FILE", help="Check an agent's answer to --plan-prompt. - is stdin."
    ),
]


def query(
    question: Annotated[list[str], typer.Argument(metavar="QUESTION...", help="What to ask.")],
    *,
    in_: InOption = "",
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            "-n",
            min=1,
            max=1000,
            help="At most so many entries; a terminal shows 3, else 10.",
        ),
    ] = None,
    tier: TierOption = None,
    max_tier: MaxTierOption = None,
    explain: ExplainOption = False,
    why_not: WhyNotOption = None,
    budget: BudgetOption = "",
    trace: TraceOption = None,
    replay: ReplayOption = None,
    plan_prompt: PromptOption = False,
    plan: PlanOption = None,
    at: AtOption = None,
    with_: WithOption = None,
    pack: PackOption = None,
    show_prompt: ShowPromptOption = False,
    think: ThinkOption = False,
    conflicts: ConflictsOption = None,
    elicit: ElicitOption = False,
    mode: ModeOption = None,
    set_: SetOption = None,
    as_json: JsonOption = False,
    tree: TreeOption = None,
) -> int:
    """Answer a question from the cheapest tier that is sure, or say absent.

    Where a language model is set (llm.model), it is asked what no other tier is sure of; its
    sentences are shown only if the entries that they cite say so. --max-tier semantic leaves it
    out. --tier agentic takes several steps without a model, too, and says so.

    --pack, --think, --conflicts, --elicit and --mode ask a plugin to take part, as --with does;
    with --pack, --elicit and --mode the agentic tier answers, as in `memtree ask`.

    Exits 0 when found, 1 when the tree does not hold it, 3 when a tier or a plugin that was asked
    for could not be used, or not with a model.
    """
    _not_yet(at)
    wanted = plugins_of(
        with_, set_, pack=pack, thinks=think, conflicts=conflicts, elicit=elicit, mode=mode
    )
    asked = _question(
        question,
        scope=in_,
        limit=10 if limit is None else limit,
        tier=tier,
        max_tier=max_tier,
        explain=explain,
        why_not=why_not,
        budget=budget,
        replay=replay,
        wanted=wanted,
    )
    there = _able(opened(tree), tier)
    if show_prompt:
        return print_pack(there, asked, as_json=as_json)
    if plan_prompt or plan is not None:
        from memtree.cli._trace import print_whole, read_text

        if plan is None:
            print_whole(there.question_prompt(asked))
            return DONE
        given = there.answer_plan(asked, read_text(plan))
    else:
        given = _asked(there, there.ask if pack or mode or elicit else there.query, asked)
    if think:
        keep_thoughts(there, given)
    if trace is not None:
        from memtree.cli._trace import write

        write(trace, given)
    few = limit is None
    return _show(given, there.root, as_json=as_json, explain=explain, verb="query", few=few)


def ask(
    question: Annotated[list[str], typer.Argument(metavar="QUESTION...", help="What to ask.")],
    *,
    in_: Annotated[
        str, typer.Option("--in", "--scope", metavar="FOLDER", help="Ask only this part.")
    ] = "",
    limit: LimitOption = 10,
    explain: ExplainOption = False,
    budget: BudgetOption = "",
    trace: TraceOption = None,
    with_: WithOption = None,
    set_: SetOption = None,
    think: ThinkOption = False,
    mode: ModeOption = None,
    as_json: JsonOption = False,
    tree: TreeOption = None,
) -> int:
    """Answer by the agentic tier, with planners and packers of plugins.

    Every sentence of an answer is checked against the entries that it cites. Without a language
    model several steps are taken all the same, and the answer says so.

    Exits as `query` does.
    """
    asked = _question(
        question, scope=in_, limit=limit, tier=None, max_tier=None, explain=explain, why_not=None,
        budget=budget, wanted=plugins_of(with_, set_, thinks=think, mode=mode),
    )  # fmt: skip
    there = opened(tree)
    given = _asked(there, there.ask, asked)
    if think:
        keep_thoughts(there, given)
    if trace is not None:
        from memtree.cli._trace import write

        write(trace, given)
    return _show(given, there.root, as_json=as_json, explain=explain, verb="query")


def search(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[QUERY]...", help="What to look for.")
    ] = None,
    *,
    in_: InOption = "",
    limit: LimitOption = 10,
    tier: TierOption = None,
    max_tier: MaxTierOption = None,
    explain: ExplainOption = False,
    why_not: WhyNotOption = None,
    batch: Annotated[
        str | None,
        typer.Option(
            "--batch",
            metavar="FILE",
            help="One query per line: plain text, or JSON with query, in, limit, id. - is stdin.",
        ),
    ] = None,
    at: AtOption = None,
    with_: WithOption = None,
    set_: SetOption = None,
    as_json: JsonOption = False,
    tree: TreeOption = None,
) -> int:
    """Rank the entries that fit some words.

    Exits 0 when something fits and 1 when nothing does. With --batch every line is answered by
    one JSON document on its own line, as soon as it is known; a line that cannot be read is
    answered by a document with an `error`, the rest go on, and the exit code is 1.
    """
    _not_yet(at)
    wanted = plugins_of(with_, set_)
    if batch is not None:
        if words:
            raise UsageError("--batch FILE takes the place of the query", hint="give only one")
        from memtree.cli._batch import run

        template = _question(
            [""],
            scope=in_,
            limit=limit,
            tier=tier,
            max_tier=max_tier,
            explain=explain,
            why_not=why_not,
            ranks=True,
            wanted=wanted,
        )
        return run(_able(opened(tree), tier), batch, template)
    asked = _question(
        words or [],
        scope=in_,
        limit=limit,
        tier=tier,
        max_tier=max_tier,
        explain=explain,
        why_not=why_not,
        ranks=True,
        wanted=wanted,
    )
    there = _able(opened(tree), tier)
    given = _asked(there, there.search, asked)
    return _show(given, there.root, as_json=as_json, explain=explain, verb="search")


def _not_yet(at: str | None) -> None:
    if at is not None:
        raise Unavailable(
            "answering from an earlier revision (--at) comes in a later version of memtree",
            hint="`memtree diff --rev REV` and `memtree restore --rev REV` look back today",
        )


def _asked(there: Tree, ask: Callable[[Query], Answer], query: Query) -> Answer:
    """Ask, and show how far long work is: what plugins derive of a large tree, the first time."""
    from memtree.cli._progress import Progress

    with Progress() as progress:
        there.engine(progress=progress)
        return ask(query)


def _able(there: Tree, tier: str | None) -> Tree:
    """The tree, if the one tier that is asked for can answer in it. Raises Unavailable."""
    if tier == "semantic":
        from memtree.index.vectors import NoVectors

        try:
            there.engine().meaning()
        except NoVectors as error:
            raise Unavailable(
                f"the semantic tier can't answer: {error}", hint="memtree doctor looks closer"
            ) from error
    return there


def _question(
    words: list[str],
    *,
    scope: str,
    limit: int,
    tier: str | None,
    max_tier: str | None,
    explain: bool,
    why_not: str | None,
    budget: str = "",
    replay: str | None = None,
    ranks: bool = False,
    wanted: Wanted | None = None,
) -> Query:
    if not words:
        raise UsageError("there is nothing to look for", hint="memtree search WORDS")
    for name in (tier, max_tier):
        if name is not None and name not in TIERS:
            from memtree.cli._commands import nearest

            guess = nearest(name, TIERS)
            raise UsageError(
                f"there is no tier {name!r}",
                hint=f"did you mean {guess!r}?" if guess else f"the tiers are {_NAMES}",
            )
    if ranks and tier == AGENTIC:
        raise Unavailable(
            "a search ranks, and the agentic tier answers", hint=f"memtree query --tier {AGENTIC}"
        )
    if budget:
        from memtree.retrieve.agentic.budget import parse_budget

        parse_budget(budget)
    document = None
    if replay is not None:
        from memtree.cli._trace import recorded

        document, tier = recorded(replay), AGENTIC
    if scope:
        from memtree.knowledge.path import parse_scope

        scope = parse_scope(scope)
    return Query(
        " ".join(words),
        scope=scope,
        limit=limit,
        tier=tier,
        max_tier=max_tier,
        explain=explain,
        why_not=why_not,
        budget=budget,
        replay=document,
        plugins=wanted.names if wanted is not None else (),
        options=wanted.options if wanted is not None else None,
    )


def _show(
    given: Answer, root: str, *, as_json: bool, explain: bool, verb: str, few: bool = False
) -> int:
    if as_json:
        from memtree.cli._json import emit

        emit(given.as_dict())
    else:
        from memtree.cli._render import answer
        from memtree.cli._terminal import stdout

        answer(stdout(), given, root=root, explain=explain, verb=verb, few=few)
    if given.status == DEGRADED:
        return UNAVAILABLE
    return NOTHING if given.status == ABSENT or not given.hits else DONE


COMMANDS = {"ask": ask, "query": query, "search": search}
