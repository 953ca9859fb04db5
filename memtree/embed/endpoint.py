"""Embeddings from an OpenAI-compatible `/v1/embeddings`: a server of one's own, or a service.

It is asked only when a person set it, and is told the texts: whoever keeps the tree to themselves
uses another embedder. The key stays in an environment variable; settings hold that variable's name.
Redirects are not followed, since they would take the key and the texts somewhere else.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from memtree.embed.protocol import Identity, Prefixes
from memtree.errors import ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from email.message import Message
    from urllib.request import OpenerDirector

    from memtree.embed.protocol import Vectors

BATCH = 32  # texts of one request
LETTERS = 8_000  # of a text that are sent: some 2000 tokens, what common models read
ATTEMPTS = 4
_LONGEST_ANSWER = 64 << 20  # bytes
_LONGEST_PAUSE = 30.0  # seconds, whatever the server asks for
_TRANSIENT = {408, 409, 425, 429, 500, 502, 503, 504}


class Endpoint:
    """A model behind a URL: `url` may end before or after `/v1` or `/v1/embeddings`.

    `key_env` names the environment variable that holds the key, "" for none. `pause` sleeps between
    attempts. Several threads may ask at once.
    """

    __slots__ = (
        "_dimension", "_key_env", "_opener", "_pause", "_prefixes", "_timeout", "foreground",
        "model", "url",
    )  # fmt: skip

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
        self.url = _complete(url)
        self.model = model
        self.foreground = False
        self._key_env = key_env
        self._prefixes = Prefixes(prefix)
        self._timeout = timeout
        self._pause = pause
        self._dimension = 0
        self._opener: OpenerDirector | None = None
        if key_env and not os.environ.get(key_env):
            raise ModelUnavailable(
                f"the environment variable {key_env} is not set",
                hint="set it to the key of the endpoint, or clear embed.key_env",
            )

    @property
    def identity(self) -> Identity:
        """Which model at which host; asks the endpoint once, for the length of its vectors.

        What runs behind the name can't be known: if it changes, rebuild the vectors.
        """
        from urllib.parse import urlsplit

        if not self._dimension:
            self._request(["dimension"], attempts=1)
        return Identity(
            f"{urlsplit(self.url).netloc}/{self.model}",
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
        self._opener = None

    def _request(self, texts: list[str], attempts: int = ATTEMPTS) -> list[list[float]]:
        """The vectors as the endpoint gives them; attempts again what may pass."""
        import json

        body = json.dumps({"model": self.model, "input": texts, "encoding_format": "float"})
        why = ""
        for attempt in range(attempts):
            try:
                return self._rows(self._post(body.encode()), len(texts))
            except _TryAgain as again:
                why = str(again)
                if attempt + 1 < attempts:
                    self._wait(again.after or 2.0**attempt)
        raise ModelUnavailable(
            f"the embedding endpoint {self._shown()} does not answer: {why}",
            hint="check that the server runs and embed.endpoint; what was done so far is kept",
        )

    def _wait(self, seconds: float) -> None:
        from time import sleep

        (self._pause or sleep)(min(seconds, _LONGEST_PAUSE))

    def _post(self, body: bytes) -> bytes:
        """One attempt. Raises _TryAgain for what may pass, ModelUnavailable for what will not."""
        from http.client import HTTPException
        from urllib.error import HTTPError
        from urllib.request import Request

        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._key_env:
            headers["Authorization"] = f"Bearer {os.environ.get(self._key_env, '')}"
        request = Request(self.url, body, headers)  # noqa: S310  (http or https, see _complete)
        try:
            with self._opened().open(request, timeout=self._timeout) as answer:
                content: bytes = answer.read(_LONGEST_ANSWER + 1)
        except HTTPError as error:
            with error:
                words = _said(error.read(2000))
            if error.code in _TRANSIENT:
                raise _TryAgain(
                    f"{error.code} {words}", after=_retry_after(error.headers)
                ) from None
            raise ModelUnavailable(
                f"the embedding endpoint {self._shown()} refuses: {error.code} {words}",
                hint=self._advice(error.code),
            ) from None
        except (OSError, HTTPException) as error:
            raise _TryAgain(str(getattr(error, "reason", "") or error)) from None
        if len(content) > _LONGEST_ANSWER:
            raise ModelUnavailable(f"the embedding endpoint {self._shown()} answers without end")
        return content

    def _opened(self) -> OpenerDirector:
        if self._opener is None:
            from urllib.request import HTTPRedirectHandler, build_opener

            class Stay(HTTPRedirectHandler):
                def redirect_request(self, *_: object) -> None:
                    return None

            self._opener = build_opener(Stay)
        return self._opener

    def _advice(self, code: int) -> str:
        if code in {401, 403}:
            return "put the key into an environment variable and its name into embed.key_env"
        if 300 <= code < 400:
            return "set embed.endpoint to where it redirects to; redirects are not followed"
        return "check embed.endpoint, and that the server knows the model of embed.model"

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
                f"{self._shown()} does not answer as an embedding endpoint does: {error}",
                hint="embed.endpoint has to speak OpenAI's /v1/embeddings",
            ) from error
        if places != list(range(count)):
            raise ModelUnavailable(f"{self._shown()} gave {len(rows)} vectors for {count} texts")
        lengths = {len(row) for row in rows} | ({self._dimension} if self._dimension else set())
        if len(lengths) != 1 or 0 in lengths:
            raise ModelUnavailable(
                f"{self._shown()} gives vectors of different lengths: {sorted(lengths)}",
                hint="the model behind the endpoint seems to have changed: rebuild the vectors",
            )
        self._dimension = lengths.pop()
        return rows

    def _shown(self) -> str:
        """The address without what may follow it: some services take their key there."""
        return self.url.partition("?")[0]


class _TryAgain(Exception):  # noqa: N818  (says what to do)
    """What may pass by itself; `after` is how many seconds the server asks for, 0 if it doesn't."""

    def __init__(self, words: str, *, after: float = 0) -> None:
        super().__init__(words)
        self.after = after


