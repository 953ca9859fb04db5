"""`config`: the settings of this tree, and a person's own."""

from __future__ import annotations

import os

from memtree.cli._errors import DONE
from memtree.cli._open import opened
from memtree.cli._render import table
from memtree.cli._terminal import clean, stdout
from memtree.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Annotated

    import typer

    from memtree.cli._typer import JsonOption, SettingArgument, TreeOption


def _family() -> int:
    """Read and write the settings of this tree, and your own.

    They stand in .memtree/config.toml, which is tracked with the knowledge and may be edited. Those
    that load a language model or name a server are yours and stand in a file of yours: a tree may
    come from somebody else.
    """
    return DONE


def get(name: SettingArgument, as_json: JsonOption = False, tree: TreeOption = None) -> int:
    """Print one setting."""
    from memtree import config

    # What is a person's own needs no tree.
    found = config.load("") if config.is_personal(name) else opened(tree).config
    values = found.values
    if name not in values:
        from memtree.cli._commands import nearest

        guess = nearest(name, tuple(values))
        raise UsageError(
            f"there is no setting {name!r}",
            hint=f"did you mean {guess!r}?" if guess else "`memtree config list` shows them all",
        )
    if as_json:
        from memtree.cli._json import emit

        emit({"name": name, "value": values[name]})
    else:
        stdout().line(clean(_shown(values[name])))
    return DONE


def set_(
    name: SettingArgument,
    value: Annotated[
        str, typer.Argument(metavar="VALUE", help="The new value; lists with commas between.")
    ],
    as_json: JsonOption = False,
    tree: TreeOption = None,
) -> int:
    """Write one setting; every other line of the file stays as it is."""
    from memtree.config import assign, is_personal, place_of, user_file

    root = "" if is_personal(name) else opened(tree).root
    if name == "embed.model":
        from memtree.config import load
        from memtree.embed.choose import settled

        config = load(root)

        # A model that can't be used is refused here, not by the next question.
        value = settled(
            value,
            endpoint=config.text("embed.endpoint"),
            key_env=config.text("embed.key_env"),
            prefix=config.text("embed.prefix"),
        )
    if name == "llm.model":
        from memtree.llm.choose import settled as settled_model

        value = settled_model(value)
    written = assign(root, name, value)
    if as_json:
        from memtree.cli._json import emit

        emit({"name": name, "value": written, "file": place_of(root, name)})
    else:
        stdout().line(f"{name} = {clean(_shown(written))}")
        if is_personal(name):
            stdout().line(f"yours, for every tree: {clean(user_file())}")
        if name == "embed.model" and value not in ("builtin", "none"):
            stdout().line("next: memtree index (makes the vectors; words alone until then)")
    return DONE


def list_(as_json: JsonOption = False, tree: TreeOption = None) -> int:
    """List every setting: its value, and what it does."""
    from memtree.config import SETTINGS, is_personal, user_file

    config = opened(tree).config
    if as_json:
        from memtree.cli._json import emit

        emit(
            [
                {
                    "name": name,
                    "value": config.values[name],
                    "default": default,
                    "meaning": meaning,
                    "personal": is_personal(name),
                }
                for name, (default, meaning) in SETTINGS.items()
            ]
        )
    else:
        out = stdout()
        rows = [
            (name, _shown(config.values[name]), meaning) for name, (_, meaning) in SETTINGS.items()
        ]
        table(out, [row for row in rows if not is_personal(row[0])])
        out.line()
        out.line(f"Yours, for every tree ({clean(user_file())}):")
        table(out, [row for row in rows if is_personal(row[0])])
    _warn(config.warnings)
    return DONE


def path(as_json: JsonOption = False, tree: TreeOption = None) -> int:
    """Print where the settings are written."""
    from memtree.config import FILE

    file = os.path.join(opened(tree).root, FILE)
    if as_json:
        from memtree.cli._json import emit

        emit({"path": file})
    else:
        stdout().line(clean(file))
    return DONE


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_shown(item) for item in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _warn(warnings: list[str]) -> None:
    from memtree.cli._errors import say

    for warning in warnings:
        say(warning, word="warning")


COMMANDS = {"config": {"_family": _family, "get": get, "set": set_, "list": list_, "path": path}}
