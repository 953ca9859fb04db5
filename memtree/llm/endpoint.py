"""A language model behind an OpenAI-compatible `/v1/chat/completions`: one's own, or a service.

It is asked only when a person set it, and is told the prompts. Servers differ in what they can do,
so a schema is asked for in three ways, the strict one first: as the server's own JSON schema, as
any JSON with the schema in the system message, and in the message alone. What worked is asked from
then on. Nothing that comes back is trusted to follow the schema, whichever way it was asked.
"""

from __future__ import annotations

import time
from string import ascii_letters
from typing import TYPE_CHECKING

from memtree.errors import ModelUnavailable, UsageError
from memtree.llm.fit import check_fit
from memtree.llm.protocol import Completion
from memtree.net import Poster, Rejected

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from memtree.llm.protocol import Prompt, Schema

ATTEMPTS = 4
WINDOW = 4096
FORMS = ("json_schema", "json_object", "text")
"""The ways to ask for a schema, strictest first."""
_UNKNOWN = {400, 404, 415, 422}  # what servers say to a parameter that they don't know
_CHEAP = f"{ascii_letters} \t\r\n".encode()


class Endpoint:
    """A model behind a URL: `url` may end before or after `/v1` or `/v1/chat/completions`.

    `model` is the server's name of it. `key_env` names the environment variable that holds the key,
    "" for none. `window` is the tokens of prompt and answer together, as the server was started
    with. `timeout` is the seconds one answer may take; what took longer is not asked again, for the
    server may still be at it. `pause` sleeps between attempts.
    """

    __slots__ = ("_dropped", "_form", "_model", "_poster", "name", "window")

    def __init__(
        self,
        url: str,
        model: str,
        *,
        key_env: str = "",
        window: int = WINDOW,
        timeout: float = 300,
        pause: Callable[[float], None] | None = None,
    ) -> None:
        """Nothing is sent yet. Raises ModelUnavailable for a URL that is none, or a missing key.

        Raises UsageError for a name of a model that is empty or not one line.
        """
        if not (model.strip() and model.isprintable()):
            raise UsageError(
                f"{model!r} is no name of a model",
                hint="set llm.model to endpoint:MODEL, with the name that the server has for it",
            )
        self._poster = Poster(
            url,
            "/chat/completions",
            what="model endpoint",
            room="llm",
            key_env=key_env,
            timeout=timeout,
            pause=pause,
        )
        self._model = model.strip()
        self.name = self._model
        self.window = window
        self._form = ""  # of FORMS; "" as long as none has worked
        self._dropped: frozenset[str] = frozenset()  # parameters that the server doesn't know

    @property
    def actor(self) -> str:
        """`openai/NAME`: the protocol, whoever speaks it."""
        return f"openai/{self.name}"

    @property
    def url(self) -> str:
        """The whole address that is asked."""
        return self._poster.url

    def count(self, text: str) -> int:
        """Tokens of a text, an upper estimate: the server's tokenizer is not known here.

        A token for every two ASCII letters or spaces, one for every other byte of UTF-8. Tokenizers
        over bytes (GPT, Llama 3, Qwen, Mistral) give no more than a token for a byte, and 3 to 4
        letters of prose to one; digits and signs may be a token each.
        """
        raw = text.encode("utf-8", "replace")
        others = len(raw.translate(None, _CHEAP))
        return others + -(-(len(raw) - others) // 2)

    def complete(
        self,
        prompt: Prompt,
        *,
        limit: int,
        schema: Schema | None = None,
        seed: int = 0,
        temperature: float = 0.0,
    ) -> Completion:
        """The answer, see `LanguageModel.complete`, without a model's thoughts and code fences.

        `tokens_in` and `tokens_out` are the server's own figures, or `count` if it gives none. A
        schema that a server has to be told in words is read on top of the texts: the estimate is
        high enough for both in most languages, and a server says so if it is not.

        Raises ModelUnavailable, and UsageError when the texts do not fit.
        """
        tokens = sum(map(self.count, (prompt.system, prompt.shared, prompt.user)))
        check_fit(self.name, tokens=tokens, limit=limit, window=self.window)
        begin = time.perf_counter()
        settings: dict[str, object] = {
            "max_tokens": limit,
            "seed": seed,
            "temperature": max(temperature, 0.0),
        }
        raw = self._asked(prompt, schema, settings)
        text, whole, usage = self._read(raw)
        text = _bare(text, json=schema is not None)
        if whole and not text:
            raise self._odd("it says nothing")
        tokens_in = _figure(usage, "prompt_tokens", tokens)
        return Completion(
            text=text,
            whole=whole,
            tokens_in=tokens_in,
            tokens_out=_figure(usage, "completion_tokens", self.count(text)),
            reused=min(_figure(usage.get("prompt_tokens_details"), "cached_tokens", 0), tokens_in),
            ms=(time.perf_counter() - begin) * 1000,
        )

    def close(self) -> None:
        """Nothing is held between requests."""
        self._poster.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _asked(self, prompt: Prompt, schema: Schema | None, settings: dict[str, object]) -> bytes:
        """What the server says, asked in the strictest way that it understands.

        A way is kept once it has worked, so that one odd question changes nothing for the others.
        Raises ModelUnavailable, with what it said to the plainest way if it took none.
        """
        forms = FORMS[FORMS.index(self._form or FORMS[0]) :] if schema is not None else FORMS[-1:]
        dropped = self._dropped
        while True:
            try:
                raw = self._poster.post(
                    self._body(prompt, schema, settings, form=forms[0], dropped=dropped),
                    attempts=ATTEMPTS,
                    again_if_slow=False,
                )
            except Rejected as error:
                if error.status not in _UNKNOWN:
                    raise
                unknown = _unknown(error.words) - dropped
                if unknown:
                    dropped |= unknown
                elif len(forms) > 1:
                    forms = forms[1:]
                else:
                    raise
            else:
                self._dropped = dropped
                if schema is not None:
                    self._form = self._form or forms[0]
                return raw

    def _body(
        self,
        prompt: Prompt,
        schema: Schema | None,
        settings: dict[str, object],
        *,
        form: str,
        dropped: frozenset[str],
    ) -> dict[str, object]:
        """One request, without the parameters that are dropped."""
        system = _plain(prompt.system)
        user = "\n\n".join(text for text in map(_plain, (prompt.shared, prompt.user)) if text)
        body: dict[str, object] = {"model": self._model, "stream": False}
        if schema is not None and form == "json_schema":
            strict = {"name": "answer", "strict": True, "schema": schema}
            body["response_format"] = {"type": form, "json_schema": strict}
        elif schema is not None:
            system = "\n\n".join(filter(None, (system, _told(schema))))
            if form == "json_object":
                body["response_format"] = {"type": form}
        said = [("system", system), ("user", user)]
        if "system" in dropped:
            said = [("user", "\n\n".join(filter(None, (system, user))))]
        body["messages"] = [{"role": role, "content": text} for role, text in said if text]
        for name, value in settings.items():
            if name not in dropped:
                body[name] = value
            elif name == "max_tokens":
                body["max_completion_tokens"] = value
        return body

    def _read(self, raw: bytes) -> tuple[str, bool, dict[str, object]]:
        """What the model said, whether all of it, and the server's figures.

        Raises ModelUnavailable for an answer of another kind.
        """
        import json

        try:
            answer = json.loads(raw)
            choice = answer["choices"][0]
            message = choice["message"]
            content, refusal = message.get("content"), message.get("refusal")
            whole = choice.get("finish_reason") not in ("length", "content_filter")
            usage = answer.get("usage")
            if isinstance(content, list):
                content = "".join(part.get("text", "") for part in content)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise self._odd(f"{type(error).__name__} in its answer") from error
        if refusal and not content:
            raise ModelUnavailable(
                f"{self.name!r} refuses to answer: {_shown(refusal)}",
                hint="ask it in another way, or use another model",
            )
        if content is None and not whole:
            content = ""  # its thoughts took all the tokens
        if not isinstance(content, str):
            raise self._odd("its answer has no text")
        return content, whole, usage if isinstance(usage, dict) else {}

    def _odd(self, why: str) -> ModelUnavailable:
        return ModelUnavailable(
            f"{self._poster.shown} does not answer as a model endpoint does: {why}",
            hint="llm.endpoint has to speak OpenAI's /v1/chat/completions",
        )


def _unknown(words: str) -> frozenset[str]:
    """The parameters that a refusal complains of, of those that can be left out.

    OpenAI's newer models know no `max_tokens`, Mistral's servers no `seed`, and chat templates like
    Gemma's no system message.
    """
    low = words.lower()
    found = {name for name in ("seed", "temperature") if name in low}
    if "max_completion_tokens" in low:
        found.add("max_tokens")
    if "system" in low and "role" in low:
        found.add("system")
    return frozenset(found)


def _told(schema: Schema) -> str:
    import json

    written = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
    return f"Answer with one JSON value and nothing else. It follows this JSON schema:\n{written}"


def _bare(text: str, *, json: bool) -> str:
    """An answer without one block of thoughts before it and one code fence around it."""
    text = _plain(text).strip()
    if text.startswith("<think>"):
        text = text.partition("</think>")[2].strip()
    elif json and text[:1] not in {"{", "["} and "</think>" in text:
        text = text.partition("</think>")[2].strip()  # its template had opened the block
    first, _, rest = text.partition("\n")
    if first.startswith("```") and rest.rstrip().endswith("```"):
        text = rest.rstrip()[:-3].strip()
    return text


def _plain(text: str) -> str:
    """A text that every server can read: no NUL, and no half of a surrogate pair."""
    return text.encode("utf-8", "replace").decode().replace("\0", " ")


def _shown(text: object) -> str:
    return "".join(c for c in " ".join(str(text)[:2000].split()) if c.isprintable())[:200]


def _figure(usage: object, name: str, otherwise: int) -> int:
    """A count of the server's, if it is one."""
    value = usage.get(name) if isinstance(usage, dict) else None
    return value if type(value) is int and 0 <= value < 1 << 40 else otherwise
