"""How sure the text makes us, without scores that depend on the size of the tree.

Two logistics of a few named measures, one for "the tree speaks of this" and one for "the first is
right", each once for words alone and once for words with meaning. Their weights stand in
`memtree.retrieve.calibration`, which `benchmarks/calibrate.py --write` fits on questions with an
answer and without one, in trees of 1 to 17,000 passages. What no fit can learn from such data is a
rule: numbers agree, a corrected word proves nothing by itself, one word of a sentence is too
little. Hot: imports nothing but math and the weights; a tenth of a millisecond.
"""

from __future__ import annotations

from math import exp, log, log10

from memtree.retrieve import calibration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from memtree.retrieve.candidate import Question, Scored

# Rarity is counted as in a tree of at least so many passages: that a word is not among five
# entries says little about the word, and a word that nobody wrote weighs as much as the rarest.
SMALL = 10_000
# Words that stand so near each other speak of one thing: two sentences.
WINDOW = 24
# Words of the question that follow each other stand so near each other where they mean the same.
NEXT = 3
# Passages that are weighed.
FIRST = 5
# What a generic word weighs of its rarity.
GENERIC_WEIGHT = 0.3
# A rule that speaks against the answer leaves this at most: below 0.5 the answer is "absent".
DOUBT = 0.45
# What is asked in bare words ("redis timeout") and stands together is there: at least this.
THERE = 0.6


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Stems that belong to asking more than to what is asked: no corpus, common knowledge of English.
# Nothing here is a stop word for the ranking; here it merely proves little.
GENERIC = _set(
    "long much mani often old far fast big larg high soon late earli go goe went come use make made"
    " do done need want work happen mean take took keep put give gave tell say said know look see"
    " find found show let tri call name kind type sort thing way time someth anyth someon anyon"
    " peopl person day today now current new good best better right possibl allow about onli other"
    " also one first last next year month week date place like get set start describ explain list"
    " mention discuss detail specif main differ exampl note write matter could should would may"
    " might shall was were regard concern relat accord"
)
# Number words must agree as digits do; "one" is a pronoun too, and "a dozen" is a manner of speech.
NUMBERS = _set(
    "two three four five six seven eight nine ten eleven twelv thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen twenti thirti forti fifti sixti seventi eighti nineti hundr"
    " thousand million"
)


class Meant(str):
    """A stem that was put in the place of a word that the tree lacks (memtree.retrieve.correct)."""

    __slots__ = ()


class Evidence:
    """Every value but `measures` is 0 to 1.

    `together`: the largest share of the question's telling words, by rarity, that one of the first
    passages has within two sentences, its title counting as said in each. `coverage` is the same
    without regard to distance. `known`: the share that the scope has at all. `present`: how likely
    the scope speaks of what is asked; below 0.5 the answer is "absent". `confidence`: how likely
    the first is right. `missing`: stems of telling words that the scope has in no form. `against`:
    the rule that spoke against it, or "". `measures` is everything that was measured by name,
    weighed or not: what `benchmarks/calibrate.py` fits; empty when nothing was found.
    """

    __slots__ = (
        "against", "confidence", "coverage", "known", "measures", "missing", "present", "together",
    )  # fmt: skip

    def __init__(self, missing: Sequence[str] = ()) -> None:
        self.coverage = 0.0
        self.together = 0.0
        self.known = 0.0
        self.present = 0.0
        self.confidence = 0.0
        self.missing = missing
        self.against = ""
        self.measures: dict[str, float] = {}


