"""The file of a token table, as it is written: one vector per token, 8 bits a number.

A text's vector is the sum, over its tokens, of `f(times) * scale * row`, brought to unit length;
`times` is how often the token stands in the text, `f(times)` is `times` (`tf linear`) or
`1 + log(times)` (`tf log`). How much a token counts in general is folded into its scale.

The file begins with 4,096 bytes of UTF-8 text, filled up with NUL: lines of `key value`, the first
of them `memtree-table 1`. Keys: `name`; `digest`, the SHA-256 of all that comes after the header;
`dimension`; `tokens`; `tf`; `unknown`, the row of the token for words that can't be cut, or -1;
`teacher`, the SHA-256 of the weights that it was learned from; `license`; any number of `source`;
and `at.offsets`, `at.blob`, `at.scales`, `at.rows`, where the sections begin, counted in bytes from
the file's start. Each begins at a multiple of 64:

| section   | type                    | content                                              |
|-----------|-------------------------|------------------------------------------------------|
| `offsets` | uint32[tokens + 1]      | where each token begins in the blob; the blob's size |
| `blob`    | bytes                   | the tokens, sorted; `##` goes on in a word           |
| `scales`  | float32[tokens]         | what a row is multiplied with                        |
| `rows`    | int8[tokens, dimension] | the vectors, in the order of the tokens              |

All numbers are little-endian. Sorted tokens need no dictionary: a binary search in the mapped file
finds one. The same content gives the same bytes on every machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

FORMAT = "memtree-table 1"
HEADER = 4096  # bytes
ALIGNED = 64  # bytes: a cache line, and any number's own alignment

_KEYS = ("name", "digest", "dimension", "tokens", "tf", "unknown", "teacher", "license")


def quantise(
    vectors: npt.NDArray[np.float32],
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Rows as int8 and one float32 scale each: `vectors[i]` is about `scales[i] * rows[i]`.

    The largest number of a row becomes 127, so no number is off by more than half a scale. A row of
    zeros keeps the scale 0. `vectors` has the shape (tokens, dimension) and is finite.
    """
    import numpy as np

    scales = np.abs(vectors).max(axis=1, initial=0.0).astype(np.float32) / np.float32(127)
    divisors = np.where(scales > 0, scales, np.float32(1))
    rows = np.clip(np.rint(vectors / divisors[:, None]), -127, 127).astype(np.int8)
    return rows, scales


def table_bytes(
    tokens: Sequence[str],
    rows: npt.NDArray[np.int8],
    scales: npt.NDArray[np.float32],
    header: Mapping[str, str | Sequence[str]],
) -> bytes:
    """A table as the bytes of its file; the tokens are sorted here, whatever their order.

    `rows` has the shape (tokens, dimension), `scales` (tokens,). `header` gives `name`, `tf`,
    `teacher` and `license`; a list of texts gives a line for each. Raises ValueError if tokens
    repeat, shapes don't fit, a value has a line break, or the header is longer than 4,096 bytes.
    """
    import hashlib

    import numpy as np

    encoded = [token.encode("utf-8") for token in tokens]
    if rows.shape[0] != len(encoded) or scales.shape != (len(encoded),) or rows.ndim != 2:
        raise ValueError(f"{len(encoded)} tokens, rows {rows.shape}, scales {scales.shape}")
    if len(set(encoded)) != len(encoded):
        raise ValueError("a token stands twice")
    order = sorted(range(len(encoded)), key=encoded.__getitem__)
    names = [encoded[number] for number in order]
    ends = np.cumsum([0, *map(len, names)], dtype=np.uint64).astype("<u4")
    sections = {
        "offsets": ends.tobytes(),
        "blob": b"".join(names),
        "scales": scales[order].astype("<f4").tobytes(),
        "rows": rows[order].astype("<i1").tobytes(),
    }
    facts: dict[str, str | Sequence[str]] = {
        **header,
        "dimension": str(rows.shape[1]),
        "tokens": str(len(names)),
        "unknown": str(names.index(b"[UNK]") if b"[UNK]" in names else -1),
    }
    at, body = HEADER, b""
    for key, section in sections.items():
        body += bytes(-(HEADER + len(body)) % ALIGNED)
        at = HEADER + len(body)
        facts[f"at.{key}"] = str(at)
        body += section
    facts["digest"] = hashlib.sha256(body).hexdigest()
    return _header(facts) + body


def write_table(
    path: str,
    tokens: Sequence[str],
    rows: npt.NDArray[np.int8],
    scales: npt.NDArray[np.float32],
    header: Mapping[str, str | Sequence[str]],
) -> None:
    """Write `table_bytes` to a file, whole or not at all. Raises OSError and its ValueErrors."""
    import os

    content = table_bytes(tokens, rows, scales, header)
    part = f"{path}.{os.getpid()}.part"
    try:
        with open(part, "wb") as file:
            file.write(content)
        os.replace(part, path)
    except BaseException:
        if os.path.exists(part):
            os.remove(part)
        raise


def _header(facts: Mapping[str, str | Sequence[str]]) -> bytes:
    ordered = [key for key in _KEYS if key in facts] + [key for key in facts if key not in _KEYS]
    lines = [FORMAT]
    for key in ordered:
        value = facts[key]
        lines += [f"{key} {text}" for text in ([value] if isinstance(value, str) else value)]
    if any("\n" in line or "\r" in line for line in lines):
        raise ValueError("a header's value has a line break")
    header = "\n".join([*lines, ""]).encode("utf-8")
    if len(header) > HEADER:
        raise ValueError(f"the header has {len(header)} bytes, {HEADER} are allowed")
    return header.ljust(HEADER, b"\0")
