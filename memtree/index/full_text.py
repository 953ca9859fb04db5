"""The full-text index: the one door to tantivy. One document per passage.

Traps that this module keeps to itself (tantivy-py 0.27): custom analyzers are not stored with the
index and are registered after every open; numbers must be signed integers (an unsigned field kills
the writer's thread when a document is built without a schema); `limit=0` panics; a second writer
raises LockBusy, so a writer is opened late, used briefly and closed.

Hot: imports tantivy only.
"""

from __future__ import annotations

import os

import tantivy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FOLDER = "full_text"
# Bump when the schema or the analyzers change: the index is then rebuilt.
SCHEMA = 1
# Field -> boost, for questions in words. Title and headings say what a passage is about.
BOOSTS = (("body", 1.0), ("title", 2.0), ("heading", 1.2), ("about", 1.0), ("code", 0.6))
LANGUAGES = (
    "arabic", "danish", "dutch", "english", "finnish", "french", "german", "greek", "hungarian",
    "italian", "norwegian", "portuguese", "romanian", "russian", "spanish", "swedish", "tamil",
    "turkish",
)  # fmt: skip
PASSAGES = 1 << 16  # passage numbers below one entry: entry * PASSAGES + ordinal

_Q = tantivy.Query
_MUST, _SHOULD = tantivy.Occur.Must, tantivy.Occur.Should


class Unusable(Exception):  # noqa: N818  (a state, caught and answered by a rebuild)
    """The index can't be opened: missing, damaged, or of another schema."""


class WriterBusy(Exception):  # noqa: N818  (a state: what waits is reported as pending)
    """Another process holds the writer."""


def analyzer(language: str) -> tantivy.TextAnalyzer:
    """Words, lower case, without diacritics, stemmed; any other `language` means no stems."""
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    builder = builder.filter(tantivy.Filter.remove_long(120))
    builder = builder.filter(tantivy.Filter.lowercase()).filter(tantivy.Filter.ascii_fold())
    if language in LANGUAGES:
        builder = builder.filter(tantivy.Filter.stemmer(language))
    return builder.build()


def _schema() -> tantivy.Schema:
    build = tantivy.SchemaBuilder()
    for name in ("title", "heading", "body", "about", "code"):
        build.add_text_field(name, tokenizer_name="stems")
    build.add_text_field("names", tokenizer_name="plain", index_option="basic")
    build.add_text_field("scope", tokenizer_name="raw", index_option="basic")
    build.add_bytes_field("text", stored=True)
    build.add_integer_field("entry", indexed=True, fast=True)
    build.add_integer_field("passage", indexed=True, fast=True)
    build.add_integer_field("first", fast=True)
    build.add_integer_field("last", fast=True)
    return build.build()


class Found:
    """One passage that a search found."""

    __slots__ = ("address", "entry", "first", "last", "passage", "score")

    def __init__(
        self, *, entry: int, passage: int, first: int, last: int, score: float,
        address: tantivy.DocAddress,
    ) -> None:  # fmt: skip
        self.entry = entry
        self.passage = passage
        self.first = first
        self.last = last
        self.score = score
        self.address = address


