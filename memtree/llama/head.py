"""What the head of a GGUF file says about a model, read without llama.cpp.

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
# Models that read and don't write, by their architecture (llama.cpp's llama-arch.cpp).
_READERS = {
    "bert", "eurobert", "gemma-embedding", "jina-bert-v2", "jina-bert-v3", "modern-bert",
    "neo-bert", "nomic-bert", "nomic-bert-moe", "t5encoder",
}  # fmt: skip


class Head(NamedTuple):
    """What a file says of its model; 0 and "" where it says nothing.

    `dimension` is the length of its vectors, `pooling` the number of llama.cpp's
    `enum llama_pooling_type` (-1 if it says nothing), `context` the tokens that it was trained to
    read at once, `kind` its architecture. `template` says whether it brings a chat template.
    `writes` is False for embedding models, adapters and other parts of models. `license` and `size`
    (like "1.5B") are what its makers wrote.
    """

    name: str
    dimension: int
    pooling: int
    context: int
    kind: str
    template: bool
    writes: bool
    license: str
    size: str


def read_head(path: str) -> Head:
    """Read a file's head. Raises ModelUnavailable if it is no model in GGUF, or damaged."""
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
            hint="check the path, and that it is a file you may read",
        ) from error
    except (ValueError, IndexError, struct.error) as error:
        raise ModelUnavailable(
            f"{path!r} is no model in GGUF: {error}",
            hint="download the file again, or name another one",
        ) from error


def _head(keys: Mapping[str, Value]) -> Head:
    kind = keys.get("general.architecture")
    if not isinstance(kind, str) or not kind:
        raise ValueError("it does not say what kind of model it is")

    def number(*names: str) -> int:
        found = (keys.get(name) for name in names)
        return next((one for one in found if isinstance(one, int) and one > 0), 0)

    def text(name: str) -> str:
        found = keys.get(name)
        return found if isinstance(found, str) else ""

    pooling = keys.get(f"{kind}.pooling_type", -1)
    return Head(
        name=text("general.name") or kind,
        dimension=number(f"{kind}.embedding_length_out", f"{kind}.embedding_length"),
        pooling=pooling if isinstance(pooling, int) else -1,
        context=number(f"{kind}.context_length"),
        kind=kind,
        template=bool(text("tokenizer.chat_template")),
        writes=kind not in _READERS and text("general.type") in {"", "model"},
        license=text("general.license"),
        size=text("general.size_label"),
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
