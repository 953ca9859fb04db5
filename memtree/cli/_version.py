"""Which memtree this is: apart from the command, so that asking for it loads nothing."""

from __future__ import annotations


def current() -> str:
    """Return the version of the installed package; "0+unknown" in a bare checkout."""
    import memtree

    known = getattr(memtree, "__version__", None)
    if known is not None:
        return str(known)
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("memtree")
    except PackageNotFoundError:
        return "0+unknown"
