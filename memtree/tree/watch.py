"""Seeing files change: the one door to watchdog.

Events are hints and never the truth: they say that something happened, and the walk of the next
refresh says what. So a storm of events costs one refresh, a lost event is found by the next look
(there is one every few minutes, and at once when the kernel says that it dropped some), and an
editor's dance of temporary files means nothing. What watchdog keeps to itself is watched here: it
only logs when the kernel's queue overflows, and when there are more folders than the system may
watch it silently leaves some out; then this watcher falls back to looking every two seconds, and
does not claim to be current.

A search asks over a local socket whether the index is current (`memtree.tree.watched`).
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import secrets
import socket
import sys
import tempfile
import threading
import time
from typing import TYPE_CHECKING

from memtree.errors import Refused, StorageFailed
from memtree.tree.scan import RULE_FILES, SUFFIXES
from memtree.tree.watched import FILE, address_of, ask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Self

    from watchdog.events import FileSystemEvent

    # Called with whether everything is indexed, once a round is done.
    Answer = Callable[[bool], None]

SETTLE_S = 0.3  # an editor's save is several events: wait until it is over
LOOK_S = 300.0  # look at everything this often, whatever events say
POLL_S = 2.0  # look this often where events cannot be had
COOKIE_S = 3.0  # the system delivers events within milliseconds, or is in trouble


class Watcher:
    """The watcher of one tree, as a context manager. Raises Refused when there is one already."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._address_file = os.path.join(root, FILE)
        self._wake = threading.Condition()
        self._dirty = 0  # counts events that matter
        self._clean = 0  # the count up to which a refresh has looked
        self._asking: list[queue.SimpleQueue[bool]] = []
        self._cookies: dict[str, threading.Event] = {}
        self._closed = False
        self._reliable = True
        self._socket: socket.socket | None = None
        self._token = ""
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        address = address_of(self.root)
        if address and ask(address, b"who\n"):
            raise Refused(
                "another `memtree watch` looks after this tree already",
                hint="one is enough; stop it first to run it here",
            )
        try:
            os.makedirs(os.path.dirname(self._address_file), exist_ok=True)
            self._observe()
            self._listen()
        except OSError as error:
            self.__exit__()
            raise StorageFailed(f"the tree can't be watched: {error.strerror or error}") from error
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        with contextlib.suppress(OSError):
            if self._socket is not None and address_of(self.root) == self._address():
                os.remove(self._address_file)
        if self._socket is not None:
            self._socket.close()
        self._stack.close()
        with self._wake:
            self._wake.notify_all()

    # -- rounds -----------------------------------------------------------------------------

    def rounds(self) -> Iterator[Answer]:
        """Wait until there is something to look at; yields what to call when it is indexed."""
        looked = time.monotonic()
        while not self._closed:
            pause = LOOK_S if self._reliable else POLL_S
            with self._wake:
                while (
                    not self._asking
                    and self._dirty == self._clean
                    and time.monotonic() - looked < pause
                    and not self._closed
                ):
                    # Short waits keep Ctrl-C alive on Windows, where waiting blocks signals.
                    self._wake.wait(min(1.0, pause))
                if self._closed:
                    return
                hurried = bool(self._asking)
            if not hurried:
                self._let_settle()
            with self._wake:
                asking, self._asking = self._asking, []
                seen = self._dirty
            looked = time.monotonic()
            done = False

            def finish(complete: bool, seen: int = seen) -> None:
                nonlocal done
                done = complete
                if complete:
                    self._clean = seen

            yield finish
            for waiting in asking:
                waiting.put(done and self._reliable)

    def is_wanted(self) -> bool:
        """Whether a question waits or files have changed: idle work is to stop."""
        with self._wake:
            return bool(self._asking) or self._dirty != self._clean or self._closed

    def _let_settle(self) -> None:
        deadline = time.monotonic() + 10 * SETTLE_S
        while time.monotonic() < deadline:
            with self._wake:
                before = self._dirty
                self._wake.wait(SETTLE_S)
                if self._dirty == before or self._asking or self._closed:
                    return

    def _touch(self) -> None:
        with self._wake:
            self._dirty += 1
            self._wake.notify_all()

    # -- events -----------------------------------------------------------------------------

    def _observe(self) -> None:
        from watchdog import events
        from watchdog.observers import Observer

        watcher = self

        class Handler(events.FileSystemEventHandler):
            def on_any_event(self, event: FileSystemEvent) -> None:
                watcher._on_event(event)

        # A move out of the tree is held back for its other half; half a second is too long.
        with contextlib.suppress(ImportError):
            from watchdog.observers import inotify_move_event_grouper as grouper

            grouper.InotifyMoveEventGrouper.delay = 0.05
        observer = Observer()
        observer.daemon = True
        observer.schedule(
            Handler(),
            self.root,
            recursive=True,
            # Reads are events too: without a filter the indexer would hear itself.
            event_filter=[
                events.FileModifiedEvent, events.FileCreatedEvent, events.FileDeletedEvent,
                events.FileMovedEvent, events.DirCreatedEvent, events.DirDeletedEvent,
                events.DirMovedEvent, events.DirModifiedEvent,
            ],
        )  # fmt: skip
        log = _OverflowHandler(self._touch)
        for name in ("watchdog.observers.inotify_c", "watchdog.observers.inotify"):
            logging.getLogger(name).addHandler(log)
            self._stack.callback(logging.getLogger(name).removeHandler, log)
        self._reliable = _can_watch_all(self.root)
        observer.start()

        def stop() -> None:
            observer.stop()
            observer.join(2.0)

        self._stack.callback(stop)

    def _on_event(self, event: FileSystemEvent) -> None:
        for raw in (event.src_path, event.dest_path):
            path = os.fsdecode(raw) if raw else ""
            cookie = self._cookies.pop(path, None)
            if cookie is not None:
                cookie.set()
            if path and self._matters(path, is_folder=event.is_directory, kind=event.event_type):
                self._touch()
                return

    def _matters(self, path: str, *, is_folder: bool, kind: str) -> bool:
        relative = os.path.relpath(path, self.root)
        if relative == os.path.join(".memtree", "config.toml"):
            return True
        parts = relative.split(os.sep)
        if any(part.startswith(".") and part not in (".", *RULE_FILES) for part in parts):
            return False
        if is_folder:
            return kind != "modified"
        name = parts[-1]
        return name in RULE_FILES or name.lower().endswith(SUFFIXES)

    # -- questions --------------------------------------------------------------------------

    def _listen(self) -> None:
        if hasattr(socket, "AF_UNIX") and sys.platform != "win32":
            # A socket's path is at most 107 bytes: a short folder of our own, that nobody else
            # may enter.
            folder = tempfile.mkdtemp(prefix="memtree-")
            self._stack.callback(_remove_folder, folder)
            path = os.path.join(folder, "watch")
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._socket.bind(path)
        else:
            self._token = secrets.token_hex(16)
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(64)
        threading.Thread(target=self._serve, name="memtree-watch", daemon=True).start()
        temporary = f"{self._address_file}.{os.getpid()}.tmp"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(self._address())
        os.replace(temporary, self._address_file)

    def _address(self) -> str:
        if self._socket is None:
            return ""
        name = self._socket.getsockname()
        return str(name) if isinstance(name, str) else f"tcp:{name[1]}:{self._token}"

    def _serve(self) -> None:
        while not self._closed:
            try:
                connection, _ = self._socket.accept()  # type: ignore[union-attr]
            except OSError:
                return
            threading.Thread(target=self._reply, args=(connection,), daemon=True).start()

    def _reply(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(COOKIE_S)
            asked = connection.recv(256)
            if self._token:
                token, _, asked = asked.partition(b" ")
                if not secrets.compare_digest(token, self._token.encode()):
                    return
            if asked.startswith(b"who"):
                connection.sendall(f"memtree {os.getpid()}\n".encode())
            elif asked.startswith(b"sync"):
                connection.sendall(b"current\n" if self._is_current() else b"unknown\n")

    def _is_current(self) -> bool:
        """Whether all that happened before this call is indexed; makes it so when it can."""
        if not self._reliable or not self._heard_everything():
            return False
        with self._wake:
            if self._dirty == self._clean and not self._asking:
                return True
            answer: queue.SimpleQueue[bool] = queue.SimpleQueue()
            self._asking.append(answer)
            self._wake.notify_all()
        try:
            return answer.get(timeout=2 * COOKIE_S)
        except queue.Empty:
            return False

    def _heard_everything(self) -> bool:
        path = os.path.join(self.root, ".memtree", "state", f"cookie-{secrets.token_hex(6)}")
        heard = threading.Event()
        self._cookies[path] = heard
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            return heard.wait(COOKIE_S)
        except OSError:
            return False
        finally:
            self._cookies.pop(path, None)
            with contextlib.suppress(OSError):
                os.remove(path)


class _OverflowHandler(logging.Handler):
    """Watchdog tells nobody but its log that the kernel dropped events."""

    def __init__(self, touch: Callable[[], None]) -> None:
        super().__init__(logging.WARNING)
        self._tell = touch

    def emit(self, record: logging.LogRecord) -> None:
        """Any warning of the event source means: look at everything."""
        del record
        self._tell()


def _can_watch_all(root: str) -> bool:
    """Whether the system's limit of watched folders leaves room for this tree (Linux)."""
    try:
        with open("/proc/sys/fs/inotify/max_user_watches", encoding="ascii") as file:
            limit = int(file.read())
    except (OSError, ValueError):
        return True
    return all(folders <= limit * 0.8 for folders, _ in enumerate(os.walk(root), 1))


def _remove_folder(folder: str) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
