"""What text is made of: documents, conversations and logs, as passages with their lines.

`open_sources` is the door for whatever `memtree curate` is given, `parts` divides what it opened.
Nothing here holds a whole source in memory, and nothing here raises for what a source says.
"""

from memtree.sources.opening import open_sources
from memtree.sources.parts import parts
from memtree.sources.sniff import KINDS, REMARKS

__all__ = ["KINDS", "REMARKS", "open_sources", "parts"]
