"""Odd roots, odd text on standard input, odd values in JSONL: what a tester tries last."""

# ruff: noqa: E501  (tables of cases read better on one line each)

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from real_tree import RealTree, command, environment, new_tree


@pytest.mark.parametrize(
    "name",
    [
        "with space",
        "new\nline",
        "日本語 🦒",
        "per%20cent",
        "#hash?x=1",
        "quo'te\"",
        "-dash",
        "[x]",
        "esc\x1b[31m",
        "a" * 200,
    ],
)
def test_a_tree_in_a_folder_of_any_name_works(tmp_path: Path, name: str) -> None:
    tree = new_tree(tmp_path / name)
    assert tree.run("add", "The giraffe is tall.", "--to", "zoo/pen").code == 0
    assert len(tree.found("giraffe")) == 1
    for args in (
        ("search", "giraffe"),
        ("check",),
        ("doctor",),
        ("status",),
        ("export", "--to", "jsonl"),
    ):
        assert tree.run(*args).code == 0


def test_a_tree_in_a_folder_whose_name_is_no_text_works_or_is_refused_in_a_sentence(
    tmp_path: Path,
) -> None:
    root = os.fsencode(tmp_path) + b"/bad\xff"
    os.mkdir(root)
    for args in (
        ["init", "."],
        ["add", "The giraffe is tall.", "--to", "zoo/pen"],
        ["search", "giraffe", "--json"],
        ["search", "giraffe"],
        ["doctor"],
    ):
        done = subprocess.run(
            [*command(), *args], cwd=root, env=environment(None), capture_output=True, check=False
        )
        assert b"Traceback" not in done.stderr, (args, done.stderr[-1500:])
        assert done.returncode in (0, 1, 3, 4), (args, done)


def test_from_inside_the_machinery_or_a_deep_folder_the_tree_is_found(tree: RealTree) -> None:
    tree.write("a/b/n.md", "giraffe\n")
    for folder in (tree.root / "a" / "b", tree.root / ".memtree", tree.root / ".memtree" / "cache"):
        folder.mkdir(exist_ok=True)
        assert tree.run("search", "giraffe", "--json", cwd=folder).json["hits"]


def test_a_working_directory_that_is_gone_is_a_sentence(tree: RealTree, tmp_path: Path) -> None:
    tree.write("a/n.md", "giraffe\n")
    script = f"mkdir '{tmp_path}/gone'; cd '{tmp_path}/gone'; rmdir '{tmp_path}/gone'; exec \"$@\""
    for args in (
        ["search", "giraffe", "--json"],
        ["search", "giraffe", "--json", "--tree", str(tree.root)],
        ["list", "--tree", str(tree.root)],
        ["init"],
        ["status"],
    ):
        done = subprocess.run(
            ["sh", "-c", script, "sh", *command(), *args],
            env=environment(None),
            capture_output=True,
            check=False,
        )
        assert b"Traceback" not in done.stderr, (args, done.stderr[-1500:])
        assert done.returncode in (0, 3, 4), (args, done)


@pytest.mark.parametrize(
    "text",
    [
        b"\xff\xfe giraffe",
        b"giraffe \x00 nul",
        b"---\ntitle: [\n---\ngiraffe",
        b"\xef\xbb\xbfgiraffe",
        b"giraffe\r\nline\r\n",
        b'---\nid: "\\ud800"\n---\ngiraffe',
        b"giraffe " * 400_000,
        b"---\n---\ngiraffe",
        b"\n\n\n---\ngiraffe",
    ],
    ids=range(9),
)
def test_whatever_comes_on_standard_input_is_kept_or_refused(tree: RealTree, text: bytes) -> None:
    done = tree.run("add", "-", "--to", "zoo/pen", "--json", stdin=text)
    assert done.code in (0, 1, 2, 4), done
    if done.code == 0:
        data = (tree.root / done.json["path"]).read_bytes()
        assert b"giraffe" in data
        if b"\0" not in data:
            assert tree.found("giraffe") == [done.json["path"]]
    else:
        assert done.err.startswith(b"error: ")
        assert not list(tree.root.rglob("zoo/**/*.md"))


