"""What the index offers for a question: passages, and what stands near them.

Beside the first passages of the index: the turns around a turn, entries that the question or a
first passage calls by name, entries that a first passage links to, and what tier 4 finds nearest in
meaning. `memtree.retrieve.ranking` puts them in order.

Hot: one question reads at most `BUDGET` characters of passages.
"""

from __future__ import annotations

from memtree.index.keys import key_of, link_key
from memtree.index.words import date_words, spaced
from memtree.retrieve.candidate import Candidate, Question, asking_share, names_of
from memtree.retrieve.question import to_query
from memtree.retrieve.ranking import FEW_WORDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from memtree.index.full_text import Found
    from memtree.index.row import Row
    from memtree.retrieve.tier import Ask

# More cost time and make it slightly worse: measured on the development data.
PASSAGES = 60
# One word leaves little to weigh: the index's own order is nearly the last word.
FEW, SOME = 16, 30
BUDGET = 64_000
# Neighbours of so many turns, names in the text of so many passages are looked up.
TURNS, NAMING = 30, 5
# So many entries that are called by name or linked to are looked at.
CALLED = 16
_NAME_WORDS = 8
# A page of links links to everything, which says nothing.
_LINKS = 40
# Fields in which a word may stand; who spoke and when is said in `about`.
_COUNTED = ("body", "about", "title")
# Analysed texts that an open tree keeps: some 20 MB at most.
_REMEMBERED = 4000


def gather(ask: Ask) -> Gathering:
    """What the words of a question find, once for all tiers that ask."""
    if ask.gathered is None:
        ask.gathered = Gathering(ask)
        ask.gathered.take_words()
    return ask.gathered


