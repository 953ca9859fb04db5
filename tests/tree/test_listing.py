from __future__ import annotations

from memtree.tree.listing import BEGIN, END, Item, has_listing, listing_of, splice

ITEMS = [
    Item("a/b/z.md", "Zed [1]", "last\nin order"),
    Item("a/b/Anna.md", "Anna", ""),
    Item("a/b/index.md", "B", "about b"),
    Item("a/b/sub/x y.md", "X", ""),
    Item("a/b/sub/deep/er.md", "Er", ""),
    Item("a/b/other/index.md", "The others", "who they are"),
    Item("a/b/other/one.md", "One", ""),
    Item("a/b/_archive/old.md", "Old", ""),
    Item("a/bc/no.md", "not here", ""),
]


def test_a_listing_has_entries_then_folders_one_line_each() -> None:
    assert listing_of("a/b", ITEMS).split("\n") == [
        "* [Anna](Anna.md)",
        "* [Zed \\[1\\]](z.md) - last in order",
        "* [The others](other/index.md) - who they are (1 entry)",
        "* [sub](sub/) - 2 entries",
    ]
    assert listing_of("", ITEMS) == "* [a](a/) - 7 entries"


def test_only_what_is_between_the_markers_changes() -> None:
    text = f"# Mine\r\n\r\nwords  \r\n{BEGIN}\r\nold\r\n{END}\r\nmore"
    new = splice(text, "* [a](a.md)\n* [b](b.md)")
    assert new == (
        f"# Mine\r\n\r\nwords  \r\n{BEGIN}\r\n* [a](a.md)\r\n* [b](b.md)\r\n{END}\r\nmore"
    )
    assert splice(new, "* [a](a.md)\n* [b](b.md)") == new


def test_a_text_without_both_markers_is_left_alone() -> None:
    for text in ("", BEGIN, END + BEGIN, BEGIN + END + BEGIN, "words"):
        assert not has_listing(text)
        assert splice(text, "* x") == text
