"""Bringing knowledge in and taking it out: one module per format.

`import_paths` and `export` are the two doors; `landing` puts what an importer read into the tree,
in batches, so that a second run of the same import changes nothing.
"""

from memtree.exchange.exporting import export
from memtree.exchange.importing import import_paths
from memtree.exchange.report import ImportReport

__all__ = ["ImportReport", "export", "import_paths"]
