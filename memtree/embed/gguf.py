"""Any embedding model in a GGUF file, run by llama.cpp in a process of its own.

`memtree.embed.gguf_worker` is that process; it starts when the first vector is asked for, and ends
with `close` or with this process. If it crashes or hangs, that is said in words, and the next call
starts a new one.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from memtree.embed.digest import sha256
from memtree.embed.gguf_file import POOLING, read_head
from memtree.embed.protocol import Identity, Prefixes
from memtree.errors import ModelUnavailable

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Sequence

    from memtree.embed.protocol import Vectors

WORKER = os.path.join(os.path.dirname(__file__), "gguf_worker.py")
TOKENS = 1024  # of a text that count, or the model's window if that is smaller
_INSTALL = "pip install llama-cpp-python"


class GGUF:
    """The model of a file. `prefix` is what it wants before a text, see `Prefixes`.

    `timeout` is how many seconds one text may take, `patience` how many loading may take. `threads`
    of one model; more than one spin while they wait. Not for several threads of ours at once.
    """

    __slots__ = (
        "_digest", "_head", "_patience", "_prefixes", "_process", "_threads", "_timeout",
        "_worker", "foreground", "path",
    )  # fmt: skip

    def __init__(
        self,
        path: str,
        *,
        prefix: str = "",
        threads: int = 1,
        timeout: float = 120,
        patience: float = 300,
        digest: Callable[[str], str] = sha256,
        worker: str = WORKER,
    ) -> None:
        """Read the file's head. Raises ModelUnavailable if it is no embedding model."""
        self.path = path
        self.foreground = False
        self._head = read_head(path)
        self._prefixes = Prefixes(prefix)
        self._threads = threads
        self._timeout = timeout
        self._patience = patience
        self._digest = digest
        self._worker = worker
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def identity(self) -> Identity:
        """Which model; its digest is the SHA-256 of the file (1 s for 1 GB, once per process)."""
        return Identity(
            self._head.name,
            self._head.dimension,
            digest=self._digest(self.path),
            pooling=POOLING[self._head.pooling],
            prefix=self._prefixes.text,
        )

    def passages(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> Vectors:
        """Vectors of passages, float32 (texts, dimension), of their first 1024 tokens each.

        `progress` is told how many texts are done after each. Raises ModelUnavailable.
        """
        from memtree.numerics import load_numpy

        load_numpy()
        import numpy as np

        vectors = np.zeros((len(texts), self._head.dimension), np.float32)
        for at, text in enumerate(texts):
            raw = self._vector(self._prefixes.passage, text)
            if raw:
                vectors[at] = _unit(np.frombuffer(raw, "<f4"))
            if progress is not None:
                progress(at + 1)
        return vectors

    def question(self, text: str) -> list[float]:
        """The vector of a question; the first one waits until the model is loaded."""
        import numpy as np

        raw = self._vector(self._prefixes.question, text)
        if not raw:
            return [0.0] * self._head.dimension
        return [float(value) for value in _unit(np.frombuffer(raw, "<f4"))]

    def close(self) -> None:
        """End the process; may be called twice."""
        if self._process is not None:
            self._end()

    def _vector(self, prefix: str, text: str) -> bytes:
        """A text's vector as float32, little-endian; nothing for a text that says nothing."""
        # Half of a surrogate pair is no Unicode, and NUL ends a text in C.
        clean = text.encode("utf-8", "replace").decode().replace("\0", " ")
        if not clean or clean.isspace():
            return b""
        from base64 import b64decode

        if self._process is None:
            self._begin()
        raw = b64decode(str(self._ask({"text": prefix + clean}, self._timeout)["vector"]))
        if len(raw) != 4 * self._head.dimension:
            self._end()
            raise ModelUnavailable(
                f"{self.path!r} gives vectors of {len(raw) // 4} numbers and says"
                f" {self._head.dimension}",
                hint="name another embedding model",
            )
        return raw

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
        load = {
            "path": self.path,
            "pooling": self._head.pooling,
            "limit": min(TOKENS, self._head.context),
            "threads": self._threads,
        }
        self._ask(load, self._patience)

    def _ask(self, request: dict[str, object], seconds: float) -> dict[str, object]:
        """Send a line, wait for the answer. Raises ModelUnavailable; the process is ended then."""
        import json
        from threading import Timer

        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise ModelUnavailable(f"{self.path!r} is closed")
        expired: list[bool] = []

        def expire() -> None:
            expired.append(True)
            process.kill()

        late = Timer(seconds, expire)
        late.start()
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = b""
        finally:
            late.cancel()
        if not line.endswith(b"\n"):
            code = self._end()
            why = f"it took longer than {seconds:g} seconds" if expired else _ending(code)
            raise ModelUnavailable(
                f"llama.cpp could not run {self.path!r}: {why}",
                hint="the file may be damaged or too large for this machine; try another model",
            )
        answer: dict[str, object] = json.loads(line)
        if "error" in answer:
            self._end()
            if answer.get("missing"):
                raise ModelUnavailable(
                    f"{self.path!r} needs llama-cpp-python: {answer['error']}", hint=_INSTALL
                )
            raise ModelUnavailable(
                f"llama.cpp could not run {self.path!r}: {answer['error']}",
                hint="the file may be damaged or of a kind that this version does not know",
            )
        return answer

    def _end(self) -> int:
        """Let the process end, by force if it must be; returns its exit code."""
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


def _unit(vector: Vectors) -> Vectors:
    import numpy as np

    length = float(np.sqrt(vector.astype(np.float64) @ vector))
    if not length or not np.isfinite(length):
        return np.zeros_like(vector)
    return np.asarray(vector / length, np.float32)


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