class FullText:
    """An open index: any number of these read while one process writes."""

    def __init__(self, folder: str, *, language: str, create: bool = False) -> None:
        self.path = os.path.join(folder, FOLDER)
        try:
            if create:
                os.makedirs(self.path, exist_ok=True)
                self.index = tantivy.Index(_schema(), path=self.path)
            else:
                self.index = tantivy.Index.open(self.path)
            self._begin(language)
        except (ValueError, OSError) as error:
            if create or not os.path.isdir(self.path) or os.access(self.path, os.W_OK):
                raise Unusable(str(error)) from error
            self._open_elsewhere(language)

    def _open_elsewhere(self, language: str) -> None:
        """Open an index on a disk that can't be written: readers want to put a lock beside it.

        The lock goes to a temporary folder, whose other files are links to the index.
        """
        import tempfile

        self._elsewhere = tempfile.TemporaryDirectory(prefix="memtree-")
        try:
            for name in os.listdir(self.path):
                if name.endswith(".lock"):
                    continue
                os.symlink(os.path.join(self.path, name), os.path.join(self._elsewhere.name, name))
            self.index = tantivy.Index.open(self._elsewhere.name)
            self._begin(language)
        except (ValueError, OSError) as error:
            raise Unusable(str(error)) from error

    def _begin(self, language: str) -> None:
        self.schema = self.index.schema
        self.stems = analyzer(language)
        self.plain = analyzer("")
        self.index.register_tokenizer("stems", self.stems)
        self.index.register_tokenizer("plain", self.plain)
        self.index.config_reader("manual")
        self.searcher = self.index.searcher()

    def reload(self) -> None:
        """See what was committed since."""
        try:
            self.index.reload()
            self.searcher = self.index.searcher()
        except ValueError as error:
            raise Unusable(str(error)) from error

    # -- building blocks --------------------------------------------------------------------

    def term(self, field: str, word: str) -> tantivy.Query:
        """One analysed word in one field."""
        return _Q.term_query(self.schema, field, word)

    def phrase(self, field: str, words: Sequence[str], slop: int = 0) -> tantivy.Query:
        """Analysed words in a row; one word is a term."""
        if len(words) == 1:
            return self.term(field, words[0])
        return _Q.phrase_query(self.schema, field, list(words), slop)

    def fuzzy(self, field: str, word: str, distance: int) -> tantivy.Query:
        """Words within an edit distance of 1 or 2 (Damerau: a swap counts one)."""
        return _Q.fuzzy_term_query(self.schema, field, word, distance)

    def any_of(self, queries: Sequence[tantivy.Query]) -> tantivy.Query:
        """The sum of the scores of those that match."""
        return _Q.boolean_query([(_SHOULD, query) for query in queries])

    def all_of(self, queries: Sequence[tantivy.Query]) -> tantivy.Query:
        """Every one must match."""
        return _Q.boolean_query([(_MUST, query) for query in queries])

    def required_and_wanted(self, required: tantivy.Query, wanted: tantivy.Query) -> tantivy.Query:
        """The first must match, the second adds to the score."""
        return _Q.boolean_query([(_MUST, required), (_SHOULD, wanted)])

    def best_of(self, queries: Sequence[tantivy.Query], tie: float) -> tantivy.Query:
        """The best score, and `tie` times the others'."""
        return _Q.disjunction_max_query(list(queries), tie)

    def boosted(self, query: tantivy.Query, boost: float) -> tantivy.Query:
        """A query whose score counts `boost` times."""
        return query if boost == 1.0 else _Q.boost_query(query, boost)

    def within(self, query: tantivy.Query, scope: str) -> tantivy.Query:
        """Only below a folder; scores stay."""
        if not scope:
            return query
        fence = _Q.const_score_query(_Q.term_query(self.schema, "scope", scope), 0.0)
        return _Q.boolean_query([(_MUST, query), (_MUST, fence)])

    def of_entries(self, query: tantivy.Query, numbers: Sequence[int]) -> tantivy.Query:
        """Only passages of these entries; scores stay."""
        fence = _Q.const_score_query(_Q.term_set_query(self.schema, "entry", list(numbers)), 0.0)
        return _Q.boolean_query([(_MUST, query), (_MUST, fence)])

    def these(self, passages: Sequence[int]) -> tantivy.Query:
        """These passages and no others."""
        return _Q.term_set_query(self.schema, "passage", list(passages))

    def everything(self) -> tantivy.Query:
        """Every passage."""
        return _Q.all_query()

    # -- asking -----------------------------------------------------------------------------

    def search(self, query: tantivy.Query, limit: int) -> list[Found]:
        """The best `limit` passages, best first."""
        hits = self.searcher.search(query, limit=max(1, limit), count=False).hits
        if not hits:
            return []
        addresses = [address for _, address in hits]
        values = [
            self.searcher.fast_field_values(name, addresses)
            for name in ("entry", "passage", "first", "last")
        ]
        return [
            Found(
                entry=int(entry or 0), passage=int(passage or 0), first=int(first or 1),
                last=int(last or 1), score=float(score), address=address,
            )
            for (score, address), entry, passage, first, last in zip(hits, *values, strict=True)
        ]  # fmt: skip

    def of(self, numbers: Sequence[int]) -> list[Found]:
        """Every passage of these entries, in the order of entries and of their lines."""
        query = self.of_entries(self.everything(), numbers)
        found = self.search(query, self.count(query))
        return sorted(found, key=lambda one: one.passage)

    def at(self, number: int, line: int) -> Found | None:
        """The passage of an entry that holds a line, else its first; None where it has none."""
        if line <= 1:
            first = self.search(self.term("passage", number * PASSAGES), 1)  # type: ignore[arg-type]
            if first:
                return first[0]
        passages = self.of([number])
        for one in passages:
            if one.first <= line <= one.last:
                return one
        return passages[0] if passages else None

    def text(self, found: Found) -> str:
        """The words of a passage, as they stood in the file when it was indexed."""
        stored = self.searcher.doc(found.address).get_first("text")
        return bytes(stored).decode("utf-8", "replace") if stored is not None else ""

    def count(self, query: tantivy.Query) -> int:
        """How many passages match."""
        result = self.searcher.search(query, limit=1, count=True)
        return int(getattr(result, "count", None) or 0)

    def frequency(self, field: str, word: str) -> int:
        """In how many passages a word stands in a field (deleted ones may still count)."""
        return int(self.searcher.doc_freq(field, word))

    def beginning_with(self, field: str, prefix: str, limit: int = 64) -> list[tuple[str, int]]:
        """(word, passages) of the words with a prefix, the most frequent first."""
        words = self.searcher.terms_with_prefix(field, prefix, limit=4 * limit)
        return sorted(words, key=lambda item: (-item[1], item[0]))[:limit]

    @property
    def segments(self) -> int:
        """In how many pieces the index is; many small ones slow a search."""
        return int(self.searcher.num_segments)

    @property
    def passages(self) -> int:
        """How many passages there are."""
        return int(self.searcher.num_docs)


class Writer:
    """A short write: delete, add, commit, close. Raises WriterBusy when another process writes."""

    def __init__(self, full_text: FullText, *, bulk: bool) -> None:
        self._owner = full_text
        # One thread and the smallest heap for an edit; both cores and a large heap for a rebuild.
        threads = min(2, os.cpu_count() or 1) if bulk else 1
        heap = (48_000_000 if bulk else 15_000_000) * threads
        try:
            self._writer = full_text.index.writer(heap, threads)
        except ValueError as error:
            if "Lock" in str(error):
                raise WriterBusy(str(error)) from error
            raise Unusable(str(error)) from error

    def forget(self, numbers: Iterable[int]) -> None:
        """Take out all passages of these entries."""
        for number in numbers:
            self._writer.delete_documents_by_term("entry", number)

    def clear(self) -> None:
        """Take out everything."""
        self._writer.delete_all_documents()

    def add(self, **fields: object) -> None:
        """Add one passage: the fields of the schema."""
        self._writer.add_document(tantivy.Document(**fields))

    def commit(self, *, settle: bool) -> None:
        """Make it searchable; with `settle`, wait until the segments have been merged."""
        try:
            self._writer.commit()
            if settle:
                self._writer.wait_merging_threads()
        except ValueError as error:
            raise Unusable(str(error)) from error
        finally:
            del self._writer
        self._owner.reload()
