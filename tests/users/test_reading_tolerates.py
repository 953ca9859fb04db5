"""Topic 1: whatever is in the files, the rest answers, and each trouble is a finding."""

# ruff: noqa: E501  (tables of cases read better on one line each)

from __future__ import annotations

import os
import re
import time
import unicodedata
from pathlib import Path

import pytest
from real_tree import RealTree, problems

HOSTILE: dict[str, str | bytes] = {
    "none.md": "just text about zebra1\n",
    "empty.md": "",
    "only-front.md": "---\ntitle: zebra2\n---\n",
    "bad.md": "---\ntitle: [a, b\nother: }{\n---\nzebra3 here\n",
    "tab.md": "---\n\ttitle: x\n---\nzebra4\n",
    "dup.md": "---\ntitle: one\ntitle: two\nid: a\nid: b\n---\nzebra5\n",
    "unclosed.md": "---\ntitle: never closed\nzebra6\n",
    "nul.md": b"zebra7 \x00\x01\x02 binary\x00",
    "latin1.md": "# Caf\xe9\n\nzebra8 na\xefve\n".encode("latin-1"),
    "utf16.md": "# sixteen zebra9\n".encode("utf-16"),
    "bom.md": b"\xef\xbb\xbf---\ntitle: bom zebra10\n---\nbody\n",
    "cr.md": b"---\rtitle: cr\r---\rzebra11\r",
    "crlf.md": b"---\r\ntitle: crlf zebra12\r\n---\r\nbody\r\n",
    "nan.md": "---\ntitle: nan\nimportance: .nan\nturn: .nan\n---\nzebra13\n",
    "inf.md": "---\nimportance: .inf\nturn: -.inf\n---\nzebra14\n",
    "huge-number.md": f"---\nimportance: {'9' * 400}\nturn: {'9' * 400}\n---\nzebra15\n",
    "huger-number.md": f"---\nturn: {'9' * 6000}\nimportance: 1\n---\nzebra16\n",
    "surrogate.md": '---\ntitle: "a \\ud800 b"\naliases: ["\\udfff"]\ntags: ["\\ud800"]\nid: "\\ud800"\n---\nzebra17\n',
    "nul-escape.md": '---\ntitle: "a\\0b"\ndescription: "x\\0y"\nid: "a\\0"\n---\nzebra18\n',
    "types.md": "---\ntitle: [a, {b: c}]\nid: {x: 1}\ntags: {a: b}\naliases: 5\ntype: [x]\n"
    "description: {a: 1}\ncreated: 2024-02-30\nrelated: {a: [b, {c: d}]}\nquestions: 7\n"
    "sources: 3\ngenerated: [1]\nverified: x\nstale_after: [1]\nvalid_to: {a: b}\n---\nzebra19\n",
    "dates.md": "---\ncreated: 0001-01-01\ntime: 9999-12-31T23:59:59+14:00\nstale_after: 0000-00-00\n---\nzebra20\n",
    "bomb.md": "---\na: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(12))
    + "---\nzebra21\n",
    "self.md": "---\na: &a [*a, {b: *a}]\ntags: *a\n---\nzebra22\n",
    "merge.md": "---\nbase: &b {title: t}\n<<: [*b, *b]\n? [complex, key]\n: value\n---\nzebra23\n",
    "deep-yaml.md": "---\na: " + "[" * 5000 + "]" * 5000 + "\n---\nzebra24\n",
    "deep-map.md": "---\n" + "".join("  " * i + "a:\n" for i in range(600)) + "---\nzebra25\n",
    "tag.md": "---\na: !!python/object/apply:os.system ['touch pwned']\nb: !custom x\n---\nzebra26\n",
    "many-docs.md": "---\na: 1\n---\nb: 2\n---\nzebra27\n",
    "deep-quote.md": ">" * 5000 + " zebra28\n",
    "deep-list.md": "".join("  " * i + "- x\n" for i in range(800)) + "zebra29\n",
    "brackets.md": "[" * 50000 + "zebra30" + "]" * 50000 + "\n",
    "stars.md": "*_`" * 30000 + "\nzebra31\n",
    "fence.md": "```\nnever closed zebra32\n# not a heading\n" * 2,
    "long-line.md": "word " * 200000 + "zebra33\n",
    "no-space-line.md": "x" * 1_000_000 + " zebra34\n",
    "links.md": "[[" + "a" * 10000 + "]] [[x|y|z]] [[]] [](javascript:x) [a](<b c>) ![[/etc/passwd]] [[../../../etc/passwd]] zebra35\n",
    "bad-uri.md": "[a](http://[::1) [b](%zz%ff%00) [c](//host/x) [d](file:///etc/passwd) [[%00]] zebra36\n",
}  # fmt: skip


