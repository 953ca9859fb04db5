"""An answer without a model: the sentences of the found passages that carry it, word for word.

From the first entries come a few sentences, list items, table rows or lines of code that together
hold the question's telling words, rare ones first, without saying the same twice. Titles, headings,
speakers and the sentence before count as said. What a question asks for ("when", "how many",
"who") is looked for where the language is English. The weights were set by hand on the development
data; `benchmarks/extracts.py` measures what they give. Hot: imports nothing but its own floor; one
analysis by the index for each of three passages.
"""

from __future__ import annotations

from math import log

from memtree.index.words import GAP, spaced
from memtree.knowledge.query import Quote
from memtree.retrieve.evidence import GENERIC, GENERIC_WEIGHT, SMALL
from memtree.retrieve.sentences import pieces
from memtree.retrieve.snippet import OVER_MARK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from memtree.retrieve.sentences import Piece
    from memtree.retrieve.tier import Ask, Match

# Quotes of an answer, the entries that they come from, the pieces that they are made of (neighbours
# become one quote), and their characters together: what a person reads at a glance.
QUOTES, ENTRIES, PIECES, LENGTH = 3, 3, 8, 320
# So much of a passage is read.
READ = 2000
# In units of all that the question's telling words weigh.
AGAIN = 0.3  # of a word that is quoted already
ABOUT = 0.35  # of a word of the title, the heading, the speaker or the sentence before
KIND = 0.3  # a date, a number or a name, when that is asked for
NEXT = 0.15  # to stand beside what is quoted
RANK = 0.08  # what each place in the ranking costs
ASKS = 0.25  # what a sentence costs that is a question itself
OVER = 0.6  # what a fact costs that no longer holds
LATER = 0.01  # what each of the first places costs: an entry opens with what it is about
PER_100 = 0.02  # what a hundred characters cost
# A further piece is worth so much of the first, or it is left out.
ENOUGH = 0.15
_BETWEEN = f" {GAP} "
_FIELDS = ("body", "about", "title")


class _Choice:
    """A piece that may be quoted: `has` are telling words in it, `near` those around it."""

    __slots__ = ("base", "has", "match", "near", "number", "piece", "rank")

    def __init__(self, rank: int, number: int, match: Match, piece: Piece) -> None:
        self.rank = rank
        self.number = number
        self.match = match
        self.piece = piece
        self.has: frozenset[str] = frozenset()
        self.near: frozenset[str] = frozenset()
        self.base = 0.0

    @property
    def size(self) -> int:
        return self.piece.end - self.piece.start


def extract(ask: Ask, matches: Sequence[Match], *, by_name: bool = False) -> list[Quote]:
    """Quote from the first `ENTRIES` matches (with their text), in their order.

    `by_name` says that the entries were found by what they are called.

    A quote's text is exactly what stands in the file, with line ends read as a newline; its lines
    count from 1 in the file. When the question asks for a time, a quote has that of its entry.
    Empty when no match has a text.
    """
    weights = telling_weights(ask)
    whole = sum(weights.values()) or 1.0
    reader = _Reader(ask, weights, whole, by_name=by_name)
    choices: list[_Choice] = []
    for rank, match in enumerate([match for match in matches if match.text][:ENTRIES]):
        choices += reader.choices(rank, match)
    return _quotes(_best(choices, weights, whole), timed=reader.asked == "when")


def _best(left: list[_Choice], weights: Mapping[str, float], whole: float) -> list[_Choice]:
    """Take the piece that adds most, again and again, while it adds enough and there is room."""
    taken: list[_Choice] = []
    said: set[str] = set()
    beside: set[tuple[int, int]] = set()
    room, first = LENGTH, 0.0
    while left and len(taken) < PIECES:
        best, most = None, ENOUGH * first if taken else -1e9
        for one in left:
            is_beside = (one.rank, one.number) in beside
            if taken and (one.size > room or not (one.has or is_beside)):
                continue
            worth = one.base + NEXT * whole * is_beside
            for word in one.has:
                worth += weights[word] * (AGAIN if word in said else 1.0)
            for word in one.near:
                if word not in said:
                    worth += weights[word] * ABOUT
            if worth > most:
                best, most = one, worth
        if best is None:
            break
        first = first or most
        taken.append(best)
        room -= best.size
        said |= best.has
        beside |= {(best.rank, best.number - 1), (best.rank, best.number + 1)}
        left = [one for one in left if one is not best]
    return taken


def _quotes(taken: list[_Choice], *, timed: bool) -> list[Quote]:
    """Make one quote of neighbours, with what stands between them; at most `QUOTES`."""
    runs: list[list[_Choice]] = []
    for one in sorted(taken, key=lambda one: (one.rank, one.number)):
        if runs and _goes_on(runs[-1][-1], one):
            runs[-1].append(one)
        else:
            runs.append([one])
    # Those that hold what was taken first stay.
    order = {id(one): place for place, one in enumerate(taken)}
    kept = sorted(runs, key=lambda run: min(order[id(one)] for one in run))[:QUOTES]
    found: list[Quote] = []
    for run in runs:
        if run not in kept:
            continue
        match, begin, end = run[0].match, run[0].piece, run[-1].piece
        found.append(
            Quote(
                match.text[begin.start : end.end],
                path=match.row.path,
                lines=(match.first + begin.line, match.first + end.last),
                time=match.row.time[:10] if timed else "",
            )
        )
    return found


