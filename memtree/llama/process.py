"""A model in a process of its own: start it, ask it, and say in words how it went wrong.

`memtree.llama.worker` is that process. It starts with the first question, and ends with `close`,
with this process, or when a question is interrupted or takes too long; the next question then
starts a new one.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from memtree.errors import ModelUnavailable

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping

WORKER = os.path.join(os.path.dirname(__file__), "worker.py")
_INSTALL = "pip install llama-cpp-python"


class Process:
    """Runs the model of a file. Not for several threads of ours at once.

    `load` is the first request, see `memtree.llama.worker`; `patience` is how many seconds loading
    may take, `timeout` how many each question.
    """

    __slots__ = ("_load", "_path", "_patience", "_process", "_timeout", "_worker", "loaded")

    def __init__(
        self,
        path: str,
        load: Mapping[str, object],
        *,
        timeout: float = 120,
        patience: float = 300,
        worker: str = WORKER,
    ) -> None:
        self.loaded: dict[str, object] = {}
        self._path = path
        self._load = {**load, "path": path}
        self._timeout = timeout
        self._patience = patience
        self._worker = worker
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process's number; None while there is none."""
        return None if self._process is None else self._process.pid

    def ask(self, request: Mapping[str, object]) -> dict[str, object]:
        """The answer to a request; the first one waits until the model is loaded.

        Raises ModelUnavailable if llama-cpp-python is missing, or the process crashes, hangs or
        says that it can't: it is ended then. It is ended too when the wait is interrupted.
        """
        if self._process is None:
            self._begin()
            self.loaded = self._say(self._load, self._patience)
        return self._say(request, self._timeout)

    def close(self) -> int:
        """Let the process end, by force if it must be; its exit code. May be called twice."""
        import subprocess
        from contextlib import suppress

        process, self._process = self._process, None
        if process is None:
            return 0
        if process.stdin is not None:
            with suppress(OSError):
                process.stdin.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
        return int(process.returncode)

    def _begin(self) -> None:
        import subprocess
        import sys

        self._process = subprocess.Popen(  # noqa: S603  (our own file, this very interpreter)
            [sys.executable, "-P", self._worker],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # A crash is told here; a debugger that looks for its cause takes seconds.
            env={**os.environ, "GGML_NO_BACKTRACE": "1"},
        )

    def _say(self, request: Mapping[str, object], seconds: float) -> dict[str, object]:
        """Send a line, wait for the answer."""
        import json
        from contextlib import suppress
        from threading import Timer

        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise ModelUnavailable(f"{self._path!r} is closed")
        expired: list[bool] = []

        def expire() -> None:
            expired.append(True)
            process.kill()

        late = Timer(seconds, expire)
        late.start()
        try:
            with suppress(OSError):  # it has ended: what it said last is still to be read
                process.stdin.write(json.dumps(request).encode() + b"\n")
                process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = b""
        except BaseException:  # Ctrl-C: an answer that nobody reads would come next time
            process.kill()
            self.close()
            raise
        finally:
            late.cancel()
        if not line.endswith(b"\n"):
            code = self.close()
            why = f"it took longer than {seconds:g} seconds" if expired else _ending(code)
            raise ModelUnavailable(
                f"llama.cpp could not run {self._path!r}: {why}",
                hint="the file may be damaged or too large for this machine; try another model",
            )
        answer: dict[str, object] = json.loads(line)
        if "error" in answer:
            self._fail(answer)
        return answer

    def _fail(self, answer: Mapping[str, object]) -> None:
        self.close()
        if answer.get("missing"):
            raise ModelUnavailable(
                f"{self._path!r} needs llama-cpp-python: {answer['error']}", hint=_INSTALL
            )
        raise ModelUnavailable(
            f"llama.cpp could not run {self._path!r}: {answer['error']}",
            hint="the file may be damaged or of a kind that this version does not know",
        )


def plain(text: str) -> str:
    """A text that C and JSON can hold: half of a surrogate pair is no Unicode, NUL ends a text."""
    return text.encode("utf-8", "replace").decode().replace("\0", " ")


def _ending(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"its process ended with code {code}"
    import signal

    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"its process was ended by {name}"
