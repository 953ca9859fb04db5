"""The commands as processes: pipes, terminals, editors, and every way of going wrong."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from transcript import EXAMPLES, environment, run

from memtree.cli import main
from memtree.cli._commands import COMMANDS, LATER, SUMMARIES, nearest, root_help
from memtree.cli._typer import load

FAMILIES = {
    "config": ("get", "set", "list", "path"),
    "bench": ("retrieval",),
    "plugins": ("list", "show", "enable", "disable", "verify", "new", "compare"),
    "models": ("list", "add", "pull", "use", "rm", "test"),
    "review": ("list", "show", "accept", "reject"),
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    assert run("init", cwd=folder).returncode == 0
    return folder


@pytest.fixture
def atlas(tmp_path: Path) -> Path:
    folder = tmp_path / "atlas"
    shutil.copytree(EXAMPLES / "atlas", folder, ignore=shutil.ignore_patterns("cache", "state"))
    return folder


def on_a_terminal(*args: str, cwd: Path, typed: bytes = b"", **more: str) -> tuple[int, str]:
    """Run memtree with a terminal on all three streams; returns the exit code and what it shows."""
    if os.name == "nt":
        pytest.skip("Windows has no pseudo-terminals to test with")
    import pty

    parent, child = pty.openpty()
    settings = environment(TERM="xterm-kitty", COLUMNS="100", **more)
    for name in ("CI", "NO_COLOR", "TERM_PROGRAM", "VTE_VERSION"):
        if name not in more:
            settings.pop(name, None)
    process = subprocess.Popen(
        [sys.executable, "-m", "memtree", *args],
        cwd=cwd, stdin=child, stdout=child, stderr=child, env=settings, start_new_session=True,
    )  # fmt: skip
    os.close(child)
    if typed:
        os.write(parent, typed)
    shown = b""
    while True:
        ready, _, _ = select.select([parent], [], [], 60)
        try:
            piece = os.read(parent, 65536) if ready else b""
        except OSError:  # Linux says EIO when the other side closes
            piece = b""
        if not piece:
            break
        shown += piece
    os.close(parent)
    return process.wait(timeout=60), shown.decode()


# -- help and the table -------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(SUMMARIES))
def test_every_command_documents_itself(name: str) -> None:
    command = load(name)
    text = command.help
    assert text.splitlines()[0] == SUMMARIES[name], "the table and the docstring say the same"
    members = getattr(command, "commands", {})
    missing = set(FAMILIES.get(name, ())) - set(members)
    others = set(members) - set(FAMILIES.get(name, ()))
    assert not missing
    assert not others or name == "bench", "the benchmarks of plugins come besides"
    for one in (command, *members.values()):
        assert one.help
        for option in one.params:
            assert option.help, f"{name}: {option.name} has no help"


def test_the_root_help_lists_every_command_and_fits_a_terminal() -> None:
    text = root_help()
    for _, name, _, summary in COMMANDS:
        assert f"  {name:<12}{summary}" in text
    assert max(map(len, text.splitlines())) <= 90


def test_help_and_version_succeed_and_no_command_is_wrong_usage(tmp_path: Path) -> None:
    assert run("--help", cwd=tmp_path).stdout == root_help().encode()
    assert run("-h", cwd=tmp_path).returncode == 0
    assert run("--version", cwd=tmp_path).stdout.startswith(b"memtree ")
    nothing = run(cwd=tmp_path)
    assert (nothing.returncode, nothing.stdout) == (2, b"")
    assert b"Usage:" in nothing.stderr


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("serch", "search"), ("ls", "list"), ("statu", "status"), ("qeury", "query"), ("zzz", None)],
)
def test_a_misspelled_command_is_guessed(typed: str, meant: str | None) -> None:
    assert nearest(typed, list(SUMMARIES)) == meant


def test_commands_of_later_versions_say_so_and_stand_in_no_list() -> None:
    assert not set(LATER) & set(SUMMARIES)
    for name in LATER:
        assert main([name, "anything", "--at-all"]) == 3
        assert f"  {name} " not in root_help()


def test_main_returns_its_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["memtree"]
    assert main(["serch"]) == 2
    assert "did you mean 'search'?" in capsys.readouterr().err


# -- streams ------------------------------------------------------------------------------------


def test_json_goes_to_stdout_and_nothing_else_does(atlas: Path) -> None:
    for words in (
        ("list",), ("tree",), ("status",), ("doctor",), ("links", "Seat holds"), ("index",),
        ("show", "Seat holds"), ("search", "seat"), ("query", "Seat holds"), ("config", "list"),
        ("config", "path"), ("version",), ("add", "A fact about tea.", "--title", "Tea"), ("log",),
        ("diff",), ("mv", "Tea", "home/kitchen/tea.md"), ("rm", "Tea"), ("undo",),
        ("restore", "home/kitchen/tea.md"), ("check",), ("export",),
    ):  # fmt: skip
        done = run(*words, "--json", cwd=atlas)
        assert done.returncode in (0, 1), (words, done.stderr.decode())
        json.loads(done.stdout)
        assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "ascii", "cp932", "utf-8"])
def test_an_old_code_page_never_crashes_a_pipe(encoding: str, atlas: Path) -> None:
    for words in (
        ("list",),
        ("tree",),
        ("search", "発券端末"),
        ("links", "Seat holds"),
        ("check",),
    ):
        done = run(*words, cwd=atlas, PYTHONIOENCODING=encoding, PYTHONUTF8="0")
        assert done.returncode in (0, 1), done.stderr.decode(encoding, "replace")
        assert b"Traceback" not in done.stderr
        done.stdout.decode(encoding)


def test_a_name_that_is_no_unicode_can_be_listed(tree: Path) -> None:
    try:
        Path(os.fsdecode(os.fsencode(tree) + b"/caf\xe9.md")).write_bytes(b"# Coffee\n")
    except OSError:
        pytest.skip("this file system holds Unicode names only")
    done = run("list", cwd=tree)
    assert b"Traceback" not in done.stderr
    assert run("search", "coffee", "--json", cwd=tree).returncode in (0, 1)


def test_no_note_sends_its_escape_sequences_to_a_terminal(tree: Path) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e"
    (tree / "a").mkdir()
    (tree / "a" / "evil.md").write_text(
        f'---\ntitle: "Evil \\x1b]0;owned\\x07 note"\ntags: ["\\x1b[2Jtag"]\n---\n'
        f"# Evil {evil}\n\nEvil text {evil} [x](http://e\x1b[2J) [[lost\x1b[2J]]\n",
        "utf-8",
    )
    (tree / "a" / "fine.md").write_text("# Fine\n\nEvil is [[evil]].\n", "utf-8")
    for words in (
        ("search", "evil"), ("query", "text"), ("list",), ("tree",), ("show", "a/evil.md"),
        ("show", "--raw", "a/evil.md"), ("links", "a/evil.md"), ("check",), ("search", evil),
        ("show", evil), ("add", f"x{evil}"), ("diff",), ("log",), ("rm", "--yes", "a/evil.md"),
        ("diff",),
    ):  # fmt: skip
        _, shown = on_a_terminal(*words, cwd=tree)
        for sign in ("\x1b]0", "\x07", "\x1b[2J", "\x9b", "\u202e"):
            assert sign not in shown, (words, shown)


def test_a_terminal_shows_colour_and_links_and_no_color_takes_both_away(atlas: Path) -> None:
    _, shown = on_a_terminal("search", "boiler", cwd=atlas)
    assert "\x1b[1mThe boiler\x1b[0m" in shown
    assert "\x1b]8;;file://" in shown
    assert b"\x1b" not in run("search", "boiler", cwd=atlas, TERM="xterm-kitty").stdout
    _, plain = on_a_terminal("search", "boiler", cwd=atlas, NO_COLOR="1")
    assert "\x1b" not in plain
    _, empty = on_a_terminal("search", "boiler", cwd=atlas, NO_COLOR="")
    assert "\x1b[1m" in empty


def test_show_is_rendered_on_a_terminal_and_byte_for_byte_in_a_pipe(tree: Path) -> None:
    raw = b"\xef\xbb\xbf---\r\ntitle: Tea\r\n# kept\r\nodd:   1\r\n---\r\n# Tea\r\n\r\n- *leaf*\r\n"
    (tree / "tea.md").write_bytes(raw)
    assert run("show", "Tea", cwd=tree).stdout == raw
    _, shown = on_a_terminal("show", "Tea", cwd=tree)
    assert "\x1b[3mleaf" in shown
    assert "odd" in shown
    assert "# kept" not in shown


def test_a_reader_that_goes_away_is_no_error(tree: Path) -> None:
    for number in range(300):
        (tree / f"note-{number:04}-with-a-rather-long-name-to-fill-the-pipe.md").write_text("# x\n")
    for words in (
        ("list",),
        ("list", "--json"),
        ("search", "x", "-n", "1000", "--json"),
        ("tree",),
    ):
        for unbuffered in ("", "1"):
            process = subprocess.Popen(
                [sys.executable, "-m", "memtree", *words],
                cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                env=environment(PYTHONUNBUFFERED=unbuffered),
            )  # fmt: skip
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.close()
            assert process.stderr.read() == b"", (words, unbuffered)
            process.stderr.close()
            assert process.wait(timeout=60) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_output_that_cannot_be_written_is_one_sentence(atlas: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "memtree", "list"],
            cwd=atlas, stdout=full, stderr=subprocess.PIPE, env=environment(PYTHONUNBUFFERED=""),
            check=False,
        )  # fmt: skip
    assert done.returncode == 3
    assert done.stderr.decode().startswith("error: the output could not be written")
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_an_interrupt_is_quiet_and_130(tree: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "memtree", "watch"],
        cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=environment(PYTHONUNBUFFERED="1"),
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"watching")
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Traceback" not in told


# -- rm -----------------------------------------------------------------------------------------


def test_rm_asks_on_a_terminal_and_no_is_the_default(tree: Path) -> None:
    (tree / "tea.md").write_text("# Tea\n")
    code, shown = on_a_terminal("rm", "Tea", cwd=tree, typed=b"\n")
    assert code == 1
    assert "Remove this entry? [y/N]" in shown
    assert (tree / "tea.md").exists()
    code, shown = on_a_terminal("rm", "Tea", cwd=tree, typed=b"y\n")
    assert code == 0
    assert not (tree / "tea.md").exists()


# -- edit ---------------------------------------------------------------------------------------


def editor(folder: Path, text: str) -> str:
    """A program that edits: `file` is the path it was given."""
    script = folder / "editor.py"
    script.write_text(f"import pathlib, sys\nfile = pathlib.Path(sys.argv[1])\n{text}\n", "utf-8")
    return f'"{sys.executable}" "{script}"'


def test_edit_writes_back_what_the_editor_saved(tree: Path, tmp_path: Path) -> None:
    (tree / "tea.md").write_bytes(b"# Tea\r\nblack\r\n")
    saves = editor(tmp_path, "file.write_bytes(file.read_bytes().replace(b'black', b'green'))")
    done = run("edit", "Tea", cwd=tree, EDITOR=saves)
    assert done.returncode == 0, done.stderr
    assert (tree / "tea.md").read_bytes() == b"# Tea\r\ngreen\r\n"
    assert run("undo", cwd=tree).returncode == 0
    assert (tree / "tea.md").read_bytes() == b"# Tea\r\nblack\r\n"


def test_visual_comes_before_editor_and_nothing_changed_writes_nothing(
    tree: Path, tmp_path: Path
) -> None:
    (tree / "tea.md").write_text("# Tea\n")
    done = run("edit", "Tea", cwd=tree, VISUAL=editor(tmp_path, ""), EDITOR="no-such-editor")
    assert done.returncode == 0
    assert done.stdout == b"nothing changed in tea.md\n"
    assert run("log", cwd=tree).returncode == 1


def test_an_edit_of_a_file_that_changed_meanwhile_is_rescued(tree: Path, tmp_path: Path) -> None:
    note = tree / "tea.md"
    note.write_text("# Tea\n")
    other = f"pathlib.Path({str(note)!r}).write_text('# Theirs\\n')"
    command = editor(tmp_path, f"file.write_text('# Mine\\n')\n{other}")
    done = run("edit", "Tea", cwd=tree, EDITOR=command)
    assert done.returncode == 4
    assert note.read_text() == "# Theirs\n"
    rescued = list((tree / ".memtree" / "state" / "rescued").iterdir())
    assert [file.read_text() for file in rescued] == ["# Mine\n"]
    assert str(rescued[0]) in done.stderr.decode()


def test_an_editor_that_fails_changes_nothing_and_loses_nothing(tree: Path, tmp_path: Path) -> None:
    (tree / "tea.md").write_text("# Tea\n")
    command = editor(tmp_path, "file.write_text('# Mine\\n')\nsys.exit(3)")
    done = run("edit", "Tea", cwd=tree, EDITOR=command)
    assert done.returncode == 4
    assert (tree / "tea.md").read_text() == "# Tea\n"
    assert len(list((tree / ".memtree" / "state" / "rescued").iterdir())) == 1
    done = run("edit", "Tea", cwd=tree, EDITOR="no-such-editor")
    assert done.returncode == 3
    assert done.stderr.startswith(b"error: the editor 'no-such-editor' could not be started")


# -- pipes in -----------------------------------------------------------------------------------


def test_add_reads_stdin_and_refuses_what_is_no_text(tree: Path) -> None:
    done = run("add", "-", "--to", "home/notes", "--json", cwd=tree, stdin="\ufeffGrüße\n".encode())
    assert done.returncode == 0, done.stderr
    path = json.loads(done.stdout)["path"]
    assert (tree / path).read_text("utf-8").endswith("Grüße\n")
    done = run("add", "-", cwd=tree, stdin=b"\xff\xfe")
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: standard input is not UTF-8")


def test_a_batch_answers_each_line_before_it_reads_the_next(atlas: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "memtree", "search", "--batch", "-", "--json"],
        cwd=atlas, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(),
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    for query in ("boiler", "seat"):
        process.stdin.write(query.encode() + b"\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["query"] == query
    process.stdin.close()
    assert process.wait(timeout=30) == 0
    process.stdout.close()


def test_a_batch_survives_bytes_that_are_no_text_and_deep_json(atlas: Path) -> None:
    lines = [
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"query": ' * 50_000,
        b'{"query": "boiler", "limit": 0}',
        b'{"query": "boiler", "id": NaN}',
        b'{"query": "boiler", "id": 1e999}',
    ]
    done = run("search", "--batch", "-", cwd=atlas, stdin=b"\n".join([*lines, b"boiler", b""]))
    documents = [json.loads(line) for line in done.stdout.splitlines()]
    failed = ["error" in document for document in documents]
    assert failed == [True, False, True, True, True, False, False]
    assert b": Infinity" not in done.stdout, "what comes back is JSON, whatever was asked"
    assert documents[-1]["hits"]
    assert done.returncode == 1


# -- completion ---------------------------------------------------------------------------------


def completed(*words: str, cwd: Path) -> list[str]:
    done = run("__complete", *words, cwd=cwd)
    assert done.returncode == 0
    assert done.stderr == b""
    return [line.partition("\t")[0] for line in done.stdout.decode().splitlines()]


def test_completion_knows_commands_options_and_entries(atlas: Path) -> None:
    assert completed("=sea", cwd=atlas) == ["search"]
    assert completed("search", "=--li", cwd=atlas) == ["--limit"]
    assert completed("search", "--tier", "=f", cwd=atlas) == ["fuzzy", "fulltext"]
    assert completed("show", "=home/k", cwd=atlas) == ["home/kitchen/rye-bread.md"]
    assert completed("search", "--in", "=engineering/o", cwd=atlas) == [
        "engineering/operations",
        "engineering/operations/incidents",
    ]
    assert completed("--tree", "atlas", "show", "=home/k", cwd=atlas.parent) == [
        "home/kitchen/rye-bread.md"
    ]
    assert completed("config", "=g", cwd=atlas) == ["get"]
    assert completed("completion", "=z", cwd=atlas) == ["zsh"]


def test_completion_is_silent_when_it_knows_nothing(tmp_path: Path) -> None:
    assert completed("show", "=x", cwd=tmp_path) == []
    assert completed("nonsense", "=", cwd=tmp_path) == []
    assert completed(cwd=tmp_path)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_accepts_its_script(shell: str, tmp_path: Path) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"no {shell} here")
    script = tmp_path / "script"
    script.write_bytes(run("completion", shell, cwd=tmp_path).stdout)
    subprocess.run([program, "-n", str(script)], check=True)


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_bash_really_completes(atlas: Path, tmp_path: Path) -> None:
    wrapper = tmp_path / "memtree"
    wrapper.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m memtree "$@"\n')
    wrapper.chmod(0o755)
    script = run("completion", "bash", cwd=tmp_path).stdout.decode()
    script += "COMP_WORDS=(memtree show home/k); COMP_CWORD=2; _memtree; echo ${COMPREPLY[@]}"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=atlas,
        env=environment(PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}"),
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode().strip() == "home/kitchen/rye-bread.md"


# -- demo ---------------------------------------------------------------------------------------


def test_the_demo_answers_by_three_tiers_and_once_says_absent(tmp_path: Path) -> None:
    done = run("demo", cwd=tmp_path, TMPDIR=str(tmp_path), TEMP=str(tmp_path))
    text = done.stdout.decode()
    assert done.returncode == 0, done.stderr
    for tier in ("exact", "fuzzy", "fulltext"):
        assert f"tier {tier}" in text
    assert text.count("Absent:") == 1
    assert "memtree init" in text.rpartition("Next:")[2]
    assert list(tmp_path.iterdir()) == [], "it leaves nothing behind"


def test_the_demo_keeps_its_tree_when_asked(tmp_path: Path) -> None:
    assert run("demo", "--keep", "mine", cwd=tmp_path).returncode == 0
    assert run("query", "Seat holds", "--tree", "mine", cwd=tmp_path).returncode == 0
    again = run("demo", "--keep", "mine", cwd=tmp_path)
    assert again.returncode == 4