def evidence(question: Question, ranked: Sequence[Scored]) -> Evidence:
    """Weigh what the first of `ranked` (best first, of `rank`) prove.

    Two words that stand together are much in five entries and nothing in 100,000, where any two
    words stand together somewhere: how many there are counts by the logarithm of the scope's size.
    How far the second is behind says nothing about presence: in a small tree it is always far.
    """
    forms: Mapping[str, tuple[str, ...]] = getattr(question.english, "FORMS", {})
    weights = _weights(question)
    missing = [
        token
        for token in weights
        if not question.frequency(token)
        and not any(question.frequency(form) for form in forms.get(token, ()))
    ]
    found = Evidence(missing)
    whole = sum(weights.values())
    if not ranked or not whole:
        return found
    core = _core(question, weights)
    stands_for = {token: token for token in weights}
    for token in weights:
        for form in forms.get(token, ()):
            stands_for.setdefault(form, token)
    order = [token for token in question.tokens if token in weights]
    pairs = {(order[at], order[at + 1]) for at in range(len(order) - 1)}
    held = [_Held(one, weights, core, stands_for, pairs) for one in ranked[:FIRST]]
    best = max(held, key=lambda one: one.together + one.coverage)
    found.together = min(1.0, max(one.together for one in held) / whole)
    found.coverage = min(1.0, max(one.coverage for one in held) / whole)
    found.known = 1.0 - sum(weights[token] for token in missing) / whole
    size = log10(max(1, question.documents))
    words = log(1 + best.words)
    first = held[0]
    found.measures = {
        "constant": 1.0,
        "together": found.together,
        "known": found.known,
        "words": words,
        "size": size,
        "words x size": words * size,
        "pairs": log(1 + max(one.pairs for one in held)),
        "first together": first.together / whole,
        "first coverage": first.coverage / whole,
        # In a small tree the second is always far behind.
        "margin": _margin(ranked) * min(1.0, size / 2),
        "first words": log(1 + first.words),
        "asked": log(1 + len(weights)),
        **_by_meaning(ranked),
    }
    _weigh(found, question, ranked, weights, core, titled=best.titled)
    return found


def _by_meaning(ranked: Sequence[Scored]) -> dict[str, float]:
    """What vectors say, for a tier that has them; nothing at all where no passage has one.

    `height` is the best cosine of the first passages. Whether the first is also first by meaning
    alone was measured, too, and told nothing more (benchmarks/README.md).
    """
    near = [one.candidate.meaning for one in ranked[:FIRST]]
    heights = [height for height in near if height is not None]
    return {"height": max(heights)} if heights else {}


def _weigh(
    found: Evidence, question: Question, ranked: Sequence[Scored], weights: Mapping[str, float],
    core: frozenset[str], *, titled: bool,
) -> None:  # fmt: skip
    """Turn measures into `present` and `confidence`; the rules have the last word."""
    found.present = _logistic(calibration.PRESENT, found.measures)
    right = calibration.RIGHT
    if "height" in found.measures:
        # Fitted on what words left in doubt: meaning adds to them or says nothing.
        found.present = max(found.present, _logistic(calibration.PRESENT_MEANT, found.measures))
        right = calibration.RIGHT_MEANT
    bare = not any(question.stops) and len(core) == len(weights)
    if bare and found.together > ALL:
        found.present = max(found.present, THERE)
    found.against = _against(question, ranked, found, core, bare=bare, titled=titled)
    if found.against:
        found.present = min(found.present, DOUBT)
    found.confidence = _logistic(right, found.measures)
    if found.present < 0.5:
        found.confidence = min(found.confidence, found.present)


# More than this share is everything; sums of shares are rarely exactly 1.
ALL = 0.999


