"""The process that runs an embedding model in llama.cpp: the one door to llama-cpp-python.

A damaged model, or one that the library does not expect, ends the process that loads it (SIGSEGV).
So it is loaded here, in a process of its own, started by `memtree.embed.gguf`, and what ends is
not memtree. Run as a file, it imports nothing of memtree.

A line of JSON comes in, one goes out. First `{"path", "pooling", "limit", "threads"}`, answered
with `{"dimension"}`; then `{"text"}`, answered with `{"vector"}`: float32, little-endian, in
base64. Whatever fails is answered with `{"error"}`. The process ends when its input does, even in
the middle of work.
"""

from __future__ import annotations

import base64
import json
import os
import struct
import sys
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import BinaryIO

_LETTERS = 100_000  # of a text that are looked at


def main() -> None:
    """Answer until the input ends."""
    # What the library prints must not come between the answers: those have a way of their own.
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    requests: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, requests), daemon=True).start()
    embed: Callable[[str], Sequence[float]] | None = None
    while True:
        request = json.loads(requests.get())
        answer: dict[str, object]
        try:
            if embed is None:
                embed, dimension = _load(request)
                answer = {"dimension": dimension}
            else:
                vector = embed(request["text"])
                raw = struct.pack(f"<{len(vector)}f", *vector)
                answer = {"vector": base64.b64encode(raw).decode()}
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


def _load(request: dict[str, Any]) -> tuple[Callable[[str], Sequence[float]], int]:
    from llama_cpp import Llama

    limit = request["limit"]
    # With a window that is no multiple of 256, llama.cpp 0.5 aborts on models like BERT.
    window = -(-limit // 256) * 256
    model = Llama(
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

    def embed(text: str) -> Sequence[float]:
        text = text[:_LETTERS]
        while True:
            count = len(model.tokenize(text.encode()))
            if count <= limit:
                break
            # Cut by letters and not by tokens: a text keeps the token that ends it.
            text = text[: min(len(text) - 1, len(text) * limit // count)]
        if not count:
            return [0.0] * model.n_embd()
        return model.embed(text)  # type: ignore[no-any-return]

    return embed, model.n_embd()


if __name__ == "__main__":
    main()
