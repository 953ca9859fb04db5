"""The table of commands: what exists, where it lives, and the one line that says what it does.

The root help, the suggestion for a misspelled command and shell completion read this table
alone, so none of them imports a command. A test asks every command for its own help and compares.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

ASK, HANDLE, MOVE, HISTORY, CARE, SET_UP = (
    "Ask",
    "Look and handle",
    "Bring in and take out",
    "History",
    "Care",
    "Set up",
)

# (section, name, module in memtree.cli, what it does)
COMMANDS = (
    (
        SET_UP,
        "init",
        "init",
        "Make a tree here, or in a folder of notes; nothing there is changed.",
    ),
    (SET_UP, "demo", "demo", "See it work on a small tree that comes with memtree."),
    (ASK, "query", "ask", "Answer a question from the cheapest tier that is sure, or say absent."),
    (ASK, "search", "ask", "Rank the entries that fit some words."),
    (ASK, "ask", "ask", "Answer by the agentic tier, with planners and packers of plugins."),
    (HANDLE, "add", "add", "Write one entry."),
    (HANDLE, "curate", "curate", "Learn from texts, files, chats or a pipe; shows what and why."),
    (HANDLE, "review", "review", "Decide on what `curate` held back: list, show, accept, reject."),
    (HANDLE, "show", "show", "Show an entry: its text, its links, where its scores come from."),
    (HANDLE, "edit", "edit", "Edit an entry in your editor; never over somebody else's change."),
    (HANDLE, "mv", "handle", "Move or rename an entry or a folder; links to it are rewritten."),
    (HANDLE, "rm", "handle", "Remove entries; asks first, and undo brings them back."),
    (HANDLE, "anchor", "verify", "Say which lines of which file an entry rests on."),
    (HANDLE, "verify", "verify", "Confirm that entries still hold; keeps who did, and when."),
    (HANDLE, "supersede", "consolidate", "Say that one entry takes the place of another."),
    (HANDLE, "list", "listing", "List entries."),
    (HANDLE, "tree", "listing", "Draw the tree with counts."),
    (HANDLE, "links", "listing", "Show what an entry links to, and what links to it."),
    (
        MOVE,
        "import",
        "exchange",
        "Bring in markdown, Obsidian, JSONL, chats of ChatGPT and Claude.",
    ),
    (MOVE, "export", "exchange", "Write the tree as markdown, JSON, JSONL or OKF."),
    (HISTORY, "log", "history", "List the changes that memtree made, newest first."),
    (HISTORY, "diff", "history", "Show what a change did."),
    (HISTORY, "undo", "history", "Take back the last change, or a named one."),
    (HISTORY, "restore", "history", "Bring an entry back as it was."),
    (CARE, "status", "care", "Show the tree at a glance."),
    (CARE, "stats", "stats", "Show the tree's life: importance, maturity, what is used or fading."),
    (CARE, "check", "care", "Find what is wrong with the knowledge: links, duplicates, dates."),
    (
        CARE,
        "consolidate",
        "consolidate",
        "Settle importance and maturity; archive what faded.",
    ),
    (CARE, "doctor", "care", "Find what is wrong with the machinery: index, locks, tools."),
    (
        CARE,
        "index",
        "care",
        "Bring the index and its vectors up to date; normally automatic.",
    ),
    (CARE, "watch", "care", "Keep the index fresh while files change."),
    (SET_UP, "models", "models", "Add, fetch, choose and try language models; none is needed."),
    (SET_UP, "plugins", "plugins", "Other memory models as plugins: list, enable, verify."),
    (SET_UP, "config", "config", "Read and write the settings of this tree, and your own."),
    (SET_UP, "completion", "completion", "Print the completion script for a shell."),
    (SET_UP, "bench", "bench", "Measure memtree on your own questions."),
    (SET_UP, "version", "version", "Print the version."),
)
SECTIONS = (ASK, HANDLE, MOVE, HISTORY, CARE, SET_UP)
MODULES = {name: module for _, name, module, _ in COMMANDS}
SUMMARIES = {name: summary for _, name, _, summary in COMMANDS}

# What the design promises for a later version, and what to do until then. Not in the help.
LATER = {
    "adapters": "`memtree import` brings in markdown, Obsidian, OKF and JSONL today",
    "install": "`--json` of every command is there for programs today",
    "lsp": "`memtree check` finds broken links today",
    "mcp": "`memtree search --batch - --json` serves a program today",
    "serve": "`memtree search --batch - --json` serves a program today",
}

USAGE = "Usage: memtree [--tree DIR] COMMAND [ARGUMENTS]..."
PURPOSE = "Local memory as a tree of markdown files: searched in an instant, safe to write."
OPTIONS = (
    ("--tree DIR", "The tree to use; before or after the command. Else $MEMTREE_TREE, else the"),
    ("", "folder with a .memtree here or above."),
    ("--version", "Print the version."),
    ("--help, -h", "Show this, or with a command all about it."),
)
PLUGIN_WORDS = (
    "audit", "conflicts", "cube", "hippo", "layers", "lmeb", "mbc", "memgas", "qa", "sir", "tick",
    "tim", "warm",
)  # fmt: skip
"""First words of the commands that the built-in plugins bring; a test compares them with these."""
FIRST_STEPS = "New here? `memtree demo` shows it, `memtree init` starts your own."


def root_help() -> str:
    """Return the whole text of `memtree --help`."""
    return "\n".join(_help_lines()) + "\n"


def _help_lines() -> Iterator[str]:
    yield USAGE
    yield ""
    yield f"  {PURPOSE}"
    for section in SECTIONS:
        yield ""
        yield f"{section}:"
        for place, name, _, summary in COMMANDS:
            if place == section:
                yield f"  {name:<12}{summary}"
    yield ""
    yield "Of plugins (`memtree plugins list`):"
    yield f"  {', '.join(PLUGIN_WORDS)}"
    yield ""
    yield "Options:"
    for flag, meaning in OPTIONS:
        yield f"  {flag:<13}{meaning}"
    yield ""
    yield FIRST_STEPS


def nearest(word: str, known: tuple[str, ...] | list[str]) -> str | None:
    """Return the known word that `word` was probably meant to be, or None."""
    from difflib import get_close_matches

    starts = [name for name in known if word and name.startswith(word)]
    if len(starts) == 1:
        return starts[0]
    same = {"ls": "list", "cat": "show", "get": "show", "new": "add", "find": "search"}
    same |= {"delete": "rm", "remove": "rm", "move": "mv", "rename": "mv"}
    same |= {"confirm": "verify", "cite": "anchor"}
    same |= {"history": "log", "reindex": "index", "grep": "search"}
    if same.get(word) in known:
        return same[word]
    close = get_close_matches(word, known, n=1, cutoff=0.6)
    return close[0] if close else None
