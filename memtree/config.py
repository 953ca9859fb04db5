"""The settings of a tree: `.memtree/config.toml`, tracked with the knowledge.

Every setting stands in `SETTINGS` with its default and what it does; the README's list and
`memtree config list` are made from it. A file that can't be read costs a warning, not the tree.
Loaded only when the file changed since the index was built, or by commands about settings.
"""

from __future__ import annotations

import os

from memtree.errors import StorageFailed, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

FILE = os.path.join(".memtree", "config.toml")

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

    __slots__ = ("signature", "values", "warnings")

    def __init__(
        self, values: Mapping[str, object], *, signature: tuple[int, int], warnings: list[str]
    ) -> None:
        self.values = dict(values)
        self.signature = signature
        self.warnings = warnings

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


def signature_of(root: str) -> tuple[int, int]:
    """Changes whenever the file does: one stat."""
    try:
        status = os.stat(os.path.join(root, FILE))
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


def load(root: str, *, is_pattern: Callable[[str], bool] | None = None) -> Config:
    """The settings of the tree at `root`; what is wrong in the file becomes a warning.

    `is_pattern` judges what stands in `search.ignore`, when it is given.
    """
    import tomllib

    signature = signature_of(root)
    values: dict[str, object] = {name: default for name, (default, _) in SETTINGS.items()}
    warnings: list[str] = []
    try:
        with open(os.path.join(root, FILE), "rb") as file:
            given = _flat(tomllib.load(file))
    except FileNotFoundError:
        given = []
    except (OSError, ValueError, RecursionError, TypeError, OverflowError) as error:
        warnings.append(f"{FILE} can't be read, its settings are not used: {error}")
        given = []
    for name, value in given:
        if name not in SETTINGS:
            warnings.append(f"{FILE}: there is no setting '{name}'")
            continue
        default = SETTINGS[name][0]
        fits = isinstance(value, (int, float) if isinstance(default, float) else type(default))
        if not fits or isinstance(value, bool):
            warnings.append(f"{FILE}: '{name}' should be like {_toml(default)}")
            continue
        least, most, words = _RANGES.get(name, _SECONDS)
        if isinstance(value, (int, float)) and not least <= value <= most:
            warnings.append(f"{FILE}: '{name}' should be from {words}")
            continue
        values[name] = value
        if name == "search.ignore" and is_pattern is not None:
            values[name] = _patterns(value, is_pattern, warnings)
    return Config(values, signature=signature, warnings=warnings)


def _patterns(given: object, is_pattern: Callable[[str], bool], warnings: list[str]) -> list[str]:
    """The patterns that are some; each of the others is a warning."""
    good: list[str] = []
    for item in given if isinstance(given, list) else ():
        if isinstance(item, str) and is_pattern(item):
            good.append(item)
        else:
            warnings.append(f"{FILE}: {item!r:.80} in 'search.ignore' is no pattern")
    return good


def assign(root: str, name: str, text: str) -> object:
    """Set one setting in the file, its other lines untouched; returns the value.

    Raises UsageError for a name or value that does not exist, StorageFailed when the disk refuses.
    """
    if name not in SETTINGS:
        import difflib

        near = difflib.get_close_matches(name, SETTINGS, 1)
        raise UsageError(
            f"there is no setting '{name}'",
            hint=f"did you mean '{near[0]}'?" if near else "memtree config list shows them all",
        )
    value = _understood(name, text)
    path = os.path.join(root, FILE)
    try:
        with open(path, encoding="utf-8", newline="") as file:
            old = file.read()
    except FileNotFoundError:
        old = ""
    except (OSError, UnicodeDecodeError) as error:
        raise StorageFailed(f"{FILE} can't be read: {error}") from error
    new = _with(old, name, _toml(value))
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, "w", encoding="utf-8", newline="") as file:
            file.write(new)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise StorageFailed(f"{FILE} can't be written: {error.strerror or error}") from error
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

        return json.dumps(value, ensure_ascii=False)  # a JSON string is a TOML basic string
    return str(value)


def _with(text: str, name: str, value: str) -> str:
    """The text of the file with one line set.

    The line itself, else the commented default of a new tree, else a new one in its section.
    """
    section, _, key = name.rpartition(".")
    lines = text.splitlines(keepends=True)
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
