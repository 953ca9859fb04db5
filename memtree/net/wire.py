"""The one module that opens connections, and what is common to all of them.

Answers are untrusted: they are bounded, and what is shown of them is one clean line. An address is
shown without its query, where keys and signatures may be.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from memtree.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import Message
    from http.client import HTTPResponse
    from urllib.error import HTTPError
    from urllib.parse import SplitResult
    from urllib.request import OpenerDirector

LONGEST_PAUSE = 30.0  # seconds, whatever the server asks for
TRANSIENT = {408, 409, 425, 429, 500, 502, 503, 504}
_ELSEWHERE = {301, 302, 303, 307, 308}
_HOPS = 6
_BLOCK = 1 << 18  # bytes


class TryAgain(Exception):  # noqa: N818  (says what to do)
    """What may pass by itself; `after` is how many seconds the server asks for, 0 if it doesn't."""

    def __init__(self, words: str, *, after: float = 0, slow: bool = False) -> None:
        super().__init__(words)
        self.after = after
        self.slow = slow


@contextmanager
def trouble() -> Iterator[None]:
    """What goes wrong on the way becomes TryAgain; an answer that is an error passes."""
    from http.client import HTTPException
    from urllib.error import HTTPError

    try:
        yield
    except HTTPError:
        raise
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", "") or error
        slow = isinstance(error, TimeoutError) or isinstance(reason, TimeoutError)
        raise TryAgain(line(str(reason)) or type(reason).__name__, slow=slow) from None


def blocks(answer: HTTPResponse, longest: int, until: float = 0) -> Iterator[bytes]:
    """What comes, until all has come, or one block more than `longest` bytes.

    Raises TryAgain when the connection breaks off, and when the moment `until` has passed.
    """
    there, got = answer.length, 0
    while got <= longest and got != there:
        if until and time.monotonic() > until:
            raise TryAgain("timed out within an answer", slow=True)
        with trouble():
            block = answer.read1(_BLOCK if there is None else min(_BLOCK, there - got))
        if not block:
            if there is not None:
                raise TryAgain(f"the connection broke off after {got} of {there} bytes")
            return
        got += len(block)
        yield block


def opener(url: str) -> OpenerDirector:
    """What opens http and https and follows nowhere; no proxy stands between us and this machine.

    The library's own `build_opener` would open files too, and follow a server anywhere.
    """
    from urllib.request import (
        HTTPDefaultErrorHandler,
        HTTPErrorProcessor,
        HTTPHandler,
        HTTPSHandler,
        OpenerDirector,
        ProxyHandler,
        UnknownHandler,
    )

    director = OpenerDirector()
    director.add_handler(ProxyHandler({} if is_here(split(url)[1]) else None))
    for handler in (
        HTTPHandler, HTTPSHandler, HTTPDefaultErrorHandler, HTTPErrorProcessor, UnknownHandler,
    ):  # fmt: skip
        director.add_handler(handler())
    return director


def open_source(url: str, headers: dict[str, str], timeout: float) -> HTTPResponse:
    """What a server has for a file, wherever it sends on to that is safe.

    Raises Unavailable for what isn't safe, HTTPError for what isn't the file, TryAgain.
    """
    from urllib.error import HTTPError
    from urllib.request import Request

    sent_by = ""
    for _ in range(_HOPS):
        check_source(url, sent_by)
        request = Request(url, headers=headers)  # noqa: S310  (https or this machine)
        try:
            with trouble():
                return cast("HTTPResponse", opener(url).open(request, timeout=timeout))
        except HTTPError as error:
            where = error.headers.get("Location", "")
            if error.code not in _ELSEWHERE or not where:
                raise
            error.close()
            sent_by, url = url, _joined(url, where)
    raise Unavailable(f"{shown(url)} can't be loaded: it is sent on and on")


def _joined(url: str, where: str) -> str:
    """Where a redirect leads; "" for nowhere."""
    from string import punctuation
    from urllib.parse import quote, urljoin

    try:
        return quote(urljoin(url, where), safe=punctuation, encoding="latin-1")
    except ValueError:
        return ""


def check_source(url: str, sent_by: str = "") -> None:
    """Raise Unavailable unless a file may be loaded from there: nobody on the way can change it."""
    parts, host = split(url)
    here = parts.scheme == "http" and is_here(host) and not sent_by.startswith("https:")
    if "@" in parts.netloc or not host or not (parts.scheme == "https" or here):
        way = f"{shown(sent_by)} sends on to {shown(url)!r}, which" if sent_by else repr(shown(url))
        raise Unavailable(
            f"{way} is no address that a file can be loaded from",
            hint="it has to begin with https:// and hold no name or password",
        )


def split(url: str) -> tuple[SplitResult, str]:
    """The parts of a URL and its host, which is "" if it is no URL that can be asked."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
        host.encode("idna")
    except ValueError:
        return urlsplit(""), ""
    # Anything else would be refused later, in words that repeat the query.
    return parts, host if url.isascii() and url.isprintable() and " " not in url else ""


def is_here(host: str) -> bool:
    """Whether a host is this machine."""
    from ipaddress import ip_address

    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def shown(url: str) -> str:
    """An address as it may stand in a message."""
    return line(url.partition("?")[0].partition("#")[0])


def wait(pause: Callable[[float], None] | None, seconds: float) -> None:
    """Sleep as long as asked, but no longer than `LONGEST_PAUSE`."""
    (pause or time.sleep)(min(seconds, LONGEST_PAUSE))


def retry_after(headers: Message) -> float:
    """Seconds that the server asks to wait, 0 if it doesn't say, or says a date."""
    asked = headers.get("Retry-After", "")
    return float(asked) if asked.isdecimal() else 0.0


def words_of(error: HTTPError, key: str = "") -> str:
    """What a server said about its error: the status, and one line without the key."""
    import json

    raw = b""
    try:
        with error:
            for block in blocks(cast("HTTPResponse", error.fp), 2000, time.monotonic() + 5):
                raw += block
    except TryAgain:
        pass  # what came will do
    text = raw.decode("utf-8", "replace")
    try:
        told = json.loads(text)["error"]
        text = str(told["message"] if isinstance(told, dict) else told)
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    return f"{error.code} {line(text.replace(key, '[key]') if key else text)}".strip()


def line(text: str) -> str:
    """A text of others on one line, in at most 200 letters."""
    return "".join(c for c in " ".join(text[:2000].split()) if c.isprintable())[:200]
