"""Vectors follow the index: what is there is found, what is gone is not, nothing is made twice."""

from __future__ import annotations

import math
import os
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memtree.app import Tree, init_tree
from memtree.embed.protocol import Identity
from memtree.index import vectors as reading
from memtree.index.embedding import SLOW_LOT, Following, text_of
from memtree.index.full_text import PASSAGES
from memtree.index.vectors import NoVectors, Vectors, left_to_do, signs

DIMENSION = 64


class Hashing:
    """A real embedder of little wit: every word has a direction of its own."""

    foreground = True

    def __init__(self, name: str = "hashing", dimension: int = DIMENSION) -> None:
        self.identity = Identity(name, dimension)
        self.embedded: list[str] = []

    def question(self, text: str) -> list[float]:
        self.embedded.append(text)
        total = [0.0] * self.identity.dimension
        for word in text.lower().split():
            source = random.Random(word.strip(".,"))
            total = [value + source.gauss(0, 1) for value in total]
        length = math.sqrt(sum(value * value for value in total)) or 1.0
        return [value / length for value in total]

    def passages(self, texts: Sequence[str]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
        return np.array([self.question(text) for text in texts], np.float32).reshape(
            len(texts), self.identity.dimension
        )

    def close(self) -> None:
        """Nothing to let go of."""


class Slow(Hashing):
    foreground = False


class Knowing(Hashing):
    """One that knows no word."""

    def question(self, text: str) -> list[float]:
        return [0.0] * len(super().question(text))


def cache_of(tree: Tree) -> str:
    return os.path.join(tree.root, ".memtree", "cache")


def follow(tree: Tree, embedder: Hashing, budget_s: float | None = None) -> Following:
    engine = tree.engine()
    following = Following(cache_of(tree), engine.catalog, engine.full_text, embedder)
    following.run(budget_s=budget_s)
    return following


def held(tree: Tree, embedder: Hashing) -> dict[str, list[bytes]]:
    """Path -> the vectors that a search can find, as bytes."""
    found = Vectors(cache_of(tree))
    catalog = tree.engine().catalog
    rows = catalog.rows(range(1, catalog.number("last_number") + 1))
    out: dict[str, list[bytes]] = {}
    nearest = found.nearest(embedder.question("anything"), 10_000)
    for passage, _ in sorted(nearest):
        place = found._place(passage)
        row = bytes(found._rows[DIMENSION * place : DIMENSION * (place + 1)].cast("B"))
        if passage // PASSAGES in rows:
            out.setdefault(rows[passage // PASSAGES].path, []).append(row)
    return out


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    made = init_tree(str(tmp_path / "notes"))
    for at in range(6):
        write(
            Path(made.root), f"area/note-{at}.md", f"# Note {at}\n\nword{at} stands alone here.\n"
        )
    return made


def test_every_passage_is_found_by_its_own_text(tree: Tree) -> None:
    embedder = Hashing()
    follow(tree, embedder)
    vectors = Vectors(cache_of(tree))
    for row in tree.rows():
        (passage,) = tree.engine().full_text.of([row.number])
        text = text_of(row, tree.engine().full_text.text(passage))
        (first, cosine), *_ = vectors.nearest(embedder.question(text), 3)
        assert first == passage.passage
        assert cosine == pytest.approx(1.0, abs=0.03)


def test_a_second_run_embeds_nothing(tree: Tree) -> None:
    embedder = Hashing()
    assert follow(tree, embedder).embedded == 6
    embedder.embedded.clear()
    assert follow(tree, embedder).embedded == 0
    assert embedder.embedded == []


def test_an_edit_embeds_one_passage_and_a_removal_leaves_no_ghost(tree: Tree) -> None:
    embedder = Hashing()
    follow(tree, embedder)
    root = Path(tree.root)
    write(root, "area/note-2.md", "# Note 2\n\nsomething else entirely.\n")
    (root / "area/note-4.md").unlink()
    tree.refresh()
    assert follow(tree, embedder).embedded == 1
    assert set(held(tree, embedder)) == {f"area/note-{at}.md" for at in (0, 1, 2, 3, 5)}
    assert len(Vectors(cache_of(tree))) == 5


def test_what_moved_within_its_folder_is_not_embedded_again(tree: Tree) -> None:
    embedder = Hashing()
    follow(tree, embedder)
    os.rename(os.path.join(tree.root, "area/note-1.md"), os.path.join(tree.root, "area/renamed.md"))
    tree.refresh()
    before = held(tree, embedder)
    following = follow(tree, embedder)
    assert "area/renamed.md" not in before
    assert "area/renamed.md" in held(tree, embedder)
    assert following.embedded == 0


def test_a_rebuilt_index_keeps_the_vectors_of_the_texts_that_stayed(tree: Tree) -> None:
    embedder = Slow()
    follow(tree, embedder)
    before = held(tree, embedder)
    tree.refresh(rebuild=True)
    assert left_to_do(cache_of(tree), tree.engine().catalog, embedder.identity.text()) == 6
    following = follow(tree, embedder)
    assert (following.embedded, following.kept) == (0, 6)
    assert held(tree, embedder) == before


def test_work_that_was_cut_short_goes_on_where_it_stopped(tmp_path: Path) -> None:
    tree = init_tree(str(tmp_path / "many"))
    for at in range(2 * SLOW_LOT + 1):
        write(Path(tree.root), f"a/n{at}.md", f"word{at}\n")
    embedder = Slow()
    follow(tree, embedder, budget_s=0.0)
    identity = embedder.identity.text()
    catalog = tree.engine().catalog
    assert left_to_do(cache_of(tree), catalog, identity) == SLOW_LOT + 1
    assert len(Vectors(cache_of(tree))) == SLOW_LOT
    follow(tree, embedder, budget_s=0.0)
    assert left_to_do(cache_of(tree), catalog, identity) == 1
    follow(tree, embedder)
    assert left_to_do(cache_of(tree), catalog, identity) == 0
    assert len(embedder.embedded) == 2 * SLOW_LOT + 1


def test_vectors_of_another_model_are_never_those_of_this_one(tree: Tree) -> None:
    follow(tree, Hashing())
    other = Hashing("other")
    assert left_to_do(cache_of(tree), tree.engine().catalog, other.identity.text()) == 6
    assert follow(tree, other).embedded == 6
    assert Vectors(cache_of(tree)).head.identity == other.identity.text()


@pytest.mark.parametrize("part", [*reading.PARTS, "head"])
def test_damaged_files_are_made_again(tree: Tree, part: str) -> None:
    embedder = Hashing()
    follow(tree, embedder)
    folder = os.path.join(cache_of(tree), reading.FOLDER)
    (name,) = [name for name in os.listdir(folder) if name.partition(".")[0] == part]
    with open(os.path.join(folder, name), "r+b") as file:
        file.truncate(3)
    if part != "hashes":
        with pytest.raises(NoVectors):
            Vectors(cache_of(tree))
    write(Path(tree.root), "area/note-9.md", "a new one\n")
    tree.refresh()
    follow(tree, embedder)
    assert len(held(tree, embedder)) == 7


def test_a_text_without_a_known_word_has_no_vector(tree: Tree) -> None:
    follow(tree, Knowing())
    assert len(Vectors(cache_of(tree))) == 0
    assert Vectors(cache_of(tree)).nearest([1.0] * DIMENSION, 5) == []


def test_a_dimension_that_is_no_multiple_of_eight_is_filled_up(tree: Tree) -> None:
    embedder = Hashing("odd", 61)
    follow(tree, embedder)
    vectors = Vectors(cache_of(tree))
    assert vectors.dimension == 64
    row = tree.rows()[0]
    (passage,) = tree.engine().full_text.of([row.number])
    text = text_of(row, tree.engine().full_text.text(passage))
    assert vectors.nearest(embedder.question(text), 1)[0][0] == passage.passage


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    edits=st.lists(
        st.tuples(st.integers(0, 4), st.sampled_from(["write", "remove", "follow"])), max_size=12
    )
)
def test_following_any_edits_ends_where_beginning_anew_ends(
    tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[int, str]]
) -> None:
    root = tmp_path_factory.mktemp("edits")
    embedder = Hashing()
    with init_tree(str(root / "one")) as tree:
        for number, (at, what) in enumerate(edits):
            path = Path(tree.root) / f"n{at}.md"
            if what == "write":
                path.write_text(f"# T{at}\n\ntext {number} of {at}\n", encoding="utf-8")
            elif what == "remove":
                path.unlink(missing_ok=True)
            else:
                tree.refresh()
                follow(tree, embedder)
        tree.refresh()
        follow(tree, embedder)
        ended = held(tree, embedder)
        (Path(cache_of(tree)) / reading.FOLDER / reading.HEAD).unlink()
        follow(tree, embedder)
        assert held(tree, embedder) == ended


def random_vectors(
    tmp_path: Path, count: int
) -> tuple[Vectors, np.ndarray[tuple[int, int], np.dtype[np.float32]]]:
    """A file of random unit vectors, written as `embedding` writes them."""
    source = np.random.default_rng(7)
    rows = source.normal(size=(count, DIMENSION)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    folder = tmp_path / reading.FOLDER
    folder.mkdir()
    head = reading.Head("random", DIMENSION, b"")
    head.count = head.sorted = count
    quantised = np.clip(np.rint(rows * reading.step_of(DIMENSION)), -127, 127).astype(np.int8)
    parts = {
        "ids": (np.arange(count, dtype=np.int64) * PASSAGES).tobytes(),
        "rows": quantised.tobytes(),
        "codes": np.packbits(rows > 0, axis=1, bitorder="little").tobytes(),
        "alive": b"\1" * count,
        "hashes": bytes(8 * count),
    }
    for part, data in parts.items():
        (folder / f"{part}.0").write_bytes(data)
    (folder / reading.HEAD).write_bytes(head.dump())
    return Vectors(str(tmp_path)), rows


def test_with_numpy_and_without_the_same_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors, rows = random_vectors(tmp_path, 3000)
    question = [float(value) for value in rows[17]]
    within = set(range(0, 3000, 3))
    monkeypatch.setattr(vectors, "_uses_numpy", lambda _: True)
    fast = vectors.nearest(question, 20), vectors.nearest(question, 20, within=within)
    monkeypatch.setattr(vectors, "_uses_numpy", lambda _: False)
    plain = vectors.nearest(question, 20), vectors.nearest(question, 20, within=within)
    for one, other in zip(fast, plain, strict=True):
        assert [passage for passage, _ in one] == [passage for passage, _ in other]
        assert [value for _, value in one] == pytest.approx([value for _, value in other], abs=1e-4)
    assert all(passage // PASSAGES in within for passage, _ in plain[1])


def test_signs_are_the_bits_that_numpy_packs() -> None:
    source = random.Random(3)
    vector = [source.gauss(0, 1) for _ in range(DIMENSION)]
    packed = np.packbits(np.array(vector) > 0, bitorder="little").tobytes()
    assert signs(vector) == packed


def test_similarities_are_cosines(tmp_path: Path) -> None:
    vectors, rows = random_vectors(tmp_path, 200)
    exact = rows @ rows[5]
    found = vectors.similarities(rows[5].tolist(), [at * PASSAGES for at in range(200)])
    for at in range(200):
        assert found[at * PASSAGES] == pytest.approx(float(exact[at]), abs=0.03)
    assert vectors.similarities(rows[5].tolist(), [12345]) == {}
