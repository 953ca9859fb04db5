"""What the head of a GGUF file says about an embedding model, read without llama.cpp.

The format (ggml's docs/gguf.md, versions 2 and 3): the magic, a version, how many tensors and
keys, then each key as a name, a type and a value. All numbers little-endian.
"""

from __future__ import annotations

import mmap
import struct
from typing import TYPE_CHECKING, NamedTuple

from memtree.errors import ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    Value = int | float | str | None  # None: a list, which nobody here asks for

# Type number -> how `struct` reads it; 8 is a string, 9 a list.
_NUMBERS = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q",
    12: "<d",
}  # fmt: skip
_STRING, _LIST = 8, 9
_MOST_KEYS = 1 << 16
# `enum llama_pooling_type`; a model that says nothing, or "none", is pooled by the mean.
POOLING = {1: "mean", 2: "cls", 3: "last"}
_NONE, _MEAN, _RANK = 0, 1, 4


class Head(NamedTuple):
    """What matters of a model: its name, the vector's length, how texts are pooled, its window."""

    name: str
    dimension: int
    pooling: int
    context: int


def read_head(path: str) -> Head:
    """Read a file's head. Raises ModelUnavailable if it is no embedding model, or damaged."""
    try:
        with (
            open(path, "rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
        ):
            keys = _Reader(content).keys()
        return _head(keys)
    except OSError as error:
        raise ModelUnavailable(
            f"the model file {path!r} can't be read: {error.strerror or error}",
            hint="check the path in embed.model",
        ) from error
    except (ValueError, IndexError, struct.error) as error:
        raise ModelUnavailable(
            f"{path!r} is no embedding model in GGUF: {error}",
            hint="download the file again, or name another one",
        ) from error


def _head(keys: Mapping[str, Value]) -> Head:
    kind = keys.get("general.architecture")
    dimension = keys.get(f"{kind}.embedding_length_out", keys.get(f"{kind}.embedding_length"))
    context = keys.get(f"{kind}.context_length")
    pooling = keys.get(f"{kind}.pooling_type", _MEAN)
    if not isinstance(dimension, int) or dimension < 1:
        raise ValueError("it does not say how long its vectors are")
    if pooling == _RANK:
        raise ValueError("it is made for ranking, and gives no vectors")
    if pooling == _NONE:
        pooling = _MEAN
    if not isinstance(pooling, int) or pooling not in POOLING:
        raise ValueError(f"its pooling {pooling!r} is not known")
    name = keys.get("general.name")
    return Head(
        name if isinstance(name, str) and name else str(kind),
        dimension,
        pooling,
        context if isinstance(context, int) and context > 0 else 512,
    )


class _Reader:
    """Walks through the head; every number that leads outside the file is an error."""

    __slots__ = ("at", "content")

    def __init__(self, content: mmap.mmap) -> None:
        self.content = content
        self.at = 0

    def keys(self) -> dict[str, Value]:
        if self.content[:4] != b"GGUF":
            raise ValueError("it does not begin with GGUF")
        self.at = 4
        version = self.number("<I")
        if version not in {2, 3}:
            raise ValueError(f"its version {version} is not known")
        self.number("<Q")  # tensors
        count = self.number("<Q")
        if count > _MOST_KEYS:
            raise ValueError("it is damaged")
        keys: dict[str, Value] = {}
        for _ in range(int(count)):
            name = self.string()
            keys[name] = self.value(int(self.number("<I")))
        return keys

    def number(self, form: str) -> int | float:
        (found,) = struct.unpack_from(form, self.content, self.at)
        self.at += struct.calcsize(form)
        return found  # type: ignore[no-any-return]  # struct knows no types

    def skip(self, size: int) -> int:
        """Go past some bytes; returns where they began."""
        begin = self.at
        if begin + size > len(self.content):
            raise ValueError("it is cut short")
        self.at += size
        return begin

    def string(self) -> str:
        size = int(self.number("<Q"))
        begin = self.skip(size)
        return self.content[begin : self.at].decode("utf-8", "replace")

    def value(self, kind: int) -> Value:
        if kind == _STRING:
            return self.string()
        if kind != _LIST:
            return self.number(_form(kind))
        inner, count = int(self.number("<I")), int(self.number("<Q"))
        if inner == _LIST:
            raise ValueError("it holds lists of lists")
        if inner == _STRING:
            if count > len(self.content):
                raise ValueError("it is damaged")
            for _ in range(count):
                self.skip(int(self.number("<Q")))
        else:
            self.skip(struct.calcsize(_form(inner)) * count)
        return None


def _form(kind: int) -> str:
    form = _NUMBERS.get(kind)
    if form is None:
        raise ValueError(f"it holds a value of unknown type {kind}")
    return form