class _Held:
    """What one passage holds of the question: weights within two sentences, anywhere, words.

    `pairs` counts the words of the question that stand next to each other here as there; `titled`
    says that its name or its context has one of them.
    """

    __slots__ = ("coverage", "pairs", "titled", "together", "words")

    def __init__(
        self, one: Scored, weights: Mapping[str, float], core: frozenset[str],
        stands_for: Mapping[str, str], pairs: set[tuple[str, str]],
    ) -> None:  # fmt: skip
        candidate = one.candidate
        always = {stands_for[token] for token in candidate.title if token in stands_for}
        always.update(stands_for[token] for token in candidate.context if token in stands_for)
        for name in candidate.names:
            always.update(stands_for[token] for token in name if token in stands_for)
        places = [
            (place, stands_for[token])
            for place, token in enumerate(candidate.body)
            if token in stands_for
        ]
        title = [
            (place, stands_for[token])
            for place, token in enumerate(candidate.title)
            if token in stands_for
        ]
        self.pairs = len(_neighbours(title, pairs) | _neighbours(places, pairs))
        whole = always.union(token for _, token in places)
        self.words = len(whole & core)
        self.titled = bool(always)
        self.coverage = sum(weights[token] for token in whole)
        self.together = base = sum(weights[token] for token in always)
        at = 0
        for end, (place, _) in enumerate(places):
            while place - places[at][0] > WINDOW:
                at += 1
            near = {token for _, token in places[at : end + 1]}
            here = base + sum(weights[token] for token in near - always)
            self.together = max(self.together, here)


def _neighbours(
    places: Sequence[tuple[int, str]], pairs: set[tuple[str, str]]
) -> set[tuple[str, str]]:
    """The pairs of the question that stand near each other in a text, in the same order."""
    found: set[tuple[str, str]] = set()
    for at, (place, token) in enumerate(places):
        for other, after in places[at + 1 : at + 1 + NEXT]:
            if other - place > NEXT:
                break
            if (token, after) in pairs:
                found.add((token, after))
    return found


def _weights(question: Question) -> dict[str, float]:
    """Telling stem -> its rarity, as in a large tree; generic words count for little."""
    total = max(question.documents, SMALL)
    weights: dict[str, float] = {}
    for token in question.telling():
        times = min(question.frequency(token), total)
        weights[token] = log(1 + (total - times + 0.5) / (times + 0.5))
    if question.english is not None and not weights.keys() <= GENERIC:
        for token in weights.keys() & GENERIC:
            weights[token] *= GENERIC_WEIGHT
    return weights


def _core(question: Question, weights: Mapping[str, float]) -> frozenset[str]:
    """The telling words that are not generic; all when there are no others."""
    generic = GENERIC if question.english is not None else frozenset[str]()
    return frozenset(weights.keys() - generic or weights.keys())


def _against(
    question: Question, ranked: Sequence[Scored], found: Evidence, core: frozenset[str], *,
    bare: bool, titled: bool,
) -> str:  # fmt: skip
    """The rule that forbids to be sure, in words; "" when there is none."""
    numbers = [
        token for token in dict.fromkeys(question.tokens)
        if token in NUMBERS or any(letter.isdigit() for letter in token)
    ]  # fmt: skip
    if numbers and not any(_has_numbers(one, numbers) for one in ranked[:2]):
        return "a number differs"
    corrected = [token for token in core if isinstance(token, Meant)]
    if corrected and (found.together <= ALL or (len(core) == 1 and not bare)):
        return "a word had to be corrected"
    lone = len(core) == 1 and (found.together <= ALL or len(question.telling()) == 1)
    if lone and not bare and not titled and not numbers and len(question.tokens) > 1:
        return "one word of a sentence is too little"
    return ""


def _has_numbers(one: Scored, numbers: Sequence[str]) -> bool:
    """Whether the passage has every number; its own date may have been told in other words."""
    return all(number in one.counts for number in numbers) or one.parts.get("date", 0.0) > 0


def _margin(ranked: Sequence[Scored]) -> float:
    if len(ranked) == 1 or ranked[0].score <= 0:
        return 1.0
    return max(0.0, min(1.0, (ranked[0].score - ranked[1].score) / ranked[0].score))


def _logistic(weights: Mapping[str, float], measures: Mapping[str, float]) -> float:
    value = sum(weight * measures[name] for name, weight in weights.items())
    return 1 / (1 + exp(-max(-50.0, min(50.0, value))))
