"""A plugin's functions as commands: their parameters become arguments and options.

A plugin knows nothing of the command line. Its function takes a desk first, then what a person
gives: positional parameters are arguments, keyword-only ones options, a text in `Annotated` is
their help, the docstring that of the command. Here they get typer's words for it; what is done
with the command line then is the caller's.
"""

from __future__ import annotations

import builtins
import inspect
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, get_args, get_origin

import typer

from memtree.cli._typer import JsonOption, TreeOption
from memtree.errors import UsageError

Call = Callable[..., Any]
"""The plugin's function with all that was typed: it takes what the converter dropped, the desk."""

# What --json and --tree are called in the signature of every command.
_TAKEN = {"as_json": JsonOption, "tree": TreeOption}
_NUMBERS = {int: "N", float: "X"}
# Names that annotations may use although a plugin's module imports them for its type checker alone.
_KNOWN = {
    **vars(builtins),
    **{
        name: getattr(typing, name) for name in ("Annotated", "Any", "Literal", "Optional", "Union")
    },
    **{each.__name__: each for each in (Sequence, Iterable, Mapping)},
}
_LISTS = (list, tuple, set, frozenset, Sequence, Iterable)


def as_typer(
    function: Callable[..., object],
    carry_out: Callable[[Call, bool, str | None], int],
    *,
    drop: int = 1,
    without: Sequence[str] = (),
) -> Callable[..., int]:
    """A function as typer takes it for a command.

    The first `drop` parameters, and those named in `without`, are left for whoever calls. The
    command calls `carry_out(call, as_json, tree)` and returns its exit code; `call(desk)` is
    `function` with what was typed. Nothing is printed here. Raises UsageError for a parameter that
    no command line can give.
    """
    own = parameters(function, drop=drop, without=without)
    taken = [name for name in own if name in _TAKEN]
    if taken:
        raise UsageError(f"a command of a plugin has a parameter {taken[0]!r}, which is the host's")
    rest = [name for name, each in own.items() if each.kind is each.VAR_POSITIONAL]
    plain = [name for name, each in own.items() if each.kind is each.POSITIONAL_OR_KEYWORD]

    def command(**typed: Any) -> int:  # noqa: ANN401  (whatever the parameters are)
        as_json, tree = bool(typed.pop("as_json")), typed.pop("tree")
        words = [typed.pop(name) for name in plain]
        words += [word for name in rest for word in typed.pop(name) or ()]

        def call(*first: object) -> object:
            return function(*first, *words, **typed)

        return carry_out(call, as_json, tree)

    doc = inspect.getdoc(function) or ""
    dress(command, list(own.values()), doc=doc, name=function.__name__)
    return command


def dress(
    command: Callable[..., int],
    own: Sequence[inspect.Parameter],
    *,
    doc: str,
    name: str,
    tree: bool = True,
) -> None:
    """Give a function of keywords the signature that typer reads, with --json, and --tree last."""
    lines = [each.replace(kind=each.KEYWORD_ONLY, default=_default(each)) for each in own]
    lines.append(_keyword("as_json", JsonOption, default=False))
    if tree:
        lines.append(_keyword("tree", TreeOption, default=None))
    made: Any = command
    made.__signature__ = inspect.Signature(lines, return_annotation=int)
    made.__annotations__ = {each.name: each.annotation for each in lines}
    made.__doc__ = doc
    made.__name__ = name


def parameters(
    function: Callable[..., object], *, drop: int = 0, without: Sequence[str] = ()
) -> dict[str, inspect.Parameter]:
    """The parameters of a function by name, their annotations as typer's arguments and options.

    Without the first `drop` and those named in `without`; nothing of `**anything`.
    """
    found: dict[str, inspect.Parameter] = {}
    for number, each in enumerate(inspect.signature(function).parameters.values()):
        if number < drop or each.name in without or each.kind is each.VAR_KEYWORD:
            continue
        said = _annotation(each, function)
        kind = each.kind if each.kind is not each.POSITIONAL_ONLY else each.POSITIONAL_OR_KEYWORD
        described = _option(each, said) if kind is each.KEYWORD_ONLY else _argument(each, said)
        found[each.name] = each.replace(annotation=described, kind=kind)
    return found


