"""A plugin's functions as commands: what a person types, and what the function gets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
import typer

from memtree.cli._plugin_commands import as_typer, parameters
from memtree.cli._typer import family
from memtree.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memtree.plugins.desk import Desk


def path_between(
    desk: Desk,
    start: Annotated[str, "Where it begins."],
    end: str = "",
    *,
    hops: Annotated[int, "How many links at most."] = 3,
    damping: float = 0.5,
    scope: Annotated[str | None, "A folder."] = None,
    tags: Annotated[Sequence[str], "Only with these tags."] = (),
    how: Annotated[Literal["wide", "deep"], "Which way."] = "wide",
    quick: Annotated[bool, "Do less."] = False,
    links: bool = True,
) -> object:
    """Find a way from one entry to another.

    More about it.
    """
    return desk, start, end, hops, damping, scope, list(tags), how, quick, links


def words(desk: object, *several: Annotated[str, "Some words."], top_k: int = 5) -> object:
    """Take many words."""
    return desk, several, top_k


class Typed:
    """Runs commands as the command line does, and keeps what they were called with."""

    def __init__(self, function: Callable[..., object], **more: Any) -> None:
        self.got: list[tuple[object, bool, str | None]] = []

        def carry_out(call: Callable[..., object], as_json: bool, tree: str | None) -> int:
            self.got.append((call("DESK"), as_json, tree))
            return 7

        app = family(_family=_family, run=as_typer(function, carry_out, **more))
        self.command = typer.main.get_command(app)

    def __call__(self, *args: str) -> tuple[object, bool, str | None]:
        assert self.command.main(["run", *args], standalone_mode=False) == 7
        return self.got[-1]


def _family() -> int:
    """Try."""
    return 0


def test_what_is_left_out_has_the_default_of_the_function() -> None:
    got, as_json, tree = Typed(path_between)("a")
    assert got == ("DESK", "a", "", 3, 0.5, None, [], "wide", False, True)
    assert (as_json, tree) == (False, None)


def test_arguments_and_options_arrive_with_their_types() -> None:
    got, as_json, tree = Typed(path_between)(
        "a", "b", "--hops", "2", "--damping", "0.25", "--scope", "x", "--tags", "t", "--tags", "u",
        "--how", "deep", "--quick", "--no-links", "--json", "--tree", "/t",
    )  # fmt: skip
    assert got == ("DESK", "a", "b", 2, 0.25, "x", ["t", "u"], "deep", True, False)
    assert (as_json, tree) == (True, "/t")


def test_many_words_are_one_argument() -> None:
    assert Typed(words)("a", "b", "--top-k", "9")[0] == ("DESK", ("a", "b"), 9)
    assert Typed(words)()[0] == ("DESK", (), 5)


@pytest.mark.parametrize("bad", [("a", "--hops", "x"), ("a", "--how", "round"), (), ("a", "--no")])
def test_what_does_not_fit_is_wrong_usage(bad: tuple[str, ...]) -> None:
    with pytest.raises(typer.BadParameter.__mro__[2]):
        Typed(path_between)(*bad)


def test_help_is_what_the_author_wrote_and_every_parameter_has_some() -> None:
    command = Typed(path_between).command.commands["run"]  # type: ignore[attr-defined]
    assert command.help.splitlines()[0] == "Find a way from one entry to another."
    helps = {each.name: each.help for each in command.params}
    assert helps["hops"] == "How many links at most."
    assert helps["start"] == "Where it begins."
    assert helps["damping"] == "Damping."
    assert all(helps.values())
    assert list(helps)[:2] == ["start", "end"], "in the order of the function"


def test_a_method_keeps_itself_and_what_is_without_is_left_out() -> None:
    class Suite:
        def cases(self, *, data: str, seed: int, updates: str = "5") -> object:
            """Give cases."""
            return data, seed, updates

    found = parameters(Suite().cases, without=("data", "seed"))
    assert list(found) == ["updates"]


def test_an_annotation_that_means_nothing_here_is_a_word() -> None:
    def odd(desk, what: Nowhere, *, many: dict[str, int] | None = None):  # type: ignore[no-untyped-def,name-defined]  # noqa: F821
        """Be odd."""
        return desk, what, many

    assert Typed(odd)("x", "--many", "y")[0] == ("DESK", "x", "y")


def test_the_hosts_own_options_are_not_a_plugins() -> None:
    def takes(desk: object, *, tree: str = "") -> object:
        """Take the tree."""
        return desk, tree

    with pytest.raises(UsageError, match="'tree'"):
        as_typer(takes, lambda *_: 0)
