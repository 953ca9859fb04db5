"""The short way to a command: a command line that is well formed is run without typer.

Importing typer takes four times as long as starting Python, and all it does for `memtree list` is
to find that there is nothing to say. So the arguments of the commands that are used in passing
stand here once more, as a table (tests/cli/test_plain.py compares it with what typer knows). What
is not plain (help, a mistake, an abbreviation) is left to typer, which says everything there is.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Values = dict[str, object]

FLAG, TEXT, TEXTS = "flag", "text", "texts"
ALWAYS = {"--json": ("as_json", FLAG), "--tree": ("tree", TEXT)}
_ONE, _MAYBE, _MANY = (1, 1), (0, 1), (1, 1_000_000)
_REV: dict[str, tuple[str, object]] = {"--rev": ("rev", TEXT)}

# Command -> (its arguments: name and how many, its own options: name and kind or bounds).
PLAIN: dict[str, tuple[tuple[tuple[str, tuple[int, int]], ...], dict[str, tuple[str, object]]]] = {
    "add": (
        (("text", _ONE),),
        {
            "--to": ("to", TEXT),
            "--title": ("title", TEXT),
            "--tag": ("tag", TEXTS),
            "--type": ("type_", TEXT),
            "--source": ("source", TEXTS),
        },
    ),
    "anchor": ((("entry", _ONE), ("sources", _MANY)), {}),
    "verify": (
        (("entries", _MANY),),
        {"--by": ("by", TEXT), "--re-anchor": ("re_anchor", FLAG)},
    ),
    "show": ((("entry", _ONE),), {"--raw": ("raw", FLAG)}),
    "mv": ((("source", _ONE), ("target", _ONE)), {}),
    "rm": ((("entries", _MANY),), {"--yes": ("yes", FLAG), "-y": ("yes", FLAG)}),
    "list": ((("folder", _MAYBE),), {"--tag": ("tag", TEXT), "--type": ("type_", TEXT)}),
    "tree": (
        (("folder", _MAYBE),),
        {"--depth": ("depth", range(1, 1_000_000)), "--folders": ("folders", FLAG)},
    ),
    "links": ((("entry", _ONE),), {}),
    "log": ((), {"--limit": ("limit", range(1, 1001)), "-n": ("limit", range(1, 1001))}),
    "diff": ((("change", _MAYBE),), {**_REV, "--entry": ("entry", TEXT)}),
    "undo": ((("change", _MAYBE),), {}),
    "restore": ((("entry", _ONE),), _REV),
    "status": ((), {}),
    "stats": ((), {"--now": ("now", TEXT)}),
    "check": ((("folder", _MAYBE),), {"--fix": ("fix", FLAG)}),
    "consolidate": (
        (),
        {
            "--dry-run": ("dry_run", FLAG),
            "--now": ("now", TEXT),
            "--yes": ("yes", FLAG),
            "-y": ("yes", FLAG),
        },
    ),
    "supersede": ((("old", _ONE), ("new", _ONE)), {"--from": ("since", TEXT)}),
    "doctor": ((), {}),
    "index": ((("what", _MAYBE),), {"--rebuild": ("rebuild", FLAG), "--with": ("with_", TEXT)}),
    "config get": ((("name", _ONE),), {}),
    "config set": ((("name", _ONE), ("value", _ONE)), {}),
    "config list": ((), {}),
    "config path": ((), {}),
}


class NotPlain(Exception):  # noqa: N818  (no error: typer takes over)
    """The command line asks for more than the table knows."""


def run(args: list[str]) -> int | None:
    """Run a plain command line; returns its exit code, or None when it is for typer."""
    try:
        name, values = understood(args)
    except NotPlain:
        return None
    from importlib import import_module

    from memtree.cli._commands import MODULES
    from memtree.errors import MemtreeError

    family, _, member = name.partition(" ")
    made = import_module(f"memtree.cli.{MODULES[family]}").COMMANDS[family]
    command: Callable[..., int] = made[member] if member else made
    try:
        return command(**values)
    except MemtreeError as error:
        from memtree.cli._errors import report

        return report(error)


def understood(args: list[str]) -> tuple[str, Values]:
    """The command that `args` name, and the values of its parameters; raises NotPlain."""
    words = iter(args)
    values: Values = {}
    name = next(words, "")
    if name == "--tree":
        values["tree"] = _value(words)
        name = next(words, "")
    if name == "config":
        name = f"config {next(words, '')}"
    if name not in PLAIN:
        raise NotPlain
    arguments, options = PLAIN[name]
    given: list[str] = []
    for word in words:
        if word[:1] != "-" or word == "-":
            given.append(word)
        else:
            _take(word, words, {**ALWAYS, **options}, values)
    for at, (argument, (least, most)) in enumerate(arguments):
        mine = given[at : at + most]
        if len(mine) < least:
            raise NotPlain
        if mine:
            values[argument] = mine if most > 1 else mine[0]
    if len(given) > sum(most for _, (_, most) in arguments):
        raise NotPlain
    return name, values


def _take(
    word: str, words: Iterator[str], options: dict[str, tuple[str, object]], values: Values
) -> None:
    """Take one option, and its value from the word itself or the next one."""
    flag, equals, value = word.partition("=")
    name, kind = options.get(flag, ("", None))
    if kind == FLAG and not equals:
        values[name] = True
        return
    if kind in (None, FLAG) or (equals and (flag[:2] != "--" or not value)):
        raise NotPlain
    value = value if equals else _value(words)
    if kind == TEXTS:
        known = values.setdefault(name, [])
        assert isinstance(known, list)  # noqa: S101  (for the type checker; made the line above)
        known.append(value)
    elif isinstance(kind, range):
        if not (value.isascii() and value.isdigit() and len(value) < 7 and int(value) in kind):
            raise NotPlain
        values[name] = int(value)
    else:
        values[name] = value


def _value(words: Iterator[str]) -> str:
    value = next(words, "")
    if not value or value[0] == "-":
        raise NotPlain
    return value