def test_a_folder_of_hostile_files_is_indexed_and_every_readable_one_is_found(
    tree: RealTree,
) -> None:
    for name, content in HOSTILE.items():
        tree.write(f"a/{name}", content)
    done = tree.run("index", "--json", timeout=120)
    assert done.code == 0, done
    assert done.json["indexed"] == len(HOSTILE)
    assert done.json["pending"] == 0
    lost = []
    for name, content in HOSTILE.items():
        text = content if isinstance(content, str) else content.decode("latin-1")
        words = re.findall(r"zebra\d+", text)
        if name in ("nul.md", "utf16.md") or not words:
            continue
        if f"a/{name}" not in tree.found(words[0]):
            lost.append(name)
    assert not lost
    assert not (tree.root / "pwned").exists()


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_each_hostile_file_alone_never_stops_the_others(tree: RealTree, name: str) -> None:
    tree.write("a/good.md", "# Good\n\nThe giraffe is tall.\n")
    tree.write(f"a/{name}", HOSTILE[name])
    assert tree.found("giraffe")[0] == "a/good.md"
    for command in (("check", "--json"), ("list", "--json"), ("show", f"a/{name}", "--json"),
                    ("links", f"a/{name}", "--json"), ("export", "--to", "jsonl"),
                    ("export", "--to", "json")):  # fmt: skip
        done = tree.run(*command)
        assert done.code in (0, 1), done
        if command[-1] in ("--json", "json"):
            assert done.json is not None


def test_bad_yaml_is_a_finding_with_its_line(tree: RealTree) -> None:
    tree.write("a/bad.md", "---\ntitle: fine\nother: }{\n---\nbody\n")
    tree.write("a/dup.md", "---\ntitle: one\ntitle: two\n---\nbody\n")
    tree.write("a/nul.md", b"a\0b")
    tree.write("a/latin.md", b"line one\nna\xefve\n")
    codes: dict[str, list[dict[str, object]]] = {}
    for item in problems(tree.run("check", "--json").json):
        codes.setdefault(str(item["path"]), []).append(item)
    assert any(item["line"] in (2, 3) for item in codes["a/bad.md"]), codes
    assert any(item["line"] == 3 for item in codes["a/dup.md"]), codes
    assert any(item["code"] == "binary" for item in codes["a/nul.md"]), codes
    assert any(item["line"] == 2 for item in codes["a/latin.md"]), codes
    names = {item["path"] for item in problems(tree.run("index", "--json").json)}
    assert {"a/bad.md", "a/dup.md", "a/nul.md", "a/latin.md"} <= names


@pytest.mark.slow
def test_a_file_of_50_mb_is_a_finding_and_quick_to_pass_over(tree: RealTree) -> None:
    tree.write("a/good.md", "# Good\n\nThe giraffe is tall.\n")
    tree.write("a/big.md", ("# Heading\n\n" + "lorem ipsum dolor " * 60 + "\n\n") * 46000)
    started = time.monotonic()
    assert tree.found("giraffe")[0] == "a/good.md"
    assert time.monotonic() - started < 60
    assert any(
        "size" in code or "large" in code or "big" in code for code in tree.codes()["a/big.md"]
    )


