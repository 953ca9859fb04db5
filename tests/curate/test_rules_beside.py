"""Claims that name no place go to where the tree speaks of the same."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from memtree.app import Tree, open_tree

ATLAS = Path(__file__).resolve().parents[2] / "examples" / "atlas"


@pytest.fixture
def atlas(tmp_path: Path) -> Tree:
    shutil.copytree(ATLAS, tmp_path / "atlas")
    return open_tree(str(tmp_path / "atlas"))


def learned(tree: Tree, text: str) -> set[str]:
    """The folders in which entries were made."""
    before = {row.path for row in tree.rows()}
    tree.curate([text], curator="rules")
    return {row.path.rpartition("/")[0] for row in tree.rows() if row.path not in before}


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        ("Seats are held on the payment page by a key of Redis.", "engineering/bookings"),
        ("The sourdough starter is fed with rye flour every morning.", "home/kitchen"),
        ("Penguins eat fish in Antarctica.", "notes/topics"),
        ("My bicycle is blue.", "notes/topics"),
    ],
)
def test_a_claim_goes_beside_what_speaks_of_the_same(atlas: Tree, text: str, folder: str) -> None:
    assert learned(atlas, text) == {folder}


def test_what_was_placed_so_is_found_again_and_not_placed_twice(atlas: Tree) -> None:
    text = "The sourdough starter is fed with rye flour every morning."
    assert learned(atlas, text) == {"home/kitchen"}
    count = len(atlas.rows())
    report = atlas.curate([text], curator="rules", again=True)
    assert len(atlas.rows()) == count
    assert report.exit_code == 0


def test_a_claim_about_several_places_at_once_stays_where_anybody_looks(atlas: Tree) -> None:
    text = "Seats, webhooks, backups and forecasts were all discussed with the sourdough."
    assert learned(atlas, text) <= {"notes/topics"}


def test_a_person_s_folder_is_no_place_for_things(atlas: Tree) -> None:
    talk = "[2025-03-03 09:13] Ines: I bought a kayak with a carbon paddle in Skerra.\n"
    path = Path(atlas.root).parent / "talk.txt"
    path.write_text(talk * 1 + "[2025-03-03 09:14] Wren: My kayak has a carbon paddle too.\n")
    atlas.curate([str(path)], curator="rules")
    assert learned(atlas, "A carbon paddle of a kayak weighs half a kilo.") == {"notes/topics"}
