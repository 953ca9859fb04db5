"""`stats`: the tree's life, to look at on a terminal, as figures in a pipe."""

from __future__ import annotations

from memtree.cli import _plot
from memtree.cli._errors import DONE
from memtree.cli._open import opened
from memtree.cli._render import plural, table
from memtree.cli._terminal import DEFAULT_WIDTH, Terminal, cells, clean, cut, pad, stdout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Annotated

    import typer

    from memtree.cli._typer import JsonOption, TreeOption
    from memtree.lifecycle.figures import Bin, Due, Flow, Month, Stats

    Row = tuple[str, str, str]

# Wider than this a plot tells no more; narrower than this it tells nothing.
_WIDEST, _NARROWEST = 100, 40
_HEIGHT = 6  # lines of a plot
_SHOWN = 5  # of each list; the rest is in --json
_MARGIN = 2
# From the ground up, as the columns are built: what lasts is at the bottom.
_STYLES = {"core": "33", "validated": "32", "draft": "36"}


def stats(
    now: Annotated[
        str | None,
        typer.Option("--now", metavar="TIME", help="As if it were then: ISO 8601, in UTC."),
    ] = None,
    as_json: JsonOption = False,
    tree: TreeOption = None,
) -> int:
    """Show the tree's life: importance, maturity, what is used or fading.

    On a terminal with plots, in a pipe as figures. --json has everything, lists at most ten long.
    """
    found = opened(tree).stats(now=now)
    if as_json:
        from memtree.cli._json import emit

        emit(found)
        return DONE
    out = stdout()
    if not (out.is_tty or out.color):
        table(out, list(_figures(found)))
        return DONE
    _picture(out, found)
    return DONE


# -- in a pipe -------------------------------------------------------------------------------------


def _figures(found: Stats) -> Iterator[Row]:
    """One figure a line: what it is about, of what, how much."""
    yield "now", "", found.now
    yield "entries", "", str(found.entries)
    yield "archived", "", str(found.archived)
    yield "importance", "median", f"{found.median:g}"
    for one in found.importance:
        yield "importance", f"{one.low}-{one.high}", str(one.entries)
    counts = ("maturity", found.maturity), ("due", _due(found)), ("uses", found.uses)
    for about, numbers in (*counts, ("stale", found.stale_by)):
        for name, count in numbers.items():
            yield about, name, str(count)
    for month in found.growth:
        if month.entries:
            yield "created", month.month, str(month.entries)
    yield "created", "undated", str(found.undated)
    yield from _listed(found)


def _listed(found: Stats) -> Iterator[Row]:
    for flow in found.flow:
        yield "settled", flow.at, _moves(flow)
    for used in found.most_used:
        yield "used", used.path, f"{used.uses} {plural(used.uses, 'time', 'times')}"
    for fading in found.fading:
        yield "fading", fading.path, f"{fading.importance:g} to {fading.next}, {fading.days} days"
    for stale in found.stale:
        yield stale.code, stale.path, stale.why


def _due(found: Stats) -> dict[str, int]:
    due = found.due
    return {"promoted": due.promoted, "demoted": due.demoted, "archived": due.archived}


def _moves(made: Due | Flow) -> str:
    moves = ("promoted", made.promoted), ("demoted", made.demoted), ("archived", made.archived)
    return ", ".join(f"{count:,} {name}" for name, count in moves if count) or "nothing moved"


# -- on a terminal ---------------------------------------------------------------------------------


def _picture(out: Terminal, found: Stats) -> None:
    width = max(_NARROWEST, min(out.width or DEFAULT_WIDTH, _WIDEST))
    if not found.entries and not found.archived:
        out.line("There is nothing in this tree yet.")
        out.line("Next: `memtree add TEXT` or `memtree import FOLDER`.")
        return
    facts = [f"{found.entries:,} {plural(found.entries, 'entry', 'entries')}"]
    facts += [f"{found.archived:,} archived"] if found.archived else []
    out.line(out.bold(facts[0]) + "".join(f" {out.dot} {fact}" for fact in [*facts[1:], found.now]))
    _importance(out, found.importance, found.median, width)
    _maturity(out, found, width)
    _used(out, found, width)
    _fading(out, found, width)
    _stale(out, found, width)
    _growth(out, found.growth, found.undated, width)


def _title(out: Terminal, name: str, more: str = "") -> None:
    out.line()
    out.line(out.bold(name) + (f"  {out.dim(more)}" if more else ""))