def _goes_on(one: _Choice, after: _Choice) -> bool:
    """Whether a piece goes on where another ends: in its paragraph, no mark between them."""
    if one.rank != after.rank or one.number + 1 != after.number:
        return False
    between = one.match.text[one.piece.end : after.piece.start]
    return "\n" not in between or (not between.strip() and between.count("\n") == 1)


class _Reader:
    """Reads passages for one question."""

    def __init__(
        self, ask: Ask, weights: Mapping[str, float], whole: float, *, by_name: bool
    ) -> None:
        self.ask = ask
        self.by_name = by_name
        self.whole = whole
        self.asked = ""
        self._told: frozenset[str] = frozenset()
        self._forms = {token: token for token in weights}
        if ask.language == "english":
            from memtree.retrieve import english

            for token in weights:
                for form in english.FORMS.get(token, ()):
                    self._forms.setdefault(form, token)
            self.asked = _asked(ask)
            if self.asked:
                self._told = english.TIME_WORDS if self.asked == "when" else english.NUMBER_WORDS

    def choices(self, rank: int, match: Match) -> list[_Choice]:
        """The pieces of a passage, with what speaks for each."""
        row, text = match.row, match.text
        cut = pieces(text[:READ])
        named = f"{row.title if row.titled else ''} {row.speaker}"
        abouts = list(dict.fromkeys(piece.about for piece in cut))
        texts = [text[piece.start : piece.end] for piece in cut]
        # One analysis for all: each alone would cost more than the words in it.
        parts = self._tokens([named, *abouts, *texts])
        forms = self._forms
        bags = [frozenset([forms[token] for token in part if token in forms]) for part in parts]
        about = dict(zip(abouts, bags[1:], strict=False))
        # Where the title is all that was asked, an entry is told from its beginning.
        is_name = self.by_name or bags[0].issuperset(forms.values())
        told = bags[0] if is_name else frozenset[str]()
        at = 1 + len(abouts)
        before: frozenset[str] = frozenset()
        found: list[_Choice] = []
        for number, piece in enumerate(cut):
            one = _Choice(rank, number, match, piece)
            one.has = bags[at + number] - told
            one.near = (bags[0] | about[piece.about] | before) - one.has
            one.base = -RANK * rank - LATER * min(number, 5) - PER_100 * one.size / 100
            if self._fits(texts[number], parts[at + number]):
                one.base += KIND
            if piece.kind == "text" and texts[number][-1] in _ASKING:
                one.base -= ASKS
            if OVER_MARK in texts[number]:
                one.base -= OVER
            one.base *= self.whole
            before = one.has
            found.append(one)
        return found

    def _tokens(self, texts: list[str]) -> list[list[str]]:
        """The words of each text, as the index has them."""
        analyze = self.ask.full_text.stems.analyze
        between = analyze(GAP)[0]
        parts: list[list[str]] = [[]]
        for token in analyze(spaced(_BETWEEN.join(texts))):
            if token == between:
                parts.append([])
            else:
                parts[-1].append(token)
        if len(parts) != len(texts):  # the mark itself stands in a text
            return [analyze(spaced(text)) for text in texts]
        return parts

    def _fits(self, text: str, tokens: Sequence[str]) -> bool:
        """Whether a piece has what is asked for."""
        if not self.asked:
            return False
        if self.asked == "who":
            return any(word[:1].isupper() for word in text.split()[1:])
        return not self._told.isdisjoint(tokens) or any(map(str.isdigit, text))


_ASKING = "?？؟"  # noqa: RUF001  (the marks of other scripts)


def telling_weights(ask: Ask) -> dict[str, float]:
    """Telling stem -> its rarity, as the evidence sees it."""
    full_text = ask.full_text
    total = max(full_text.passages, SMALL)
    weights: dict[str, float] = {}
    for word in ask.words:
        for stem in () if word.stop else word.stems:
            times = min(total, max(full_text.frequency(field, stem) for field in _FIELDS))
            weights[stem] = log(1 + (total - times + 0.5) / (times + 0.5))
    if ask.language == "english" and not weights.keys() <= GENERIC:
        for stem in weights.keys() & GENERIC:
            weights[stem] *= GENERIC_WEIGHT
    return weights


def _asked(ask: Ask) -> str:
    """What an English question asks for: "when", "amount", "who", or "" when it does not say."""
    words = {token for word in ask.words[:4] for token in word.plain}
    if "when" in words or ("what" in words and words & _WHEN):
        return "when"
    if "how" in words and words & _AMOUNT:
        return "amount"
    return "who" if words & _WHO else ""


_WHEN = frozenset(("date", "year", "day", "time", "month"))
_AMOUNT = frozenset(("many", "much", "old", "long", "often", "far", "large", "big"))
_WHO = frozenset(("who", "whom", "whose"))
