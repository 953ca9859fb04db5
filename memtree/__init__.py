"""memtree: local memory as a tree of markdown files.

>>> from memtree import open_tree
>>> tree = open_tree("notes")
>>> tree.search("retry policy").hits[0].path

Nothing is imported before it is asked for: `import memtree` costs a shell nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memtree.app import Tree, init_tree, open_tree
    from memtree.errors import MemtreeError
    from memtree.knowledge.entry import Entry
    from memtree.knowledge.query import Answer, Hit, Query

__version__ = "0.1.0"
__all__ = ["Answer", "Entry", "Hit", "MemtreeError", "Query", "Tree", "init_tree", "open_tree"]

_HOMES = {
    "Answer": "memtree.knowledge.query",
    "Entry": "memtree.knowledge.entry",
    "Hit": "memtree.knowledge.query",
    "MemtreeError": "memtree.errors",
    "Query": "memtree.knowledge.query",
    "Tree": "memtree.app",
    "init_tree": "memtree.app",
    "open_tree": "memtree.app",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'memtree' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(home), name)