class Gathering:
    """The candidates of one question, and the passages they came from."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self._telling = sum(1 for word in ask.words if not word.stop for _ in word.stems)
        self._connected = self._telling > 1
        # What the index found, in its order: more than is read.
        self.offered: list[Found] = []
        self.rows: dict[int, Row] = {}
        self.candidates: list[Candidate] = []
        self.found: dict[object, tuple[Found, str]] = {}
        self._left = BUDGET

    def take_words(self) -> None:
        """Passages that share words with the question, and what stands near them."""
        ask = self.ask
        query = to_query(ask.words, ask.full_text)
        if query is None:
            return
        # Several passages may be of one entry: more are fetched than are shown.
        wanted = max(PASSAGES, 3 * ask.limit)
        self.offered = ask.full_text.search(ask.full_text.within(query, ask.scope), wanted)
        few = FEW if self._telling == 1 else SOME if self._telling <= FEW_WORDS else PASSAGES
        self.take(self.offered[: max(few, ask.limit + 4)])
        if self.candidates:
            self.take_named(self._telling)
            self.take_turns()

    def take_nearest(self, passages: Sequence[int]) -> None:
        """Passages that are near in meaning, whatever their words."""
        new = [passage for passage in passages if passage not in self.found]
        if not new:
            return
        full_text = self.ask.full_text
        found = full_text.search(full_text.these(new), len(new))
        self.take(found, free=True)

    def _analyze(self, text: str) -> list[str]:
        # Titles, speakers and dates repeat within a question and from one to the next.
        memory = self.ask.memory
        tokens = memory.get(text)
        if tokens is None:
            if len(memory) > _REMEMBERED:
                memory.clear()
            tokens = memory[text] = self.ask.full_text.stems.analyze(spaced(text))
        return tokens

    def take(self, found: list[Found], *, free: bool = False) -> None:
        """Read passages, as many as the budget allows, and make candidates of them."""
        missing = {item.entry for item in found} - self.rows.keys()
        self.rows.update(self.ask.catalog.rows(missing))
        aliases = self._aliases(missing)
        for item in found:
            row = self.rows.get(item.entry)
            if row is None or not row.fts or item.passage in self.found:
                continue
            if self._left < 0 and not free:
                return
            text = self.ask.full_text.text(item)
            self._left -= len(text)
            self.found[item.passage] = item, text
            self.candidates.append(self._candidate(row, item, text, aliases.get(row.number, [])))

    def _candidate(self, row: Row, item: Found, text: str, aliases: list[str]) -> Candidate:
        in_session = bool(row.session)
        title = self._analyze(row.title) if row.titled else []
        names = [self._analyze(name) for name in names_of(row.title, aliases)] if row.titled else []
        # Where an entry lies is part of what it is about; a turn of a chat lies nowhere.
        place = "" if in_session else row.path.rpartition(".")[0].replace("/", " ")
        context = " ".join((row.speaker, date_words(row.time), *row.tags, place))
        return Candidate(
            item.passage,
            row.number,
            self._analyze(text),
            title=title,
            context=self._analyze(context) if context.strip() else (),
            names=names,
            speaker=self._analyze(row.speaker) if row.speaker else (),
            time=row.time,
            session=row.session,
            turn=row.turn,
            asks=asking_share(text) if in_session else 0.0,
            links=self._links(row) if len(self.candidates) < NAMING and row.titled else (),
        )

    def _aliases(self, numbers: Iterable[int]) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {}
        for number, key, kind in self.ask.catalog.keys_of(numbers if self._connected else ()):
            if kind == "alias":
                found.setdefault(number, []).append(key)
        return found

    def _links(self, row: Row) -> list[int]:
        if not self._connected:
            return []
        targets = self.ask.catalog.links_from(row.number)[:_LINKS]
        keys = [link_key(target) for target, kind, _, _ in targets if kind != "embed"]
        return [number for number, _ in self.ask.catalog.called(keys)]

    def take_named(self, telling: int) -> None:
        """Entries that the question calls by name, or that the first passages name or link to.

        One word's name is what the exact tier looks up; `telling` words make a question.
        """
        if not self._connected:
            return
        keys = set(_spans([word.text for word in self.ask.words]))
        if telling > FEW_WORDS:
            for candidate in self.candidates[:NAMING]:
                _, text = self.found[candidate.key]
                keys |= _capitalised(text)
        numbers = {number for number, _ in self.ask.catalog.called(keys)}
        for candidate in self.candidates[:NAMING]:
            numbers.update(int(str(link)) for link in candidate.links)
        self._take_entries(numbers, CALLED)

    def take_turns(self) -> None:
        """The two turns before and after the first turns of sessions."""
        wanted: set[tuple[str, int]] = set()
        for candidate in self.candidates[:TURNS]:
            if candidate.session:
                wanted.update(
                    (str(candidate.session), candidate.turn + step) for step in (-2, -1, 1, 2)
                )
        if wanted:
            self._take_entries(self.ask.catalog.turns(wanted), 4 * TURNS)

    def _take_entries(self, numbers: Iterable[int], limit: int) -> None:
        known = {item.entry for item, _ in self.found.values()}
        new = sorted(set(numbers) - known)[:limit]
        if not new:
            return
        full_text = self.ask.full_text
        query = full_text.of_entries(full_text.everything(), new)
        found = full_text.search(full_text.within(query, self.ask.scope), 2 * limit)
        self.take(found, free=True)

    def row(self, number: int) -> Row | None:
        """The row of an entry that may not have been read."""
        if number not in self.rows:
            self.rows.update(self.ask.catalog.rows([number]))
        return self.rows.get(number)


def question_of(ask: Ask, work: Gathering) -> Question:
    """The question as ranking and evidence weigh it, among what was gathered."""
    tokens: list[str] = []
    words: list[str] = []
    stops: list[bool] = []
    for word in ask.words:
        if len(word.stems) != len(word.plain):
            continue
        tokens += word.stems
        words += word.plain
        stops += [word.stop] * len(word.stems)
    language: object = None
    asked = set(tokens)
    if ask.language == "english":
        from memtree.retrieve import english

        language = english
        for token in tokens:
            asked.update(english.FORMS.get(token, ()))
    frequency, documents = _counting(ask, asked)
    lengths = [len(candidate.body) + len(candidate.title) for candidate in work.candidates]
    return Question(
        tokens,
        words=words,
        stops=stops,
        frequency=frequency,
        documents=documents,
        average_length=sum(lengths) / max(1, len(lengths)),
        english=language,
    )


def _counting(ask: Ask, asked: set[str]) -> tuple[Callable[[str], int], int]:
    """In how many passages of the scope a stem is, and how many there are."""
    full_text = ask.full_text
    total = max(1, full_text.passages)
    documents = full_text.frequency("scope", ask.scope) if ask.scope else total
    # Frequencies of the whole tree hold until the next refresh; those of a scope for one question.
    known: dict[str, int] = {} if ask.scope else ask.frequencies

    def frequency(stem: str) -> int:
        found = known.get(stem)
        if found is None:
            counts = [full_text.frequency(field, stem) for field in _COUNTED]
            found = max(counts)
            if ask.scope and found and stem in asked:
                anywhere = [
                    full_text.term(field, stem)
                    for field, count in zip(_COUNTED, counts, strict=True)
                    if count
                ]
                found = full_text.count(full_text.within(full_text.any_of(anywhere), ask.scope))
            elif ask.scope and found:
                # Counting costs; for words that nobody asked for the share of the tree will do.
                found = max(1, found * documents // total)
            known[stem] = found
        return found

    return frequency, max(1, documents)


def _spans(words: list[str]) -> Iterable[str]:
    """Every run of words of the question, as the key of a name."""
    bare = [word.strip(_MARKS) for word in words[:40]]
    for start in range(len(bare)):
        for size in range(1, min(_NAME_WORDS, len(bare) - start) + 1):
            yield key_of(" ".join(bare[start : start + size]))


_MARKS = ".,;:!?\"'()[]{}“”‘’«»…"  # noqa: RUF001  (what people type)


def _capitalised(text: str) -> set[str]:
    """Runs of capitalised words in a text: what may be the names of other entries."""
    found: set[str] = set()
    run: list[str] = []
    for word in [*text.split()[:400], ""]:
        bare = word.strip(_MARKS)
        if bare[:1].isupper() or (run and bare[:1].isdigit()):
            run.append(bare.removesuffix("'s").removesuffix("’s"))  # noqa: RUF001
        elif run and bare in ("of", "the", "and", "de", "la", "for", "in"):
            run.append(bare)
            continue
        else:
            for start in range(len(run)):
                for size in range(1, min(5, len(run) - start) + 1):
                    found.add(key_of(" ".join(run[start : start + size])))
            run = []
            continue
        if word and word[-1] in ",;:.!?)":
            for start in range(len(run)):
                for size in range(1, min(5, len(run) - start) + 1):
                    found.add(key_of(" ".join(run[start : start + size])))
            run = []
    return found
