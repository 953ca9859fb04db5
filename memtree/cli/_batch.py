"""`search --batch`: one query per line in, one JSON document per line out, as each is known."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from memtree.cli._errors import DONE, NOTHING, say
from memtree.cli._json import emit
from memtree.errors import MemtreeError, UsageError
from memtree.knowledge.path import parse_scope
from memtree.knowledge.query import Query

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from memtree.app import Tree

_LIMITS = range(1, 1001)


class _BadLine(Exception):  # noqa: N818  (not an error of the run: it is reported and passed over)
    """A line that is no query; `id` is what the line calls itself, where that can be read."""

    def __init__(self, message: str, id_: object = None) -> None:
        super().__init__(message)
        self.id = id_


class _Lines:
    """The queries of a batch file; counts what it could not read, and answers that at once."""

    def __init__(self, source: Iterable[bytes], template: Query) -> None:
        self.source, self.template = source, template
        self.bad = 0

    def __iter__(self) -> Iterator[Query]:
        for number, raw in enumerate(self.source, 1):
            if not raw.strip(b" \t\r\n\xef\xbb\xbf"):
                continue
            text = raw.decode("utf-8-sig" if number == 1 else "utf-8", "replace").strip()
            try:
                # Decided before it is handed on, so that the documents keep the lines' order.
                query = _parse(raw, text, self.template)
            except _BadLine as error:
                self.bad += 1
                say(f"line {number}: {error}", word="warning")
                emit({"query": text, "id": error.id, "hits": [], "error": str(error)})
                continue
            yield query


def run(tree: Tree, name: str, template: Query) -> int:
    """Answer every line of the file `name` ("-" is standard input) with bounds from `template`.

    Returns 0 when every line was a query and something was found, else 1.
    """
    found = False
    if name == "-":
        if sys.stdin is None:
            raise UsageError("standard input is closed", hint="--batch FILE reads a file")
        lines = _Lines(sys.stdin.buffer, template)
        for answer in tree.batch(lines):
            emit(answer.as_dict())
            found = found or bool(answer.hits)
    else:
        try:
            file = open(name, "rb")  # noqa: SIM115  (closed below; a failure to open is usage)
        except OSError as error:
            raise UsageError(
                f"the batch file {name!r} could not be read: {error.strerror}",
                hint="--batch - reads standard input",
            ) from error
        with file:
            lines = _Lines(file, template)
            for answer in tree.batch(lines):
                emit(answer.as_dict())
                found = found or bool(answer.hits)
    return DONE if found and not lines.bad else NOTHING


def _parse(raw: bytes, text: str, template: Query) -> Query:
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        raise _BadLine(f"not UTF-8 (byte {error.start} of the line)") from error
    if not text.startswith("{"):
        return _like(template, text)
    try:
        asked = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _BadLine(f"not JSON: {error}") from error
    return _from_object(asked, template)


def _no_constant(name: str) -> object:
    """Refuse what Python reads and JSON does not know: NaN and Infinity."""
    raise ValueError(f"{name} is no JSON value")


def _from_object(asked: dict[str, Any], template: Query) -> Query:
    id_ = asked.get("id")
    text, scope = asked.get("query"), asked.get("in")
    limit = asked.get("limit")
    if not isinstance(text, str):
        raise _BadLine('no "query" with text in it', id_)
    if scope is not None and not isinstance(scope, str):
        raise _BadLine('"in" is not text', id_)
    if limit is not None and (type(limit) is not int or limit not in _LIMITS):
        raise _BadLine('"limit" is not a whole number from 1 to 1000', id_)
    try:
        folder = parse_scope(scope) if scope else template.scope
    except MemtreeError as error:
        raise _BadLine(error.message, id_) from error
    query = _like(template, text)
    query.scope = folder
    query.limit = template.limit if limit is None else limit
    query.id = id_
    return query


def _like(template: Query, text: str) -> Query:
    return Query(
        text,
        scope=template.scope,
        limit=template.limit,
        tier=template.tier,
        max_tier=template.max_tier,
        explain=template.explain,
        why_not=template.why_not,
    )
