"""Writes small tables for the tests: the format of `memtree.embed.table`, said a second time."""

from __future__ import annotations

import hashlib
import random
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path


def write_table(
    path: Path,
    vectors: Mapping[str, Sequence[int]],
    *,
    scales: Mapping[str, float] | None = None,
    tf: str = "log",
    unknown: str = "none",
    name: str = "tiny",
) -> Path:
    """Write a table whose tokens have these rows of small integers."""
    tokens = sorted(vectors, key=str.encode)
    dimension = len(next(iter(vectors.values())))
    encoded = [token.encode() for token in tokens]
    offsets = [0]
    for raw in encoded:
        offsets.append(offsets[-1] + len(raw))
    parts = {
        "offsets": struct.pack(f"<{len(offsets)}I", *offsets),
        "blob": b"".join(encoded),
        "scales": struct.pack(f"<{len(tokens)}f", *((scales or {}).get(t, 1.0) for t in tokens)),
        "rows": b"".join(struct.pack(f"{dimension}b", *vectors[token]) for token in tokens),
    }
    body, places = b"", {}
    for key, raw in parts.items():
        body += bytes(-len(body) % 64)
        places[key] = 4096 + len(body)
        body += raw
    lines = ["memtree-table 1", f"name {name}", f"dimension {dimension}", f"tokens {len(tokens)}"]
    lines += [f"tf {tf}", f"unknown {unknown}", f"digest {hashlib.sha256(body).hexdigest()}"]
    lines += [f"at.{key} {place}" for key, place in places.items()]
    header = ("\n".join(lines) + "\n").encode()
    path.write_bytes(header + bytes(4096 - len(header)) + body)
    return path


def random_rows(
    tokens: Sequence[str], *, dimension: int = 16, seed: int = 1
) -> dict[str, list[int]]:
    """A row of small integers for every token; the same for the same seed."""
    generator = random.Random(seed)
    return {token: [generator.randint(-127, 127) for _ in range(dimension)] for token in tokens}
