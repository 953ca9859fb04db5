"""Answers for people: a ranked list that is a pleasure to read, plain text when piped.

Every string that came out of a file goes through `clean` on its way; nothing here decides
anything about an answer, it only says what the answer says.
"""

from __future__ import annotations

from memtree.cli._terminal import READABLE_WIDTH, Terminal, cells, clean, stderr, wrap
from memtree.knowledge.anchor import FRESH
from memtree.knowledge.query import ABSENT, AGENTIC, DEGRADED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from memtree.knowledge.query import Answer, Hit, TierReport

# A snippet of more lines than this hides the next hit.
_SNIPPET_LINES = 3
# After an answer a person looks at the best few places, not at all that were found.
FEW = 3
_MATCH = "1;31"  # as grep shows a match
_TITLE = "1"
_PATH = "36"
_WARNING = "33"


def answer(
    out: Terminal,
    given: Answer,
    *,
    root: str,
    explain: bool = False,
    verb: str = "search",
    few: bool = False,
) -> None:
    """Show one answer of `query` or `search`: its hits, or that there is none and what to try.

    `few` (nobody said how many) shows the answer first and then the best `FEW` hits, on a
    terminal; in a pipe nothing is left out.
    """
    if given.status == ABSENT or not given.hits:
        _absent(out, given, verb)
    else:
        few = few and out.is_tty
        said = given.answer or ""
        if said and (few or given.quotes or not _is_shown(said, given.hits)):
            _say(out, said, given.query.text)
        if given.status == DEGRADED and not said:
            out.line(out.bold("No answer.") + " What comes nearest:")
            out.line()
        shown = given.hits[:FEW] if few else given.hits
        quoted = {quote.path for quote in given.quotes} if few else set()
        if few:
            quoted |= {hit.path for hit in shown if hit.snippet == said}
        hits(out, shown, root=root, question=given.query.text, quoted=quoted)
        out.line(out.dim(_summary(out, given, len(shown))))
    _remarks(out, given)
    if explain:
        _explain(out, given.tiers)
        if given.trace is not None:
            from memtree.cli._trace import show

            show(out, given.trace)


def _remarks(out: Terminal, given: Answer) -> None:
    """Say what else there is to say: tiers left out, notes, --why-not, what is pending."""
    if given.status == DEGRADED and not given.by:
        out.line(out.style("Some of what was asked for could not be used:", "33"))
        for tier in given.tiers:
            if not tier.sure:
                out.line(f"  {clean(tier.tier)}: {clean(tier.why)}")
    for note in given.notes:
        out.line(out.dim(f"note: {clean(note)}"))
    if given.why_not is not None:
        out.line()
        out.line(out.bold("Why not ") + clean(given.query.why_not or ""))
        for line in given.why_not.splitlines():
            out.line(f"  {clean(line)}")
    if given.pending:
        err = stderr()
        count = plural(given.pending, "entry is", "entries are")
        err.line(
            f"{err.style('note:', '1;33')} {given.pending} changed {count} not indexed yet; "
            "`memtree index` finishes it"
        )


def _say(out: Terminal, text: str, question: str) -> None:
    """The answer itself, each quote in lines that can be read, and nothing beside it."""
    for quote in text.split("\n"):
        line = " ".join(clean(quote).split())
        for part in wrap(line, min(out.width or 10_000, READABLE_WIDTH)):
            out.line(highlighted(out, part, question))
    out.line()


def hits(
    out: Terminal, found: Sequence[Hit], *, root: str, question: str, quoted: Collection[str] = ()
) -> None:
    """Show a numbered list: title, place, the passage with the words lit, and a dim fact line.

    Of an entry that was `quoted` (by its path) the passage is not shown again.
    """
    for number, hit in enumerate(found, 1):
        label = f"{number:>2}. "
        title = clean(hit.title) or clean(hit.path)
        out.line(out.dim(label) + out.style(out.fit(title, less=len(label)), _TITLE))
        out.line("    " + _place(out, hit, root))
        if hit.path not in quoted:
            for line in _snippet(out, hit.snippet, question):
                out.line("    " + line)
        for line in hit.evidence.said() if hit.evidence else ():
            out.line("    " + out.style(out.fit(clean(line), less=4), _WARNING))
        out.line("    " + out.dim(_facts(out, hit)))
        out.line()


def _is_shown(text: str, found: Sequence[Hit]) -> bool:
    """Whether the answer is the passage of a hit, which is shown with its place anyway."""
    plain = " ".join(text.split())
    return any(plain in " ".join(hit.snippet.split()) for hit in found)


def _place(out: Terminal, hit: Hit, root: str) -> str:
    first, last = hit.lines
    where = f"{clean(hit.path)}:{first}" + (f"-{last}" if last > first else "")
    styled = out.style(where, _PATH)
    return out.link(styled, f"{root.rstrip('/')}/{hit.path}")