def _argument(each: inspect.Parameter, said: object) -> object:
    kind, text = _taken_apart(said)
    several = each.kind is each.VAR_POSITIONAL
    if several:
        kind = list[kind]  # type: ignore[valid-type]
    name = each.name.upper()
    optional = several or each.default is not each.empty
    metavar = f"[{name}]{'...' if several else ''}" if optional else name
    return Annotated[kind, typer.Argument(metavar=metavar, help=text or _words(each.name))]


def _option(each: inspect.Parameter, said: object) -> object:
    kind, text = _taken_apart(said)
    flag = "--" + each.name.rstrip("_").replace("_", "-")
    text = text or _words(each.name)
    if kind is bool:
        names = f"{flag}/--no-{flag[2:]}" if each.default is True else flag
        return Annotated[kind, typer.Option(names, help=text)]
    shown = typing.get_args(kind)[0] if get_origin(kind) is list else kind
    metavar = None if get_origin(shown) is typing.Literal else _metavar(shown, each.name)
    return Annotated[kind, typer.Option(flag, metavar=metavar, help=text)]


def _metavar(kind: object, name: str) -> str:
    inner = [part for part in get_args(kind) if part is not types.NoneType] or [kind]
    found = _NUMBERS.get(inner[0]) if isinstance(inner[0], type) else None
    return found or name.rstrip("_").replace("_", "-").upper()


def _annotation(each: inspect.Parameter, function: Callable[..., object]) -> object:
    """An annotation as an object; str where there is none, or none that can be evaluated."""
    said = each.annotation
    if said is each.empty:
        return type(each.default) if isinstance(each.default, (bool, int, float)) else str
    if not isinstance(said, str):
        return said
    plain = inspect.unwrap(function)
    own = getattr(getattr(plain, "__func__", plain), "__globals__", {})
    try:
        # The author's own annotation, in the author's own module, as typing.get_type_hints does.
        return eval(said, {**_KNOWN, **own})  # noqa: S307
    except (NameError, SyntaxError, TypeError, AttributeError):
        return str


def _taken_apart(said: object) -> tuple[Any, str]:
    """The type that typer is told, and the help that stands beside it."""
    text = ""
    if get_origin(said) is Annotated:
        said, *more = get_args(said)
        text = next((part for part in more if isinstance(part, str)), "")
    return _simple(said), text


def _simple(said: object) -> Any:  # noqa: ANN401  (a type)
    """A type that a command line can give: a number, a word, a choice, a list of these."""
    origin = get_origin(said)
    if origin is typing.Literal or said in (str, int, float, bool):
        return said
    if origin in (types.UnionType, typing.Union):
        inner = [part for part in get_args(said) if part is not types.NoneType]
        kind = _simple(inner[0]) if len(inner) == 1 else str
        return kind | None if len(inner) < len(get_args(said)) else kind
    if origin in _LISTS or said in _LISTS:
        inner = [part for part in get_args(said) if part is not ...]
        return list[_simple(inner[0]) if inner else str]  # type: ignore[misc]
    if isinstance(said, type) and issubclass(said, str):
        return said  # an enumeration of words
    return str


def _default(each: inspect.Parameter) -> object:
    """What typer takes for a default; a list where there are several."""
    if each.kind is each.VAR_POSITIONAL:
        return []
    return list(each.default) if isinstance(each.default, (tuple, frozenset)) else each.default


def _keyword(name: str, said: object, *, default: object) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=said)


def _words(name: str) -> str:
    """A parameter without help says its name at least."""
    text = name.replace("_", " ").strip()
    return text[:1].upper() + text[1:] + "."
