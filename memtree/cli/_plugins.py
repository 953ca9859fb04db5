"""Commands of plugins: found by their first word when no command of memtree is called so.

What a plugin's function reports is shown here, as text or as JSON; it prints nothing itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from memtree.cli._errors import UNAVAILABLE
from memtree.cli._open import opened, somewhere
from memtree.cli._plugin_commands import as_typer
from memtree.cli._progress import Progress
from memtree.cli._terminal import clean_block, stderr, stdout
from memtree.errors import MemtreeError, Unavailable
from memtree.plugins.desk import Report

if TYPE_CHECKING:
    from collections.abc import Callable

    from memtree.hosting.registry import Loaded

# The first words of the built-in plugins' commands, so that no plugin is imported to find one.
OURS = {
    "audit": "audit", "conflicts": "clash", "cube": "memos", "tick": "memos", "warm": "memos",
    "qa": "qa-keys",
}  # fmt: skip


def owner(word: str) -> str | None:
    """The name of the plugin that has commands beginning with a word; None for no plugin."""
    if word in OURS:
        return OURS[word]
    from memtree.hosting import registry

    if word in registry.names():
        return word
    for name in registry.names():  # a third party's own first word
        point = registry.load(name)
        if isinstance(point, registry.Loaded) and not point.ours \
                and word in point.manifest.commands:  # fmt: skip
            return name
    return None


def load(word: str) -> Any:  # noqa: ANN401  (typer's private Command type)
    """The typer command of a plugin that begins with `word`, or None.

    Raises Unavailable for a plugin that can't be loaded.
    """
    name = owner(word)
    if name is None:
        return None
    from memtree.cli._typer import SETTINGS, family
    from memtree.hosting.desk import loaded

    plugin = loaded(name)
    mine = {
        words: function
        for words, function in getattr(plugin.plugin, "commands", dict)().items()
        if words.split()[:1] == [word]
    }
    if not mine:
        return None
    if list(mine) == [word]:
        app = typer.Typer(add_completion=False, rich_markup_mode=None, context_settings=SETTINGS)
        app.command(word)(_command(plugin, mine[word]))
    else:

        def purpose() -> int:
            return 0

        purpose.__doc__ = f"{plugin.manifest.title} (plugin {name}: {plugin.manifest.source})."
        members = {" ".join(words.split()[1:]): function for words, function in mine.items()
                   if words != word}  # fmt: skip
        app = family(
            _family=purpose, **{rest: _command(plugin, each) for rest, each in members.items()}
        )
    command = typer.main.get_command(app)
    command.name = word
    return command


def _command(plugin: Loaded, function: Callable[..., object]) -> Callable[..., int]:
    def carry_out(call: Callable[..., Any], as_json: bool, tree: str | None) -> int:
        from memtree.hosting.desk import WorkDesk

        # A benchmark brings its own data, so its commands work anywhere.
        place = somewhere(tree) if plugin.manifest.paradigm == "benchmark" else opened(tree)
        with place as there, Progress() as progress:
            try:
                report = call(WorkDesk(there, plugin, progress=progress))
            except MemtreeError:
                raise
            except Exception as error:  # another's code: who installed it needs its name
                if plugin.ours:
                    raise
                said = " ".join(f"{type(error).__name__}: {error}".split())[:200]
                raise Unavailable(
                    f"the plugin {plugin.name} failed: {said}",
                    hint=f"memtree plugins verify {plugin.name}",
                ) from error
        if not isinstance(report, Report):
            stderr().line(f"the plugin {plugin.name} gave no report")
            return UNAVAILABLE
        if as_json:
            from memtree.cli._json import emit

            emit(report.value)
        else:
            out = stdout()
            for line in report.lines:
                out.line(clean_block(line))
        return report.code

    return as_typer(function, carry_out)
