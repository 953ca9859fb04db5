"""`show`: one entry, rendered on a terminal, byte for byte in a pipe."""

from __future__ import annotations

import sys

from memtree.cli._errors import DONE
from memtree.cli._open import opened
from memtree.cli._plot import bar
from memtree.cli._terminal import (
    READABLE_WIDTH,
    Terminal,
    cells,
    clean,
    clean_block,
    stdout,
    wrap,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Annotated

    import typer

    from memtree.app import Tree
    from memtree.cli._typer import EntryArgument, JsonOption, TreeOption
    from memtree.connections import Links
    from memtree.knowledge.entry import Entry
    from memtree.lifecycle.telling import Told

# Widths in cells: of the bar of importance (five points each), a fact's name, its value.
_BAR, _NAME, _VALUE = 20, 12, 11
_MATURITY_STYLES = {"draft": "36", "validated": "32", "core": "33"}
_STATE_STYLES = {"fresh": "32", "moved": "32", "drifted": "33", "gone": "31", "outside": "31"}


def show(
    entry: EntryArgument,
    raw: Annotated[
        bool, typer.Option("--raw", help="The file as it is, also on a terminal.")
    ] = False,
    as_json: JsonOption = False,
    tree: TreeOption = None,
) -> int:
    """Show an entry: its text, its links, where its scores come from.

    On a terminal: what the front matter says, the text, the sums behind its importance, maturity
    and recency, what it rests on, and the links to and from it. In a pipe: the bytes of the file.
    On a terminal control characters are always shown, never sent.
    """
    there = opened(tree)
    path = there.resolve(entry)
    if as_json:
        from memtree.cli._json import emit

        emit(_document(there.get(path), there.links(path), there.life(path)))
        there.note_use("opened", [path])
        return DONE
    out = stdout()
    if raw or not (out.is_tty or out.color):
        _raw(out, there.raw(path))
        there.note_use("opened", [path])
        return DONE
    found = there.get(path)
    _heading(out, found, there)
    _body(out, _without_title(found))
    _life(out, there.life(path))
    _links(out, there.links(path))
    for problem in found.problems:
        out.line(out.style(f"line {problem.line}: {clean(problem.message)}", "33"))
    there.note_use("opened", [path])
    return DONE


def _document(found: Entry, links: Links, life: Told) -> dict[str, object]:
    return {
        "path": found.path,
        "id": found.id,
        "type": found.type,
        "title": found.title,
        "description": found.description,
        "tags": list(found.tags),
        "aliases": list(found.aliases),
        "importance": found.importance,
        "maturity": found.maturity,
        "meta": dict(found.meta),
        "body": found.body,
        "lines": found.lines,
        "fingerprint": found.fingerprint,
        "links": {"out": list(links.out), "back": list(links.back)},
        "life": life,
        "problems": list(found.problems),
    }


def _raw(out: Terminal, data: bytes) -> None:
    if out.is_tty:
        out.write(clean_block(data.decode("utf-8", "replace")))
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _heading(out: Terminal, found: Entry, tree: Tree) -> None:
    place = out.style(clean(found.path), "36")
    out.line(out.bold(clean(found.title)))
    out.line(out.link(place, f"{tree.root.rstrip('/')}/{found.path}"))
    facts = [found.type, found.maturity, f"importance {found.importance:g}", found.id]
    out.line(out.dim(f" {out.dot} ".join(clean(fact) for fact in facts if fact)))
    shown = {"title", "type", "id", "importance", "maturity"}
    width = max((len(str(key)) for key in found.meta if key not in shown), default=0)
    for key, value in found.meta.items():
        if key not in shown:
            name = out.dim(f"{clean(str(key)):<{width}}")
            out.line(f"{name}  {out.fit(clean(_value(value)), less=width + 2)}")
    out.line()


def _value(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(_value(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_value(item)}" for key, item in value.items())
    return "" if value is None else str(value)


def _without_title(found: Entry) -> str:
    """Return the body less a first heading that repeats the title, which was just shown."""
    first, _, rest = found.body.lstrip().partition("\n")
    is_title = first.startswith("# ") and first[2:].strip() == found.title
    return rest if is_title else found.body


def _body(out: Terminal, body: str) -> None:
    text = clean_block(body).strip("\n")
    if not out.color:
        out.line(text)
        out.line()
        return
    # 33 ms of imports, so only here: a person looks at this on a terminal.
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console(
        file=out.stream,
        force_terminal=True,
        width=min(out.width or READABLE_WIDTH, READABLE_WIDTH),
        color_system="standard",
    )
    console.print(Markdown(text, hyperlinks=out.links))
    out.line()


def _life(out: Terminal, told: Told) -> None:
    """Where its scores come from: sums that can be followed, and what it rests on."""
    why = told.why
    style = _MATURITY_STYLES.get(why.maturity, "36")
    out.line(out.bold("Life"))
    drawn = bar(why.importance, 100, _BAR, unicode=out.unicode)
    rest = ("·" if out.unicode else ".") * (_BAR - len(drawn))
    value = f"{f'{why.importance:.1f}':<{_VALUE}}"
    out.line(f"{out.dim('  importance  ')}{value}{out.style(drawn, style)}{out.dim(rest)}")
    for part in why.parts:
        points = f"{part.points:.1f}" if part.name == "start" else f"{part.points:+.1f}"
        words = part.words.removeprefix(f"{part.points:g}").lstrip(", ")
        _fact(out, "", points, words, style="2")
    _fact(out, "maturity", why.maturity, why.maturity_words, style=style)
    _fact(out, "recency", f"{why.recency:.2f}", why.recency_words)
    most = f"of at most {100 * told.most:g} % that life adds to a text score"
    _fact(out, "ranking", f"+{100 * why.lift:.1f} %", most)
    if told.by:
        _fact(out, "replaced by", told.by, "", style="33")
    if told.is_stale:
        _fact(out, "stale after", told.stale_after, "", style="33")
    for at, source in enumerate(told.sources):
        said = source.said().replace(f" {source.state}", "", 1)
        style = _STATE_STYLES.get(source.state, "2")
        _fact(out, "" if at else "rests on", source.state, said, style=style)
    out.line()


def _fact(out: Terminal, name: str, value: str, words: str, *, style: str = "") -> None:
    """One fact: its name, a value in its style, and words about it, wrapped beside it."""
    value = clean(value)
    lead = 2 + _NAME + _VALUE
    width = (out.width or READABLE_WIDTH) - lead
    lines = wrap(clean(words), max(width, 20)) or [""]
    gap = " " * max(1, _VALUE - cells(value)) if lines[0] else ""
    shown = out.style(value, style) if style else value
    named = out.dim(f"  {name:<{_NAME}}")
    out.line(f"{named}{shown}{gap}{out.dim(lines[0]) if style == '2' else lines[0]}")
    for line in lines[1:]:
        out.line(" " * lead + (out.dim(line) if style == "2" else line))


def _links(out: Terminal, links: Links) -> None:
    for name, rows, here in (
        ("Links to", links.out, "target"),
        ("Linked from", links.back, "source"),
    ):
        if not rows:
            continue
        out.line(out.bold(name))
        shown = {}
        for row in rows:
            other = row.source if here == "source" else row.resolved or row.target
            rel = f" ({clean(row.rel)})" if row.rel else ""
            lost = "" if row.resolved else out.style(" not found", "33")
            if other not in shown or rel:
                shown[other] = f"  {clean(other)}{rel}{lost}"
        for line in shown.values():
            out.line(line)
        out.line()


COMMANDS = {"show": show}
