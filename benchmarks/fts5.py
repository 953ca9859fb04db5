"""The peer: SQLite FTS5 as anyone would write it in thirty lines, porter stems and column weights.

python fts5.py build ROOT DB
python fts5.py search DB QUESTIONS.jsonl LIMIT      (lines {"query", "in"?, "id"?})
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import sys
import time

TITLE = re.compile(r"^# +(.+)$|^title: *['\"]?(.+?)['\"]?$", re.MULTILINE)


def build(root: str, database: str) -> None:
    """Index every markdown file: path, title (front matter or first heading), the whole text."""
    db = sqlite3.connect(database)
    db.execute("CREATE VIRTUAL TABLE f USING fts5(path, title, body, tokenize='porter unicode61')")
    for at, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name[0] != "."]
        for name in names:
            if name.endswith(".md"):
                full = os.path.join(at, name)
                with open(full, encoding="utf-8", errors="replace") as opened:
                    text = opened.read()
                found = TITLE.search(text)
                title = (found[1] or found[2]) if found else name[:-3]
                path = os.path.relpath(full, root).replace(os.sep, "/")
                db.execute("INSERT INTO f VALUES (?, ?, ?)", (path, title, text))
    db.commit()


def search(database: str, questions: str, limit: int) -> None:
    """Print one JSON line per question: `id`, `hits` (paths, best first) and `ms`."""
    db = sqlite3.connect(database)
    ask = (
        "SELECT path FROM f WHERE f MATCH ? AND path GLOB ? ORDER BY bm25(f, 2.0, 4.0, 1.0) LIMIT ?"
    )
    with open(questions, encoding="utf-8") as rows:
        for row in map(json.loads, rows):
            started = time.perf_counter()
            words = " OR ".join(f'"{word}"' for word in re.findall(r"\w+", row["query"]))
            scope = row.get("in", "")
            found = db.execute(ask, (words or '""', f"{scope}/*" if scope else "*", limit))
            hits = [path for (path,) in found]
            ms = (time.perf_counter() - started) * 1000
            print(json.dumps({"id": row.get("id"), "hits": hits, "ms": ms}))


if __name__ == "__main__":
    if sys.argv[1] == "build":
        build(sys.argv[2], sys.argv[3])
    else:
        search(sys.argv[2], sys.argv[3], int(sys.argv[4]))
