"""The settings of a tree, `.memtree/config.toml`, tracked with the knowledge; and a person's own.

Every setting stands in `SETTINGS` with its default and what it does; the README's list and
`memtree config list` are made from it. A file that can't be read costs a warning, not the tree.
Loaded only when the file changed since the index was built, or by commands about settings.

A tree may come from somebody else. So what runs a program, or sends text away, is a person's own
setting (`PERSONAL`): it is read from their file (`user_file`) and from no tree.
"""

from __future__ import annotations

import os

from memtree.errors import StorageFailed, UsageError
from memtree.person import place, write_whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

FILE = os.path.join(".memtree", "config.toml")
USER_VARIABLE = "MEMTREE_CONFIG"
"""The environment variable that names another file for a person's own settings."""
PERSONAL = ("llm.", "embed.endpoint", "embed.key_env")
"""Beginnings of the names of settings that a tree can't make."""

# Name -> (default, what it does).
SETTINGS: dict[str, tuple[object, str]] = {
    "search.language": (
        "english",
        "Language of the notes, for word stems: english, german, french, ...; none for no stems.",
    ),
    "search.ignore": (
        [],
        "Files that are not knowledge, as patterns in the manner of .gitignore.",
    ),
    "embed.model": (
        "builtin",
        "What compares meanings: builtin, none, minilm[:FOLDER], gguf:FILE or endpoint:MODEL.",
    ),
    "embed.endpoint": (
        "",
        "Address of an OpenAI-compatible server, for embed.model = endpoint:MODEL.",
    ),
    "embed.key_env": ("", "Name of the environment variable that holds the server's key."),
    "embed.questions": (
        "table",
        "What embeds a question to minilm: table, learned from the tree, or model: better, slower.",
    ),
    "embed.prefix": (
        "",
        "What the model wants to read before a text; a bar divides passages from questions.",
    ),
    "curate.curator": (
        "auto",
        "Who curates: auto (a model if one is set, else rules), rules, llama or openai.",
    ),
    "curate.review": ("risky", "What waits for `memtree review`: never, risky or always."),
    "curate.flood": (0.2, "What share of the tree one plan may change without --yes."),
    "llm.model": ("", "The language model: a name of `memtree models list`, or endpoint:MODEL."),
    "llm.endpoint": ("", "Address of an OpenAI-compatible server, for llm.model = endpoint:MODEL."),
    "llm.key_env": ("", "Name of the environment variable that holds the server's key."),
    "llm.window": (4096.0, "Tokens that a prompt and its answer may have together."),
    "llm.threads": (2.0, "Threads of a local model."),
    "llm.timeout": (300.0, "Seconds that one answer of a model may take."),
    "query.budget": (
        "8 steps, 6000 tokens, 60 s",
        "What the agentic tier may spend on one question.",
    ),
    "index.wait": (10.0, "Seconds to wait for another process that is indexing."),
    "write.wait": (10.0, "Seconds to wait for another process that is writing."),
    "lifecycle.opened": (3.0, "Points of importance that an entry earns when it is opened."),
    "lifecycle.cited": (3.0, "Points when it is cited in an answer."),
    "lifecycle.confirmed": (5.0, "Points when somebody confirms it."),
    "lifecycle.edited": (5.0, "Points when it is edited."),
    "lifecycle.decay": (0.995, "What is left of importance after a day."),
    "lifecycle.recency_days": (30.0, "Days after which recency has fallen to a third."),
    "lifecycle.rest_days": (400.0, "What was used within so many days is not archived."),
    "lifecycle.archive_below": (35.0, "Drafts of less importance are archived; 0 archives none."),
    "lifecycle.lift": (0.15, "By what share the most alive entry may gain in the ranking."),
}

_SECONDS = (0.0, 3600.0, "0 to 3600 seconds")
_POINTS = (0.0, 100.0, "0 to 100")
# Setting -> (least, most, in words). Above 60 even what was just validated would be archived.
_RANGES: dict[str, tuple[float, float, str]] = {
    "curate.flood": (0.0, 1.0, "0 to 1"),
    "llm.window": (256.0, 1_048_576.0, "256 to 1048576 tokens"),
    "llm.threads": (1.0, 256.0, "1 to 256"),
    "lifecycle.opened": _POINTS,
    "lifecycle.cited": _POINTS,
    "lifecycle.confirmed": _POINTS,
    "lifecycle.edited": _POINTS,
    "lifecycle.decay": (0.5, 1.0, "0.5 to 1"),
    "lifecycle.recency_days": (1.0, 3650.0, "1 to 3650 days"),
    "lifecycle.rest_days": (0.0, 36_500.0, "0 to 36500 days"),
    "lifecycle.archive_below": (0.0, 60.0, "0 to 60"),
    "lifecycle.lift": (0.0, 0.5, "0 to 0.5"),
}