def _snippet(out: Terminal, text: str, question: str) -> list[str]:
    line = " ".join(clean(text).split())
    if not line:
        return []
    if out.width is None:
        return [highlighted(out, line, question)]
    lines = wrap(line, min(out.width, READABLE_WIDTH) - 5)
    if len(lines) > _SNIPPET_LINES:
        lines = lines[:_SNIPPET_LINES]
        lines[-1] = lines[-1].rstrip(" .,;:") + out.ellipsis
    return [highlighted(out, line, question) for line in lines]


def highlighted(out: Terminal, line: str, question: str) -> str:
    """`line` (clean already) with the words of the question lit, where there is colour."""
    if not out.color:
        return line
    from memtree.cli._highlight import spans

    parts, at = [], 0
    for start, end in spans(line, question):
        parts.append(line[at:start] + out.style(line[start:end], _MATCH))
        at = end
    return "".join(parts) + line[at:]


def _facts(out: Terminal, hit: Hit) -> str:
    facts = [clean(hit.tier), f"{hit.score:.2f}", clean(hit.maturity)]
    facts.append(f"importance {hit.importance:g}")
    if hit.evidence and hit.evidence.state == FRESH:
        facts.append("sources fresh")
    if hit.why:
        facts.append(clean(hit.why))
    return out.fit(f" {out.dot} ".join(facts), less=4)


def _summary(out: Terminal, given: Answer, shown: int) -> str:
    count = len(given.hits)
    number = f"{count} {plural(count, 'entry', 'entries')}"
    facts = [
        number if shown == count else f"{shown} of {number} (--limit {count} shows all)",
        f"tier {clean(given.tier)}",
        f"confidence {given.confidence:.2f}",
        f"{given.ms:.0f} ms",
    ]
    if given.by and given.tier != AGENTIC:
        facts.append(f"with {clean(', '.join(given.by))}")
    return f" {out.dot} ".join(facts)


def _absent(out: Terminal, given: Answer, verb: str) -> None:
    asked = clean(given.query.text)
    where = f" under {clean(given.query.scope)}" if given.query.scope else " in this tree"
    if given.indexed == 0:
        out.line(f"There is nothing{where} yet, so nothing answers {asked!r}.")
        out.line("Next: `memtree add TEXT` or `memtree import FOLDER`.")
        return
    word = "No answer: " if given.status == DEGRADED else "Absent: "
    out.line(out.bold(word) + f"nothing{where} answers {asked!r}.")
    if given.tiers:
        out.line("Tried:")
    width = max((len(tier.tier) for tier in given.tiers), default=0)
    for tier in given.tiers:
        why = clean(tier.why) or "nothing close"
        out.line("  " + out.fit(f"{tier.tier:<{width}}  {why}", less=2))
    for line in _next_steps(given, verb):
        out.line(line)


def _next_steps(given: Answer, verb: str) -> list[str]:
    from shlex import quote

    asked = clean(given.query.text)
    if given.query.scope:
        return [f"Next: leave out `--in {clean(given.query.scope)}` to ask the whole tree."]
    if given.query.max_tier and "fulltext" not in [tier.tier for tier in given.tiers]:
        return [
            f"Full text was not asked, because of `--max-tier {clean(given.query.max_tier)}`.",
            "Next: leave it out to let the other tiers try.",
        ]
    if given.query.tier and given.query.tier != "agentic":  # that is asked last, or by `ask`
        return [f"Next: leave out `--tier {given.query.tier}` to let the other tiers try."]
    if verb == "query":
        return [
            f"Next: memtree search {quote(asked)}",
            "      lists what comes nearest; or other words, or write it down: memtree add TEXT",
        ]
    return ["Next: other words, or write it down: memtree add TEXT"]


def _explain(out: Terminal, tiers: Sequence[TierReport]) -> None:
    out.line()
    out.line(out.bold("How it was found"))
    for tier in tiers:
        verdict = "sure" if tier.sure else "not sure"
        out.line(f"  {tier.tier} {out.dot} {verdict} {out.dot} {tier.ms:.1f} ms")
        if tier.why:
            out.line(f"    {clean(tier.why)}")
        for step in tier.steps:
            said = ", ".join(f"{name}: {_number(value)}" for name, value in step.items())
            for line in wrap(clean(said), READABLE_WIDTH - 4):
                out.line(f"    {line}")
        for candidate in tier.candidates:
            facts = ", ".join(
                f"{clean(str(name))} {_number(value)}"
                for name, value in candidate.items()
                if name not in ("path", "title")
            )
            out.line("    " + out.fit(f"{clean(str(candidate.get('path', '')))}  {facts}", less=4))


def _number(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else clean(str(value))


def plural(count: int, one: str, many: str) -> str:
    """`one` for 1, `many` for everything else."""
    return one if count == 1 else many


def table(out: Terminal, rows: Sequence[Sequence[str]], *, gap: int = 2) -> None:
    """Clean columns, as wide as their widest cell; the last one is cut to the window."""
    shown = [[clean(cell) for cell in row] for row in rows]
    widths = [max(cells(row[at]) for row in shown) for at in range(len(shown[0]))] if shown else []
    for row in shown:
        line = "".join(
            cell + " " * (widths[at] - cells(cell) + gap) for at, cell in enumerate(row[:-1])
        )
        out.line(out.fit((line + row[-1]).rstrip()))
