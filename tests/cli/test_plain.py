"""The short way past typer: it knows what typer knows, does the same, and leaves it the rest."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from transcript import EXAMPLES

from memtree.cli import main
from memtree.cli._plain import ALWAYS, FLAG, PLAIN, TEXT, TEXTS, NotPlain, understood
from memtree.cli._typer import load
from memtree.cli._typer import run as run_typer

if TYPE_CHECKING:
    from pathlib import Path


def command(name: str) -> Any:
    family, _, member = name.partition(" ")
    made = load(family)
    return made.commands[member] if member else made


@pytest.mark.parametrize("name", list(PLAIN))
def test_the_table_says_what_typer_knows(name: str) -> None:
    arguments, options = PLAIN[name]
    known = command(name).params
    of_typer = [one for one in known if one.param_type_name == "argument"]
    assert [argument for argument, _ in arguments] == [one.name for one in of_typer]
    for (_, (least, most)), one in zip(arguments, of_typer, strict=True):
        assert least == int(one.required)
        assert (most > 1) == (one.nargs == -1)
    flags = {}
    for one in known:
        if one.param_type_name == "option":
            kind: object = TEXTS if one.multiple else FLAG if one.is_flag else TEXT
            if hasattr(one.type, "min"):
                kind = (one.type.min, one.type.max)
            flags.update(dict.fromkeys(one.opts, (one.name, kind)))
    for flag, (parameter, kind) in {**ALWAYS, **options}.items():
        its_name, its_kind = flags.pop(flag)
        assert parameter == its_name
        if isinstance(kind, range):
            assert isinstance(its_kind, tuple)
            least, most = its_kind
            assert (kind.start, kind.stop - 1) == (least, kind.stop - 1 if most is None else most)
        else:
            assert kind == its_kind
    assert not flags, "every option is in the table"


@pytest.mark.parametrize(
    ("typed", "name", "values"),
    [
        ("list", "list", {}),
        ("list home --tag=a --json", "list", {"folder": "home", "tag": "a", "as_json": True}),
        ("--tree x status", "status", {"tree": "x"}),
        ("--tree x status --tree y", "status", {"tree": "y"}),
        ("--tree x config get a.b", "config get", {"tree": "x", "name": "a.b"}),
        ("add - --tag a --tag b", "add", {"text": "-", "tag": ["a", "b"]}),
        ("rm a b -y", "rm", {"entries": ["a", "b"], "yes": True}),
        ("log -n 5", "log", {"limit": 5}),
        ("tree --depth=2", "tree", {"depth": 2}),
    ],
)
def test_a_plain_line_is_understood(typed: str, name: str, values: dict[str, object]) -> None:
    assert understood(typed.split()) == (name, values)


@pytest.mark.parametrize(
    "typed",
    [
        "", "nothing", "list --help", "list a b", "show", "mv a", "log -n 0", "log -n5", "log -n=5",
        "log --limit x", "log --limit", "log --limit 1001", "list --tag", "list --tag -x", "config",
        "config nothing", "list -- -x", "list --js", "list --json=1", "status x", "--tree",
        "--version", "list --tag=", "config get", "watch", "search x",
    ],
)  # fmt: skip
def test_what_is_not_plain_is_left_to_typer(typed: str) -> None:
    with pytest.raises(NotPlain):
        understood(typed.split())


@pytest.mark.parametrize(
    "words",
    [
        ("list",), ("list", "home", "--json"), ("list", "nowhere"), ("tree", "--depth", "1"),
        ("show", "Seat holds"), ("show", "no such thing"), ("links", "Seat holds", "--json"),
        ("log",), ("config", "get", "search.language"), ("config", "get", "x"), ("undo",),
        ("restore", "../x"), ("check", "--json"),
    ],
)  # fmt: skip
def test_both_ways_say_the_same(
    words: tuple[str, ...], tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    folder = tmp_path / "atlas"
    shutil.copytree(EXAMPLES / "atlas", folder, ignore=shutil.ignore_patterns("cache", "state"))
    main(["index", "--tree", str(folder)])
    capfdbinary.readouterr()
    short = main([*words, "--tree", str(folder)]), capfdbinary.readouterr()
    long = run_typer([*words, "--tree", str(folder)]), capfdbinary.readouterr()
    assert short == long
