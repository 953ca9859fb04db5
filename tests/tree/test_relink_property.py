"""Whatever is moved wherever: every link that led somewhere leads there still, and no byte more."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from memtree.tree.format import find_front
from memtree.tree.link_text import LinkSpan, find_links
from memtree.tree.links import LinkIndex, resolve
from memtree.tree.relink import Moves, relink

FOLDERS = ["", "a", "a/b", "c", "c d (e)"]
NAMES = ["note.md", "Other.md", "index.md", "x y.md", "木.md", "a.b.c.md", "100%.md"]
PATHS = [f"{folder}/{name}".lstrip("/") for folder in FOLDERS for name in NAMES]
TARGETS = [
    "[[note]]", "![[a/note#h]]", "[[Other|o]]", "[[c/index]]", "[[木^b]]", "[[a.b.c]]", "[[id-3]]",
    "[t](note.md)", "[t](../Other.md#h 'x')", "[t](/a/b/note.md)", "[t](<x y.md>)", "[t](x%20y)",
    "[t](b/)", "[t](./b/%E6%9C%A8.md)", "[r]: ../c/note.md", "[t](100%25.md)", "`[[note]]`",
]  # fmt: skip


RELATED = [
    "a/note.md",
    "/c/Other",
    "id-1",
    '"../a/note.md"',
    "'[[note]]'",
    "x y.md",
    "{rel: r, to: a/b/木.md}",
]


@settings(max_examples=150, deadline=None)
@given(
    paths=st.lists(st.sampled_from(PATHS), min_size=2, max_size=12, unique=True),
    picks=st.lists(st.sampled_from(TARGETS), min_size=1, max_size=8),
    related=st.lists(st.sampled_from(RELATED), max_size=4),
    target=st.sampled_from(PATHS),
)
def test_a_move_keeps_every_link_and_every_other_byte(
    paths: list[str], picks: list[str], related: list[str], target: str
) -> None:
    moved = {paths[0]: target} if target not in paths else {}
    before = LinkIndex((path, f"id-{n}", "", []) for n, path in enumerate(paths))
    after = before.after(moved)
    moves = Moves(moved, before=before, after=after)
    front = f"---\nrelated: [{', '.join(related)}] # why\n---\n" if related else ""
    text = front + "\n\n".join(picks) + "\n"
    for path in paths:
        new, problems = relink(text, len(front), path, moves)
        assert not problems
        here = moved.get(path, path)
        body = find_front(new).body
        old_spans, new_spans = find_links(text, len(front)), find_links(new, body)
        assert not find_front(new).bad
        assert len(old_spans) == len(new_spans)
        for old, now in zip(old_spans, new_spans, strict=True):
            led = resolve(old.target, path, before, kind=old.kind)
            if led is not None:
                assert resolve(now.target, here, after, kind=now.kind) == moved.get(led, led)
            else:
                assert old.target == now.target
        if not related:  # a plain scalar may need quotes for its new value
            assert _without(text, old_spans) == _without(new, new_spans)
        assert relink(new, body, here, Moves({}, before=after, after=after))[0] == new


def _without(text: str, spans: list[LinkSpan]) -> str:
    pieces = []
    done = 0
    for span in spans:
        pieces.append(text[done : span.start])
        done = span.end
    return "\0".join([*pieces, text[done:]])
