"""What the full-text tier's second stage speaks about: a question, its candidates, their score.

The caller supplies tokens (stems, lower-case, without accents, stop words included; the same
analysis for question and candidates) and structure: who, when, which session, which name. What a
note lacks is left empty, and then plays no part. Hot: imports nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Words = Sequence[str]


class Candidate:
    """A passage that may answer: one turn of a session, or a part of an entry.

    `key` tells passages apart, `entry` says which entry it belongs to. `title` counts as text;
    leave it empty when it was made from the text. `names` are the ways other entries may call this
    one (title, title without its parenthesis, aliases), each as tokens; empty for entries that
    nobody named, such as turns of a chat. `context` holds front matter in words (speaker, date as
    "7 May 2023", tags). `session` is "" outside a session, else unique in the scope, and `turn`
    counts within it from any start. `time` is ISO 8601 or "". `asks` is the share (0 to 1) of the
    text that is a question, see `asking_share`. `links` are the entries that this one links to.
    `meaning` is the cosine of its vector and the question's, None where there is none.
    """

    __slots__ = (
        "asks",
        "body",
        "context",
        "entry",
        "key",
        "links",
        "meaning",
        "names",
        "session",
        "speaker",
        "time",
        "title",
        "turn",
    )

    def __init__(
        self,
        key: object,
        entry: object,
        body: Words,
        *,
        title: Words = (),
        context: Words = (),
        names: Sequence[Words] = (),
        speaker: Words = (),
        time: str = "",
        session: object = "",
        turn: int = 0,
        asks: float = 0.0,
        links: Iterable[object] = (),
    ) -> None:
        self.key = key
        self.entry = entry
        self.body = body
        self.title = title
        self.context = context
        self.names = [tuple(name) for name in names if name]
        self.speaker = tuple(speaker)
        self.time = time
        self.session = session
        self.turn = turn
        self.asks = asks
        self.links = links
        self.meaning: float | None = None


class Question:
    """What is asked, in the words of the index.

    `tokens` are stems and `words` the same words unstemmed, place by place; `stops` marks those
    without content. `frequency` tells in how many passages of the scope a stem is, in any field.
    It is asked for the question's stems and their other forms, where it should be exact for the
    scope (counts of the whole tree cost 2 points on chats), and for some 300 words more, where a
    count of the whole tree does. `documents` counts the scope's passages, `average_length` is
    their mean number of tokens, title and body. `english` is the module
    `memtree.retrieve.english`, or None for other languages.
    """

    __slots__ = (
        "average_length",
        "documents",
        "english",
        "frequency",
        "stops",
        "tokens",
        "words",
    )

    def __init__(
        self,
        tokens: Words,
        *,
        words: Words,
        stops: Sequence[bool],
        frequency: Callable[[str], int],
        documents: int,
        average_length: float,
        english: object = None,
    ) -> None:
        self.tokens = tuple(tokens)
        self.words = tuple(words)
        self.stops = tuple(stops)
        self.frequency = frequency
        self.documents = documents
        self.average_length = max(1.0, average_length)
        self.english = english

    def telling(self) -> dict[str, None]:
        """List the stems that carry content, in order; all when only stop words are asked."""
        pairs = zip(self.tokens, self.stops, strict=True)
        found = dict.fromkeys(token for token, stop in pairs if not stop)
        return found or dict.fromkeys(self.tokens)


class Scored:
    """A candidate in its place: `score` (best first) and what made it.

    `text` is the part that its own words earned (1 for the best of all) with what its `meaning`
    adds, `parts` the rest by feature. `counts` has the question's stems that stand in it in any
    form, each with how much it counts (0 to 1). `bag` is the set of its words.
    """

    __slots__ = ("bag", "candidate", "counts", "meaning", "parts", "score", "text")

    def __init__(self, candidate: Candidate) -> None:
        self.candidate = candidate
        self.score = 0.0
        self.text = 0.0
        self.meaning = 0.0
        self.parts: dict[str, float] = {}
        self.counts: dict[str, float] = {}
        self.bag: set[str] = set()


_ASKING = ("?", "？", "؟")  # noqa: RUF001  (the marks of other scripts)
_ENDING = (*_ASKING, ".", "!", "。", "！", "\n")  # noqa: RUF001  (the same)


def asking_share(text: str) -> float:
    """Measure how much of a text, by characters, stands in sentences that end with "?"."""
    if not any(mark in text for mark in _ASKING):
        return 0.0
    parted = text
    for mark in _ENDING:
        parted = parted.replace(mark, mark + "\0")
    sentences = parted.split("\0")
    asked = sum(len(sentence) for sentence in sentences if sentence.endswith(_ASKING))
    return min(1.0, asked / len(text))


def names_of(title: str, aliases: Iterable[str] = ()) -> list[str]:
    """List how texts may call an entry: its title, that without "(...)" at its end, its aliases."""
    names = [title, *aliases]
    if title.endswith(")"):
        names.append(title.rpartition("(")[0].rstrip())
    return [name for name in dict.fromkeys(names) if name]