def _complete(url: str) -> str:
    """The URL of the embeddings, however much of it was given. Raises ModelUnavailable."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = ""
    if "@" in url.partition("//")[2].partition("/")[0].partition("?")[0]:
        raise ModelUnavailable(
            "embed.endpoint holds a name or a password",
            hint="put the key into an environment variable and its name into embed.key_env",
        )
    if not host or parts.scheme not in {"http", "https"}:
        raise ModelUnavailable(
            f"{url!r} is no address of an embedding endpoint",
            hint="set embed.endpoint to something like http://localhost:8080/v1",
        )
    path = parts.path.rstrip("/")
    if not path.endswith("/embeddings"):
        path += "/embeddings" if path else "/v1/embeddings"
    return parts._replace(path=path, fragment="").geturl()


def _clean(text: str) -> str:
    """What is sent of a text: Unicode, its beginning, nothing if it says nothing."""
    return text[:LETTERS].encode("utf-8", "replace").decode().replace("\0", " ").strip()


def _unit(row: list[float]) -> list[float]:
    from math import isfinite, sqrt

    length = sqrt(sum(value * value for value in row))
    if not length or not isfinite(length):
        return [0.0] * len(row)
    return [value / length for value in row]


def _retry_after(headers: Message) -> float:
    """Seconds that the server asks to wait, 0 if it doesn't say, or says a date."""
    asked = headers.get("Retry-After", "")
    return float(asked) if asked.isdecimal() else 0.0


def _said(raw: bytes) -> str:
    """What a server said about its error, on one line, in at most 200 letters."""
    import json

    text = raw.decode("utf-8", "replace")
    try:
        error = json.loads(text)["error"]
        text = str(error["message"] if isinstance(error, dict) else error)
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    return "".join(c for c in " ".join(text.split()) if c.isprintable())[:200]
