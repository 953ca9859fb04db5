"""Any embedding model in a GGUF file, run by llama.cpp in a process of its own.

The process (`memtree.llama.process`) starts when the first vector is asked for, and ends with
`close` or with this process. If it crashes or hangs, that is said in words, and the next call
starts a new one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.embed.digest import sha256
from memtree.embed.protocol import Identity, Prefixes
from memtree.errors import ModelUnavailable
from memtree.llama.head import read_head
from memtree.llama.process import WORKER, Process, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from memtree.embed.protocol import Vectors
    from memtree.llama.head import Head

TOKENS = 1024  # of a text that count, or the model's window if that is smaller
# `enum llama_pooling_type`.
POOLING = {1: "mean", 2: "cls", 3: "last"}
_NONE, _MEAN, _RANK = 0, 1, 4


class GGUF:
    """The model of a file. `prefix` is what it wants before a text, see `Prefixes`.

    `timeout` is how many seconds one text may take, `patience` how many loading may take. `threads`
    of one model; more than one spin while they wait. Not for several threads of ours at once.
    """

    __slots__ = ("_digest", "_head", "_prefixes", "_process", "foreground", "path")

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
        self._head = _embedding_head(path)
        self._prefixes = Prefixes(prefix)
        self._digest = digest
        load = {
            "use": "embed",
            "pooling": self._head.pooling,
            "limit": min(TOKENS, self._head.context),
            "threads": threads,
        }
        self._process = Process(path, load, timeout=timeout, patience=patience, worker=worker)

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
        self._process.close()

    def _vector(self, prefix: str, text: str) -> bytes:
        """A text's vector as float32, little-endian; nothing for a text that says nothing."""
        clean = plain(text)
        if not clean or clean.isspace():
            return b""
        from base64 import b64decode

        raw = b64decode(str(self._process.ask({"text": prefix + clean})["vector"]))
        if len(raw) != 4 * self._head.dimension:
            self._process.close()
            raise ModelUnavailable(
                f"{self.path!r} gives vectors of {len(raw) // 4} numbers and says"
                f" {self._head.dimension}",
                hint="name another embedding model",
            )
        return raw


def _unit(vector: Vectors) -> Vectors:
    import numpy as np

    length = float(np.sqrt(vector.astype(np.float64) @ vector))
    if not length or not np.isfinite(length):
        return np.zeros_like(vector)
    return np.asarray(vector / length, np.float32)


def _embedding_head(path: str) -> Head:
    """The head of an embedding model; one that says nothing of pooling is pooled by the mean."""
    head = read_head(path)
    pooling = _MEAN if head.pooling in (-1, _NONE) else head.pooling
    why = ""
    if not head.dimension:
        why = "it does not say how long its vectors are"
    elif pooling == _RANK:
        why = "it is made for ranking, and gives no vectors"
    elif pooling not in POOLING:
        why = f"its pooling {pooling} is not known"
    if why:
        raise ModelUnavailable(
            f"{path!r} is no embedding model in GGUF: {why}",
            hint="download the file again, or name another one",
        )
    return head._replace(pooling=pooling, context=head.context or 512)
