"""An open tree, ready to be asked: the index, whether it is current, and the climb.

This is the one way to an answer: the shell's hot path, the library and a batch all come here. It
never indexes; it says whether the index is current, and the caller refreshes.

Hot: see tests/cli/test_start_up.py for what may be imported.
"""

from __future__ import annotations

import os
import time

from memtree.index.catalog import VERSION, Catalog, Damaged
from memtree.index.full_text import SCHEMA, FullText
from memtree.knowledge.query import ABSENT, AGENTIC, FOUND, TIERS, Answer, Hit, Query, TierReport
from memtree.retrieve.exact import ExactTier
from memtree.retrieve.full_text import FullTextTier
from memtree.retrieve.question import has_stranger, stop_words, words_of
from memtree.retrieve.snippet import snippet
from memtree.retrieve.tier import Ask, Behind, Finding, left_of, with_text
from memtree.retrieve.vitality import Vitality
from memtree.retrieve.witness import witnessed
from memtree.tree.lock import journal_pending
from memtree.tree.scan import Snapshot, is_unchanged
from memtree.tree.watched import watcher_is_current

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from memtree.embed.protocol import Embedder
    from memtree.knowledge.query import Quote
    from memtree.retrieve.meaning import Meaning, Meanings
    from memtree.retrieve.tier import Company, Match, Tier

MODEL_FREE = TIERS[:4]
CACHE = os.path.join(".memtree", "cache")


