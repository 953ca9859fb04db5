"""One call of a plugin: bounded in time, without a network, without a hand on the tree.

Whatever a plugin raises becomes a `Trouble` with its name; who asked goes on without it. Time is
kept by an interval timer in the main thread (it wakes a plugin that sleeps), elsewhere by an
exception that is sent to the thread. Neither ends code in C that never returns: that takes a
process of its own, which plugins of one person's own choosing don't get.

What a plugin may not do is refused by an audit hook, the first time that any plugin is called: to
connect, to start programs, and to write below the tree except in its own folders. A hook is no
sandbox: it keeps honest plugins honest, and tells their authors.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, TypeVar

from memtree.errors import MemtreeError
from memtree.plugins.context import BudgetSpent, NotReady

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    T = TypeVar("T")
else:
    T = TypeVar("T")

# After the first alarm a plugin that swallows it is woken again, in seconds.
_AGAIN = 0.05
_CONNECTING = frozenset(
    ("socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "subprocess.Popen",
     "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty")
)  # fmt: skip
_REMOVING = frozenset(
    ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate",
     "shutil.rmtree", "shutil.move", "os.chmod", "os.utime")
)  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class OutOfTime(BaseException):
    """A call took longer than it may; no `except Exception` of a plugin swallows it."""


class Forbidden(MemtreeError):  # noqa: N818  (what was done, in the words of the rules)
    """A plugin did what plugins may not."""


class Trouble(Exception):  # noqa: N818  (what is told of a plugin, and no fault of ours)
    """What went wrong in a plugin's call: its name, the hook, the reason in words."""

    def __init__(self, plugin: str, hook: str, reason: str) -> None:
        super().__init__(f"the plugin {plugin} was left out ({hook}): {reason}")
        self.plugin = plugin
        self.hook = hook
        self.reason = reason


class _Fence:
    """What the call that is running may write: the tree is closed, `allowed` folders are open."""

    __slots__ = ("allowed", "root", "thread")

    def __init__(self, root: str, allowed: tuple[str, ...]) -> None:
        self.root = os.path.abspath(root) + os.sep
        self.allowed = tuple(os.path.abspath(path) + os.sep for path in allowed)
        self.thread = threading.get_ident()


_fences: list[_Fence | None] = []
_watching = False


def call(
    function: Callable[..., T], *args: object, plugin: str, hook: str, ms: float, root: str,
    allowed: tuple[str, ...],
) -> T:  # fmt: skip
    """What `function(*args)` gives within `ms` milliseconds. Raises Trouble.

    `root` is the tree, `allowed` the folders in it that the plugin may write. Interruption by a
    person passes, and NotReady, which is for the host.
    """
    _watch()
    try:
        # What it prints is for its author, and must not stand in the way of --json.
        with _within(ms), _fenced(_Fence(root, allowed)), contextlib.redirect_stdout(sys.stderr):
            return function(*args)
    except OutOfTime:
        raise Trouble(plugin, hook, f"it took longer than {ms:.0f} ms") from None
    except BudgetSpent as error:
        raise Trouble(plugin, hook, str(error) or "its budget is spent") from None
    except MemtreeError as error:
        said = f"{error.message} ({error.hint})" if error.hint else error.message
        raise Trouble(plugin, hook, said) from error
    except (KeyboardInterrupt, NotReady, Trouble):
        raise
    except BaseException as error:
        text = " ".join(str(error).split())[:200]
        kind = type(error).__name__
        raise Trouble(plugin, hook, f"{kind}: {text}" if text else kind) from error


@contextlib.contextmanager
def outside() -> Iterator[None]:
    """The host's own work inside of a plugin's call: a model's answer, a file of its stores."""
    _fences.append(None)
    try:
        yield
    finally:
        _fences.pop()


@contextlib.contextmanager
def _fenced(fence: _Fence) -> Iterator[None]:
    _fences.append(fence)
    try:
        yield
    finally:
        _fences.pop()


def _watch() -> None:
    global _watching  # noqa: PLW0603  (an audit hook is for the process, and can't be taken out)
    if not _watching:
        _watching = True
        sys.addaudithook(_audit)


def _audit(event: str, args: tuple[object, ...]) -> None:
    if not _fences:
        return
    fence = _fences[-1]
    if fence is None or fence.thread != threading.get_ident():
        return
    if event in _CONNECTING:
        raise Forbidden(f"plugins may not use the network or start programs ({event})")
    if event == "open":
        path, mode, flags = args[0], args[1], args[2] if len(args) > 2 else 0
        writes = isinstance(mode, str) and bool(set(mode) & set("wax+"))
        if writes or (isinstance(flags, int) and flags & _WRITING):
            _judge(fence, path)
    elif event in _REMOVING:
        for path in args[:2]:
            _judge(fence, path)


def _judge(fence: _Fence, path: object) -> None:
    if isinstance(path, bytes):
        path = os.fsdecode(path)
    if not isinstance(path, str):
        return
    whole = os.path.abspath(path)
    if (whole + os.sep).startswith(fence.root) and not (whole + os.sep).startswith(fence.allowed):
        name = os.path.relpath(whole, fence.root)
        raise Forbidden(f"plugins may not write the tree ('{name}'): they propose operations")


@contextlib.contextmanager
def _within(ms: float) -> Iterator[None]:
    """Raise OutOfTime in this thread after `ms` milliseconds; 0 and less is without end."""
    if ms <= 0:
        yield
    elif threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer"):
        with _by_alarm(ms / 1000):
            yield
    else:
        with _by_exception(ms / 1000):
            yield


@contextlib.contextmanager
def _by_alarm(seconds: float) -> Iterator[None]:
    def ring(number: int, frame: FrameType | None) -> None:
        del number, frame
        if _fences and _fences[-1] is not None:  # never in the host's own work
            raise OutOfTime

    before = signal.signal(signal.SIGALRM, ring)
    started = time.monotonic()
    left, again = signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left:  # somebody else's alarm goes on
            rest = max(0.001, left - (time.monotonic() - started))
            signal.setitimer(signal.ITIMER_REAL, rest, again)


@contextlib.contextmanager
def _by_exception(seconds: float) -> Iterator[None]:
    import ctypes

    thread = ctypes.c_ulong(threading.get_ident())
    done = threading.Event()

    def ring() -> None:
        pause = seconds
        while not done.wait(pause):
            if _fences and _fences[-1] is not None:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(OutOfTime))
            pause = _AGAIN

    watcher = threading.Thread(target=ring, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
        ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, None)
