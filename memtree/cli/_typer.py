"""The door to typer: the group that loads one command, and the options that all share."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from memtree.cli._commands import LATER, MODULES, nearest, root_help
from memtree.cli._errors import DONE, INTERRUPTED, let_go, report, usage
from memtree.errors import MemtreeError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

# typer carries its own click and exports of it only `BadParameter`: its bases are
# UsageError and ClickException, what every mistake on the command line is raised as.
_WRONG_USAGE: type[Any] = typer.BadParameter.__mro__[2]

SETTINGS = {"help_option_names": ["--help", "-h"]}


class Commands(TyperGroup):
    """The root: knows every command from the static table, imports only the one asked for."""

    def list_commands(self, ctx: object) -> list[str]:  # noqa: ARG002  (typer's signature)
        """Every command's name, none imported."""
        return list(MODULES)

    def get_command(self, ctx: object, cmd_name: str) -> Any:  # noqa: ANN401, ARG002  (typer's private Command type)
        """Return the command, from its own module; None when there is none of that name."""
        return load(cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401  (typer's private types)
        """Return the command that `args` name, or an error that suggests one."""
        name = args[0]
        if name in LATER and not ctx.resilient_parsing:
            raise Unavailable(f"{name!r} comes in a later version of memtree", hint=LATER[name])
        if name not in MODULES and not name.startswith("-") and not ctx.resilient_parsing:
            from memtree.cli._plugins import load as of_plugin

            command = of_plugin(name)
            if command is not None:
                return name, command, args[1:]
            guess = nearest(name, list(MODULES))
            raise typer.BadParameter(
                f"no command {name!r}" + (f"; did you mean {guess!r}?" if guess else ""),
                ctx=ctx,
            )
        return super().resolve_command(ctx, args)

    def get_help(self, ctx: object) -> str:  # noqa: ARG002  (typer's signature)
        """Return the text of the static table."""
        return root_help().rstrip("\n")

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401  (typer's private types)
        """Run the command; what it cannot do becomes words and an exit code, a bug passes."""
        try:
            return super().invoke(ctx)
        except MemtreeError as error:
            raise typer.Exit(report(error)) from error
        except BrokenPipeError as error:
            let_go()
            raise typer.Exit(DONE) from error
        except KeyboardInterrupt as error:
            raise typer.Exit(INTERRUPTED) from error


def load(name: str) -> Any:  # noqa: ANN401  (typer's private Command type)
    """Return the typer command `name`, built from the function `COMMANDS[name]` of its module."""
    if name not in MODULES:
        return None
    module = import_module(f"memtree.cli.{MODULES[name]}")
    _describe(module)
    made: Callable[..., int] | dict[str, Callable[..., int]] = module.COMMANDS[name]
    if isinstance(made, dict):
        app = family(**made)
    else:
        app = typer.Typer(add_completion=False, rich_markup_mode=None, context_settings=SETTINGS)
        app.command(name)(made)
    command = typer.main.get_command(app)
    command.name = name
    return command


def _describe(module: ModuleType) -> None:
    """Give a command's module the names that its annotations use, for typer to look up.

    The module itself imports them for the type checker alone: it also serves `_plain`, which does
    without typer.
    """
    names = {"typer": typer, "Annotated": Annotated, **DESCRIBED}
    for name, value in names.items():
        vars(module).setdefault(name, value)


def family(**members: Callable[..., int]) -> typer.Typer:
    """Make a command with commands of its own, such as `config get`.

    The help of the family is the docstring of its `_family` member. With an `_alone` member the
    family's name alone runs that.
    """
    purpose = members.pop("_family").__doc__
    alone = members.pop("_alone", None)
    app = typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        context_settings=SETTINGS,
        help=purpose,
        no_args_is_help=False,
    )
    app.callback(invoke_without_command=alone is not None)(_run_alone(alone) if alone else _nothing)
    for name, member in members.items():
        app.command(name)(member)
    return app


def _nothing() -> None:
    """Leave it to the command of the family."""


def _run_alone(made: Callable[..., int]) -> Callable[..., None]:
    """Run `made` when none of the family is named; it takes what all commands take."""

    def alone(ctx: typer.Context, as_json: JsonOption = False, tree: TreeOption = None) -> None:
        if ctx.invoked_subcommand is None:
            raise typer.Exit(made(as_json=as_json, tree=tree))

    alone.__annotations__ = {"ctx": typer.Context, "as_json": JsonOption, "tree": TreeOption}
    return alone


def run(args: list[str]) -> int:
    """Let typer run `args`; returns the exit code."""
    root = typer.Typer(
        cls=Commands,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings=SETTINGS,
    )
    root.callback()(_root)
    try:
        code = typer.main.get_command(root).main(
            args, prog_name="memtree", standalone_mode=False, windows_expand_args=False
        )
    except _WRONG_USAGE as error:
        context = getattr(error, "ctx", None)
        return usage(_sentence(error), command=context.command_path if context else "memtree")
    except typer.Abort:
        return INTERRUPTED
    return code if isinstance(code, int) else DONE


def _sentence(error: Any) -> str:  # noqa: ANN401  (typer's private exception)
    if error.__class__.__name__ == "BadParameter" and error.param is None:
        return str(error.message)
    return str(error.format_message())


def _version(asked: bool) -> None:
    if asked:
        from memtree.cli._version import current

        print(f"memtree {current()}")
        raise typer.Exit


def _root(
    tree: Annotated[str | None, typer.Option("--tree", metavar="DIR")] = None,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False,
) -> None:
    """See `_commands.root_help`."""


def _tree_of_root(ctx: typer.Context, value: str | None) -> str | None:
    """`--tree` after the command wins over the one before it."""
    return value or ctx.find_root().params.get("tree")


TreeOption = Annotated[
    str | None,
    typer.Option(
        "--tree",
        metavar="DIR",
        callback=_tree_of_root,
        help="The tree to use [else $MEMTREE_TREE, else the one here or above].",
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document and nothing else.")
]
EntryArgument = Annotated[
    str, typer.Argument(metavar="ENTRY", help="A path, an id, a title or an alias.")
]
FolderArgument = Annotated[
    str, typer.Argument(metavar="[FOLDER]", help="A folder; the whole tree when left out.")
]
ChangeArgument = Annotated[
    str | None,
    typer.Argument(metavar="[CHANGE]", help="A change's id from `memtree log`; else the last."),
]
RevOption = Annotated[
    str | None, typer.Option("--rev", metavar="REV", help="A git revision instead of a change.")
]
SettingArgument = Annotated[
    str, typer.Argument(metavar="SETTING", help="As `memtree config list` names it.")
]
DESCRIBED = {
    "JsonOption": JsonOption,
    "TreeOption": TreeOption,
    "EntryArgument": EntryArgument,
    "FolderArgument": FolderArgument,
    "ChangeArgument": ChangeArgument,
    "RevOption": RevOption,
    "SettingArgument": SettingArgument,
}
"""What several commands say of their arguments, by the name under which they use it."""
