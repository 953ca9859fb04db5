"""A tiny language model for the tests: random weights, and a tokenizer that knows every byte.

Its letters are tokens of their own, all other bytes too, and four more are control tokens, as chat
models have them. What it says without a grammar is noise.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "embed"))

from make_gguf import BOOL, F32, I32, STRING, U32, Key, Tensor, write_gguf

BEGIN, END = "<|im_start|>", "<|im_end|>"
MARKS = ("<unk>", "<s>", "</s>", BEGIN, END)
LETTERS = tuple(map(chr, range(33, 127)))
TOKENS = (*MARKS, *(f"<0x{byte:02X}>" for byte in range(256)), "\u2581", *LETTERS)

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' +"
    " message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
"""As Qwen and others write a chat."""
NO_SYSTEM = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}"
    "{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' +"
    " message['content'] | trim + '<|im_end|>\\n' }}{% endfor %}"
)
"""As Gemma: no system message, the first token written by the template."""


def make_llm(
    path: Path,
    *,
    seed: int = 1,
    context: int = 2048,
    template: str = "",
    width: int = 32,
    extra: Sequence[Key] = (),
    words: Sequence[str] = (),
) -> Path:
    """Write the model: two layers of `width`, a chat `template` and more `words` if given."""
    generator = random.Random(seed)
    tokens = [*TOKENS, *words]
    heads, keys_values, wide = 4, 2, 2 * width
    kinds = [2, *[3] * (len(MARKS) - 1), *[6] * 256, *[1] * (len(LETTERS) + 1 + len(words))]
    keys: list[Key] = [
        ("general.architecture", STRING, "llama"),
        ("general.name", STRING, "tiny writer"),
        ("llama.context_length", U32, context),
        ("llama.embedding_length", U32, width),
        ("llama.block_count", U32, 2),
        ("llama.feed_forward_length", U32, wide),
        ("llama.attention.head_count", U32, heads),
        ("llama.attention.head_count_kv", U32, keys_values),
        ("llama.attention.layer_norm_rms_epsilon", F32, 1e-5),
        ("llama.rope.dimension_count", U32, width // heads),
        ("llama.vocab_size", U32, len(tokens)),
        ("tokenizer.ggml.model", STRING, "llama"),
        ("tokenizer.ggml.pre", STRING, "default"),
        ("tokenizer.ggml.tokens", STRING, tokens),
        ("tokenizer.ggml.scores", F32, [0.0] * len(tokens)),
        ("tokenizer.ggml.token_type", I32, kinds),
        ("tokenizer.ggml.bos_token_id", U32, 1),
        ("tokenizer.ggml.eos_token_id", U32, 4 if template else 2),
        ("tokenizer.ggml.unknown_token_id", U32, 0),
        ("tokenizer.ggml.add_bos_token", BOOL, True),
        ("tokenizer.ggml.add_space_prefix", BOOL, False),
        *extra,
    ]
    if template:
        keys.append(("tokenizer.chat_template", STRING, template))

    def matrix(columns: int, rows: int) -> Tensor:
        return (columns, rows), [generator.gauss(0, 0.2) for _ in range(columns * rows)]

    ones = ((width,), [1.0] * width)
    small = width * keys_values // heads
    weights = {
        "token_embd.weight": matrix(width, len(tokens)),
        "output_norm.weight": ones,
        "output.weight": matrix(width, len(tokens)),
    }
    for layer in range(2):
        at = f"blk.{layer}."
        weights |= {at + "attn_norm.weight": ones, at + "ffn_norm.weight": ones}
        for name, columns, rows in (
            ("attn_q", width, width), ("attn_k", width, small), ("attn_v", width, small),
            ("attn_output", width, width), ("ffn_gate", width, wide), ("ffn_up", width, wide),
            ("ffn_down", wide, width),
        ):  # fmt: skip
            weights[f"{at}{name}.weight"] = matrix(columns, rows)
    return write_gguf(path, keys, weights)
