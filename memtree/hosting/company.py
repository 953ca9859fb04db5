"""Plugins in the company of the tiers: asked at their stage, fused by rank, refined, and named.

One of these is made for each question. It stands beside the engine as `Engine.company`, which asks
it after each tier and at the end; without plugins there is none, and nothing of this is loaded.

Fusion is by reciprocal rank with k = 60 (Cormack, Clarke & Buettcher 2009): the tier's list and
each plugin's, weighted by the option `weight` (1).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from memtree.knowledge.query import TierReport
from memtree.plugins.api import STAGES, Ranked, Ranking
from memtree.retrieve.agentic.looking import Looking
from memtree.retrieve.tier import Finding, Match, with_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memtree.hosting.host import Host, Player
    from memtree.index.row import Row
    from memtree.knowledge.query import Answer, Hit
    from memtree.retrieve.engine import Engine
    from memtree.retrieve.tier import Ask

K = 60
# Hits of one plugin that are looked at: a flood is cut, and said.
MOST = 200
# Matches that a tier gives to be fused, and hits in the place of those that plugins leave out.
WIDE, SPARE = 20, 10
# Steps of one plugin that --explain shows, and letters of the reason for one hit.
STEPS, WHY = 50, 300


class Company:
    """The players of one question."""

    def __init__(self, host: Host, players: Sequence[Player], notes: Sequence[str]) -> None:
        self._host = host
        self.players = list(players)
        self.notes = list(notes)
        self._asked: set[str] = set()
        self._taken: dict[str, str] = {}
        self._told: list[str] = []
        self._answer: tuple[str, str] | None = None
        # What the tiers found so far, as a search would show it.
        self._found: dict[str, Match] = {}

    def took_part(self, player: Player) -> None:
        """Name a player in the answer."""
        self._asked.add(player.name)

    def has_more(self, tier: str) -> bool:
        """Whether a plugin that was asked for by name waits for a later tier."""
        later = STAGES[STAGES.index(tier) + 1 :] if tier in STAGES else ()
        return any(
            player.named and not player.is_out and player.loaded.has("retrieve")
            and player.loaded.manifest.stage in later
            for player in self.players
        )  # fmt: skip

    def beside(
        self, tier: str, engine: Engine, ask: Ask, finding: Finding | None,
        reports: list[TierReport],
    ) -> Finding | None:  # fmt: skip
        """What the tier and the plugins of its stage found together."""
        mine = [
            player
            for player in self.players
            if player.loaded.has("retrieve") and player.loaded.manifest.stage == tier
        ]
        if finding is not None and (tier != "fuzzy" or finding.sure):
            for match in finding.matches:
                self._found.setdefault(match.row.path, match)
        lists: list[tuple[float, list[Match]]] = []
        best: tuple[Ranking, list[Match]] | None = None
        for player in self._host.ready(mine):
            if tier == STAGES[-1]:  # by now all of a search has been looked for
                player.context.search.remember(ask.query.text, ask.scope, self._so_far)
            asked = self._retrieved(engine, ask, player, reports)
            if asked is None:
                continue
            ranking, matches = asked
            weight = _number(player.context.options.get("weight"), 1.0)
            if weight > 0:
                lists.append((weight, matches))
            if ranking.sure and (best is None or best[0].confidence < ranking.confidence):
                best = asked
                if ranking.answer:
                    self._answer = ranking.answer, matches[0].row.path
        return fused(self._base(tier, finding), lists, best, ask.limit) if lists else finding

    def _base(self, tier: str, finding: Finding | None) -> Finding | None:
        """What plugins are fused with: what the tier found, else what the words did.

        That is where there are no vectors, or where one word was looked up.
        """
        if tier != STAGES[-1] or (finding is not None and finding.matches):
            return finding
        sure = finding.confidence if finding is not None else 0.0
        return Finding(list(self._found.values()), confidence=sure, sure=False, why="words")

    def _retrieved(
        self, engine: Engine, ask: Ask, player: Player, reports: list[TierReport]
    ) -> tuple[Ranking, list[Match]] | None:
        """What one player finds; None for nothing."""
        started = time.perf_counter()
        ranking = ranking_of(self._host.ask(player, "retrieve", ask.query))
        if ranking is None:
            if not player.is_out:
                player.context.note(f"the plugin {player.name} gave no list of hits")
            return None
        matches = self._matches(engine, player, ranking, ask)
        self._asked.add(player.name)
        reports.append(
            TierReport(
                player.by, ms=1000 * (time.perf_counter() - started), sure=ranking.sure,
                why=ranking.why or f"{len(matches)} entries",
                candidates=_candidates(matches) if ask.query.explain else (),
                steps=player.context.steps[:STEPS] if ask.query.explain else (),
            )
        )  # fmt: skip
        return (ranking, matches) if matches else None

    def _so_far(self) -> list[Ranked]:
        return [ranked_of(match) for match in self._found.values()]

    def _matches(self, engine: Engine, player: Player, ranking: Ranking, ask: Ask) -> list[Match]:
        """The hits of a plugin as matches: of entries within the scope, and no flood."""
        hits = list(ranking.hits[: MOST + 1])
        if len(hits) > MOST:
            player.context.note(
                f"of the hits of {player.name} only the first {MOST} were looked at"
            )
        found: list[Match] = []
        seen: set[str] = set()
        for hit in hits[:MOST]:
            if not isinstance(hit, Ranked) or hit.path in seen:
                continue
            seen.add(hit.path)
            row = engine.catalog.by_path(hit.path)
            if row is None or (ask.scope and not hit.path.startswith(ask.scope + "/")):
                continue
            found.append(_match(row, hit, player.name))
        return found

    def width(self, limit: int) -> int:
        """How many matches a tier is asked for: more than are shown, to be fused or left out."""
        retrieves = any(one.loaded.has("retrieve") for one in self.players)
        return max(limit + SPARE, WIDE if retrieves else 0)

    @property
    def refines(self) -> bool:
        """Whether hits may be taken out or added at the end."""
        return any(one.loaded.has("refine") and not one.is_out for one in self.players)

    def look(self, ask: Ask) -> Looking:
        """The tree as tier 5 sees it, without what `refine` takes out."""
        return RefinedLooking(ask, self) if self.refines else Looking(ask)

    def kept(self, ask: Ask, matches: Sequence[Match]) -> list[Match]:
        """Matches as the plugins with `refine` leave them, rivals among them."""
        engine = self._host.tree.held()
        given = [ranked_of(match) for match in matches]
        for player in self._host.ready(self.players):
            if player.loaded.has("refine") and given:
                left = self._host.ask(player, "refine", ask.query, tuple(given))
                if not player.is_out:
                    self._asked.add(player.name)
                if isinstance(left, (list, tuple)):
                    given = [one for one in left if isinstance(one, Ranked)][:MOST]
        known = {(one.row.path, one.first): one for one in matches}
        found: list[Match] = []
        for one in given:
            match = known.get((one.path, one.lines[0]))
            row = engine.catalog.by_path(one.path) if match is None else None
            if row is not None:
                match = with_text(engine.full_text, _match(row, one, "rival"))
            if match is not None:
                found.append(match)
        return found

    def shown(
        self, findings: list[tuple[str, Finding]], chosen: tuple[str, Finding] | None
    ) -> list[tuple[str, Finding]]:
        """What is shown of all that was found: what was fused before what went into it.

        Behind a tier that was sure a plugin may have had its say.
        """
        if chosen is not None:
            return findings[findings.index(chosen) :]
        return sorted(findings, key=lambda one: one[0] == "fulltext")

    def refined(self, engine: Engine, ask: Ask, hits: list[Hit]) -> list[Hit]:
        """The hits as the plugins with `refine` leave them, in their order."""
        for player in self._host.ready(self.players):
            if not player.loaded.has("refine"):
                continue
            given = [
                Ranked(path=hit.path, score=hit.score, why=hit.why, text=hit.snippet,
                       lines=hit.lines)
                for hit in hits
            ]  # fmt: skip
            left = self._host.ask(player, "refine", ask.query, given)
            if not isinstance(left, (list, tuple)) or not all(
                isinstance(one, Ranked) for one in left
            ):
                if not player.is_out:
                    player.context.note(f"the plugin {player.name} gave no list of hits")
                continue
            self._asked.add(player.name)
            before, hits = hits, self._again(engine, ask, hits, left, player)
            there = {hit.path for hit in hits}
            self._taken |= {hit.path: player.name for hit in before if hit.path not in there}
        return hits

    def taken(self, path: str) -> str:
        """The plugin that took an entry out of the hits; "" for none."""
        return self._taken.get(path, "")

    def _again(
        self, engine: Engine, ask: Ask, hits: list[Hit], left: Sequence[Ranked], player: Player
    ) -> list[Hit]:
        known = {hit.path: hit for hit in hits}
        stems = ask.sought()
        found: list[Hit] = []
        for one in left[:MOST]:
            hit = known.get(one.path)
            if hit is None:
                row = engine.catalog.by_path(one.path)
                if row is None or (ask.scope and not one.path.startswith(ask.scope + "/")):
                    continue
                match = _match(row, one, player.name)
                hit = engine.hit("semantic", match, ask, stems)
            if all(other.path != hit.path for other in found):
                if one.note:
                    hit.why = "; ".join(part for part in (hit.why, one.note) if part)
                found.append(hit)
        return found

    def told(self, answer: Answer) -> Answer:
        """The answer, with who took part and what they had to say."""
        active = [player for player in self.players if player.name in self._asked]
        answer.by = [*answer.by, *(player.by for player in active)]
        answer.plugins = [
            *answer.plugins,
            *({"name": player.name, "state": player.status.state, "mode": player.status.mode,
               "reason": player.status.reason} for player in active),
        ]  # fmt: skip
        notes = [note for player in self.players for note in player.context.notes]
        degraded = [player for player in active if player.status.reason]
        if len(degraded) == 1:
            notes.append(f"{degraded[0].name} is degraded: {degraded[0].status.reason}")
        elif degraded:  # a line each under every answer would hide what else there is to say
            names = ", ".join(player.by for player in degraded)
            notes.append(f"degraded: {names} (memtree plugins list says why)")
        answer.notes = [*answer.notes, *self.notes, *dict.fromkeys(notes)]
        if self._answer is not None and answer.hits and answer.hits[0].path == self._answer[1]:
            answer.answer = f"{self._answer[0]} ({self._answer[1]})"
        return answer


class RefinedLooking(Looking):
    """Looks into the tree, and sees nothing that a plugin takes out."""

    def __init__(self, ask: Ask, company: Company) -> None:
        super().__init__(ask)
        self._company = company

    def search(self, text: str, limit: int = 10) -> Finding:
        """What words and meaning find, refined."""
        finding = super().search(text, limit)
        finding.matches = self._company.kept(self.ask, finding.matches)
        return finding

    def read(self, path: str) -> list[Match]:
        """Every passage of an entry, unless it is taken out."""
        return [one for one in self._company.kept(self.ask, super().read(path))
                if one.row.path == path]  # fmt: skip

    def linked(self, path: str) -> list[Match]:
        """What an entry leads to, refined."""
        return self._company.kept(self.ask, super().linked(path))

    def named(self, name: str) -> list[Match]:
        """What is called so, refined."""
        return self._company.kept(self.ask, super().named(name))


def fused(
    finding: Finding | None, lists: Sequence[tuple[float, list[Match]]],
    best: tuple[Ranking, list[Match]] | None, limit: int,
) -> Finding:  # fmt: skip
    """One order out of several. Who is sure stays first; scores compare within the list."""
    own = list(finding.matches) if finding is not None else []
    total: dict[str, float] = {}
    first: dict[str, Match] = {}
    for weight, matches in ((1.0, own), *lists):
        for place, match in enumerate(matches, 1):
            path = match.row.path
            total[path] = total.get(path, 0.0) + weight / (K + place)
            there = first.setdefault(path, match)
            if there is not match and match.why not in there.why:
                there.why = f"{there.why}; {match.why}" if there.why else match.why
    order = sorted(first.values(), key=lambda match: -total[match.row.path])
    sure_first = best[1][:1] if best else own[:1] if finding is not None and finding.sure else []
    if sure_first:
        path = sure_first[0].row.path
        order.sort(key=lambda match: match.row.path != path)
    top = max([match.score for match in own] or [0.95])
    peak = max(total.values())
    for match in order:
        match.score = min(1.0, top) * total[match.row.path] / peak
    same = bool(own) and bool(order) and order[0].row.path == own[0].row.path
    confidence = finding.confidence if finding is not None and same else 0.0
    if best is not None:
        confidence = max(confidence, min(1.0, max(0.0, best[0].confidence)))
    elif finding is not None and not same:
        confidence = finding.confidence  # the evidence is of the words, whatever stands first
    return Finding(
        order[: max(limit, 1)], confidence=confidence,
        sure=best is not None or (finding is not None and finding.sure),
        why=(best[0].why if best else "") or (finding.why if finding is not None else "plugins"),
    )  # fmt: skip


def ranked_of(match: Match) -> Ranked:
    """A match as plugins know one."""
    return Ranked(path=match.row.path, score=match.score, why=match.why, text=match.text,
                  lines=(match.first, match.last))  # fmt: skip


def _candidates(matches: Sequence[Match]) -> list[dict[str, object]]:
    return [
        {"path": one.row.path, "score": round(one.score, 4), "why": one.why} for one in matches[:10]
    ]


def _match(row: Row, hit: Ranked, by: str) -> Match:
    """A plugin's hit as a match; a passage that it does not give is looked up where it is shown."""
    return match_of(row, hit, why=f"{by}: {hit.why[:WHY]}" if hit.why else by)


def match_of(row: Row, hit: Ranked, *, why: str) -> Match:
    """A hit as the tiers know one."""
    first, last = hit.lines
    return Match(
        row, float(hit.score), why=why, text=hit.text, first=max(1, first), last=max(1, last)
    )


def ranking_of(value: object) -> Ranking | None:
    """What a retriever gave as a ranking; None when it is none."""
    if isinstance(value, Ranking):
        return value
    if isinstance(value, (list, tuple)):
        return Ranking(hits=value)
    return None


def _number(value: object, default: float) -> float:
    return float(value) if isinstance(value, int | float) else default
