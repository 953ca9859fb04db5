"""What goes over the net, and only when a person named the address."""

from memtree.net.fetch import download
from memtree.net.post import LONGEST_ANSWER, Poster, Rejected

__all__ = ["LONGEST_ANSWER", "Poster", "Rejected", "download"]