@pytest.mark.slow
def test_a_file_of_two_million_headings_does_not_spill_into_another_entry(tree: RealTree) -> None:
    tree.write("a/aaa.md", "# a\n\nb\n" * 1_000_000)
    tree.write("a/good.md", "# Good\n\nThe giraffe is tall.\n")
    tree.write("a/zzz.md", "# Last\n\nThe hippo is wide.\n")
    done = tree.run("index", "--json", timeout=300)
    assert done.code == 0, done
    assert tree.found("giraffe")[0] == "a/good.md"
    hit = tree.run("search", "--json", "a/good.md").json["hits"][0]
    assert "giraffe" in hit["snippet"], hit


NAMES = [
    "日本語のメモ", "Ελληνικά", "العربية", "עברית", "हिन्दी", "ไทย", "한국어", "русский", "emoji 🦒🚀", "👨‍👩‍👧‍👦",
    "with space", "quote'single", 'quote"double', "semi;colon", "dollar$HOME", "back`tick`", "star*", "q?", "pipe|",
    "a&b", "per%20cent", "plus+plus", "#hash", "-dash", "--json", "new\nline", "tab\tname", "esc\x1b[31m", "back\\slash",
    "[brackets]", "{braces}", "~tilde", "!bang", "dot.dot.dot", "a" * 250, "é" * 120, "İstanbul", "ß", "ﬁ", "con", "NUL",
    "trailing ", "trailing.",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_an_entry_under_any_name_is_found_shown_listed_and_removed(
    tree: RealTree, name: str
) -> None:
    if len(os.fsencode(name)) > 252:
        name = name[:200]
    path = f"folder/{name}.md"
    tree.write(path, "The giraffe is tall.\n")
    assert tree.found("giraffe") == [path]
    shown = (
        tree.run("show", "--json", "--", path)
        if name[0] == "-"
        else tree.run("show", "--json", path)
    )
    assert shown.code == 0, shown
    assert shown.json["path"] == path
    rows = tree.run("list", "--json").json
    rows = rows if isinstance(rows, list) else rows["entries"]
    assert [row["path"] for row in rows] == [path]
    gone = tree.run("rm", "--json", path)
    # A name that some system can't hold may be refused, but then nothing happens.
    assert gone.code in (0, 4), gone
    assert (tree.root / path).exists() == (gone.code == 4)
    if gone.code == 0:
        assert tree.found("giraffe") == []


def test_removing_a_decomposed_name_does_not_remove_its_composed_twin(tree: RealTree) -> None:
    composed = unicodedata.normalize("NFC", "folder/café.md")
    decomposed = unicodedata.normalize("NFD", "folder/café.md")
    tree.write(composed, "composed giraffe\n")
    tree.write(decomposed, "decomposed hippo\n")
    assert tree.found("hippo") == [decomposed]
    tree.run("rm", decomposed)
    assert (tree.root / composed).exists()


def test_a_decomposed_name_is_found_below_a_composed_scope(tree: RealTree) -> None:
    decomposed = unicodedata.normalize("NFD", "café/menu.md")
    tree.write(decomposed, "decomposed hippo\n")
    assert tree.found("hippo", "--in", "café") == [decomposed]
    assert tree.found("hippo", "--in", unicodedata.normalize("NFD", "café")) == [decomposed]
    shown = tree.run("show", "--json", "café/menu.md")
    assert shown.code == 0, shown


def test_a_name_that_is_not_utf_8_is_a_finding(tree: RealTree) -> None:
    folder = os.fsencode(tree.root)
    with open(folder + b"/bad\xff.md", "wb") as file:
        file.write(b"lost giraffe\n")
    os.mkdir(folder + b"/dir\xff")
    tree.write("good.md", "good giraffe\n")
    assert tree.found("giraffe") == ["good.md"]
    assert any("bad-name" in codes for codes in tree.codes().values())


def test_two_hundred_levels_deep_is_found(tree: RealTree) -> None:
    path = "/".join(["d"] * 200) + "/deep.md"
    tree.write(path, "The giraffe is deep.\n")
    assert tree.found("giraffe") == [path]
    assert tree.run("tree").code == 0
    assert tree.run("check").code in (0, 1)
    assert tree.run("show", path).code == 0


def test_deeper_than_the_system_can_name_is_a_finding(tree: RealTree) -> None:
    tree.write("good.md", "good giraffe\n")
    here = os.open(tree.root, os.O_RDONLY)
    for _ in range(25):
        os.mkdir("n" * 250, dir_fd=here)
        below = os.open("n" * 250, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    file = os.open("x.md", os.O_WRONLY | os.O_CREAT, dir_fd=here)
    os.write(file, b"deep giraffe")
    os.close(file)
    os.close(here)
    try:
        assert tree.found("giraffe") == ["good.md"]
        assert any("unreadable" in codes for codes in tree.codes().values())
    finally:
        os.system(f"rm -rf '{tree.root}/{'n' * 250}'")  # noqa: S605


def test_names_that_differ_in_case_only_are_two_entries_and_a_finding(tree: RealTree) -> None:
    tree.write("a/Note.md", "upper giraffe\n")
    tree.write("a/note.md", "lower hippo\n")
    if len(list((tree.root / "a").iterdir())) == 1:
        pytest.skip("this disk ignores case")
    assert tree.found("giraffe")[0] == "a/Note.md"
    assert tree.found("hippo")[0] == "a/note.md"
    assert b"hippo" in tree.run("show", "a/note.md").out
    assert b"giraffe" in tree.run("show", "a/Note.md").out
    assert any("case" in code for codes in tree.codes().values() for code in codes)


def test_links_out_of_the_tree_in_it_and_in_circles_are_findings_never_followed(
    tree: RealTree, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "s.md").write_text("outside giraffe\n")
    tree.write("a/real.md", "real hippo\n")
    (tree.root / "a/out.md").symlink_to(secret / "s.md")
    (tree.root / "a/in.md").symlink_to("real.md")
    (tree.root / "a/dangling.md").symlink_to("nowhere.md")
    (tree.root / "a/self.md").symlink_to("self.md")
    (tree.root / "a/out-folder").symlink_to(secret)
    (tree.root / "a/up").symlink_to("..")
    assert tree.found("giraffe") == []
    assert tree.found("hippo") == ["a/real.md"]
    codes = tree.codes()
    for name in ("out.md", "in.md", "dangling.md", "self.md", "out-folder", "up"):
        assert "symlink" in codes[f"a/{name}"], codes
    assert tree.run("show", "a/out.md").code != 0
    assert b"outside" not in tree.run("export", "--to", "jsonl").out


def test_a_pipe_named_like_a_note_never_blocks(tree: RealTree) -> None:
    tree.write("a/real.md", "real hippo\n")
    os.mkfifo(tree.root / "a/pipe.md")
    assert tree.run("search", "--json", "hippo", timeout=20).json["hits"]
    assert "not-a-file" in tree.codes()["a/pipe.md"]
    tree.run("show", "a/pipe.md", timeout=20)
    tree.run("add", "--to", "a/b/pipe.md", "text", timeout=20)


def test_a_pipe_named_like_a_rule_file_never_blocks(tree: RealTree) -> None:
    tree.write("a/real.md", "real hippo\n")
    os.mkfifo(tree.root / "a/.gitignore")
    assert tree.run("search", "--json", "hippo", timeout=20).json["hits"]


def test_a_pipe_in_an_imported_folder_never_blocks(tree: RealTree, tmp_path: Path) -> None:
    (tmp_path / "vault").mkdir()
    (tmp_path / "vault" / "a.md").write_text("real hippo\n")
    os.mkfifo(tmp_path / "vault" / "pipe.md")
    tree.run("import", str(tmp_path / "vault"), timeout=20)
    assert tree.found("hippo")


def test_a_pipe_beside_the_notes_does_not_make_every_search_walk_and_write(tree: RealTree) -> None:
    tree.write("a/real.md", "real hippo\n")
    os.mkfifo(tree.root / "a/pipe.md")
    tree.found("hippo")
    time.sleep(0.2)
    tree.found("hippo")
    code = (
        "import sys; from memtree.retrieve.engine import Engine; "
        f"sys.exit(0 if Engine({str(tree.root)!r}).is_current() else 1)"
    )
    import subprocess
    import sys

    from real_tree import environment

    done = subprocess.run([sys.executable, "-c", code], env=environment(None), check=False)
    assert done.returncode == 0, "the tree never counts as current: every search refreshes"


def test_an_unreadable_file_is_a_finding_and_keeps_what_was_known(
    tree: RealTree,
) -> None:
    tree.write("a/good.md", "good hippo\n")
    bad = tree.write("a/bad.md", "bad giraffe\n")
    never = tree.write("a/never.md", "never read zebra\n")
    never.chmod(0)
    assert tree.run("index", "--json", powerless=True).code in (0, 3)
    bad.chmod(0)
    answer = tree.run("search", "--json", "giraffe", powerless=True).json
    assert [hit["path"] for hit in answer["hits"]] == ["a/bad.md"]
    codes = {
        item["path"]
        for item in problems(tree.run("check", "--json", powerless=True).json)
        if item["code"] == "unreadable"
    }
    assert codes == {"a/bad.md", "a/never.md"}
    assert tree.run("search", "--json", "hippo", powerless=True).json["hits"]
    # and once they can be read again, the findings are gone
    for file in (bad, never):
        file.chmod(0o644)
    assert tree.run("search", "--json", "zebra", powerless=True).json["hits"]
    after = {
        item["path"]
        for item in problems(tree.run("check", "--json", powerless=True).json)
        if item["code"] == "unreadable"
    }
    assert after == set()


def test_an_unreadable_folder_is_never_taken_for_deleted(tree: RealTree) -> None:
    tree.write("a/good.md", "good hippo\n")
    tree.write("locked/deep/bad.md", "bad giraffe\n")
    assert tree.run("search", "--json", "giraffe", powerless=True).json["hits"]
    (tree.root / "locked").chmod(0)
    answer = tree.run("search", "--json", "giraffe", powerless=True).json
    assert [hit["path"] for hit in answer["hits"]] == ["locked/deep/bad.md"]
    assert any(
        item["code"] == "unreadable" and item["path"] == "locked"
        for item in problems(tree.run("check", "--json", powerless=True).json)
    )
    assert tree.run("doctor", powerless=True).code == 1
    rebuilt = tree.run("index", "--rebuild", "--json", powerless=True)
    assert rebuilt.code in (0, 3), rebuilt
    tree.run("show", "locked/deep/bad.md", powerless=True)
    (tree.root / "locked").chmod(0o755)


@pytest.mark.slow
def test_files_that_vanish_during_the_walk_are_no_trouble(tree: RealTree) -> None:
    import threading

    for number in range(300):
        tree.write(f"d{number % 20}/n{number}.md", f"hippo number {number}\n")
    stop = threading.Event()

    def churn() -> None:
        import shutil

        turn = 0
        while not stop.is_set():
            turn += 1
            folder = tree.root / f"d{turn % 20}"
            shutil.rmtree(folder, ignore_errors=True)
            for number in range(turn % 20, 300, 20):
                tree.write(f"d{turn % 20}/n{number}.md", f"hippo number {number} {turn}\n")

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for _ in range(25):
            done = tree.run("search", "--json", "hippo")
            assert done.json["hits"]
            tree.run("check", "--json")
    finally:
        stop.set()
        thread.join()
    rows = tree.run("list", "--json").json
    rows = rows if isinstance(rows, list) else rows["entries"]
    assert len(rows) == 300
