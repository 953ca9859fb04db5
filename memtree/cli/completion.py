"""`completion`: print the script that teaches a shell to complete memtree."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from memtree.cli._commands import nearest
from memtree.cli._completion import SCRIPTS
from memtree.cli._errors import DONE
from memtree.errors import UsageError


def completion(
    shell: Annotated[
        str, typer.Argument(metavar="SHELL", help="One of bash, zsh, fish, powershell.")
    ],
) -> int:
    """Print the completion script for a shell.

    The first line of the script says how to load it.
    """
    script = SCRIPTS.get(shell)
    if script is None:
        guess = nearest(shell, tuple(SCRIPTS))
        raise UsageError(
            f"there is no completion for {shell!r}",
            hint=f"did you mean {guess!r}?" if guess else f"there is {', '.join(SCRIPTS)}",
        )
    sys.stdout.write(script)
    return DONE


COMMANDS = {"completion": completion}