class Config:
    """The settings of one tree; `warnings` say what could not be understood."""

    __slots__ = ("own", "signature", "values", "warnings")

    def __init__(
        self, values: Mapping[str, object], *, signature: tuple[int, int], own: tuple[int, int],
        warnings: list[str],
    ) -> None:  # fmt: skip
        self.values = dict(values)
        self.signature = signature
        self.own = own
        self.warnings = warnings

    def holds(self, root: str) -> bool:
        """Whether both files are as they were when this was read."""
        return (self.signature, self.own) == (signature_of(root), _signature(user_file()))

    def text(self, name: str) -> str:
        """A setting that is text."""
        return str(self.values[name])

    def number(self, name: str) -> float:
        """A setting that is a number."""
        value = self.values[name]
        return float(value) if isinstance(value, (int, float)) else 0.0

    def texts(self, name: str) -> tuple[str, ...]:
        """A setting that is a list of text."""
        value = self.values[name]
        return tuple(str(item) for item in value) if isinstance(value, list) else ()


def is_personal(name: str) -> bool:
    """Whether a setting is a person's own and no tree's."""
    return name.startswith(PERSONAL)


def user_file() -> str:
    """Where a person's own settings stand, on this system; MEMTREE_CONFIG names another file."""
    return place("config", USER_VARIABLE, "config.toml")


def signature_of(root: str) -> tuple[int, int]:
    """Changes whenever the tree's file does: one stat."""
    return _signature(os.path.join(root, FILE))


def _signature(path: str) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


def own(name: str) -> str:
    """One personal setting that is text, read without a tree; its default when it is not set."""
    values: dict[str, object] = {}
    path = user_file()
    if os.path.exists(path):
        _take(values, [], path, personal=True)
    return str(values.get(name, SETTINGS[name][0]))


def load(root: str, *, is_pattern: Callable[[str], bool] | None = None) -> Config:
    """The settings for the tree at `root`; what is wrong in a file becomes a warning.

    `is_pattern` judges what stands in `search.ignore`, when it is given.
    """
    user = user_file()
    signature, own_signature = signature_of(root), _signature(user)
    values: dict[str, object] = {name: default for name, (default, _) in SETTINGS.items()}
    warnings: list[str] = []
    _take(values, warnings, os.path.join(root, FILE), personal=False, shown=FILE)
    if is_pattern is not None:
        values["search.ignore"] = _patterns(values["search.ignore"], is_pattern, warnings)
    if own_signature != (0, 0):
        _take(values, warnings, user, personal=True)
    return Config(values, signature=signature, own=own_signature, warnings=warnings)


def _take(
    values: dict[str, object], warnings: list[str], path: str, *, personal: bool, shown: str = ""
) -> None:
    """Put what a file says into the values, as far as it is its business."""
    import tomllib

    shown = shown or path
    try:
        with open(path, "rb") as file:
            given = _flat(tomllib.load(file))
    except FileNotFoundError:
        return
    except (OSError, ValueError, RecursionError, TypeError, OverflowError) as error:
        warnings.append(f"{shown} can't be read, its settings are not used: {error}")
        return
    for name, value in given:
        if name not in SETTINGS:
            warnings.append(f"{shown}: there is no setting '{name}'")
        elif is_personal(name) and not personal:
            warnings.append(
                f"{shown}: '{name}' is not taken from a tree, which may be somebody else's;"
                f" your own: memtree config set {name} VALUE"
            )
        elif personal and not is_personal(name):
            warnings.append(f"{shown}: '{name}' belongs to a tree: memtree config set {name} VALUE")
        elif complaint := _complaint(name, value):
            warnings.append(f"{shown}: '{name}' {complaint}")
        else:
            values[name] = value


