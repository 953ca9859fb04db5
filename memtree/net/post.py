"""Questions to a server that a person set: JSON there, bytes back.

The key stays in its environment variable, goes to that one address and stands in no message.
Redirects are not followed, since they would take the key and the texts somewhere else.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from memtree.errors import ModelUnavailable
from memtree.net.wire import (
    TRANSIENT,
    TryAgain,
    blocks,
    opener,
    retry_after,
    shown,
    split,
    trouble,
    wait,
    words_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from urllib.request import OpenerDirector

LONGEST_ANSWER = 64 << 20  # bytes


class Rejected(ModelUnavailable):
    """The server won't: `status` is its HTTP status, `words` what it said about it, cleaned."""

    def __init__(self, message: str, *, hint: str, status: int, words: str) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.words = words


class Poster:
    """Sends JSON to one address and gives back what the server says. Several threads may ask.

    `url` may end before or after `/v1` or `suffix` ("/embeddings"). `what` ("embedding endpoint")
    and `room` ("embed", for `embed.endpoint`, `embed.key_env` and `embed.model`) are for messages.
    `key_env` names the environment variable that holds the key, "" for none. `timeout` is seconds
    for one attempt, `pause` sleeps between attempts. Redirects are not followed, since they would
    take the key and the texts somewhere else.
    """

    __slots__ = ("_key_env", "_opener", "_pause", "_room", "_timeout", "_what", "url")

    def __init__(
        self,
        url: str,
        suffix: str,
        *,
        what: str,
        room: str,
        key_env: str = "",
        timeout: float = 60,
        pause: Callable[[float], None] | None = None,
    ) -> None:
        """Nothing is sent yet. Raises ModelUnavailable for a URL that is none, or a missing key."""
        self._what = what
        self._room = room
        self._key_env = key_env
        self._timeout = timeout
        self._pause = pause
        self._opener: OpenerDirector | None = None
        self.url = self._complete(url, suffix)
        self._key()

    @property
    def shown(self) -> str:
        """The address without what may follow it: some services take their key there."""
        return shown(self.url)

    @property
    def host(self) -> str:
        """Host and port."""
        from urllib.parse import urlsplit

        return urlsplit(self.url).netloc

    def post(
        self, body: Mapping[str, object], *, attempts: int, again_if_slow: bool = True
    ) -> bytes:
        """The answer's bytes, at most 64 MiB; what may pass by itself is attempted again.

        `again_if_slow` is whether an attempt that took too long counts as such. Raises
        ModelUnavailable, and its child Rejected when the server answers with an error for good.
        """
        import json

        raw = json.dumps(body).encode()
        why = ""
        for attempt in range(attempts):
            try:
                return self._once(raw)
            except TryAgain as again:
                why = str(again)
                if again.slow and not again_if_slow:
                    break
                if attempt + 1 < attempts:
                    wait(self._pause, again.after or 2.0**attempt)
        raise ModelUnavailable(
            f"the {self._what} {self.shown} does not answer: {why}",
            hint=f"check that the server runs and {self._room}.endpoint;"
            " what was done so far is kept",
        )

    def close(self) -> None:
        """Nothing is held between requests."""
        self._opener = None

    def _once(self, body: bytes) -> bytes:
        """One attempt. Raises TryAgain for what may pass, ModelUnavailable for what will not."""
        from urllib.error import HTTPError
        from urllib.request import Request

        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": "memtree",
        }
        key = self._key()
        if key:
            headers["Authorization"] = f"Bearer {key}"
        request = Request(self.url, body, headers)  # noqa: S310  (http or https, see _complete)
        if self._opener is None:
            self._opener = opener(self.url)
        try:
            until = time.monotonic() + self._timeout
            with trouble(), self._opener.open(request, timeout=self._timeout) as answer:
                content = b"".join(blocks(answer, LONGEST_ANSWER, until))
        except HTTPError as error:
            words = words_of(error, key)
            if error.code in TRANSIENT:
                raise TryAgain(words, after=retry_after(error.headers)) from None
            raise Rejected(
                f"the {self._what} {self.shown} refuses: {words}",
                hint=self._advice(error.code),
                status=error.code,
                words=words,
            ) from None
        if len(content) > LONGEST_ANSWER:
            raise ModelUnavailable(f"the {self._what} {self.shown} answers without end")
        return content

    def _key(self) -> str:
        """The key as it is now, "" if none is named. Raises ModelUnavailable, without the key."""
        if not self._key_env:
            return ""
        key = os.environ.get(self._key_env, "").strip()
        if not key:
            raise ModelUnavailable(
                f"the environment variable {self._key_env} is not set",
                hint=f"set it to the key of the endpoint, or clear {self._room}.key_env",
            )
        if not (key.isascii() and key.isprintable()):
            raise ModelUnavailable(
                f"the environment variable {self._key_env} holds letters that no key has",
                hint="set it to the key of the endpoint and nothing else",
            )
        return key

    def _advice(self, code: int) -> str:
        room = self._room
        if code in {401, 403}:
            return f"put the key into an environment variable and its name into {room}.key_env"
        if 300 <= code < 400:
            return f"set {room}.endpoint to where it redirects to; redirects are not followed"
        return f"check {room}.endpoint, and that the server knows the model of {room}.model"

    def _complete(self, url: str, suffix: str) -> str:
        """The whole URL, however much of it was given. Raises ModelUnavailable."""
        parts, host = split(url.strip())
        if "@" in url.partition("//")[2].partition("/")[0].partition("?")[0]:
            raise ModelUnavailable(
                f"{self._room}.endpoint holds a name or a password",
                hint="put the key into an environment variable and its name into"
                f" {self._room}.key_env",
            )
        if not host or parts.scheme not in {"http", "https"}:
            raise ModelUnavailable(
                f"{shown(url)!r} is no address of the {self._what}",
                hint=f"set {self._room}.endpoint to something like http://localhost:8080/v1",
            )
        path = parts.path.rstrip("/")
        if not path.endswith(suffix):
            path += suffix if path else f"/v1{suffix}"
        return parts._replace(path=path, fragment="").geturl()
