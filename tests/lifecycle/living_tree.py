"""A real tree whose entries have lived: what the tests of this room share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.app import Tree, open_tree
from memtree.knowledge.lifecycle import day_number
from memtree.tree.use_log import note

if TYPE_CHECKING:
    from pathlib import Path

    from memtree.lifecycle.consolidate import Consolidation

START = "2026-01-01T00:00:00Z"
NOW = "2026-11-22T12:00:00Z"


def seconds(at: str) -> float:
    """ISO 8601 as seconds since 1970."""
    return (day_number(at) or 0.0) * 86_400


class Living:
    """A tree on disk, its entries, and the moments at which it is settled."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / ".memtree").mkdir(parents=True)
        (root / ".memtree" / ".gitignore").write_text("state/\ncache/\n")

    def write(self, path: str, front: str, body: str = "Some text.\n") -> Path:
        """A file with this front matter, one `key: value` a line; none when it is empty."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        head = f"---\n{front.strip()}\n---\n" if front else ""
        file.write_bytes((head + body).encode())
        return file

    def entry(self, name: str, *more: str, body: str = "Some text.\n") -> Path:
        """An entry that memtree made, `notes/a/NAME.md`, with id NAME and further keys."""
        front = "\n".join(["type: fact", f"title: About {name}", f"id: {name}", *more])
        return self.write(f"notes/a/{name}.md", front, body)

    def scored(self, name: str, importance: float, maturity: str, settled: str = START) -> Path:
        """An entry that was settled before."""
        return self.entry(
            name, f"importance: {importance:g}", f"maturity: {maturity}", f"settled: {settled}"
        )

    def use(self, key: str, event: str, at: str) -> None:
        """Note a use at a time of the past."""
        assert note(str(self.root), event, [key], seconds(at))

    def open(self) -> Tree:
        """The tree, as a program opens it."""
        return open_tree(str(self.root))

    def settle(self, now: str = NOW, *, dry_run: bool = False, yes: bool = False) -> Consolidation:
        """Consolidate at a moment."""
        with self.open() as tree:
            return tree.consolidate(now=now, dry_run=dry_run, yes=yes)

    def read(self, name: str) -> str:
        """The text of `notes/a/NAME.md`."""
        return (self.root / "notes" / "a" / f"{name}.md").read_text()

    def files(self) -> dict[str, bytes]:
        """Every file of the tree but what is git's or memtree's own."""
        return {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for path in self.root.rglob("*")
            if path.is_file() and not {".git", ".memtree"} & set(path.relative_to(self.root).parts)
        }
