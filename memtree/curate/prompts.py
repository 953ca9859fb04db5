"""What a model reads: the rules from `templates/prompts/`, the known entries, the numbered lines.

Text of the source can't pass for anything else: it has no line breaks of its own, and every line of
it stands behind its number and a bar. The rules hold no example that could be taken for a fact.
All of it is cut to the model's window, counted in the model's own tokens.
"""

from __future__ import annotations

import os
import re
from functools import cache
from typing import TYPE_CHECKING

from memtree.curate.schema import OPERATIONS, Choice, one_line
from memtree.errors import Unavailable
from memtree.llm.protocol import Prompt
from memtree.safety.injection import HARD, grade
from memtree.safety.secrets import redact
from memtree.tree.locate import templates_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from memtree.curate.protocol import Fact, Known, Outlook
    from memtree.curate.schema import Line, Menu
    from memtree.knowledge.source import Source

    Count = Callable[[str], int]

FACTS = 5
"""Facts of a known entry that are shown: those that share most words with the lines."""
FACT_LETTERS = 160
GROUP_LINES = 16
"""Lines of one call: more of them blur what a small model points at, and it says less of each."""
_GAP = re.compile(r"\{\{(\w+)\}\}")
_WORD = re.compile(r"\w+")


@cache
def template(name: str) -> str:
    """The text of `templates/prompts/NAME.md`; raises Unavailable if the installation lacks it."""
    folder = templates_dir()
    path = os.path.join(folder or "templates", "prompts", f"{name}.md")
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        hint = "install memtree again: its templates are a part of it"
        raise Unavailable(f"the prompt {name!r} is missing", hint=hint) from error


def fill(text: str, **values: str) -> str:
    """Every `{{name}}` of a template by its value; what a value holds is not looked into."""
    return _GAP.sub(lambda gap: values.get(gap.group(1), gap.group()), text)


@cache
def rules(operations: tuple[str, ...]) -> str:
    """What a model is told about its task: the same for every call, so that it is read once."""
    kept: list[str] = []
    for row in template("curate").splitlines():
        name = row.strip().removeprefix("* ").partition(":")[0]
        if name not in OPERATIONS or name in operations:
            kept.append(row)
    return "\n".join(kept).strip()


def about(source: Source) -> str:
    """What is shared by the calls for one source: how it is called, and its date."""
    title = one_line(source.title or os.path.basename(source.name))[:80]
    dated = f", {source.time[:10]}" if source.time else ""
    return f"The source: {title} ({source.kind}{dated})"


def call(menu: Menu, *, source: Source, told: str | None = None) -> Prompt:
    """The prompt of one call; `told` takes the place of the rules."""
    return Prompt(
        system=rules(menu.operations) if told is None else told,
        shared=about(source),
        user=fill(
            template("curate-lines"),
            known=known_text(menu.choices),
            folders=", ".join((*menu.folders, "new")),
            source=source_text(menu.lines),
        ).rstrip("\n"),
    )


def again(prompt: Prompt, problems: Iterable[str]) -> Prompt:
    """The same once more, with what was wrong; the beginning is equal, so it isn't read again."""
    listed = "\n".join(f"- {one_line(problem)[:200]}" for problem in problems)
    text = fill(template("curate-again"), problems=listed)
    return Prompt(system=prompt.system, shared=prompt.shared, user=prompt.user + text.rstrip("\n"))


# --- the parts of a prompt


def source_text(lines: Sequence[Line]) -> str:
    """The lines with their numbers; a heading stands once before its lines, without a number."""
    before: Line | None = None
    shown: list[str] = []
    for line in lines:
        shown += _shown(line, before)
        before = line
    return "\n".join(shown)


def _shown(line: Line, before: Line | None) -> Iterator[str]:
    passage = line.passage
    heading = one_line(passage.heading)[:120]
    if heading and (before is None or before.passage.heading != passage.heading):
        yield f"# {heading}"
    who = ", ".join(one_line(word)[:40] for word in (passage.speaker, passage.time[:16]) if word)
    first = before is None or before.passage is not passage
    yield f"{line.number}| ({who}) {line.text}" if who and first else f"{line.number}| {line.text}"


def known_text(choices: Sequence[Choice]) -> str:
    """Known entries by their handles, with the facts that may be spoken of."""
    rows: list[str] = []
    for choice in choices:
        rows.append(f"{choice.handle} = {harmless(choice.entry.title, 80)}")
        texts = {fact.id: fact.text for fact in choice.entry.facts}
        rows += [
            f"{handle}: {harmless(texts[fact], FACT_LETTERS)}"
            for handle, fact in choice.facts.items()
        ]
        if not choice.facts and choice.gist:
            rows.append(f"{choice.handle}: {choice.gist}")
    return "\n".join(rows) or "none"


def harmless(text: str, most: int) -> str:
    """A text of the tree on one line: without secrets, and not at all if it gives orders."""
    clean = one_line(redact(text[: most * 8])[0])
    return "" if grade(clean) >= HARD else clean[:most]


def near(facts: Sequence[Fact], text: str, most: int = FACTS) -> list[Fact]:
    """The standing facts that share most words with a text, best first, then in their order."""
    words = set(_WORD.findall(text.casefold()))
    standing = [fact for fact in facts if fact.stands and fact.id and harmless(fact.text, 99)]
    standing.sort(key=lambda fact: -len(words & set(_WORD.findall(fact.text.casefold()))))
    return standing[:most]


# --- cut to the window


def groups(lines: Sequence[Line], *, count: Count, tokens: int) -> Iterator[tuple[Line, ...]]:
    """Runs of lines that each take at most `tokens`, whole passages where they fit."""
    group: list[Line] = []
    taken = 0
    for line in lines:
        size = count("\n".join(_shown(line, group[-1] if group else None)) + "\n")
        if group and (taken + size > tokens or len(group) >= GROUP_LINES):
            kept = _whole_passages(group, line)
            yield tuple(kept)
            group = group[len(kept) :]
            taken = sum(count("\n".join(_shown(one, None)) + "\n") for one in group)
        group.append(line)
        taken += size
    if group:
        yield tuple(group)


def _whole_passages(group: list[Line], following: Line) -> list[Line]:
    """The group without the beginning of a passage that goes on, if that leaves half of it."""
    at = len(group)
    while at and group[at - 1].passage is following.passage:
        at -= 1
    return group[:at] if at * 2 > len(group) else group


def choices(
    found: Iterable[Known], text: str, *, outlook: Outlook, count: Count, tokens: int, most: int = 8
) -> tuple[Choice, ...]:
    """The entries that were found, best first, as many as `tokens` hold."""
    chosen: list[Choice] = []
    seen: set[str] = set()
    for known in found:
        entry = None if known.path in seen else outlook.entry(known.path)
        seen.add(known.path)
        if entry is None:
            continue
        handle = f"e{len(chosen) + 1}"
        facts = {
            f"{handle}.{number}": fact.id
            for number, fact in enumerate(near(entry.facts, text), start=1)
        }
        gist = harmless(known.text, FACT_LETTERS)
        choice = Choice(handle=handle, entry=entry, facts=facts, gist=gist)
        tokens -= count(known_text((choice,)) + "\n")
        if tokens < 0 or len(chosen) == most:
            break
        chosen.append(choice)
    return tuple(chosen)
