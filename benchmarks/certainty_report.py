"""What the engine as it stands does: absent, answered, right, by set, by size and by tier.

All figures are of the half of the questions that nothing was fitted on.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from certainty_fit import EVEN, USUAL, auroc, balanced, kind_of, part_of, reliability

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from certainty_questions import Judged, Weighed

RANGES = ((1, 1), (2, 5), (6, 20), (21, 100), (101, 1000), (1001, 1_000_000))


def rates(rows: Sequence[Judged]) -> dict[str, float | int]:
    """How the climb did: absent though there is an answer, right of what it found, and so on."""
    yes = [row for row in rows if row.answerable]
    no = [row for row in rows if not row.answerable]
    answered = [row for row in yes if row.found]
    return {
        "with_answer": len(yes),
        "false_absent": 1 - len(answered) / max(1, len(yes)) if yes else 0.0,
        "right_of_found": sum(row.hit for row in answered) / max(1, len(answered)),
        "without": len(no),
        "false_answer": sum(row.found for row in no) / max(1, len(no)),
    }


def report(rows: Sequence[Judged]) -> dict[str, object]:
    """What the engine as it stands does on the half that nothing was fitted on."""
    kept = [row for row in rows if not row.for_fit]
    tables: dict[tuple[str, int], list[Judged]] = defaultdict(list)
    for row in kept:
        tables[row.set, kind_of(row.size)].append(row)
    held = [row for row in kept if not row.adversarial]
    error, table = _reliability(held, lambda row: row.found)
    parts: dict[str, Callable[[Judged], bool]] = {
        f"of the tier {tier}": (lambda row, tier=tier: row.tier == tier)  # type: ignore[misc]
        for tier in sorted({row.tier for row in held if row.found})
    }
    for low, high in ((1, 1), (2, 5), (6, 20), (21, 100), (101, 1000), (1001, 1_000_000)):
        parts[f"of {low} to {high} entries"] = lambda row, low=low, high=high: (  # type: ignore[misc]
            low <= row.size <= high
        )
    return {
        "sets": [
            {"set": name, "size": size or found[0].size, **rates(found)}
            for (name, size), found in sorted(tables.items())
        ],
        "reliability": table,
        "ece": error,
        "auroc": {
            tier: _presence([(row, row.by_tier[tier]) for row in held if tier in row.by_tier])
            for tier in sorted({tier for row in held for tier in row.by_tier})
        },
        "parts": [
            {"part": name, **_part(held, chosen)}
            for name, chosen in parts.items()
            if any(row.found and chosen(row) for row in held)
        ],
        **rates(held),
    }


def _presence(rows: Sequence[tuple[Judged, Weighed]]) -> float:
    weights = balanced([row for row, _ in rows], EVEN)
    return auroc([seen.present for _, seen in rows], [row.answerable for row, _ in rows], weights)


def _reliability(
    rows: Sequence[Judged], chosen: Callable[[Judged], bool]
) -> tuple[float, list[dict[str, float]]]:
    answered = [row for row in rows if row.found and chosen(row)]
    weights = part_of(rows, answered, USUAL)
    return reliability([row.confidence for row in answered], [row.hit for row in answered], weights)


def _part(rows: Sequence[Judged], chosen: Callable[[Judged], bool]) -> dict[str, object]:
    """One line of the table by size and tier: mean confidence against what is right."""
    picked = [row for row in rows if chosen(row)]
    error, table = _reliability(rows, chosen)
    answers = sum(row["answers"] for row in table)
    weights = part_of(rows, [row for row in picked if row.found], USUAL)
    answered = [row for row in picked if row.found]
    total = sum(weights)
    return {
        "answers": answers,
        "confidence": sum(w * r.confidence for w, r in zip(weights, answered, strict=True)) / total,
        "right": sum(w * r.hit for w, r in zip(weights, answered, strict=True)) / total,
        "ece": error,
        **rates(picked),
    }


def show(out: Mapping[str, object]) -> None:
    """Print the tables."""
    sets, parts, table, areas = out["sets"], out["parts"], out["reliability"], out["auroc"]
    assert isinstance(sets, list)
    assert isinstance(parts, list)
    assert isinstance(table, list)
    assert isinstance(areas, dict)
    print(f"{'set':24}{'size':>7}{'asked':>7}{'false absent':>14}{'right':>7}", end="")
    print(f"{'strange':>9}{'false answer':>14}")
    for row in sets:
        yes, no = row["with_answer"], row["without"]
        print(f"{row['set']:24}{row['size']:7}{yes or '':>7}", end="")
        print(
            f"{row['false_absent']:>14.0%}{row['right_of_found']:>7.0%}" if yes else " " * 21,
            end="",
        )
        print(f"{no:>9}{row['false_answer']:>14.0%}" if no else "")
    print("\nanswers given with confidence   n   mean  right")
    for row in table:
        low = row["from"]
        print(f"{low:>22.1f} to {low + 0.1:.1f}{row['answers']:6}", end="")
        print(f"{row['confidence']:7.2f}{row['right']:7.2f}")
    print(f"\n{'answers':26}{'n':>6}{'mean':>7}{'right':>7}{'error':>7}", end="")
    print(f"{'false absent':>14}{'false answer':>14}")
    for row in parts:
        print(f"{row['part']:26}{row['answers']:6}{row['confidence']:7.2f}", end="")
        print(f"{row['right']:7.2f}{row['ece']:7.3f}", end="")
        print(f"{row['false_absent']:14.0%}{row['false_answer']:14.0%}")
    print(f"\nexpected calibration error {out['ece']:.3f}")
    for tier, area in areas.items():
        print(f"AUROC of present, {tier} alone: {area:.3f}")
