"""Where numpy comes in: late, and with one thread of its linear algebra.

The matrices here are small, and OpenBLAS sends them to all cores all the same: on two busy cores
that made the embedding of 26,000 passages cost 17 seconds of processor time instead of 3. Its
setting is read when it is loaded, so it stands in the environment for that moment only; who set it
for themselves keeps what they set.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

_THREADS = "OPENBLAS_NUM_THREADS"


def load_numpy() -> ModuleType:
    """Import numpy; 80 ms the first time."""
    ours = _THREADS not in os.environ and "numpy" not in sys.modules
    if ours:
        os.environ[_THREADS] = "1"
    try:
        import numpy as np
    finally:
        if ours:
            del os.environ[_THREADS]
    return np
