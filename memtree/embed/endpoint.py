"""Embeddings from an OpenAI-compatible `/v1/embeddings`: a server of one's own, or a service.

It is asked only when a person set it, and is told the texts: whoever keeps the tree to themselves
uses another embedder. The key stays in an environment variable; settings hold that variable's name.
`memtree.net` does the asking.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.embed.protocol import Identity, Prefixes
from memtree.errors import ModelUnavailable
from memtree.net import Poster

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from memtree.embed.protocol import Vectors

BATCH = 32  # texts of one request
LETTERS = 8_000  # of a text that are sent: some 2000 tokens, what common models read
ATTEMPTS = 4


class Endpoint:
    """A model behind a URL: `url` may end before or after `/v1` or `/v1/embeddings`.

    `key_env` names the environment variable that holds the key, "" for none. `pause` sleeps between
    attempts. Several threads may ask at once.
    """

    __slots__ = ("_dimension", "_poster", "_prefixes", "foreground", "model", "url")

    def __init__(
        self,
        url: str,
        model: str,
        *,
        key_env: str = "",
        prefix: str = "",
        timeout: float = 60,
        pause: Callable[[float], None] | None = None,
    ) -> None:
        """Nothing is sent yet. Raises ModelUnavailable for a URL that is none, or a missing key."""
        self._poster = Poster(
            url,
            "/embeddings",
            what="embedding endpoint",
            room="embed",
            key_env=key_env,
            timeout=timeout,
            pause=pause,
        )
        self.url = self._poster.url
        self.model = model
        self.foreground = False
        self._prefixes = Prefixes(prefix)
        self._dimension = 0

    @property
    def identity(self) -> Identity:
        """Which model at which host; asks the endpoint once, for the length of its vectors.

        What runs behind the name can't be known: if it changes, rebuild the vectors.
        """
        if not self._dimension:
            self._request(["dimension"], attempts=1)
        return Identity(
            f"{self._poster.host}/{self.model}",
            self._dimension,
            pooling="endpoint",
            prefix=self._prefixes.text,
        )

    def passages(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> Vectors:
        """Vectors of passages, float32 (texts, dimension), of their first 8000 letters each.

        `progress` is told how many texts are done after each batch. Raises ModelUnavailable.
        """
        from memtree.numerics import load_numpy

        load_numpy()
        import numpy as np

        clean = [_clean(text) for text in texts]
        asked = [at for at, text in enumerate(clean) if text]
        if not self._dimension:
            self._request(["dimension"])
        vectors = np.zeros((len(texts), self._dimension), np.float32)
        for begin in range(0, len(asked), BATCH):
            batch = asked[begin : begin + BATCH]
            rows = self._request([self._prefixes.passage + clean[at] for at in batch])
            vectors[batch] = [_unit(row) for row in rows]
            if progress is not None:
                progress(batch[-1] + 1)
        return vectors

    def question(self, text: str) -> list[float]:
        """The vector of a question: one request and one attempt, for somebody waits."""
        clean = _clean(text)
        if not clean:
            return [0.0] * self.identity.dimension
        return _unit(self._request([self._prefixes.question + clean], attempts=1)[0])

    def close(self) -> None:
        """Nothing is held between requests."""
        self._poster.close()

    def _request(self, texts: list[str], attempts: int = ATTEMPTS) -> list[list[float]]:
        """The vectors as the endpoint gives them; attempts again what may pass."""
        body = {"model": self.model, "input": texts, "encoding_format": "float"}
        return self._rows(self._poster.post(body, attempts=attempts), len(texts))

    def _rows(self, content: bytes, count: int) -> list[list[float]]:
        """The vectors of an answer in the order of the texts. Raises ModelUnavailable."""
        import json

        try:
            answer = json.loads(content)
            items = sorted(answer["data"], key=lambda item: int(item["index"]))
            rows = [[float(value) for value in item["embedding"]] for item in items]
            places = [item["index"] for item in items]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ModelUnavailable(
                f"{self._poster.shown} does not answer as an embedding endpoint does: {error}",
                hint="embed.endpoint has to speak OpenAI's /v1/embeddings",
            ) from error
        if places != list(range(count)):
            raise ModelUnavailable(
                f"{self._poster.shown} gave {len(rows)} vectors for {count} texts"
            )
        lengths = {len(row) for row in rows} | ({self._dimension} if self._dimension else set())
        if len(lengths) != 1 or 0 in lengths:
            raise ModelUnavailable(
                f"{self._poster.shown} gives vectors of different lengths: {sorted(lengths)}",
                hint="the model behind the endpoint seems to have changed: rebuild the vectors",
            )
        self._dimension = lengths.pop()
        return rows


def _clean(text: str) -> str:
    """What is sent of a text: Unicode, its beginning, nothing if it says nothing."""
    return text[:LETTERS].encode("utf-8", "replace").decode().replace("\0", " ").strip()


def _unit(row: list[float]) -> list[float]:
    from math import isfinite, sqrt

    length = sqrt(sum(value * value for value in row))
    if not length or not isfinite(length):
        return [0.0] * len(row)
    return [value / length for value in row]
