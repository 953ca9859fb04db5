"""What a file of LoRA weights says about itself: the head of a GGUF file (ggml's docs/gguf.md).

llama.cpp's converter writes `general.type: adapter` and `adapter.type: lora` there, with the
architecture of the model that it belongs to. Every number that leads out of the file is an error.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass

from memtree.errors import UsageError

_FORMS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q",
          11: "<q", 12: "<d"}  # fmt: skip
_TEXT, _LIST = 8, 9
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Adapter:
    """A LoRA for models of `kind`; `alpha` scales it, 0.0 where the file does not say."""

    kind: str
    alpha: float
    name: str
    tensors: int


def read_adapter(path: str) -> Adapter:
    """Read the head of a LoRA file. Raises UsageError for anything else."""
    try:
        with (
            open(path, "rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held,
        ):
            head = _Head(held)
            keys = head.keys()
    except OSError as error:
        raise UsageError(f"'{path}' can't be read: {error.strerror or error}") from error
    except (ValueError, struct.error, UnicodeError) as error:
        raise UsageError(
            f"'{path}' is no LoRA in GGUF: {error}", hint="convert one with convert_lora_to_gguf.py"
        ) from error
    said = str(keys.get("general.type", "model")), str(keys.get("adapter.type", ""))
    if said != ("adapter", "lora"):
        what = "a whole model" if said[0] == "model" else f"of the type {said[0][:40]!r}"
        raise UsageError(f"'{path}' is no LoRA: it is {what}", hint="memtree models add FILE")
    alpha = keys.get("adapter.lora.alpha", 0.0)
    return Adapter(
        kind=str(keys.get("general.architecture", "an unnamed kind"))[:80],
        alpha=float(alpha) if isinstance(alpha, (int, float)) else 0.0,
        name=str(keys.get("general.name", ""))[:80],
        tensors=head.tensors,
    )


class _Head:
    def __init__(self, held: mmap.mmap) -> None:
        self.held = held
        self.at = 4
        self.tensors = 0

    def keys(self) -> dict[str, object]:
        if self.held[:4] != b"GGUF":
            raise ValueError("it does not begin with GGUF")
        version = int(self._number("<I"))
        if version not in (2, 3):
            raise ValueError(f"its version {version} is not known")
        self.tensors = int(self._number("<Q"))
        count = int(self._number("<Q"))
        if count > _MOST:
            raise ValueError("it is damaged")
        found: dict[str, object] = {}
        for _ in range(count):
            name = self._text()
            found[name] = self._value(int(self._number("<I")))
        return found

    def _number(self, form: str) -> float:
        (found,) = struct.unpack_from(form, self.held, self.at)
        self.at += struct.calcsize(form)
        return float(found) if form in ("<f", "<d") else int(found)

    def _skip(self, size: int) -> int:
        begin = self.at
        if begin + size > len(self.held):
            raise ValueError("it is cut short")
        self.at += size
        return begin

    def _text(self) -> str:
        begin = self._skip(int(self._number("<Q")))
        return self.held[begin : self.at].decode("utf-8", "replace")

    def _value(self, kind: int) -> object:
        if kind == _TEXT:
            return self._text()
        if kind != _LIST:
            return self._number(self._form(kind))
        inner, count = int(self._number("<I")), int(self._number("<Q"))
        if inner == _TEXT:
            if count > len(self.held):
                raise ValueError("it is damaged")
            for _ in range(count):
                self._skip(int(self._number("<Q")))
        else:
            self._skip(struct.calcsize(self._form(inner)) * count)
        return None

    @staticmethod
    def _form(kind: int) -> str:
        form = _FORMS.get(kind)
        if form is None:
            raise ValueError(f"it holds a value of unknown type {kind}")
        return form
