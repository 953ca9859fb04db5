"""How the exact tier compares: equal after Unicode normalisation and case folding.

Hot: imports unicodedata, and only for text that is not ASCII.
"""

from __future__ import annotations


def key_of(text: str) -> str:
    """The key of a title, alias, path, id or question: NFKC, case folded, single spaces.

    NFKC makes full-width and half-width forms, ligatures and composed accents equal (Unicode
    UAX #15); folding after it follows UAX #44's caseless matching.
    """
    if not text.isascii():
        import unicodedata

        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
        return " ".join(text.split())
    return " ".join(text.lower().split())


def question_key(text: str) -> str:
    """The key of a question: as `key_of`, without closing marks, so "Why?" repeats "why"."""
    return key_of(text).rstrip("?？.!。！؟ ").lstrip("¿¡ ")  # noqa: RUF001  (real marks)


def path_keys(path: str) -> tuple[str, str]:
    """The two keys under which a path is found: as it is, and without its suffix."""
    whole = key_of(path)
    for suffix in (".md", ".markdown"):
        if whole.endswith(suffix):
            return whole, whole[: -len(suffix)]
    return whole, whole


def link_key(target: str) -> str:
    """The key of what a link names: no anchor, no suffix, no leading `./` or `/`."""
    name = target.partition("#")[0].partition("^")[0].partition("|")[0]
    while name.startswith(("./", "../", "/")):
        name = name.partition("/")[2]
    if "%" in name:
        from urllib.parse import unquote

        name = unquote(name)
    return path_keys(name)[1]


def stem_of(target: str) -> str:
    """The last part of a link's target, folded: what backlinks are looked up by."""
    target = target.split("#", 1)[0].split("^", 1)[0].rstrip("/")
    if "%" in target:
        from urllib.parse import unquote

        target = unquote(target)
    last = key_of(target.rpartition("/")[2])
    for suffix in (".md", ".markdown"):
        last = last.removesuffix(suffix)
    return last
