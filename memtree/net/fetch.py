"""Files that a person asked for: whole or not at all, checked, gone on with after a break."""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import sha256
from typing import IO, TYPE_CHECKING

from memtree.errors import Locked, StorageFailed, Unavailable
from memtree.net.wire import (
    TRANSIENT,
    TryAgain,
    blocks,
    check_source,
    open_source,
    retry_after,
    shown,
    wait,
    words_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import Message
    from http.client import HTTPResponse
    from typing import NoReturn
    from urllib.error import HTTPError

LONGEST_FILE = 1 << 38  # bytes of a file whose size nobody says
_TRIES = 4  # in a row that bring nothing
_BLOCK = 1 << 20  # bytes


def download(
    url: str,
    to: str,
    *,
    sha256: str = "",
    size: int = 0,
    progress: Callable[[int, int], None] | None = None,
    pause: Callable[[float], None] | None = None,
    timeout: float = 60,
) -> str:
    """Load a file to the path `to`, all of it or nothing; gives its SHA-256 in hexadecimal.

    It grows as `TO.part`, which stays when the connection or a person breaks it off; the next call
    goes on from there, if the server can. `sha256` and `size` (bytes) are what it has to have, if
    known. `progress` is told the bytes there are and the bytes there will be, 0 if unknown.
    `timeout` is seconds without a byte. The address has to be https, or http on this machine.

    Raises Unavailable, StorageFailed if the disk refuses, Locked while another process loads it.
    """
    check_source(url)
    try:
        os.makedirs(os.path.dirname(os.path.abspath(to)), exist_ok=True)
        with open(f"{to}.part", "a+b") as file:
            _hold(file, to)
            load = _Load(url, file, f"{to}.note", digest=sha256.lower(), size=size, timeout=timeout)
            digest = load.run(progress or (lambda _have, _of: None), pause)
            file.flush()
            os.fsync(file.fileno())
        os.replace(f"{to}.part", to)
        _forget(f"{to}.note")
    except _Wrong as wrong:
        _forget(f"{to}.part")
        _forget(f"{to}.note")
        raise Unavailable(
            f"{shown(url)} is not the file that was expected: {wrong}",
            hint="nothing was kept; the file there may have changed, or was damaged on its way:"
            " try again, and don't use it if this comes back",
        ) from None
    except OSError as error:
        raise StorageFailed(
            f"can't write {to!r}: {error.strerror or error}",
            hint="what was loaded so far is kept; see that the folder has room and can be written",
        ) from error
    return digest


class _Load:
    """One download into an open file: what is there of it, and the digest of that."""

    def __init__(
        self, url: str, file: IO[bytes], note: str, *, digest: str, size: int, timeout: float
    ) -> None:
        self.url = url
        self.file = file
        self.note = note
        self.digest = digest
        self.size = size
        self.timeout = timeout
        self._hash = sha256()
        self.have = 0
        self.total = size  # 0 as long as nobody says
        self.etag = ""

    def run(
        self, progress: Callable[[int, int], None], pause: Callable[[float], None] | None
    ) -> str:
        """Load what is missing and check it. Raises _Wrong, Unavailable, OSError of the disk."""
        self._take_up()
        progress(self.have, self.total)
        failed = 0
        while not (self.size and self.have == self.size):
            before = self.have
            try:
                self._once(progress)
                break
            except TryAgain as again:
                failed = 1 if self.have > before else failed + 1
                if failed == _TRIES:
                    raise self._broken_off(str(again)) from None
                wait(pause, again.after or 2.0 ** (failed - 1))
        digest = self._hash.hexdigest()
        self.file.flush()
        if os.fstat(self.file.fileno()).st_size != self.have:
            raise _Wrong("somebody else wrote into it")
        if self.size and self.have != self.size:
            raise _Wrong(f"it has {self.have} bytes, not {self.size}")
        if self.digest and digest != self.digest:
            raise _Wrong(f"its SHA-256 is {digest}, not {self.digest}")
        return digest

    def _take_up(self) -> None:
        """Go on with what an earlier call left, if it surely is the beginning of the same file."""
        kept = ["", ""]
        if os.path.exists(self.note):
            with open(self.note, encoding="utf-8", errors="replace") as note:
                kept = [*note.read(4096).split("\n"), "", ""]
        self.etag = kept[1]
        if kept[0] != self._from() or not (self.etag or self.digest):
            self._begin("")
            return
        self.file.seek(0)
        while block := self.file.read(_BLOCK):
            self._hash.update(block)
            self.have += len(block)
        if self.size and self.have > self.size:
            self._begin("")

    def _begin(self, etag: str) -> None:
        """From nothing."""
        self.file.truncate(0)
        self._hash = sha256()
        self.have = 0
        self.etag = etag
        with open(self.note, "w", encoding="utf-8") as note:
            note.write(f"{self._from()}\n{etag}\n")

    def _from(self) -> str:
        """What the file is known by: its address (services sign the query anew each time)."""
        return f"{shown(self.url)} {self.digest}"

    def _once(self, progress: Callable[[int, int], None]) -> None:
        """One request for what is missing. Raises TryAgain for what may pass."""
        from urllib.error import HTTPError

        headers = {"User-Agent": "memtree", "Accept-Encoding": "identity"}
        if self.have:
            headers["Range"] = f"bytes={self.have}-"
            if self.etag:
                headers["If-Range"] = self.etag
        try:
            answer = open_source(self.url, headers, self.timeout)
        except HTTPError as error:
            if error.code != 416 or not self.have:
                self._refused(error)
            error.close()
            if _content_range(error.headers)[1] == self.have:
                return  # an earlier call had it all
            self._begin("")
            raise TryAgain("the file there is shorter than what was kept of it") from None
        with answer:
            self._meet(answer)
            for block in blocks(answer, LONGEST_FILE):
                self.file.write(block)
                self._hash.update(block)
                self.have += len(block)
                progress(self.have, self.total)
                if self.have > (self.total or LONGEST_FILE):
                    raise _Wrong(f"it has more than {self.total or LONGEST_FILE} bytes")
        if self.have < self.total:
            raise TryAgain(f"the answer ended after {self.have} of {self.total} bytes")

    def _meet(self, answer: HTTPResponse) -> None:
        """Whether the answer goes on where we are; if it begins anew, so do we."""
        if answer.status == 206:
            start, total = _content_range(answer.headers)
            if start != self.have:
                self._begin("")
                raise TryAgain("the server goes on at another place")
        else:
            etag = answer.headers.get("ETag", "")
            total = answer.length or 0
            # A weak one ("W/...") promises no equal bytes.
            self._begin(etag if etag[:1] == '"' and etag.isprintable() else "")
        if self.size and total and total != self.size:
            raise _Wrong(f"it has {total} bytes, not {self.size}")
        self.total = self.size or total
        _check_room(self.file, self.total - self.have)

    def _refused(self, error: HTTPError) -> NoReturn:
        words = words_of(error)
        if error.code in TRANSIENT:
            raise TryAgain(words, after=retry_after(error.headers)) from None
        hint = "check the address; what was loaded so far is kept"
        if error.code in {401, 403}:
            hint = "the server wants to know who asks: load the file with a browser instead"
        raise Unavailable(f"{shown(self.url)} can't be loaded: {words}", hint=hint) from None

    def _broken_off(self, why: str) -> Unavailable:
        of = f" of {self.total}" if self.total else ""
        return Unavailable(
            f"{shown(self.url)} could not be loaded: {why}",
            hint=f"{self.have}{of} bytes are kept: run the same again to go on from there",
        )


class _Wrong(Exception):  # noqa: N818  (says what happened)
    """What was loaded is not the file that was meant."""


def _hold(file: IO[bytes], to: str) -> None:
    """Keep others from loading the same; where there are no such locks, the size tells."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Locked(f"another process is loading {to!r}", hint="wait until it is done") from None
    except OSError:
        return


def _forget(path: str) -> None:
    with suppress(OSError):
        os.remove(path)


def _check_room(file: IO[bytes], needed: int) -> None:
    import errno
    from shutil import disk_usage

    free = disk_usage(os.path.dirname(os.path.abspath(file.name))).free
    if needed > free:
        raise OSError(errno.ENOSPC, f"{needed} bytes are needed and {free} are free")


def _content_range(headers: Message) -> tuple[int, int]:
    """Where an answer begins and how long the whole is: -1 and 0 for what isn't said."""
    unit, _, rest = headers.get("Content-Range", "").partition(" ")
    span, _, total = rest.partition("/")
    start = span.partition("-")[0].strip()
    return _number(unit, start, -1), _number(unit, total, 0)


def _number(unit: str, text: str, otherwise: int) -> int:
    return int(text) if unit == "bytes" and text.isdecimal() and len(text) < 20 else otherwise
