"""The program's entry: a search that is asked for in plain words is answered without ceremony.

`memtree search WORDS --json` needs the index and nothing else. Importing typer would cost more than
the search itself, so the few options of a hot search are read by hand here; anything else, a
mistake included, goes to `memtree.cli`, which says everything that there is to say. Both ways end
in the same engine, and tests/cli/test_start_up.py compares their output and lists what a hot search
may import.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memtree.knowledge.query import Answer, Query

_TIERS = ("exact", "fuzzy", "fulltext", "semantic")


class _Asked:
    __slots__ = ("as_json", "limit", "max_tier", "scope", "tier", "tree", "verb", "words")

    def __init__(self, verb: str) -> None:
        self.verb = verb
        self.words: list[str] = []
        self.limit: int | None = None
        self.scope = ""
        self.tree: str | None = None
        self.tier: str | None = None
        self.max_tier: str | None = None
        self.as_json = False


def main() -> int:
    """Run `memtree` and end the process with its exit code.

    Taking the interpreter apart in good order costs a tenth of a command and frees what the
    system frees anyway: what was printed is handed over, and the process ends. (`memtree.cli.main`
    is for callers that go on.)
    """
    import gc
    import os

    # Looking for garbage after every 700 objects costs a short process up to 4 ms and finds none.
    gc.set_threshold(50_000)
    code = run(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            code = code or 3
    os._exit(code)


def run(args: list[str]) -> int:
    """Run one command line; returns the exit code."""
    asked = _understood(args)
    if asked is not None:
        code = _answered(asked)
        if code is not None:
            return code
    from memtree.cli import main as everything

    return everything(args)


def _answered(asked: _Asked) -> int | None:
    from memtree.errors import MemtreeError

    try:
        return _answer(asked)
    except MemtreeError as error:
        from memtree.cli._errors import report

        return report(error)
    except OSError as error:
        return _unwritable(error, 0)
    except KeyboardInterrupt:
        return 130


def _understood(args: list[str]) -> _Asked | None:
    """The hot search that `args` ask for, or None when the whole command line must look at it."""
    if len(args) < 2 or args[0] not in ("search", "query"):
        return None
    asked = _Asked(args[0])
    rest = iter(args[1:])
    for arg in rest:
        if arg[:1] != "-" or arg == "-":
            asked.words.append(arg)
        elif arg == "--json":
            asked.as_json = True
        else:
            name, _, value = arg.partition("=")
            if name not in ("--limit", "-n", "--in", "--tree", "--tier", "--max-tier"):
                return None
            if not value:
                value = next(rest, "")
            if not value or not _take(asked, name, value):
                return None
    return asked if asked.words and any(word.strip() for word in asked.words) else None


def _take(asked: _Asked, name: str, value: str) -> bool:
    if name in ("--limit", "-n"):
        if not (value.isascii() and value.isdigit() and 1 <= int(value) <= 1000):
            return False
        asked.limit = int(value)
    elif name == "--in":
        # Only what is plainly a folder of the tree; the rest is judged by `parse_scope`.
        if not all(_is_plain(part) for part in value.split("/")):
            return False
        if not all(letter.isalnum() or letter in "/_- " for letter in value):
            return False
        asked.scope = value
    elif name == "--tree":
        asked.tree = value
    elif value not in _TIERS:
        return False
    elif name == "--tier":
        if value == "semantic":
            return False  # alone it may be unavailable, which the whole command line can tell
        asked.tier = value
    else:
        asked.max_tier = value
    return True


def _is_plain(part: str) -> bool:
    """Whether a folder's name is one that every system can hold; devices are `con`, `com1`, ..."""
    name = part.lower()
    device = name in ("con", "prn", "aux", "nul") or (name[:3] in ("com", "lpt") and len(name) == 4)
    return bool(part) and part[0] != "." and part == part.strip() and not device


def _answer(asked: _Asked) -> int | None:
    """Answer, or None when this takes more than a look at the index."""
    from memtree.errors import MemtreeError
    from memtree.index.catalog import Damaged, DatabaseError
    from memtree.index.full_text import Unusable
    from memtree.knowledge.query import DEGRADED, FOUND, Query
    from memtree.tree.locate import locate

    try:
        root = locate(asked.tree)
        query = Query(
            " ".join(asked.words), scope=asked.scope, limit=asked.limit or 10, tier=asked.tier,
            max_tier=asked.max_tier,
        )  # fmt: skip
        climb = asked.verb == "query"
        current = _answer_now(root, query, climb=climb)
        answer = current or _answer_anew(root, query, climb=climb)
    except (
        Damaged, Unusable, DatabaseError, ValueError, EOFError, TypeError, AttributeError,
        LookupError, MemtreeError,
    ):  # fmt: skip
        return None  # the whole command line indexes, rebuilds, or says what is wrong
    except BaseException as error:
        if type(error).__name__ == "PanicException":
            return None
        raise
    if asked.as_json:
        if sys.stdout is not None:
            sys.stdout.write(encoded(answer.as_dict()) + "\n")
    else:
        few = asked.verb == "query" and asked.limit is None
        _show(root, asked.verb, answer, few=few)
    code = _leave(0 if answer.status == FOUND else 3 if answer.status == DEGRADED else 1)
    if current is not None and answer.hits:
        import time

        from memtree.tree.use_log import note_shown

        note_shown(root, answer.hits, time.time())
    return code


def _answer_now(root: str, query: Query, *, climb: bool) -> Answer | None:
    """The answer of an index that is current; None where more has to be done, or plugins asked."""
    from os.path import exists, join

    from memtree.retrieve.engine import Engine
    from memtree.retrieve.tier import Behind

    if exists(join(root, ".memtree", "plugins.toml")):
        return None
    engine = Engine(root)
    try:
        if engine.is_current():
            return engine.query(query) if climb else engine.search(query)
    except Behind:
        pass
    engine.close()
    return None


def _answer_anew(root: str, query: Query, *, climb: bool) -> Answer:
    """Index what changed, then answer."""
    from memtree.app import Tree
    from memtree.cli._progress import Progress

    # Looking once is enough: what changes while we look is for the next question.
    with Progress() as progress, Tree(root, max_age=1.0) as tree:
        tree.engine(progress=progress)
        return tree.query(query) if climb else tree.search(query)


def _show(root: str, verb: str, answer: Answer, *, few: bool) -> None:
    from memtree.cli._render import answer as render
    from memtree.cli._terminal import encodable, stdout

    encodable((sys.stdout, sys.stderr))
    render(stdout(), answer, root=root, verb=verb, few=few)


def encoded(value: object) -> str:  # noqa: PLR0911  (one return for each kind of value)
    """JSON in ASCII, as `json.dumps` writes it, for the plain values of an answer.

    `json` imports `re`, a tenth of a hot search's time.
    """
    from _json import encode_basestring_ascii as text

    if isinstance(value, str):
        return str(text(value))
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, dict):
        pairs = [f"{text(str(key))}: {encoded(item)}" for key, item in value.items()]
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join([encoded(item) for item in value]) + "]"
    return str(text(str(value)))


def _leave(code: int) -> int:
    """Hand over what was printed; what goes wrong there is for the command line to tell."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        return _unwritable(error, code)
    return code


def _unwritable(error: OSError, code: int) -> int:
    from memtree.cli._errors import let_go, say

    let_go()
    if isinstance(error, BrokenPipeError):
        return code  # a reader that went away has what it wanted
    say(f"the output could not be written: {error.strerror or error}")
    return 3
