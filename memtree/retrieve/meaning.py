"""What a question means, compared with what passages mean: vectors at work, whoever made them.

Hot: the built-in table asks for nothing but a mapped file; other embedders are imported when the
tree's settings name them.
"""

from __future__ import annotations

import os

from memtree.errors import MemtreeError
from memtree.index.vectors import (
    FOLDER,
    QUESTIONS,
    NotWanted,
    NoVectors,
    Vectors,
    head_signature,
    left_to_do,
)
from memtree.retrieve.tier import Behind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from memtree.embed.protocol import Embedder
    from memtree.index.catalog import Catalog
    from memtree.retrieve.gathering import Gathering
    from memtree.retrieve.tier import Ask

# So many passages are brought by meaning alone: more make nothing better on the development data.
NEAREST = 30
# What shares no word with the question must be this near to be shown.
NEAR = 0.3
# A question of which the built-in table knows less has a vector by accident.
KNOWN = 0.5

BUILTIN = "builtin"

__all__ = ["Meaning", "Meanings", "NoVectors"]


class Meaning:
    """The vectors of a tree and the embedder that made them; `left` entries have none yet."""

    def __init__(self, vectors: Vectors, embedder: Embedder, *, left: int = 0) -> None:
        self.vectors = vectors
        self.embedder = embedder
        self.left = left

    def weigh(self, ask: Ask, work: Gathering) -> bool:
        """Bring the nearest passages, and give every candidate its similarity to the question.

        False when the question says nothing that the embedder knows.
        """
        vector = self._vector(ask, work)
        if not any(vector):
            return False
        catalog = ask.catalog
        within, fence = None, None
        if ask.scope:
            fence = ask.scope, catalog.number("generation")
            within = catalog.numbers_below(ask.scope)
        nearest = self.vectors.nearest(vector, NEAREST, within=within, fence=fence)
        # Who puts words in quotes wants these words.
        if not any(word.kind == "phrase" for word in ask.words):
            work.take_nearest([passage for passage, value in nearest if value >= NEAR])
        known = dict(nearest)
        wanted = [
            int(str(candidate.key)) for candidate in work.candidates if candidate.key not in known
        ]
        known.update(self.vectors.similarities(vector, wanted))
        for candidate in work.candidates:
            candidate.meaning = known.get(int(str(candidate.key)))
        return True

    def _vector(self, ask: Ask, work: Gathering) -> Sequence[float]:
        """The question's vector, without the names of those who speak: they are everywhere.

        On chats that is worth 18 points of recall to a sentence model (shared data's README).
        """
        speakers = {token for candidate in work.candidates for token in candidate.speaker}
        text = ask.query.text
        kept = [word.text for word in ask.words if not speakers.issuperset(word.stems)]
        if speakers and kept and len(kept) < len(ask.words):
            text = " ".join(kept)
        known = getattr(self.embedder, "known_share", None)
        if known is not None and known(text) < KNOWN:
            return ()
        return self.embedder.question(text)


class Meanings:
    """The vectors of one open tree, kept current, and the model that the settings name."""

    def __init__(self, root: str, catalog: Catalog) -> None:
        self._folder = os.path.join(root, ".memtree", "cache")
        self._catalog = catalog
        self._settings: Mapping[str, object] = {}
        self._embedder: Embedder | None = None
        self._meaning: tuple[object, Meaning] | None = None
        # Makes the vectors that are missing; whoever may write gives it. What it can't do now is
        # left to do: `Meaning.left`.
        self.follow: Callable[[Embedder], None] | None = None

    def take(self, settings: Mapping[str, object]) -> None:
        """Take the settings `embed.*`; a model that they no longer name is let go."""
        if settings != self._settings:
            self.close()
        self._settings = settings

    def close(self) -> None:
        """Let go of the vectors and of the model."""
        self._meaning = None
        if self._embedder is not None:
            self._embedder.close()
            self._embedder = None

    def embedder(self) -> Embedder:
        """The embedder that the settings name. Raises NoVectors when there is none."""
        if self._embedder is None:
            model = self._text("model") or BUILTIN
            try:
                if model == BUILTIN:
                    from memtree.embed.table import Table

                    self._embedder = Table()
                else:
                    from memtree.embed.choose import choose

                    endpoint, key_env = _of_a_server(model)
                    self._embedder = choose(
                        model,
                        endpoint=endpoint,
                        key_env=key_env,
                        prefix=self._text("prefix"),
                        questions=""
                        if self._text("questions") == "model"
                        else os.path.join(self._folder, FOLDER, QUESTIONS),
                    )
            except MemtreeError as error:
                raise _unavailable(error) from error
            if self._embedder is None:
                raise NotWanted("embed.model is none: nothing is compared by meaning")
        return self._embedder

    def _text(self, name: str) -> str:
        return str(self._settings.get(f"embed.{name}", ""))

    def current(self, generation: object) -> Meaning:
        """The vectors, as those of the index at `generation`. Raises NoVectors, and Behind."""
        embedder = self.embedder()
        signature = generation, head_signature(self._folder)
        if self._meaning is not None and self._meaning[0] == signature:
            return self._meaning[1]
        try:
            identity = embedder.identity.text()
            vectors = self._whole(identity)
            if vectors is None:
                if self.follow is None:
                    raise Behind
                self.follow(embedder)
        except MemtreeError as error:
            raise _unavailable(error) from error
        if vectors is None:
            signature = generation, head_signature(self._folder)
            # What could not be made now is left; what was made is compared.
            vectors = Vectors(self._folder)
            if vectors.head.identity != identity or vectors.head.birth != self._catalog.birth:
                raise NoVectors("no passage has a vector by this model yet: memtree index")
        left = left_to_do(self._folder, self._catalog, identity)
        self._meaning = signature, Meaning(vectors, embedder, left=left)
        return self._meaning[1]

    def _whole(self, identity: str) -> Vectors | None:
        """The vectors, if they are whole and those of this index."""
        if left_to_do(self._folder, self._catalog, identity):
            return None
        try:
            return Vectors(self._folder)
        except NoVectors:
            return None


def _of_a_server(model: str) -> tuple[str, str]:
    """Where a server is and where its key: settings of a person, which no tree can make."""
    if not model.startswith("endpoint:"):
        return "", ""
    from memtree.config import own

    return own("embed.endpoint"), own("embed.key_env")


def _unavailable(error: MemtreeError) -> NoVectors:
    return NoVectors(f"{error.message} ({error.hint})" if error.hint else error.message)
