"""What anyone said, as objects and fields: the JSON found in an answer, each field held to a type.

Shared by the answers of models and by plans that an agent wrote. Whatever the text is (prose around
the JSON, an answer that breaks off, nonsense, megabytes), nothing here raises, and the work is
bounded.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memtree.curate.schema import WHEN, one_line
from memtree.knowledge.plan import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MAX_LETTERS = 200_000
"""What is longer is read as cut off there."""
MAX_TRIES = 2_000
"""How many opening braces are tried as the beginning of an object."""

_DAY = r"\d{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?"
_WHEN = re.compile(rf"({_DAY})(?:/({_DAY}))?", re.ASCII)
_DIGITS = re.compile(r"\d+")
_TWICE = "\x00twice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """The objects in an answer; `head` is what stands beside them; `cut` when it broke off."""

    items: tuple[object, ...] = ()
    head: Mapping[str, object]
    cut: bool = False
    found: bool = False


# --- from text to objects


def hear(text: str, *, verb: str) -> Heard:
    """The operations in an answer: the list under `operations`, or every object that has `verb`."""
    decoder = json.JSONDecoder(
        object_pairs_hook=_pairs, parse_constant=_nothing, parse_int=_small, strict=False
    )
    cut, at, loose = len(text) > MAX_LETTERS, 0, list[object]()
    text = text[:MAX_LETTERS]
    end = len(text.rstrip())
    for _ in range(MAX_TRIES):
        at = _opening(text, at)
        if at < 0:
            break
        try:
            value, at = decoder.raw_decode(text, at)
        except RecursionError:
            break
        except json.JSONDecodeError as error:
            cut = cut or error.pos >= end or error.msg.startswith("Unterminated")
            at += 1
            continue
        listed = value.get("operations") if isinstance(value, dict) else value
        if isinstance(value, dict) and isinstance(listed, list):
            return Heard(items=tuple(listed), head=value, found=True)
        if isinstance(value, dict) and verb in value:
            loose.append(value)
        elif isinstance(listed, list) and any(isinstance(one, dict) for one in listed):
            loose += listed
    return Heard(items=tuple(loose), head={}, cut=cut, found=bool(loose))


def _opening(text: str, at: int) -> int:
    places = [place for place in (text.find("{", at), text.find("[", at)) if place >= 0]
    return min(places, default=-1)


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        found[_TWICE] = next(name for name in names if names.count(name) > 1)
    return found


def _nothing(_: str) -> None:
    """Infinity and NaN are no JSON."""


def _small(digits: str) -> int | None:
    return int(digits) if len(digits) < 16 else None


def unheard(heard: Heard, *, verb: str) -> list[Refusal]:
    """What is to be said of the answer as a whole."""
    refusals: list[Refusal] = []
    if not heard.found:
        wanted = f'{{"operations": [...]}}, each an object with "{verb}"'
        refusals.append(Refusal(code="no-json", message=f"answer with one JSON object: {wanted}"))
    if heard.cut:
        refusals.append(
            Refusal(code="cut", message="the answer broke off; say less, in fewer operations")
        )
    return refusals


# --- the fields of one object


class Fields:
    """One operation read field by field; `refusals` says what is wrong with it."""

    def __init__(
        self, item: Mapping[str, object], where: str, *, into: list[Refusal] | None = None
    ) -> None:
        self.item = item
        self.where = where
        self.refusals: list[Refusal] = [] if into is None else into
        if _TWICE in item:
            self.refuse("bad-field", f"`{shown(item[_TWICE])}` is given twice")

    def refuse(self, code: str, message: str, said: object = "") -> None:
        """Note what is wrong, in words that say what was expected."""
        message = f"{self.where}: {message}"
        self.refusals.append(Refusal(code=code, message=message, said=shown(said)))

    def only(self, names: Iterable[str]) -> None:
        """Refuse fields that mean nothing: a misspelled one must not be ignored."""
        known = sorted(names)
        for name in self.item:
            if name not in known and name != _TWICE:
                message = f"there is no field `{shown(name)}`; the fields are {', '.join(known)}"
                self.refuse("bad-field", message, name)

    def text(self, name: str, *, most: int, least: int = 0, cut: bool = False) -> str:
        """A string on one line, of `least` to `most` characters; "" when it is refused."""
        value = self.item.get(name, "" if not least else None)
        expected = f"`{name}` must be a text of {least} to {most} characters"
        if not isinstance(value, str) or not _encodable(value):
            self.refuse("bad-field", expected, value)
            return ""
        value = unicodedata.normalize("NFC", one_line(value[: most * 8]))
        if cut and len(value) > most:
            value = value[:most].rpartition(" ")[0] or value[:most]
        if not least <= len(value) <= most:
            self.refuse("bad-field", f"{expected}, not {len(value)}", value)
            return ""
        return value

    def choice(self, name: str, options: Sequence[str]) -> str:
        """One of the options; "" when it is refused."""
        value = self.item.get(name)
        if isinstance(value, str) and value in options:
            return value
        listed = ", ".join(options[:24]) or "none here"
        self.refuse("bad-choice", f"`{name}` must be one of: {listed}", value)
        return ""

    def whole(self, name: str, first: int, last: int) -> int:
        """A whole number from `first` to `last`; `first` when it is refused."""
        value = self.item.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and first <= value <= last:
            return value
        message = f"`{name}` must be a whole number from {first} to {last}"
        self.refuse("bad-field", message, value)
        return first

    def day(self, name: str) -> str:
        """A year, month or day (ISO 8601), "" when there is none or it is refused."""
        value = self.text(name, most=10)
        if value and not re.fullmatch(_DAY, value, re.ASCII):
            self.refuse("bad-when", f"`{name}` must be like 2026, 2026-05 or 2026-05-31", value)
            return ""
        return value

    def when(self, evidence: str, said: str) -> str:
        """The date in `when` if it is one and the evidence bears it; else "", and why."""
        value = self.text("when", most=WHEN)
        if not value:
            return ""
        match = _WHEN.fullmatch(value)
        if match is None:
            message = "`when` must be like 2026, 2026-05, 2026-05-31 or 2026-05-01/2026-05-31"
            self.refuse("bad-when", message, value)
            return ""
        if not all(_borne(day, evidence, said) for day in match.groups() if day):
            self.refuse("bad-when", "`when` must be a date that the lines give", value)
            return ""
        return value


def _borne(day: str, evidence: str, said: str) -> bool:
    """Whether the year and the day stand in the evidence, or may follow from when it was said."""
    numbers = {int(digits) for digits in _DIGITS.findall(evidence[:4000])}
    year, *rest = (int(piece) for piece in day.split("-"))
    if year not in numbers and not (said[:4].isdigit() and abs(int(said[:4]) - year) <= 1):
        return False
    return len(rest) < 2 or rest[1] in numbers or bool(said)


def _encodable(value: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in value)


def shown(value: object) -> str:
    """The beginning of something said, safe to show and to store."""
    said = value if isinstance(value, str) else json.dumps(value, default=str)[:200]
    return one_line(said[:200].encode("utf-8", "replace").decode())[:80]
