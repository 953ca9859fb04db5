"""Where a person's own things lie on this system, and how a small file of ours is written whole."""

from __future__ import annotations

import os

# Kind -> the variables and folders of Linux, Windows and macOS.
_PLACES = {
    "config": ("XDG_CONFIG_HOME", "~/.config", "APPDATA"),
    "data": ("XDG_DATA_HOME", "~/.local/share", "LOCALAPPDATA"),
}
_MAC = "~/Library/Application Support"


def place(kind: str, variable: str, *below: str) -> str:
    """The absolute path of `memtree/...` in a person's folder for `config` or `data`.

    What the environment variable `variable` says stands for the whole path instead.
    """
    import sys

    named = os.environ.get(variable)
    if named:
        return os.path.abspath(os.path.expanduser(named))
    unix, usual, windows = _PLACES[kind]
    if sys.platform == "win32":
        base = os.environ.get(windows) or os.path.expanduser("~")
    elif sys.platform == "darwin":
        base = os.path.expanduser(_MAC)
    else:
        base = os.environ.get(unix) or os.path.expanduser(usual)
    return os.path.join(base, "memtree", *below)


def write_whole(path: str, text: str) -> None:
    """Put `text` (UTF-8, line ends as they are) into a file, synced, or leave it as it was.

    Its folder has to be there. Raises OSError.
    """
    temporary = f"{path}.{os.getpid()}.tmp"
    with open(temporary, "w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
