"""`curate`: text becomes checked operations on the tree, each told with its reason."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from memtree.cli._errors import (
    DONE,
    INTERRUPTED,
    NOTHING,
    UNAVAILABLE,
    WRONG_USAGE,
    say,
)
from memtree.cli._open import opened
from memtree.cli._progress import Progress
from memtree.cli._render import plural
from memtree.cli._terminal import Terminal, clean, stderr, stdout
from memtree.cli._typer import JsonOption, TreeOption
from memtree.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from memtree.curate.telling import CurateReport, PartTold, Told

_COLORS = {"head": "1;36", "plus": "32", "minus": "31", "note": "2", "warn": "33", "bad": "31"}
# More of a kind on a screen help nobody; --json has them all.
_SHOWN = 200
_PROBLEMS = 20


def curate(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TEXT|FILE|DIR|-]...", help="What to learn from; - is standard input."
        ),
    ] = None,
    *,
    curator: Annotated[
        str,
        typer.Option("--curator", metavar="NAME", help="auto, rules, llama or openai."),
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")
    ] = False,
    review: Annotated[
        str,
        typer.Option("--review", metavar="POLICY", help="What waits: never, risky or always."),
    ] = "",
    kind: Annotated[
        str,
        typer.Option("--from", metavar="KIND", help="What the sources are, if not recognised."),
    ] = "auto",
    plan_prompt: Annotated[
        bool, typer.Option("--plan-prompt", help="Print the task for an agent that makes the plan.")
    ] = False,
    plan: Annotated[
        str | None,
        typer.Option(
            "--plan", metavar="FILE", help="Check and apply an agent's plan; - for stdin."
        ),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Also what was curated before.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Also when much of the tree is changed.")
    ] = False,
    as_json: JsonOption = False,
    tree: TreeOption = None,
) -> int:
    """Learn from texts, files, chats or a pipe; shows what and why.

    Every claim that is written quotes the line it came from; what is known already is not written
    twice; what is risky waits for `memtree review`. Each part of a source is one change, and
    `memtree undo` takes it back. Without a model the curator is `rules`, and every result says so.
    Exits 3 when the model that is set could not be used, 4 when something refused the change.
    """
    given = list(sources or [])
    if not given:
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError("there is nothing to learn from", hint="give a text, a file or -")
        given = ["-"]
    there = opened(tree)
    stdin = sys.stdin.buffer if sys.stdin is not None else None
    if plan_prompt:
        text = there.plan_prompt(given, stdin=stdin, kind=kind)
        if as_json:
            from memtree.cli._json import emit

            emit({"prompt": text})
        else:
            stdout().write(text if text.endswith("\n") else text + "\n")
        return DONE
    made = _plan(plan, given) if plan is not None else None
    out = stdout()
    shown = _Shown(out)
    with Progress() as progress:

        def tell(part: PartTold) -> None:
            progress.clear()
            shown.part(part)

        report = there.curate(
            given, stdin=stdin, curator=curator, plan=made, review=review, kind=kind,
            dry_run=dry_run, yes=yes, again=again, tell=None if as_json else tell,
            progress=progress,
        )  # fmt: skip
    code = _code(report, host=plan is not None)
    if as_json:
        from memtree.cli._json import emit

        emit({**report.as_dict(), "exit": code})
    else:
        _close(out, report)
    if report.failed:
        say(report.failed, hint=report.hint)
    if report.degraded:
        say(
            f"the model could not be used: {report.degraded}",
            hint="rules curated instead; `memtree doctor` says more",
            word="warning",
        )
    return code


def _plan(name: str, given: Sequence[str]) -> str:
    if name == "-":
        from memtree.cli._open import stdin_text

        if "-" in given:
            raise UsageError("standard input can't be both the source and the plan")
        return stdin_text()
    try:
        with open(name, encoding="utf-8-sig") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the plan '{name}' can't be read: {error}") from error


def _code(report: CurateReport, *, host: bool) -> int:
    if report.interrupted:
        return INTERRUPTED
    if report.failed:
        return report.exit_code or WRONG_USAGE
    if report.degraded:
        return UNAVAILABLE
    if not report.done or report.problems or (host and report.tally["refused"]):
        return NOTHING
    return DONE


class _Shown:
    """Tells of parts as they are done, up to a screenful or some."""

    def __init__(self, out: Terminal) -> None:
        self._out = out
        self._left = _SHOWN
        self._hidden = 0

    def part(self, part: PartTold) -> None:
        for told in part.operations:
            if told.outcome != "nothing":
                self._one(told)
        from memtree.curate.diff import refused

        for refusal in part.refusals[: max(self._left, 0)]:
            write(self._out, refused(refusal, indent=""))
            self._left -= 1
        for remark in part.remarks:
            self._out.line(self._out.dim(clean(remark)))

    def _one(self, told: Told) -> None:
        self._left -= 1
        if self._left == -1:
            self._out.line(self._out.dim("and more; --json has all of it"))
        if self._left >= 0:
            tell_one(self._out, told)


def tell_one(out: Terminal, told: Told) -> None:
    """Print one operation and what became of it."""
    from memtree.curate.diff import lines_of

    write(out, lines_of(told))


def write(out: Terminal, lines: Iterable[tuple[str, str]]) -> None:
    """Print styled lines, made safe."""
    for style, text in lines:
        out.line(out.style(clean(text), _COLORS[style]))


def _close(out: Terminal, report: CurateReport) -> None:
    from memtree.curate.telling import DONE_WORDS, tally_of

    problems = report.problems
    for problem in problems[:_PROBLEMS]:
        place = clean(problem.path) + (f":{problem.line}" if problem.line else "")
        stderr().line(f"{place}: {clean(problem.message)} [{problem.code}]")
    if len(problems) > _PROBLEMS:
        stderr().line(f"and {len(problems) - _PROBLEMS} more problems; --json has all")
    would = "would be " if report.dry_run else ""
    words = {"nothing": "known already", "held": "held", "refused": "refused"}
    facts = []
    for name, count in tally_of(report).items():
        word = words.get(name) or would + DONE_WORDS[name]
        facts.append(f"{count:,} {word}")
    if report.skipped:
        parts = plural(report.skipped, "part", "parts")
        facts.append(f"{report.skipped:,} {parts} curated before")
    empty = "nothing new in it" if report.done else "there was nothing to read"
    told = f" {out.dot} ".join(facts) or empty
    out.line(f"{out.bold(clean(report.curator))}: {told}")
    if report.tally["held"] and not report.dry_run:
        out.line(out.dim("memtree review shows what waits"))
    if report.interrupted:
        out.line("interrupted: what was finished stands; the same command goes on behind it")
    elif report.skipped and report.skipped == report.done:
        out.line(out.dim("--again curates it once more"))
    if report.transactions:
        many = len(report.transactions)
        way = "memtree undo takes it back" if many == 1 else f"{many} changes: memtree log"
        out.line(out.dim(way))


COMMANDS = {"curate": curate}
