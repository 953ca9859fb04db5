"""The process that runs a model in llama.cpp: the one door to llama-cpp-python.

A damaged model, a wrong grammar, or a model that the library does not expect, ends the process that
runs it (SIGSEGV, SIGABRT). So it is run here, in a process of its own, started by
`memtree.llama.process`, and what ends is not memtree. Run as a file, it imports nothing of memtree.

A line of JSON comes in, one goes out. The first one loads, and says what for:

    {"use": "embed", "path", "pooling", "limit", "threads"}     -> {"dimension"}
    {"use": "generate", "path", "window", "threads"}            -> {"window", "layout"}

Then a model that embeds answers `{"text"}` with `{"vector"}`: float32, little-endian, in base64.
One that generates answers

    {"count": text} -> {"tokens"}; {"logprobs": text that fits} -> {"texts", "logs"}
    {"system", "shared", "user", "limit", "grammar", "seed", "temperature"}
                                            -> {"text", "whole", "in", "out", "reused"}
                                            or {"long": tokens} when it does not fit the window
                                            or {"refused": why} when the grammar is none

Whatever fails is answered with `{"error"}`. The process ends when its input does, even in the
middle of work, and leaves Ctrl-C to the one that started it.
"""

from __future__ import annotations

import base64
import codecs
import json
import os
import signal
import struct
import sys
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import BinaryIO

    Answer = dict[str, object]
    Fragment = tuple[bytes, bool]  # what is tokenised, and whether control tokens may stand in it

_LETTERS = 100_000  # of a text to embed that are looked at
_MOST_FRAME = 20_000  # characters that a chat template may add; the longest in use have 4,000
SLOTS = ("\ue000system\ue001", "\ue000user\ue001")
"""Stand for the texts while a template is filled: private characters, which no template cuts."""


def main() -> None:
    """Answer until the input ends."""
    # What the library prints must not come between the answers: those have a way of their own.
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    codecs.register_error("letters", _replaced)
    requests: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, requests), daemon=True).start()
    model: Callable[[dict[str, Any]], Answer] | None = None
    while True:
        request = json.loads(requests.get())
        answer: Answer
        try:
            if model is None:
                model, answer = _load(request)
            else:
                answer = model(request)
        except ImportError as error:
            answer = {"error": str(error), "missing": True}
        except Exception as error:  # noqa: BLE001  (the library raises what it likes)
            answer = {"error": f"{type(error).__name__}: {error}"}
        out.write(json.dumps(answer).encode() + b"\n")


def _listen(source: BinaryIO, requests: SimpleQueue[bytes]) -> None:
    """Hand on each line; the end of the input is the end of the process."""
    for line in source:
        requests.put(line)
    os._exit(0)


def _load(request: dict[str, Any]) -> tuple[Callable[[dict[str, Any]], Answer], Answer]:
    if request["use"] == "embed":
        embedder = _Embedder(request)
        return embedder, {"dimension": embedder.model.n_embd()}
    generator = _Generator(request)
    return generator, {"window": generator.window, "layout": generator.layout}


