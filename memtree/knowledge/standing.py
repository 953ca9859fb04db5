"""How an entry stands in time: when its scores were settled, what replaced it, until when it held.

Most entries say nothing of this, so the catalog keeps it as one text that is empty for them, and
only what shows or orders an entry takes it apart. Hot.
"""

from __future__ import annotations

from memtree.knowledge.lifecycle import day_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# Front matter keys in the order of the packed text; `anchors` counts sources with a digest.
KEYS = (
    "settled", "status", "superseded_by", "valid_from", "valid_to", "stale_after", "anchors",
    "used", "archived",
)  # fmt: skip


class Standing:
    """What front matter says of an entry's life; times are ISO 8601 text, "" when absent.

    `status` is in lower case (`deprecated` marks what was superseded, `archived` a stub).
    `superseded_by` is a path or id. `anchors` counts the sources that have a digest to check.
    `used` is the last real use as last settled. `archived` is where a stub's original lies.
    """

    __slots__ = KEYS

    settled: str
    status: str
    superseded_by: str
    valid_from: str
    valid_to: str
    stale_after: str
    anchors: str
    used: str
    archived: str

    def __init__(self, packed: str = "") -> None:
        parts = packed.split("\t") if packed else []
        parts += [""] * (len(KEYS) - len(parts))
        for key, value in zip(KEYS, parts, strict=False):
            setattr(self, key, value)


def replaced_because(standing: Standing, today: float) -> str:
    """What speaks against an entry on a day, in words; "" when nothing does."""
    if standing.superseded_by:
        return f"superseded by {standing.superseded_by}"
    if standing.status == "deprecated":
        return "deprecated"
    until = day_number(standing.valid_to)
    if until is not None:
        # A date lasts until its end.
        until += 1.0 if len(standing.valid_to) == 10 else 0.0
        if until <= today:
            return f"valid until {standing.valid_to}"
    return ""


def packed(meta: Mapping[str, object]) -> str:
    """The text that the catalog keeps of a front matter; "" when it says nothing of this."""
    if not any(key in meta for key in KEYS) and "sources" not in meta:
        return ""
    parts = [_text(meta.get(key)) for key in KEYS]
    parts[KEYS.index("status")] = parts[KEYS.index("status")].casefold()
    sources = meta.get("sources")
    anchors = (
        sum(1 for source in sources if isinstance(source, dict) and source.get("digest"))
        if isinstance(sources, list)
        else 0
    )
    parts[KEYS.index("anchors")] = str(anchors) if anchors else ""
    return "\t".join(parts) if any(parts) else ""


def _text(value: object) -> str:
    # A list of several successors: the first stands for all.
    if isinstance(value, list):
        value = value[0] if value else None
    if value is None or isinstance(value, dict):
        return ""
    return " ".join(str(value).split())
