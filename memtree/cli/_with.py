"""The plugins of one question: who is asked by name, with which options, and what they keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from memtree.cli._errors import DONE, NOTHING
from memtree.errors import UsageError

if TYPE_CHECKING:
    from memtree.app import Tree
    from memtree.knowledge.query import Answer, Query

WithOption = Annotated[
    list[str] | None,
    typer.Option(
        "--with", metavar="PLUGIN", help="Ask plugins, too: names, with commas; none for none."
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="PLUGIN.OPTION=VALUE", help="An option of a plugin for this question."
    ),
]
PackOption = Annotated[
    str | None,
    typer.Option("--pack", metavar="PLUGIN", help="Let a plugin pack what a model will read."),
]
ShowPromptOption = Annotated[
    bool, typer.Option("--show-prompt", help="Print what a model would read, and ask none.")
]
ThinkOption = Annotated[
    bool, typer.Option("--think", help="Keep what follows from the answer as thoughts (tim).")
]
ConflictsOption = Annotated[
    Literal["show", "newest", "ask", "off"] | None,
    typer.Option("--conflicts", help="What is done with rivals of a hit (clash)."),
]
ElicitOption = Annotated[
    bool, typer.Option("--elicit", help="Ask the model without the tree first (clash).")
]
ModeOption = Annotated[
    Literal["auto", "full", "blocks", "tiers"] | None,
    typer.Option("--mode", help="How much of the tree is read (convomem)."),
]


class Wanted:
    """Plugins that are asked for by name, and their options for this question."""

    def __init__(self, names: list[str], options: dict[str, object]) -> None:
        self.names = tuple(dict.fromkeys(names))
        self.options = options


def plugins_of(
    with_: list[str] | None, set_: list[str] | None, *, pack: str | None = None,
    thinks: bool = False, conflicts: str | None = None, elicit: bool = False,
    mode: str | None = None,
) -> Wanted:  # fmt: skip
    names = [name.strip() for part in with_ or () for name in part.split(",") if name.strip()]
    options: dict[str, object] = {}
    if pack is not None:
        names.append(pack)
        options[f"{pack}.pack"] = True
    for name, option, value in (
        ("tim", "think", thinks or None), ("clash", "conflicts", conflicts),
        ("clash", "elicit", elicit or None), ("convomem", "mode", mode),
    ):  # fmt: skip
        if value is not None:
            names.append(name)
            options[f"{name}.{option}"] = value
    for part in set_ or ():
        key, equals, value = part.partition("=")
        if not equals or "." not in key:
            raise UsageError(
                f"{part!r} sets no option of a plugin", hint="like --set hippo.damping=0.7"
            )
        options[key.strip()] = _value(value.strip())
    return Wanted(names, options)


def _value(text: str) -> object:
    """A value as plugins.toml would read it, else the text itself."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def keep_thoughts(there: Tree, given: Answer) -> None:
    """Let the plugins that think keep what follows from an answer; said with the answer."""
    from memtree.plugins.api import Answered

    if not given.answer or not given.hits:
        return
    used = tuple(given.cited) or tuple(quote.path for quote in given.quotes)
    event = Answered(
        query=given.query.text, answer=given.answer, used=used or (given.hits[0].path,),
        status=given.status,
    )  # fmt: skip
    options = dict(given.query.options or {})
    for player, done in there.propose(event, ["tim"], options=options):
        notes = [f"{player.name}: kept {path}" for _, path, _ in done.applied]
        notes += [f"{player.name}: {reason}" for _, _, reason in done.rejected]
        given.notes = [*given.notes, *notes, *player.context.notes]
        if player.by not in given.by:
            given.by = [*given.by, player.by]


def print_pack(there: Tree, asked: Query, *, as_json: bool) -> int:
    """Print what a model would read."""
    from memtree.cli._terminal import clean, clean_block, stderr, stdout
    from memtree.retrieve.agentic.budget import parse_budget

    tokens = parse_budget(asked.budget).tokens if asked.budget else 2000
    pieces, notes = there.packed(asked, tokens=tokens)
    if as_json:
        from memtree.cli._json import emit

        emit(
            {
                "query": asked.text,
                "pieces": [
                    {"path": one.path, "lines": list(one.lines), "label": one.label,
                     "text": one.text}
                    for one in pieces
                ],
                "notes": notes,
            }
        )  # fmt: skip
    else:
        out = stdout()
        for one in pieces:
            label = f" ({clean(one.label)})" if one.label else ""
            out.line(out.bold(f"{clean(one.path)}:{one.lines[0]}{label}"))
            out.line(clean_block(one.text))
            out.line()
        for note in notes:
            stderr().line(f"note: {clean(note)}")
    return DONE if pieces else NOTHING
