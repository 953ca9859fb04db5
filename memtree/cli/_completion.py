"""Shell completion: the script for each shell, and the answers that it asks for.

The scripts call `memtree __complete WORD... =CURRENT`: the finished words, then `=` and the word
under the cursor (an empty argument would be dropped by Windows PowerShell). Each answer is a line
`value<TAB>what it is`. Nothing is answered rather than something wrong: a shell in the middle of
a command line is no place for an error.
"""

from __future__ import annotations

import sys

from memtree.cli._commands import COMMANDS as TABLE
from memtree.cli._commands import MODULES
from memtree.cli._errors import DONE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_BASH = r"""# memtree completion for bash: eval "$(memtree completion bash)"
_memtree() {
    local value text words=("${COMP_WORDS[@]:1:COMP_CWORD-1}")
    COMPREPLY=()
    while IFS=$'\t' read -r value text; do
        COMPREPLY+=("$(printf '%q' "$value")")
    done < <(memtree __complete "${words[@]}" "=${COMP_WORDS[COMP_CWORD]}" 2>/dev/null)
}
complete -o bashdefault -o default -F _memtree memtree
"""
_ZSH = r"""#compdef memtree
# memtree completion for zsh: eval "$(memtree completion zsh)", after compinit
_memtree() {
    local -a values
    local value text
    while IFS=$'\t' read -r value text; do
        values+=("${value//:/\\:}${text:+:$text}")
    done < <(memtree __complete "${(@Q)words[2,CURRENT-1]}" "=${(Q)words[CURRENT]}" 2>/dev/null)
    if (( $#values )); then
        _describe -V memtree values
    else
        _files
    fi
}
if [ "$funcstack[1]" = "_memtree" ]; then
    _memtree "$@"
else
    compdef _memtree memtree
fi
"""
_FISH = r"""# memtree completion for fish: memtree completion fish | source
function __memtree_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    memtree __complete $words[2..-1] "=$current" 2>/dev/null
end
complete -c memtree -f -a '(__memtree_complete)'
complete -c memtree -F -n '__fish_seen_subcommand_from import init bench'
"""
_POWERSHELL = r"""# memtree completion for PowerShell:
# memtree completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName memtree -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
        ForEach-Object { $_.Extent.Text.Trim("'", '"') })
    memtree __complete @words "=$wordToComplete" 2>$null | ForEach-Object {
        $value, $text = $_ -split "`t", 2
        $shown = if ($text) { $text } else { $value }
        $typed = if ($value -match '\s') { "'" + $value.Replace("'", "''") + "'" } else { $value }
        [System.Management.Automation.CompletionResult]::new(
            $typed, $value, 'ParameterValue', $shown)
    }
}
"""
SCRIPTS = {
    "bash": _BASH,
    "zsh": _ZSH,
    "fish": _FISH,
    "powershell": _POWERSHELL,
    "pwsh": _POWERSHELL,
}
# More answers than this no shell shows sensibly.
_MOST = 1000


def answer(words: list[str]) -> int:
    """Print what could stand where the last of `words` does; always 0."""
    current = words[-1].removeprefix("=") if words else ""
    # bash hands `--in=x` over as three words.
    before = [word for word in words[:-1] if word != "="]
    shown = 0
    for value, text in _answers(before, current):
        if value.startswith(current) and value.isprintable():
            sys.stdout.write(f"{value}\t{' '.join(text.split())}\n")
            shown += 1
            if shown == _MOST:
                break
    return DONE


def _answers(before: list[str], current: str) -> Iterator[tuple[str, str]]:
    tree, words = _without_tree(before)
    if tree == "":  # the folder itself is being typed: files are the shell's matter
        return
    if not words:
        yield from _first(current)
        return
    if words[0] not in MODULES:
        return
    from memtree.cli._typer import load

    command = load(words[0])
    rest = words[1:]
    inner: dict[str, Any] = getattr(command, "commands", {})
    if inner:
        if not rest:
            for name, member in inner.items():
                yield name, member.get_short_help_str()
            return
        if rest[0] not in inner:
            return
        command, rest = inner[rest[0]], rest[1:]
    yield from _parameters(command.params, rest, current, tree)


def _first(current: str) -> Iterator[tuple[str, str]]:
    if current.startswith("-"):
        yield "--help", "Show all commands."
        yield "--version", "Print the version."
        yield "--tree", "The tree to use."
        return
    for _, name, _, summary in TABLE:
        yield name, summary


def _without_tree(words: list[str]) -> tuple[str | None, list[str]]:
    """Return the value of `--tree` ("" when it is next), and the words without it."""
    tree: str | None = None
    rest = []
    waiting = False
    for word in words:
        if waiting:
            tree, waiting = word, False
        elif word == "--tree":
            waiting = True
        elif word.startswith("--tree="):
            tree = word.removeprefix("--tree=")
        else:
            rest.append(word)
    return ("" if waiting else tree), rest


def _parameters(
    params: list[Any], words: list[str], current: str, tree: str | None
) -> Iterator[tuple[str, str]]:
    options = {name: one for one in params if one.param_type_name == "option" for name in one.opts}
    at, pending = _read(words, options)
    if pending is not None:
        yield from _values(pending.metavar or "", tree)
        return
    if current.startswith("-"):
        for name, option in options.items():
            if name.startswith("--"):
                yield name, option.help or ""
        yield "--help", "Show the help of this command."
        return
    arguments = [one for one in params if one.param_type_name == "argument"]
    if at < len(arguments) or (arguments and arguments[-1].nargs == -1):
        argument = arguments[min(at, len(arguments) - 1)]
        yield from _values(argument.metavar or argument.name, tree)


def _read(words: list[str], options: dict[str, Any]) -> tuple[int, Any]:
    """Return how many arguments `words` hold, and the option whose value comes next, or None."""
    at, pending = 0, None
    for word in words:
        if pending is not None:
            pending = None
        elif word in options and not options[word].is_flag:
            pending = options[word]
        elif not word.startswith("-"):
            at += 1
    return at, pending


def _values(kind: str, tree: str | None) -> Iterator[tuple[str, str]]:
    from memtree.cli._open import opened
    from memtree.errors import MemtreeError
    from memtree.knowledge.query import TIERS

    kind = kind.strip("[].").upper()
    fixed: dict[str, tuple[str, ...]] = {"TIER": TIERS, "SHELL": tuple(SCRIPTS)}
    if kind in fixed:
        yield from ((value, "") for value in fixed[kind])
        return
    if kind not in ("ENTRY", "FOLDER", "FROM", "TO", "CHANGE"):
        return
    try:
        there = opened(tree)
        if kind == "CHANGE":
            yield from ((one.id, f"{one.at} {one.command}") for one in there.history(50))
            return
        rows = there.rows()
    except (MemtreeError, OSError):
        return
    if kind in ("FOLDER", "FROM", "TO"):
        folders = {row.path[:at] for row in rows for at, c in enumerate(row.path) if c == "/"}
        yield from ((folder, "") for folder in sorted(folders))
    if kind in ("ENTRY", "FROM"):
        yield from ((row.path, row.title) for row in rows)
