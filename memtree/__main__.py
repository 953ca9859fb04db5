"""`python -m memtree` is `memtree`, hot searches included."""

from __future__ import annotations

from memtree._fast import main

if __name__ == "__main__":
    main()