class Engine:
    """The index of the tree at `root`, open for reading. Raises Damaged or Unusable."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._generation = (-1, -1)
        # What analysing and counting found, kept from one question to the next.
        self._memory: dict[str, list[str]] = {}
        self._frequencies: dict[str, int] = {}
        self.catalog = Catalog(os.path.join(root, CACHE))
        try:
            settings = self.catalog.value("settings")
            known = isinstance(settings, tuple) and settings[:2] == (VERSION, SCHEMA)
        except (ValueError, EOFError, TypeError) as error:
            raise Damaged(str(error)) from error
        if not known:
            raise Damaged("the index is of another version")
        self.language = str(settings[2])  # type: ignore[index]
        self._meanings: Meanings | None = None
        self._embedding: dict[str, Any] = {}
        # Tier 5 for a question; whoever can choose a model gives it.
        self.consult: Callable[[Query], Tier] | None = None
        # The plugins that take part in a question; whoever hosts them gives them.
        self.company: Company | None = None
        self._take_facts()
        # Changes on disk that are known not to be indexed, because that could not be done now.
        self.behind = 0
        self.full_text = FullText(os.path.join(root, CACHE), language=self.language)

    def is_current(self) -> bool:
        """Whether the index holds exactly what is on disk: asked before every question.

        A running `memtree watch` answers for the files; without one they are walked. Settings are
        one stat, a half-finished transaction another.
        """
        if journal_pending(self.root) or self.catalog.pending():
            return False
        try:
            status = os.stat(os.path.join(self.root, ".memtree", "config.toml"))
            config = (status.st_mtime_ns, status.st_size)
        except OSError:
            config = (0, 0)
        if self.catalog.value("config") != config:
            return False
        if not watcher_is_current(self.root):
            data = self.catalog.value("snapshot")
            if not isinstance(data, bytes) or not is_unchanged(self.root, Snapshot.load(data)):
                return False
        # The watcher may have indexed since the index was opened, to be able to say "current".
        self.behind = 0
        self.reload()
        return True

    def problems(self) -> list[tuple[str, int, str, str]]:
        """What reading the files found: (path, line, code, message)."""
        return self.catalog.problems()

    def reload(self) -> None:
        """See what was indexed since, by this process or another."""
        generation = self.catalog.number("generation"), self.catalog.pending()
        if generation != self._generation:
            if self.catalog.is_replaced():
                raise Damaged("another process rebuilt the index")
            self._generation = generation
            self.full_text.reload()
            self._frequencies.clear()
            self._take_facts()
        self.vitality.reload()

    def _take_facts(self) -> None:
        """Take the settings that the last refresh noted."""
        facts = _dicts(self.catalog.value("facts"))
        self._embedding = facts.get("embedding", {})
        if self._meanings is not None:
            self._meanings.take(self._embedding)
        self.vitality = Vitality(self.root, facts.get("lifecycle", {}))

    def close(self) -> None:
        """Let go of the files."""
        if self._meanings is not None:
            self._meanings.close()
        self.catalog.close()

    # -- meaning ----------------------------------------------------------------------------

    @property
    def meanings(self) -> Meanings:
        """The vectors of this tree and their model, opened when they are first asked for."""
        if self._meanings is None:
            from memtree.retrieve.meaning import Meanings

            self._meanings = Meanings(self.root, self.catalog)
            self._meanings.take(self._embedding)
        return self._meanings

    def embedder(self) -> Embedder:
        """The embedder that the settings name. Raises NoVectors when there is none."""
        return self.meanings.embedder()

    def meaning(self) -> Meaning:
        """The vectors of this tree, current. Raises NoVectors with the reason, and Behind."""
        return self.meanings.current(self._generation)

    # -- answering --------------------------------------------------------------------------

    def search(self, query: Query) -> Answer:
        """Rank: every model-free tier, fused, up to `limit` hits."""
        return self._answer(query, climb=False)

    def query(self, query: Query) -> Answer:
        """Climb: stop at the first tier that is sure, or say that the tree holds no answer."""
        return self._answer(query, climb=True)

    def _answer(self, query: Query, *, climb: bool) -> Answer:
        started = time.perf_counter()
        # Marks of waiting entries go after their passages came: none before this means all there.
        self.reload()
        waiting = self._generation[1]
        # A lone surrogate (a broken pipe, a broken paste) is no text that an index could look up.
        text = (
            query.text if query.text.isascii() else query.text.encode("utf-8", "replace").decode()
        )
        words = words_of(text, self.full_text, stop_words(self.language))
        ask = Ask(
            query, catalog=self.catalog, full_text=self.full_text, words=words,
            language=self.language, memory=self._memory, frequencies=self._frequencies,
            meaning=self.meaning, vitality=self.vitality, now=time.time() / 86_400,
        )  # fmt: skip
        if self.company is not None:
            ask.limit = self.company.width(query.limit)
        reports, findings, chosen = self._climb(ask, climb=climb)
        if query.scope and not self.catalog.has_folder(query.scope):
            ask.notes.append(f"there is no folder '{query.scope}' in this tree")
        odd = self.catalog.unnamed()
        if odd:
            ask.notes.append(f"{odd} files are left out: their names can't be read; memtree check")
        shown = findings if not climb else [chosen] if chosen else []
        if self.company is not None:
            shown = self.company.shown(findings, chosen) if chosen or not climb else []
        if self.company is not None and not self.company.refines:
            ask.limit = query.limit
        hits = self._hits(ask, shown)
        if self.company is not None:
            hits = self.company.refined(self, ask, hits)[: query.limit]
            chosen = left_of(chosen, hits)
            hits = hits if chosen or not climb else []
        quotes: Sequence[Quote] = ()
        last = findings[-1][1] if chosen and chosen[0] == AGENTIC else None
        if chosen and hits and last is None:
            from memtree.retrieve.extract import extract

            quotes = extract(ask, chosen[1].matches, by_name=chosen[0] in TIERS[:2])
        reason = None
        if query.why_not:
            from memtree.retrieve.why_not import why_not

            reason = why_not(self, ask, hits, findings)
        if climb:
            status = FOUND if chosen and hits else ABSENT
            confidence = chosen[1].confidence if chosen else 0.0
        else:
            status = FOUND if hits else ABSENT
            confidence = max((finding.confidence for _, finding in findings), default=0.0)
        answer = Answer(
            query=query,
            status=status,
            tier=_answering(hits, reports, chosen),
            confidence=confidence,
            hits=hits,
            tiers=reports,
            indexed=self.catalog.count(),
            pending=max(waiting, self.catalog.pending()) + self.behind,
            ms=1000 * (time.perf_counter() - started),
            answer=("\n".join(map(str, quotes)) or hits[0].snippet) if climb and hits else None,
            quotes=quotes,
            notes=ask.notes,
            why_not=reason,
        )
        answer = last.told(answer) if last is not None else answer  # type: ignore[attr-defined]
        return answer if self.company is None else self.company.told(answer)

    def _climb(
        self, ask: Ask, *, climb: bool
    ) -> tuple[list[TierReport], list[tuple[str, Finding]], tuple[str, Finding] | None]:
        """Ask the tiers in turn: reports, what each found, and the sure one that ended a climb."""
        query = ask.query
        reports: list[TierReport] = []
        findings: list[tuple[str, Finding]] = []
        for name in self._tiers(query, climb=climb):
            before = time.perf_counter()
            if name == AGENTIC and not (query.tier or query.max_tier) and not _has_model():
                break
            why = "" if climb or query.tier else self._spared(name, ask)
            if why:
                reports.append(TierReport(name, ms=0.0, sure=False, why=why))
                joined = self._joined(name, ask, None, reports)
                if joined is not None:
                    findings.append((name, joined))
                continue
            if name not in ("exact", "fuzzy") and ask.gathered is None:
                correct_words(ask)  # once: tier 4 goes on from what tier 3 gathered
            finding = (self._last(query) if name == AGENTIC else _tier(name)).find(ask)
            reports.append(
                TierReport(
                    name,
                    ms=1000 * (time.perf_counter() - before),
                    sure=finding.sure,
                    why=finding.why,
                    candidates=_candidates(finding) if query.explain else (),
                )
            )
            finding = self._joined(name, ask, finding, reports) or finding
            findings.append((name, finding))
            if climb and (finding.sure or name == AGENTIC):
                if name != AGENTIC and self.company is not None and self.company.has_more(name):
                    continue  # a plugin that was asked for by name has its say
                break
        sure = [(name, finding) for name, finding in findings if finding.sure or name == AGENTIC]
        return reports, findings, sure[0] if climb and sure else None

    def _joined(
        self, name: str, ask: Ask, finding: Finding | None, reports: list[TierReport]
    ) -> Finding | None:
        """What a tier and the plugins beside it found together."""
        company = self.company
        return company.beside(name, self, ask, finding, reports) if company else finding

    def _spared(self, name: str, ask: Ask) -> str:
        """Why a ranking does without a tier; "" when it takes part."""
        if name == "fuzzy" and not has_stranger(ask.words, self.full_text):
            # Full text finds words that are words of this tree in any order.
            return "every word is known"
        if name == "fulltext" and not self._is_looked_up(ask) and self._has_meaning(ask.query):
            # Tier 4 ranks what the words find together with what is near in meaning.
            return "ranked together with meaning"
        if name == "semantic" and self._is_looked_up(ask):
            return "one word that stands here is looked up"
        return ""

    def _is_looked_up(self, ask: Ask) -> bool:
        """Whether the question is one word, and a passage has it: then that word is meant."""
        stems = [stem for word in ask.words if not word.stop for stem in word.stems]
        if len(stems) != 1 or any(word.kind == "prefix" for word in ask.words):
            return False
        full_text = self.full_text
        fields = full_text.any_of([full_text.term(name, stems[0]) for name in ("body", "title")])
        return bool(full_text.search(full_text.within(fields, ask.scope), 1))

    def _has_meaning(self, query: Query) -> bool:
        """Whether tier 4 takes part and can."""
        if "semantic" not in self._tiers(query):
            return False
        from memtree.retrieve.meaning import NoVectors

        try:
            self.meaning()
        except NoVectors:
            return False
        return True

    def _tiers(self, query: Query, *, climb: bool = False) -> Sequence[str]:
        """The tiers that are asked, the cheapest first. A ranking never asks a language model."""
        if query.tier:
            return [query.tier] if query.tier in (TIERS if climb else MODEL_FREE) else []
        if query.max_tier:
            return (TIERS if climb else MODEL_FREE)[: TIERS.index(query.max_tier) + 1]
        return TIERS if climb else MODEL_FREE

    def _last(self, query: Query) -> Tier:
        """Tier 5. Raises Behind when this process was not given a way to choose a model."""
        if self.consult is None:
            raise Behind
        return self.consult(query)

    def _hits(self, ask: Ask, findings: list[tuple[str, Finding]]) -> list[Hit]:
        hits: list[Hit] = []
        seen: dict[int, Match] = {}
        stems = ask.sought()
        for name, finding in findings:
            for match in finding.matches:
                if match.row.number in seen or len(hits) >= ask.limit:
                    continue
                if name == "fuzzy" and not finding.sure and ask.query.tier != "fuzzy":
                    continue
                seen[match.row.number] = match
                hits.append(self.hit(name, match, ask, stems))
        rows = {match.row.path: match.row for match in seen.values()}
        return witnessed(self.root, hits, rows, self.vitality, ask.now)

    def hit(self, tier: str, match: Match, ask: Ask, stems: dict[str, float]) -> Hit:
        """A match as it is shown; `stems` are what `Ask.sought` gives, once for all hits."""
        row = match.row
        with_text(self.full_text, match)
        text, first = match.text, match.first
        shown, first, last = snippet(text, first, stems) if text else (row.description, 1, 1)
        if tier == "semantic" and not match.by_meaning:
            tier = "fulltext"  # what the words found, ordered with what the meaning says
        alive = self.vitality.of(row, ask.now)
        return Hit(
            id=row.id or row.path.rpartition(".")[0], path=row.path, title=row.title,
            score=match.score, tier=tier, snippet=shown, lines=(first, last),
            importance=round(alive.importance, 1), maturity=row.maturity, recency=alive.recency,
            why="; ".join(part for part in (match.why, alive.replaced) if part),
        )  # fmt: skip


def _dicts(value: object) -> dict[str, dict[str, Any]]:
    """What the cache says the settings are; a cache that somebody else wrote may say anything."""
    if not isinstance(value, dict):
        return {}
    return {str(name): part for name, part in value.items() if isinstance(part, dict)}


def _answering(
    hits: list[Hit], reports: list[TierReport], chosen: tuple[str, Finding] | None
) -> str:
    """The tier that gave the answer, or the last that was asked."""
    if chosen and hits:
        return chosen[0]
    return hits[0].tier if hits else reports[-1].tier if reports else "exact"


def _has_model() -> bool:
    """Whether the person who asks has set a language model: looked at when no tier is sure."""
    from memtree.config import own

    return own("llm.model").strip() not in ("", "none")


def _tier(name: str) -> Tier:
    if name == "exact":
        return ExactTier()
    if name == "fuzzy":
        from memtree.retrieve.fuzzy import FuzzyTier

        return FuzzyTier()
    if name == "semantic":
        from memtree.retrieve.semantic import SemanticTier

        return SemanticTier()
    return FullTextTier()


def correct_words(ask: Ask) -> None:
    """Put the words that were perhaps meant in the place of those that the tree lacks."""
    if has_stranger(ask.words, ask.full_text):
        from memtree.retrieve.correct import correct

        correct(ask)


def _candidates(finding: Finding) -> list[dict[str, object]]:
    return [
        {"path": match.row.path, "score": round(match.score, 4), "why": match.why}
        for match in finding.matches[:10]
    ]