def _importance(out: Terminal, bins: Sequence[Bin], median: float, width: int) -> None:
    _title(out, "Importance", f"median {median:.0f}")
    top = max(one.entries for one in bins)
    label = max(len(f"{top:,}"), 3)
    wide = max(1, min(6, (width - label - 4 - _MARGIN) // len(bins) - 1))

    lines = _plot.columns(
        [one.entries for one in bins], height=_HEIGHT, wide=wide, unicode=out.unicode
    )
    drawn = []
    for at, line in enumerate(lines):
        level = top * (_HEIGHT - at - 0.5) / _HEIGHT
        parts = [line[start : start + wide + 1] for start in range(0, len(line), wide + 1)]
        pairs = zip(parts, bins, strict=False)
        drawn.append(
            "".join(
                out.style(part, _style_at(one, level)) if part.strip() else part
                for part, one in pairs
            )
        )
    _framed(out, drawn, top=top, label=label, length=len(bins) * (wide + 1))
    every = 1 if wide >= 3 else 2
    marks = [pad(str(one.low) if at % every == 0 else "", wide + 1) for at, one in enumerate(bins)]
    out.line(" " * (_MARGIN + label + 2) + out.dim("".join(marks).rstrip()))


def _style_at(one: Bin, level: float) -> str:
    """The colour of a column at a level, in entries: of what stands there."""
    level = min(level, one.entries - 0.5)
    if level < one.core:
        return _STYLES["core"]
    return _STYLES["validated" if level < one.core + one.validated else "draft"]


def _framed(out: Terminal, lines: Sequence[str], *, top: int, label: int, length: int) -> None:
    """Draw the axes: the highest figure at the top, a line to stand on."""
    up, first, corner, across = ("│", "┤", "└", "─") if out.unicode else ("|", "|", "+", "-")
    for at, line in enumerate(lines):
        name = f"{top:,}" if at == 0 else ""
        axis = first if at == 0 else up
        out.line(f"{' ' * _MARGIN}{out.dim(f'{name:>{label}} {axis}')}{line}".rstrip())
    out.line(f"{' ' * _MARGIN}{out.dim(f'{0:>{label}} {corner}{across * length}')}")


def _maturity(out: Terminal, found: Stats, width: int) -> None:
    _title(out, "Maturity")
    top = max(found.maturity.values(), default=0)
    room = max(10, width - _MARGIN - 11 - len(f"{top:,}") - 1)
    for name, style in _STYLES.items():
        count = found.maturity.get(name, 0)
        drawn = out.style(_plot.bar(count, top, room, unicode=out.unicode), style)
        out.line(f"{' ' * _MARGIN}{name:<11}{drawn}{' ' if drawn else ''}{count:,}")
    for flow in found.flow[:_SHOWN]:
        out.line(out.dim(f"{' ' * _MARGIN}settled {flow.at}: {_moves(flow)}"))
    if any(_due(found).values()):
        due = f"due with the next `memtree consolidate`: {_moves(found.due)}"
        out.line(out.dim(f"{' ' * _MARGIN}{due}"))


def _used(out: Terminal, found: Stats, width: int) -> None:
    if not found.used_total:
        _title(out, "Most used", "no use is known yet: nothing was opened, cited or edited")
        return
    real = ", ".join(f"{count:,} {name}" for name, count in found.uses.items())
    _title(out, "Most used", f"{real}; each mark is a week")
    top = max(max(one.weeks) for one in found.most_used[:_SHOWN])
    digits = max(len(str(one.uses)) for one in found.most_used)
    for one in found.most_used[:_SHOWN]:
        drawn = _plot.spark(one.weeks, unicode=out.unicode, top=top)
        lead = f"{' ' * _MARGIN}{one.uses:>{digits}}  "
        styled = lead + out.style(drawn, "32") + "  "
        _item(out, styled, (one.title, one.path), width - len(lead) - len(drawn) - 2)


def _fading(out: Terminal, found: Stats, width: int) -> None:
    if not found.fading:
        return
    _title(out, "Fading", f"{found.fading_total:,} unused for two weeks, next step down near")
    for one in found.fading[:_SHOWN]:
        when = "now" if not one.days else f"in {one.days} {plural(one.days, 'day', 'days')}"
        where = "archive" if one.next == "archive" else one.next
        told = pad(f"{where} {when}", 22 if width > 60 else 0)
        lead = f"{' ' * _MARGIN}{one.importance:>5.1f}  {told}  "
        _item(out, out.style(lead, "33"), (one.title, one.path), width - len(lead))


def _stale(out: Terminal, found: Stats, width: int) -> None:
    if not found.stale:
        return
    counts = ", ".join(f"{count:,} {name}" for name, count in found.stale_by.items())
    _title(out, "Stale", counts)
    for one in found.stale[:_SHOWN]:
        lead = f"{' ' * _MARGIN}{one.code:<11} {one.since:<10}  "
        _item(out, out.style(lead, "33"), (one.title, one.path), width - len(lead))


def _item(out: Terminal, lead: str, entry: tuple[str, str], room: int) -> None:
    """One line of a list: what leads it, the title, and the path where there is room for it."""
    title, path = map(clean, entry)
    name = cut(title or path, max(8, room), ellipsis=out.ellipsis)
    fits = title and cells(name) + 2 + cells(path) <= room
    out.line(lead + name + (out.dim(f"  {path}") if fits else ""))


def _growth(out: Terminal, months: Sequence[Month], undated: int, width: int) -> None:
    without = f"{undated:,} without a date" if undated else ""
    if not months:
        return
    _title(out, "Growth", ", ".join(filter(None, ["entries created in each month", without])))
    top = max(one.entries for one in months)
    label = max(len(f"{top:,}"), 3)
    most = (width - label - 4 - _MARGIN) // 2
    shown = months[-min(most, 36) :]
    wide = max(1, min(6, (width - label - 4 - _MARGIN) // len(shown) - 1))
    top = max(1, *(one.entries for one in shown))
    lines = _plot.columns(
        [one.entries for one in shown], height=_HEIGHT, wide=wide, unicode=out.unicode
    )
    length = max(len(shown) * (wide + 1), 7)
    _framed(out, [out.style(line, "36") for line in lines], top=top, label=label, length=length)
    first, last = shown[0].month, shown[-1].month
    marks = first if first == last else pad(first, max(8, length - len(last))) + last
    out.line(" " * (_MARGIN + label + 2) + out.dim(marks))


COMMANDS = {"stats": stats}