def test_nested_values_of_a_line_that_no_file_can_hold_cost_a_finding_and_not_the_import(
    tree: RealTree, tmp_path: Path
) -> None:
    bad = ["\ud800", "\x00", "\x1b[31m", "\u2028", "\ufffe", "\x85"]
    rows: list[dict[str, Any]] = [
        {
            "text": f"giraffe{n}",
            "id": f"i{n}",
            "tags": ["ok", value],
            "custom": {"a": [value], value: "x"},
            value: "key",
        }
        for n, value in enumerate(bad)
    ]
    rows += [{"text": "giraffe90", "tags": [["a"], {"b": 1}, None, 5]}, {"text": "giraffe91", "tags": {"a": 1}}, {"text": "giraffe92", "title": {"a": 1}}, {"text": "giraffe93", "title": "\ud800"},
             {"text": "giraffe94", "id": ""}, {"text": "giraffe95", "id": None}, {"text": "giraffe96", "time": "\x00"}, {"text": "giraffe97", "session": ["x"], "turn": 10**40}, {"text": "giraffe98", "importance": float("inf")}, {"text": "---\ntitle: [\n---\ngiraffe99"}]  # fmt: skip
    file = tmp_path / "x.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = tree.run("import", str(file), "--json")
    assert done.code in (0, 1), done
    assert done.json["added"] == len(rows), done
    for number in [*range(len(bad)), *range(90, 100)]:
        assert tree.found(f"giraffe{number}"), number
    codes = {code for codes in tree.codes().values() for code in codes}
    assert not codes & {"bad-yaml", "yaml", "front-matter", "bad-front-matter"}, codes
    again = tree.run("import", str(file), "--json").json
    assert (again["added"], again["unchanged"]) == (0, len(rows)), again


def test_one_line_that_would_go_through_a_link_does_not_stop_the_other_lines(
    tree: RealTree, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tree.root / "linked").symlink_to(tmp_path / "out")
    file = tmp_path / "x.jsonl"
    file.write_text(
        '{"text": "giraffe one", "path": "a/b/one"}\n{"text": "hippo", "path": "linked/b/two"}\n{"text": "giraffe three", "path": "a/b/three"}\n'
    )
    done = tree.run("import", str(file), "--json")
    assert len(tree.found("giraffe")) == 2, done
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("victim", ["../victim.txt", ".git/hooks/pre-commit", ".memtree/config.md"])
def test_a_journal_from_a_clone_writes_nothing_outside(
    tree: RealTree, tmp_path: Path, victim: str
) -> None:
    """A crashed transaction is finished by the next command; one that somebody forged is not."""
    tree.write("a/n.md", "giraffe\n")
    (tree.root / ".git/hooks").mkdir(parents=True)
    code = (
        "import os, memtree.tree.disk as disk\n"
        "from memtree.tree.transaction import begin, ABSENT\n"
        "names = []\n"
        "def step(name):\n"
        "    names.append(name)\n"
        "    if name == os.environ['STOP']: os._exit(9)\n"
        "disk.on_step = step\n"
        "with begin(os.getcwd(), command='add', at='2024-01-01T00:00:00Z') as txn:\n"
        "    txn.write('a/new.md', b'forged', ABSENT)\n"
        "print(' '.join(names))\n"
    )
    import re
    import sys

    probe = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tree.root,
        env=environment({"STOP": "-"}),
        capture_output=True,
        check=True,
    )
    (tree.root / "a/new.md").unlink()
    before = {
        p: p.read_bytes()
        for p in tmp_path.rglob("*")
        if p.is_file() and not {"state", "cache"} & set(p.parts)
    }
    for stop in dict.fromkeys(probe.stdout.decode().split()):
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=tree.root,
            env=environment({"STOP": stop}),
            capture_output=True,
            check=False,
        )
        for file in (tree.root / ".memtree/state").rglob("*"):
            if file.is_file() and b"a/new.md" in (data := file.read_bytes()):
                file.write_bytes(re.sub(rb"a/new\.md", victim.encode(), data))
        tree.run("add", "honest", "--to", "zoo/pen", timeout=30)
        tree.run("search", "giraffe", "--json")
        for path in [
            p for p in tmp_path.rglob("*") if p.is_file() and not {"state", "cache"} & set(p.parts)
        ]:
            assert (
                path in before
                or path.is_relative_to(tree.root / "zoo")
                or path.is_relative_to(tree.root / "a")
            ), (stop, path)
        for path in (tree.root / "a").glob("new.md*"):
            path.unlink()
