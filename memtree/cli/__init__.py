"""The command line: a thin shell over `memtree.app`.

`main` answers what needs no machinery (the root help, the version, completion) from the static
table in `_commands`, runs a plain command line by the table in `_plain`, and hands everything else
to typer. Only the module of the command that was asked for is imported. Start-up is a feature: see
tests/cli/test_start_up.py.
"""

from __future__ import annotations

import errno
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

# A disk that is full, over quota, or broken, under standard output.
_OUTPUT_REFUSED = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code of the contract (DESIGN section 7).

    `argv` leaves out the program's name; None means the process's own. A bug in memtree raises.
    """
    from memtree.cli._terminal import encodable

    args = list(sys.argv[1:] if argv is None else argv)
    encodable((sys.stdout, sys.stderr))
    from memtree.cli._errors import DONE, INTERRUPTED, UNAVAILABLE, flush, let_go, say

    try:
        code = _run(args)
    except BrokenPipeError:
        let_go()
        return DONE
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        if error.errno not in _OUTPUT_REFUSED:
            raise
        let_go()
        say(f"the output could not be written: {error.strerror}")
        return UNAVAILABLE
    return flush() or code


def _run(args: list[str]) -> int:
    if not args or args in (["--help"], ["-h"]):
        from memtree.cli._commands import root_help

        # Asked for nothing is wrong usage, so the same text goes to the other stream.
        (sys.stdout if args else sys.stderr).write(root_help())
        return 0 if args else 2
    if args == ["--version"]:
        from memtree.cli._version import current

        sys.stdout.write(f"memtree {current()}\n")
        return 0
    if args[0] == "__complete":
        from memtree.cli._completion import answer

        return answer(args[1:])
    from memtree.cli._plain import run as run_plain

    code = run_plain(args)
    if code is not None:
        return code
    import gc

    # Importing typer makes thousands of objects and no garbage: looking for some takes 2 ms.
    gc.disable()
    from memtree.cli._typer import run

    gc.enable()
    return run(args)
