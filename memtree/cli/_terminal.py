"""What the terminal on the other side can do, and how text is made safe to send there.

Knowledge text is data: whatever escape sequences a note holds, none reaches the terminal raw
(`clean`). Colours, links and box characters are used only where they are wanted and can be shown:
https://no-color.org (set and not empty), https://bixense.com/clicolors, TERM=dumb, a code page
that lacks the character. Widths are counted in cells, so that CJK text lines up.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

DEFAULT_WIDTH = 80
# Lines longer than this are tiring to read, however wide the window is (Bringhurst: 45-75
# characters a line; twice the upper end leaves room for paths).
READABLE_WIDTH = 120

# Marks that reorder or hide what a reader sees ("Trojan Source", CVE-2021-42574), and the two
# line separators that some terminals break at.
_DECEIVING = (
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
    0x2028,
    0x2029,
    0xFEFF,
)
_SHOWN = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}
_SHOWN |= {code: f"\\u{code:04x}" for code in _DECEIVING}
_LINE = _SHOWN | {ord("\n"): " ", ord("\r"): " ", ord("\t"): " "}
_BLOCK = _SHOWN | {ord("\n"): "\n", ord("\r"): "", ord("\t"): "    "}


def clean(text: str) -> str:
    """One line that is safe to print: control characters become visible, line breaks spaces."""
    return text if text.isascii() and text.isprintable() else text.translate(_LINE)


def clean_block(text: str) -> str:
    """Do the same for text of many lines, which stay; tabs become four spaces."""
    return text.translate(_BLOCK)


def cells(text: str) -> int:
    """How many terminal cells `text` takes: 2 for wide East Asian characters, 0 for marks."""
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width

    total = 0
    for character in text:
        if east_asian_width(character) in "WF":
            total += 2
        elif category(character) not in ("Mn", "Me", "Cf"):
            total += 1
    return total


def cut(text: str, width: int, *, ellipsis: str = "...") -> str:
    """At most `width` cells of `text`, ending in the ellipsis when something was left out."""
    if cells(text) <= width:
        return text
    room = max(0, width - cells(ellipsis))
    out, used = [], 0
    for character in text:
        size = cells(character)
        if used + size > room:
            break
        out.append(character)
        used += size
    return ("".join(out).rstrip() + ellipsis)[: max(width, 0)]


def pad(text: str, width: int) -> str:
    """`text` filled with spaces to `width` cells."""
    return text + " " * max(0, width - cells(text))


def wrap(text: str, width: int) -> list[str]:
    """`text` broken into lines of at most `width` cells: at spaces, or between wide characters."""
    width = max(width, 1)
    lines: list[str] = []
    line, used = "", 0
    for word in text.split():
        size = cells(word)
        if line and used + 1 + size > width:
            lines.append(line)
            line, used = "", 0
        if line:
            line, used = f"{line} {word}", used + 1 + size
            continue
        while size > width:
            head = _head(word, width)
            lines.append(head)
            word = word[len(head) :]  # noqa: PLW2901  (the rest of a word longer than a line)
            size = cells(word)
        line, used = word, size
    if line:
        lines.append(line)
    return lines


def _head(word: str, width: int) -> str:
    used = 0
    for at, character in enumerate(word):
        used += cells(character)
        if used > width:
            return word[: max(at, 1)]
    return word


class Terminal:
    """One output stream: whether it is a terminal, and what may be sent to it.

    `width` is in cells; None when nobody looks at it through a window (a pipe), where nothing
    is cut or wrapped.
    """

    __slots__ = ("color", "is_tty", "links", "stream", "unicode", "width")

    def __init__(self, stream: TextIO | None) -> None:
        self.stream = stream
        self.is_tty = _is_tty(stream)
        self.color = _wants_color(is_tty=self.is_tty)
        self.links = self.color and self.is_tty and _shows_links()
        self.unicode = _encodes(stream, "└─│├…·→✓")
        self.width = _width() if self.is_tty else None
        if self.color and os.name == "nt" and self.is_tty:
            self.color = self.links = _enable_windows_sequences()

    @property
    def ellipsis(self) -> str:
        """The sign for something left out."""
        return "…" if self.unicode else "..."

    @property
    def dot(self) -> str:
        """The sign between small facts on a line."""
        return "·" if self.unicode else "|"

    def style(self, text: str, codes: str) -> str:
        """`text` in the style of the SGR `codes` ("1" bold, "2" dim, "1;31" bold red)."""
        return f"\x1b[{codes}m{text}\x1b[0m" if self.color and text else text

    def bold(self, text: str) -> str:
        """`text` in bold."""
        return self.style(text, "1")

    def dim(self, text: str) -> str:
        """`text` held back."""
        return self.style(text, "2")

    def link(self, text: str, file: str) -> str:
        """`text` as a link to the absolute path `file` (OSC 8), where the terminal has links."""
        if not self.links:
            return text
        return f"\x1b]8;;{file_uri(file)}\x1b\\{text}\x1b]8;;\x1b\\"

    def fit(self, text: str, *, less: int = 0) -> str:
        """`text` cut to the window less so many cells; whole in a pipe."""
        if self.width is None:
            return text
        return cut(text, max(self.width - less, 10), ellipsis=self.ellipsis)

    def write(self, text: str) -> None:
        """Send `text`, which is already clean."""
        if self.stream is not None:
            self.stream.write(text)

    def line(self, text: str = "") -> None:
        """Send one line."""
        self.write(text + "\n")


def stdout() -> Terminal:
    """Return the terminal behind standard output, as it is now."""
    return Terminal(sys.stdout)


def stderr() -> Terminal:
    """Return the terminal behind standard error, as it is now."""
    return Terminal(sys.stderr)


def file_uri(path: str) -> str:
    """Return the `file://` address of an absolute path, with the host, as OSC 8 asks.

    Everything but unreserved characters is percent-encoded, so a path cannot end the sequence
    that carries it.
    """
    from urllib.parse import quote

    if os.name == "nt":
        return "file:///" + quote(path.replace("\\", "/"), safe="/:")
    host = os.uname().nodename
    return f"file://{quote(host)}{quote(os.fsencode(path), safe='/')}"


def encodable(streams: tuple[TextIO | None, ...]) -> None:
    """Make sure that no character can stop a stream: what it lacks is shown as an escape.

    A legacy Windows code page, `PYTHONIOENCODING=ascii` or a file name that is not Unicode must
    not turn an answer into a traceback.
    """
    for stream in streams:
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _is_tty(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def _wants_color(*, is_tty: bool) -> bool:
    get = os.environ.get
    if get("NO_COLOR"):
        return False
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE"):
        if get(name, "") not in ("", "0"):
            return True
    if get("CLICOLOR") == "0" or not is_tty:
        return False
    return get("TERM", "" if os.name == "nt" else "dumb") != "dumb"


def _shows_links() -> bool:  # noqa: PLR0911  (one line for each family of terminals)
    """Whether this terminal is known to show OSC 8 links; others may print them as noise."""
    get = os.environ.get
    if forced := get("FORCE_HYPERLINK"):
        return forced != "0"
    if get("CI"):
        return False
    if get("WT_SESSION") or get("KONSOLE_VERSION") or get("DOMTERM"):
        return True
    # VTE shows links since 0.50, whose first release crashed on them.
    if (vte := get("VTE_VERSION", "")).isdigit():
        return int(vte) > 5000
    if get("TERM_PROGRAM") in ("iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "rio", "zed"):
        return True
    if get("TERM_PROGRAM") == "tmux":  # passes links on since 3.4
        return get("TERM_PROGRAM_VERSION", "0") >= "3.4"
    term = get("TERM", "")
    return term in ("xterm-kitty", "alacritty", "xterm-ghostty", "contour") or term.startswith(
        "foot"
    )


def _encodes(stream: TextIO | None, text: str) -> bool:
    try:
        text.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _width() -> int:
    columns = os.environ.get("COLUMNS", "")
    if columns.isdigit() and int(columns) > 0:
        return int(columns)
    try:
        return os.get_terminal_size(1).columns or DEFAULT_WIDTH
    except (OSError, ValueError):
        return DEFAULT_WIDTH


def _enable_windows_sequences() -> bool:
    """Ask a Windows console to understand escape sequences; False when it is too old to."""
    if sys.platform != "win32":
        return True
    import ctypes

    kernel = ctypes.windll.kernel32
    handle = kernel.GetStdHandle(-11)  # STD_OUTPUT_HANDLE
    mode = ctypes.c_ulong()
    if not kernel.GetConsoleMode(handle, ctypes.byref(mode)):
        # mintty and the like: a pipe that is a terminal, and understands.
        return True
    # ENABLE_VIRTUAL_TERMINAL_PROCESSING
    return bool(kernel.SetConsoleMode(handle, mode.value | 0x0004))