class _Embedder:
    """A text in, its vector out."""

    def __init__(self, request: dict[str, Any]) -> None:
        from llama_cpp import Llama

        self.limit = request["limit"]
        # With a window that is no multiple of 256, llama.cpp 0.5 aborts on models like BERT.
        window = -(-self.limit // 256) * 256
        self.model: Any = Llama(
            model_path=request["path"],
            embedding=True,
            pooling_type=request["pooling"],
            n_ctx=window,
            n_batch=window,
            n_ubatch=window,
            # All cores by default, which spin while they wait: slower, and the machine is not ours.
            n_threads=request["threads"],
            n_threads_batch=request["threads"],
            verbose=False,
        )

    def __call__(self, request: dict[str, Any]) -> Answer:
        vector = self._embed(request["text"][:_LETTERS])
        raw = struct.pack(f"<{len(vector)}f", *vector)
        return {"vector": base64.b64encode(raw).decode()}

    def _embed(self, text: str) -> Sequence[float]:
        while True:
            count = len(self.model.tokenize(text.encode()))
            if count <= self.limit:
                break
            # Cut by letters and not by tokens: a text keeps the token that ends it.
            text = text[: min(len(text) - 1, len(text) * self.limit // count)]
        if not count:
            return [0.0] * self.model.n_embd()
        return self.model.embed(text)  # type: ignore[no-any-return]


class _Generator:
    """A prompt in, an answer out. What two prompts begin with alike is computed once."""

    def __init__(self, request: dict[str, Any]) -> None:
        import llama_cpp
        from llama_cpp import llama_chat_format

        self._library: Any = llama_cpp
        # The library would read the chat template while it loads, and fail if that is none.
        formats: Any = llama_chat_format
        self._formatter, formats.Jinja2ChatFormatter = formats.Jinja2ChatFormatter, _Unread
        self._model: Any = llama_cpp.Llama(
            model_path=request["path"],
            n_ctx=request["window"],
            # All cores by default, which spin while they wait: slower, and the machine is not ours.
            n_threads=request["threads"],
            n_threads_batch=request["threads"],
            verbose=False,
        )
        formats.Jinja2ChatFormatter = self._formatter
        self._vocabulary = llama_cpp.llama_model_get_vocab(self._model.model)
        self.window = min(int(request["window"]), self._model.n_ctx())
        frame = self._template()
        self.layout = "plain" if frame is None else "template"
        self._frame = frame or [SLOTS[0], "\n\n", SLOTS[1], "\n\n"]
        self._evaluated = _noting_evaluated(self._model)
        _quick_grammar(llama_cpp, self._model)

    def __call__(self, request: dict[str, Any]) -> Answer:
        if "count" in request:
            return {"tokens": len(self._tokens(request["count"].encode(), special=False))}
        if "logprobs" in request:
            return self._logprobs(request["logprobs"])
        prompt = self._prompt(request)
        limit = request["limit"]
        if len(prompt) + limit > self.window:
            return {"long": len(prompt)}
        grammar = request["grammar"]
        if grammar is not None and not self._is_grammar(grammar):
            return {"refused": "llama.cpp does not understand the grammar"}
        return self._generate(prompt, limit, grammar, request["seed"], request["temperature"])

    def _generate(
        self, prompt: list[int], limit: int, grammar: str | None, seed: int, temperature: float
    ) -> Answer:
        self._evaluated.clear()
        self._model.set_seed(seed & 0xFFFFFFFF)
        rules = None
        if grammar is not None:
            rules = self._library.LlamaGrammar.from_string(grammar, verbose=False)
        said: list[int] = []
        whole = False
        for token in self._model.generate(prompt, temp=temperature, grammar=rules):
            if self._library.llama_vocab_is_eog(self._vocabulary, token):
                whole = True
                break
            said.append(token)
            if len(said) == limit:
                break
        # For a grammar a control token is the letters of its name; it has counted them.
        raw = b"".join(self._piece(token, special=rules is not None) for token in said)
        reused = len(prompt) - self._evaluated[0]
        return {
            "text": raw.decode("utf-8", "letters"),
            "whole": whole,
            "in": len(prompt),
            "out": len(said),
            "reused": reused,
        }

    def _logprobs(self, text: str) -> Answer:
        """Each token of a text with ln P(token | those before, after one that begins or ends)."""
        from numpy.ctypeslib import as_array  # llama_cpp has loaded it

        model, said = self._model, self._tokens(text.encode(), special=False)
        begin = model.token_bos() if model.token_bos() >= 0 else max(model.token_eos(), 0)
        tokens, logs, width = [begin, *said], [], model.n_vocab()
        model.reset()  # what the next prompt begins with is computed anew
        model._ctx.kv_cache_seq_rm(-1, 0, -1)  # noqa: SLF001
        for at in range(0, len(said), model.n_batch):
            after = said[at : at + model.n_batch]
            model._batch.set_batch(tokens[at : at + len(after)], at, logits_all=True)  # noqa: SLF001
            model._ctx.decode(model._batch)  # noqa: SLF001
            logits = as_array(model._ctx.get_logits(), (len(after), width))  # noqa: SLF001
            logs += model.logits_to_logprobs(logits)[range(len(after)), after].tolist()
        letters = codecs.getincrementaldecoder("utf-8")("replace").decode
        texts = [letters(self._piece(token, special=False)) for token in said]
        return {"texts": texts, "logs": logs}

    def _prompt(self, request: dict[str, Any]) -> list[int]:
        """The tokens of a prompt, in which only what the model's file brings may be a control."""
        shared, user = request["shared"], request["user"]
        texts = {
            SLOTS[0]: [request["system"]],
            SLOTS[1]: [shared, "\n\n", user] if shared and user else [shared or user],
        }
        tokens: list[int] = []
        begin = self._library.llama_vocab_bos(self._vocabulary)
        if self._library.llama_vocab_get_add_bos(self._vocabulary):
            tokens.append(begin)
        for part in self._frame:
            if part in texts:
                # Each on its own: the tokens of what calls share don't change with what follows.
                for text in texts[part]:
                    tokens += self._tokens(text.encode(), special=False)
            else:
                tokens += self._tokens(part.encode(), special=True)
        # A template that writes the first token itself.
        return tokens[1:] if tokens[:2] == [begin, begin] else tokens

    def _tokens(self, text: bytes, *, special: bool) -> list[int]:
        return list(self._model.tokenize(text, add_bos=False, special=special)) if text else []

    def _piece(self, token: int, *, special: bool) -> bytes:
        """A token's bytes; the library's own function loses tokens of more than 32."""
        import ctypes

        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            found = self._library.llama_token_to_piece(
                self._vocabulary, token, buffer, size, 0, special
            )
            if found >= 0:
                return buffer.raw[:found]
            size = -found

    def _is_grammar(self, grammar: str) -> bool:
        """Whether the library can read it; what it can't would end the process."""
        sampler = self._library.llama_sampler_init_grammar(
            self._vocabulary, grammar.encode(), b"root"
        )
        if not sampler:
            return False
        self._library.llama_sampler_free(sampler)
        return True

    def _template(self) -> list[str] | None:
        """The chat template around the two slots, or None if there is none that keeps them.

        It is filled once, with the slots: no text of people ever reaches the template's language.
        Templates that know no system message get it at the beginning of the user's.
        """
        template = self._model.metadata.get("tokenizer.chat_template")
        if not template:
            return None

        def word(token: int) -> str:
            return str(self._model._model.token_get_text(token)) if token >= 0 else ""  # noqa: SLF001

        ends, begins = word(self._model.token_eos()), word(self._model.token_bos())
        try:
            fill = self._formatter(template, eos_token=ends, bos_token=begins)
        except Exception:  # noqa: BLE001  (as below)
            return None
        system, user = SLOTS
        both = [{"role": "system", "content": system}, {"role": "user", "content": user}]
        for messages in (both, [{"role": "user", "content": f"{system}\n\n{user}"}]):
            try:
                # Models that can think aloud are told not to: the answer is bound by a schema.
                text = fill(messages=messages, enable_thinking=False).prompt
            except Exception:  # noqa: BLE001, S112  (a template raises what it likes)
                continue
            frame = _cut(text)
            if frame is not None:
                return frame
        return None


class _Unread:
    """Stands for the library's own use of a chat template, which is not wanted."""

    def __init__(self, **_: object) -> None:
        pass

    def to_chat_handler(self) -> None:
        return None


def _noting_evaluated(model: Any) -> list[int]:  # noqa: ANN401  (the library may be missing)
    """A list that grows by how many tokens the model computes, each time that it does."""
    noted: list[int] = []
    evaluate = model.eval

    def eval_and_note(tokens: Sequence[int]) -> None:
        noted.append(len(tokens))
        evaluate(tokens)

    model.eval = eval_and_note
    return noted


def _quick_grammar(library: Any, model: Any) -> None:  # noqa: ANN401  (as above)
    """Ask the grammar about the token that the model chose, and about all only if it says no.

    As llama.cpp's own programs do (common/sampling.cpp): the library's way asks about every token
    of the vocabulary each time. Likely tokens are chosen as without a grammar, then those that the
    grammar leaves; at temperature 0 that is the same token either way.
    """
    build = getattr(model, "_init_sampler", None)
    if build is None:  # a version that does it otherwise
        return

    def quick(**settings: Any) -> Any:  # noqa: ANN401
        bound = build(**settings)
        chain = bound.sampler
        grammar = next(
            (
                sampler
                for at in range(library.llama_sampler_chain_n(chain))
                if library.llama_sampler_name(sampler := library.llama_sampler_chain_get(chain, at))
                == b"grammar"
            ),
            None,
        )
        if grammar is None:
            return bound
        return _Quick(library, build(**{**settings, "grammar": None}), bound, grammar)

    model._init_sampler = quick  # noqa: SLF001


class _Quick:
    """Chooses a token freely; if the grammar refuses it, among those that it allows."""

    def __init__(self, library: Any, free: Any, bound: Any, grammar: Any) -> None:  # noqa: ANN401
        self._library = library
        self._free = free
        self._bound = bound
        self._grammar = grammar

    def sample(self, context: Any, at: int) -> int:  # noqa: ANN401
        """The next token, which the grammar has taken note of."""
        import ctypes

        token = int(self._free.sample(context, at))
        alone = self._library.llama_token_data(id=token, logit=1.0, p=0.0)
        choice = self._library.llama_token_data_array(
            data=ctypes.pointer(alone), size=1, selected=-1, sorted=False
        )
        self._library.llama_sampler_apply(self._grammar, ctypes.byref(choice))
        if alone.logit < 0:  # minus infinity: refused
            return int(self._bound.sample(context, at))
        self._library.llama_sampler_accept(self._bound.sampler, token)
        return token


def _cut(text: str) -> list[str] | None:
    """A filled template in its parts, if both slots stand in it once and in their order."""
    system, user = SLOTS
    if text.count(system) != 1 or text.count(user) != 1 or len(text) > _MOST_FRAME:
        return None
    before, _, rest = text.partition(system)
    between, _, after = rest.partition(user)
    if user in before:
        return None
    return [part for part in (before, system, between, user, after) if part]


def _replaced(error: UnicodeError) -> tuple[str, int]:
    """One letter for what llama.cpp counts as one: a grammar counts letters that are none, too."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    first = error.object[error.start]
    size = 4 if first >= 0xF0 else 3 if first >= 0xE0 else 2 if first >= 0xC0 else 1
    return "\ufffd", min(error.start + size, len(error.object))


if __name__ == "__main__":
    main()
