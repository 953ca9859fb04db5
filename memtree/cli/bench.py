"""`bench`: memtree measured on somebody's own questions; a thin shell over `memtree.bench`."""

from __future__ import annotations

from typing import Annotated

import typer

from memtree.cli._errors import DONE
from memtree.cli._progress import Progress
from memtree.cli._render import table
from memtree.cli._terminal import stdout
from memtree.cli._typer import JsonOption


def _family() -> int:
    """Measure memtree on your own questions."""
    return DONE


def retrieval(
    folder: Annotated[
        str, typer.Argument(metavar="DIR", help="Holds corpus.jsonl, queries.jsonl, task.json.")
    ],
    as_json: JsonOption = False,
) -> int:
    """How well and how fast search finds what the questions ask for.

    Builds a tree from the corpus, searches, and prints recall@k, nDCG@10 and MRR for each category
    with the time per query.
    """
    from memtree.bench import retrieval as measure

    with Progress() as progress:
        report = measure(folder, progress=progress)
    if as_json:
        from memtree.cli._json import emit

        emit(report)
        return DONE
    out = stdout()
    categories = report.pop("categories")
    # One dictionary of measures for each category, the same names in all.
    rows = list(categories) if isinstance(categories, list) else []
    if rows:
        table(out, [list(rows[0]), *([_cell(value) for value in row.values()] for row in rows)])
        out.line()
    table(out, [(name.replace("_", " "), _cell(value)) for name, value in report.items()])
    return DONE


def _cell(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


COMMANDS = {"bench": {"_family": _family, "retrieval": retrieval}}
