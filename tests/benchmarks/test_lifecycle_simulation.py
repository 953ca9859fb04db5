"""The simulated year: repeatable, plausible, and harmless where there is nothing to learn."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

BENCHMARKS = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "benchmarks"))

_SIMULATE = """
import json, sys
from lifecycle import VARIANTS, simulate
names = ("off", "no archive", "best lift")
given = json.loads(sys.argv[1])
rows = simulate({name: VARIANTS[name] for name in names}, **given)
print(json.dumps(rows))
"""
_YEAR = """
import json
from simulated_year import REGIMES, make_year
found = {}
for name in REGIMES:
    year = make_year(name, seed=4, entries=160, per_day=3, days=90)
    entries, needs = year.entries, year.needs
    found[name] = {
        "days": [need.day for need in needs],
        "alive": all(entries[n.entry].born <= n.day < entries[n.entry].until for n in needs),
        "there": all(entries[c].born <= n.day for n in needs for c, _ in n.texts),
        "asked": all(n.texts[0] == (n.entry, 1.0) for n in needs),
        "once": all(len(dict(n.texts)) == len(n.texts) for n in needs),
        "superseded": sum(entry.until < 1e8 for entry in entries),
        "ahead": sum(max(score for _, score in n.texts) > 1 for n in needs) / len(needs),
    }
print(json.dumps(found))
"""


def in_benchmarks(code: str, *arguments: str) -> Any:
    """Run code beside the benchmarks, as their scripts run, and return what it printed as JSON."""
    argv = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=BENCHMARKS)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def simulated(**given: object) -> dict[tuple[str, str], dict[str, Any]]:
    rows = in_benchmarks(_SIMULATE, json.dumps(given))
    return {(row["regime"], row["variant"]): row for row in rows}


def test_a_year_asks_for_what_is_there_and_offers_what_was_written_by_then() -> None:
    for name, year in in_benchmarks(_YEAR).items():
        assert year["days"] == sorted(year["days"]), name
        assert len(year["days"]) > 200, name
        assert year["alive"], name
        assert year["there"], name
        assert year["asked"], name
        assert year["once"], name
        assert bool(year["superseded"]) == (name != "flat")
        # Measured on real rankings: a rival is ahead in 17 to 25 of 100 questions; more where the
        # version before is a rival too.
        assert 0.1 < year["ahead"] < 0.45, name


def test_a_seed_gives_the_same_year_and_the_same_figures() -> None:
    given = {"regimes": ["drift"], "seeds": 2, "entries": 120, "needs": 2, "days": 100}
    assert simulated(**given) == simulated(**given)


def test_the_lifecycle_pays_where_interest_drifts_and_costs_nothing_where_it_does_not() -> None:
    found = simulated(regimes=["drift", "flat"], seeds=3, entries=400, needs=6, days=240)
    gained, _ = found["drift", "no archive"]["hit1_gain"]
    best, _ = found["drift", "best lift"]["hit1_gain"]
    assert 0 < gained < best
    cost, noise = found["flat", "no archive"]["hit1_gain"]
    assert cost > -1.0 - noise
    assert found["flat", "off"]["hit1_gain"] == [0.0, 0.0]
