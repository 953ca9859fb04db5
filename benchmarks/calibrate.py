"""How far confidence and "absent" can be believed, from 1 entry to 10,000; and the fit behind it.

    ENV/bin/python benchmarks/calibrate.py [--data ../shared/data] [--write] [--json]

Asks everything that `certainty_questions.py` knows, prints how the engine as it stands does on the
half of the questions that nothing was fitted on (`certainty_report.py`), and what weights fitted on
the other half would do by cross-validation (`certainty_fit.py`). `--write` writes these weights
to memtree/retrieve/calibration.py, which the program loads; run it again to see them at work.
`--keep FILE` keeps what was measured, `--kept FILE` reports on that without asking again.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import subprocess
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from certainty_fit import MODELS, cross_validated, fitted
from certainty_questions import SEED, collect
from certainty_report import report, show
from certainty_trees import default_data
from measuring import HERE, default_corpora

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from certainty_questions import Judged

TARGET = os.path.join(HERE, "..", "memtree", "retrieve", "calibration.py")
COMMAND = "python benchmarks/calibrate.py --write"


def module(
    weights: Mapping[str, Mapping[str, float]], rows: Sequence[Judged], figures: Sequence[str]
) -> str:
    """The source of memtree/retrieve/calibration.py; weights of tiers that were not asked stay."""
    fair = [row for row in rows if row.for_fit and not row.adversarial]
    sets = Counter(row.set for row in fair)
    sizes = [row.size for row in fair]
    lines = [
        '"""Weights of `memtree.retrieve.evidence`. Written by a program: do not edit.',
        "",
        f"Written by    {COMMAND}",
        f"on            {datetime.now(UTC):%Y-%m-%d}, memtree {_commit()}, seed {SEED}",
        f"fitted on     {len(fair)} questions, {sum(row.answerable for row in fair)} with answer,",
        f"              to trees of {min(sizes)} to {max(sizes)} entries:",
        *_wrapped(", ".join(f"{name} {count}" for name, count in sorted(sets.items()))),
        "",
        "By cross-validation, on questions that were not fitted on:",
        *figures,
        "",
        "`PRESENT` tells whether the scope speaks of what is asked, `RIGHT` whether the first hit",
        "is right; those with `MEANT` are for a tier that has vectors. Each maps the name of a",
        "measure of `Evidence.measures` to its weight in a logistic. Hot: literals alone.",
        '"""',
    ]
    for name, values in weights.items():
        lines += ["", f"{name} = {{"]
        lines += [f'    "{measure}": {value:.3f},' for measure, value in values.items()]
        lines += ["}"]
    return "\n".join(lines) + "\n"


def _wrapped(text: str) -> list[str]:
    """Lines that fit below a column of names."""
    lines = [" " * 13]
    for word in text.split(" "):
        if len(lines[-1]) + len(word) > 98:
            lines.append(" " * 13)
        lines[-1] += " " + word
    return lines


def _commit() -> str:
    done = subprocess.run(
        ("git", "describe", "--always", "--dirty"),
        cwd=HERE,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "of no repository"


def crossed(rows: Sequence[Judged]) -> dict[str, dict[str, float]]:
    """Figures of the fit by cross-validation over all questions, for each tier that was asked."""
    tiers = dict.fromkeys(model.tier for model in MODELS)
    asked = {tier for row in rows for tier in row.by_tier}
    return {tier: cross_validated(rows, MODELS, tier) for tier in tiers if tier in asked}


def lines_of(figures: Mapping[str, Mapping[str, float]]) -> list[str]:
    """The cross-validated figures in words, one line for each tier."""
    return [
        f"{tier:14}AUROC {row['auroc']:.3f}, calibration error {row['ece']:.3f}; found"
        f" {row['found']:.0%} at {row['false']:.0%} false answers, {row['found_at_10']:.0%} at 10%"
        for tier, row in figures.items()
    ]


def complete(found: Mapping[str, Mapping[str, float]]) -> dict[str, Mapping[str, float]]:
    """The fitted weights, with those in use for what could not be fitted."""
    from memtree.retrieve import calibration

    return {model.name: found.get(model.name, vars(calibration)[model.name]) for model in MODELS}


def main() -> None:
    """Collect, report, fit, and write when asked to."""
    parser = argparse.ArgumentParser(description="Calibration of confidence and of absent.")
    parser.add_argument("--data", default=default_data())
    parser.add_argument("--corpora", default=default_corpora(), help="where corpora are kept")
    parser.add_argument("--write", action="store_true", help="write the weights into the program")
    parser.add_argument("--keep", help="keep what was measured in this file")
    parser.add_argument("--kept", help="take what was measured from a file of your own (pickle)")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    given = parser.parse_args()
    if given.kept:
        with open(given.kept, "rb") as opened:
            rows: list[Judged] = pickle.load(opened)  # noqa: S301  (written by this program)
    else:
        rows = collect(given.data, given.corpora)
    if given.keep:
        with open(given.keep, "wb") as written:
            pickle.dump(rows, written)
    weights = complete(fitted([row for row in rows if row.for_fit]))
    figures = crossed(rows)
    out = report(rows)
    if given.json:
        print(json.dumps({**out, "fit": weights, "cross_validated": figures}))
    else:
        show(out)
        print("\nfitted anew, by cross-validation")
        for line in lines_of(figures):
            print(line)
    if given.write:
        with open(TARGET, "w", encoding="utf-8", newline="\n") as target:
            target.write(module(weights, rows, lines_of(figures)))


if __name__ == "__main__":
    main()
