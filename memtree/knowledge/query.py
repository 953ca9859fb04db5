"""A question and its answer: the values that every door (shell, library, pipes) shares.

These are plain classes with slots and not dataclasses: importing `dataclasses` alone costs a hot
search half of its time budget (benchmarks/cold_start.py), and a test holds the line.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from memtree.knowledge.anchor import Evidence

TIERS = ("exact", "fuzzy", "fulltext", "semantic", "agentic")
AGENTIC = TIERS[-1]
FOUND, ABSENT, DEGRADED = "found", "absent", "degraded"


class Query:
    """What is asked: the text and its bounds. Immutable by convention.

    `scope` is a folder of the tree ("" for all of it); `limit` is 1 to 1000; `tier` runs one
    tier alone; `max_tier` stops the climb there. `budget` is what tier 5 may spend, in words; the
    tree's setting where it is "". `replay` is the trace of an earlier answer, to be run again.
    `plugins` are asked for by name, besides those that the tree has enabled; `options` are theirs
    for this question, by `plugin.option`.
    """

    __slots__ = (
        "budget", "explain", "id", "limit", "max_tier", "options", "plugins", "replay", "scope",
        "text", "tier", "why_not",
    )  # fmt: skip

    def __init__(
        self,
        text: str,
        *,
        scope: str = "",
        limit: int = 10,
        tier: str | None = None,
        max_tier: str | None = None,
        explain: bool = False,
        why_not: str | None = None,
        id: str | None = None,  # noqa: A002  (the word of the contract)
        budget: str = "",
        replay: Mapping[str, object] | None = None,
        plugins: Sequence[str] = (),
        options: Mapping[str, object] | None = None,
    ) -> None:
        self.text = text
        self.budget = budget
        self.replay = replay
        self.plugins = plugins
        self.options = options
        self.scope = scope
        self.limit = limit
        self.tier = tier
        self.max_tier = max_tier
        self.explain = explain
        self.why_not = why_not
        self.id = id


class Hit:
    """One entry that answers, with the passage that does: DESIGN section 4, contract.

    `evidence` says whether the files that the entry rests on still say what they said; None for an
    entry that rests on none.
    """

    __slots__ = (
        "evidence",
        "id",
        "importance",
        "lines",
        "maturity",
        "path",
        "recency",
        "score",
        "snippet",
        "tier",
        "title",
        "why",
    )

    def __init__(
        self,
        *,
        id: str,  # noqa: A002  (the word of the contract)
        path: str,
        title: str,
        score: float,
        tier: str,
        snippet: str = "",
        lines: tuple[int, int] = (1, 1),
        importance: float = 50.0,
        maturity: str = "draft",
        recency: float = 0.0,
        why: str = "",
        evidence: Evidence | None = None,
    ) -> None:
        self.id = id
        self.path = path
        self.title = title
        self.score = score
        self.tier = tier
        self.snippet = snippet
        self.lines = lines
        self.importance = importance
        self.maturity = maturity
        self.recency = recency
        self.why = why
        self.evidence = evidence

    def as_dict(self) -> dict[str, object]:
        """The JSON object of the contract."""
        return {
            "id": self.id,
            "path": self.path,
            "title": self.title,
            "score": round(self.score, 4),
            "tier": self.tier,
            "snippet": self.snippet,
            "lines": list(self.lines),
            "importance": self.importance,
            "maturity": self.maturity,
            "recency": round(self.recency, 4),
            "why": self.why,
            "evidence": self.evidence.as_dict() if self.evidence else None,
        }


class Quote:
    """Part of an answer: what stands in an entry, word for word, and on which lines (from 1).

    `time` is the entry's own (a date), where the question asks for one; else "".
    """

    __slots__ = ("lines", "path", "text", "time")

    def __init__(self, text: str, *, path: str, lines: tuple[int, int], time: str = "") -> None:
        self.text = text
        self.path = path
        self.lines = lines
        self.time = time

    def __str__(self) -> str:
        """On one line, followed by its place and time."""
        first, last = self.lines
        where = f"{self.path}:{first}" + (f"-{last}" if last > first else "")
        when = f", {self.time}" if self.time else ""
        return f"{' '.join(self.text.split())} ({where}{when})"

    def as_dict(self) -> dict[str, object]:
        """The JSON object; `time` only where there is one."""
        out: dict[str, object] = {"text": self.text, "path": self.path, "lines": list(self.lines)}
        if self.time:
            out["time"] = self.time
        return out


class TierReport:
    """What one tier or plugin did: milliseconds, whether it was sure, and why or why not.

    `steps` are what a plugin tells of its way, for those who ask to have it explained.
    """

    __slots__ = ("candidates", "ms", "steps", "sure", "tier", "why")

    def __init__(
        self,
        tier: str,
        *,
        ms: float,
        sure: bool,
        why: str,
        candidates: Sequence[dict[str, object]] = (),
        steps: Sequence[dict[str, object]] = (),
    ) -> None:
        self.steps = steps
        self.tier = tier
        self.ms = ms
        self.sure = sure
        self.why = why
        self.candidates = candidates

    def as_dict(self) -> dict[str, object]:
        """The JSON object of the contract; `candidates` only when explaining."""
        out: dict[str, object] = {
            "tier": self.tier,
            "ms": round(self.ms, 3),
            "sure": self.sure,
            "why": self.why,
        }
        if self.candidates:
            out["candidates"] = list(self.candidates)
        if self.steps:
            out["steps"] = list(self.steps)
        return out


class Answer:
    """The one answer of the contract (DESIGN section 4).

    `trace` is what tier 5 did, None when it was not asked; `cited` are the paths of the entries
    whose lines were verified to hold what it says. `plugins` are those that took part, each with
    its name, state, mode and the reason for these.
    """

    __slots__ = (
        "answer",
        "by",
        "cited",
        "confidence",
        "hits",
        "indexed",
        "ms",
        "notes",
        "pending",
        "plugins",
        "query",
        "quotes",
        "status",
        "tier",
        "tiers",
        "trace",
        "why_not",
    )

    def __init__(
        self,
        *,
        query: Query,
        status: str,
        tier: str,
        confidence: float,
        hits: Sequence[Hit],
        tiers: Sequence[TierReport],
        indexed: int,
        pending: int,
        ms: float,
        answer: str | None = None,
        quotes: Sequence[Quote] = (),
        by: Sequence[str] = (),
        notes: Sequence[str] = (),
        why_not: str | None = None,
        trace: Mapping[str, object] | None = None,
        cited: Sequence[str] = (),
        plugins: Sequence[Mapping[str, str]] = (),
    ) -> None:
        self.plugins = plugins
        self.trace = trace
        self.cited = cited
        self.query = query
        self.status = status
        self.tier = tier
        self.confidence = confidence
        self.hits = hits
        self.tiers = tiers
        self.indexed = indexed
        self.pending = pending
        self.ms = ms
        self.answer = answer
        self.quotes = quotes
        self.by = by
        self.notes = notes
        self.why_not = why_not

    def as_dict(self) -> dict[str, object]:
        """The JSON object of the contract."""
        out: dict[str, object] = {
            "query": self.query.text,
            "id": self.query.id,
            "status": self.status,
            "tier": self.tier,
            "confidence": round(self.confidence, 4),
            "answer": self.answer,
            "quotes": [quote.as_dict() for quote in self.quotes],
            "hits": [hit.as_dict() for hit in self.hits],
            "tiers": [tier.as_dict() for tier in self.tiers],
            "freshness": {"indexed": self.indexed, "pending": self.pending},
            "by": list(self.by),
            "notes": list(self.notes),
            "ms": round(self.ms, 3),
        }
        if self.why_not is not None:
            out["why_not"] = self.why_not
        if self.plugins:
            out["plugins"] = list(self.plugins)
        if self.trace is not None:
            out["trace"] = self.trace
        return out