def _complaint(name: str, value: object) -> str:
    """Why a value is none for this setting; "" when it is one."""
    default = SETTINGS[name][0]
    fits = isinstance(value, (int, float) if isinstance(default, float) else type(default))
    if not fits or isinstance(value, bool):
        return f"should be like {_toml(default)}"
    least, most, words = _RANGES.get(name, _SECONDS)
    if isinstance(value, (int, float)) and not least <= value <= most:
        return f"should be from {words}"
    return ""


def _patterns(given: object, is_pattern: Callable[[str], bool], warnings: list[str]) -> list[str]:
    """The patterns that are some; each of the others is a warning."""
    good: list[str] = []
    for item in given if isinstance(given, list) else ():
        if isinstance(item, str) and is_pattern(item):
            good.append(item)
        else:
            warnings.append(f"{FILE}: {item!r:.80} in 'search.ignore' is no pattern")
    return good


def place_of(root: str, name: str) -> str:
    """The file in which a setting is written: the tree's, or the person's own."""
    return user_file() if is_personal(name) else os.path.join(root, FILE)


def assign(root: str, name: str, text: str) -> object:
    """Set one setting in its file, the other lines untouched; returns the value.

    Raises UsageError for a name or value that does not exist, StorageFailed when the disk refuses.
    """
    if name not in SETTINGS:
        import difflib

        near = difflib.get_close_matches(name, SETTINGS, 1)
        raise UsageError(
            f"there is no setting '{name}'",
            hint=f"did you mean '{near[0]}'?" if near else "memtree config list shows them all",
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"'{name}' takes text in UTF-8, not {text!r:.80}") from error
    value = _understood(name, text)
    path = place_of(root, name)
    shown = path if is_personal(name) else FILE
    try:
        with open(path, encoding="utf-8", newline="") as file:
            old = file.read()
    except FileNotFoundError:
        old = ""
    except (OSError, UnicodeDecodeError) as error:
        raise StorageFailed(f"{shown} can't be read: {error}") from error
    new = _with(old, name, _toml(value))
    if is_personal(name):
        path = os.path.realpath(path)  # people keep such files elsewhere and link to them
    try:
        if is_personal(name):
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        write_whole(path, new)
    except OSError as error:
        raise StorageFailed(f"{shown} can't be written: {error.strerror or error}") from error
    return value


def _flat(table: Mapping[str, object], prefix: str = "") -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for key, value in table.items():
        if isinstance(value, dict):
            found += _flat(value, f"{prefix}{key}.")
        else:
            found.append((prefix + key, value))
    return found


def _understood(name: str, text: str) -> object:
    default = SETTINGS[name][0]
    if isinstance(default, float):
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        least, most, words = _RANGES.get(name, _SECONDS)
        if not least <= value <= most:
            raise UsageError(f"'{name}' takes a number from {words}, not '{text}'")
        return value
    if isinstance(default, list):
        return [item.strip() for item in text.split(",") if item.strip()]
    return text


def _toml(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, str):
        import json

        # A JSON string is a TOML basic string, but for one control character.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value)


def _with(text: str, name: str, value: str) -> str:
    """The text of the file with one line set.

    The line itself, else the commented default of a new tree, else a new one in its section.
    """
    section, _, key = name.rpartition(".")
    # Not `splitlines`, which breaks at letters that TOML has within a line, as U+2028.
    lines = [f"{line}\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    lines = lines if lines[-1] else lines[:-1]
    newline = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    own, last = _places(lines, section, key, default=f"# {key} = {_toml(SETTINGS[name][0])}")
    if own >= 0:
        lines[own] = f"{key} = {value}{newline}"
        return "".join(lines)
    if lines and not lines[-1].endswith(("\n", "\r")):
        lines[-1] += newline
    if last >= 0:
        lines.insert(last + 1, f"{key} = {value}{newline}")
    else:
        lines += [newline if lines else "", f"[{section}]{newline}", f"{key} = {value}{newline}"]
    return "".join(lines)


def _places(lines: Sequence[str], section: str, key: str, *, default: str) -> tuple[int, int]:
    """The line that sets `key` (or its commented default), and the last one of its section.

    -1 for what is not there.
    """
    here = ""
    commented = last = -1
    for at, line in enumerate(lines):
        bare = line.strip()
        if bare.startswith("[") and bare.split("#")[0].strip().endswith("]"):
            here = bare.split("#")[0].strip().strip("[]").strip()
        if here != section or not bare:
            continue
        if bare.split("=")[0].strip() == key and "=" in bare:
            return at, at
        if bare == default and commented < 0:
            commented = at
        last = at
    return commented, last
