"""The README is true: its sessions are played, its tables are what the code says, its links lead.

    python tests/test_readme.py        plays everything and writes down what came back

What differs from run to run (times, ids, milliseconds) may stand in the README as it once came.
Fences are played in order: `console` is a session, `jsonl NAME` writes a file, `python` is run.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests" / "cli"))
sys.path.insert(0, str(REPOSITORY))

from transcript import environment, run  # noqa: E402  (the runner lies in tests/cli)

from memtree.cli._commands import COMMANDS, SECTIONS  # noqa: E402  (after the path is set)
from memtree.config import SETTINGS  # noqa: E402  (after the path is set)
from memtree.tree.commit import HISTORY_BYTES, HISTORY_TRANSACTIONS  # noqa: E402  (the same)

README = REPOSITORY / "README.md"
HOUSE = REPOSITORY / "memtree" / "README.md"
HOME = "/home/ada"
FIRST_FOLDER = "harbour"
_FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
# What no two runs have in common, and what stands for it in a comparison.
_VOLATILE = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "TIME"),
    (re.compile(r'\bid: "?[0-9a-z]{10}"?'), "id: ID"),
    (re.compile(r"\b\d{7}-[0-9a-f]{4}\b"), "CHANGE"),
    (re.compile(r"\b\d+(?:\.\d+)? ms\b"), "N ms"),
    (re.compile(r'"ms": [\d.]+'), '"ms": N'),
    (re.compile(r"until \d{4}-\d\d-\d\d"), "until DAY"),
    (re.compile(r"\b\d+ segments\b"), "N segments"),
)


class Session:
    """The reader at the keyboard: a home folder, where they are in it, and the last exit code."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.here = home / FIRST_FOLDER
        self.here.mkdir()
        self.code = 0

    def types(self, line: str) -> str:
        """Run one line of a session; returns what both streams said."""
        if line == "echo $?":
            return f"{self.code}\n"
        line, _, target = line.partition(" > ")
        left, piped, right = line.partition(" | ")
        words = shlex.split(right if piped else line)
        stdin = " ".join(shlex.split(left)[1:]) + "\n" if piped else ""
        if words[0] == "cd":
            self.here = (self.here / words[1]).resolve()
            return ""
        if words[0] == "cat":
            return (self.here / words[1]).read_text("utf-8")
        if words[0] == "python":
            return self.runs([str(REPOSITORY / words[1])])
        assert words[0] == "memtree", f"the README runs memtree: {line}"
        done = run(*words[1:], cwd=self.here, stdin=stdin.encode(), merged=True)
        self.code = done.returncode
        said = done.stdout.decode().replace(os.path.realpath(self.home), HOME)
        if target and target not in {os.devnull, "/dev/null"}:
            (self.here / target).write_text(said, "utf-8")
        return "" if target else said.replace(str(self.home), HOME)

    def runs(self, python: list[str]) -> str:
        """Run Python with memtree at hand; it must end well."""
        done = subprocess.run(
            [sys.executable, *python],
            cwd=self.here,
            env=environment(),
            capture_output=True,
            check=False,
            timeout=120,
            encoding="utf-8",
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def plays(self, fence: re.Match[str]) -> str:
        """Play one fence; returns it as it should stand there."""
        language, name, body = fence[1], fence[2], fence[3]
        if name:
            (self.here / name).write_text(body, "utf-8")
        elif language == "python":
            self.runs(["-c", body])
        elif language == "console":
            parts = re.split(r"^\$ (.*)\n", body, flags=re.MULTILINE)
            assert not parts[0], f"a session begins with a command: {parts[0]}"
            shown = "```console\n"
            for typed, expected in zip(parts[1::2], parts[2::2], strict=True):
                said = "".join(f"{line.rstrip()}\n" for line in self.types(typed).splitlines())
                same = masked(said).strip("\n") == masked(expected).strip("\n")
                # Long output wants air before the next command, unless that asks how it ended.
                if shown.count("\n", shown.rindex("$") if "$" in shown else 0) > 3:
                    shown = shown.rstrip("\n") + ("\n" if typed == "echo $?" else "\n\n")
                shown += f"$ {typed}\n{expected if same else said}".rstrip("\n") + "\n"
            return shown + "```"
        return fence[0]


def masked(text: str) -> str:
    """The text without what differs from run to run."""
    for pattern, token in _VOLATILE:
        text = pattern.sub(token, text)
    return text


def played(text: str, home: Path) -> str:
    """The README with its sessions as they go today."""
    session = Session(home)
    return _FENCE.sub(session.plays, text)


def settings_table() -> str:
    """Every setting, its default as it stands in config.toml, and what it does."""
    rows = ["| setting | default | does |", "|---|---|---|"]
    for name, (default, meaning) in SETTINGS.items():
        rows.append(f"| `{name}` | `{json.dumps(default)}` | {meaning} |")
    return "\n".join(rows)


def command_reference() -> str:
    """Every command in the order of `memtree --help`, one line each."""
    rows = ["| command | does |", "|---|---|"]
    for section in SECTIONS:
        rows.append(f"| **{section}** | |")
        rows += [
            f"| `memtree {name}` | {summary} |"
            for place, name, _, summary in COMMANDS
            if place == section
        ]
    return "\n".join(rows)


def answer_block(home: Path) -> str:
    """A real answer of `--json`, laid out for reading."""
    run("demo", "--keep", "atlas", cwd=home)
    done = run("query", "hourly backups", "-n", "1", "--json", cwd=home / "atlas")
    return f"```json\n{laid_out(json.loads(done.stdout))}\n```"


def laid_out(value: object, indent: str = "") -> str:
    """JSON with what is short on one line."""
    flat = json.dumps(value, ensure_ascii=False)
    inner = indent + "  "
    if len(flat) + len(indent) <= 90 or not isinstance(value, (dict, list)):
        return flat
    if isinstance(value, dict):
        items = [f"{inner}{json.dumps(key)}: {laid_out(one, inner)}" for key, one in value.items()]
        return "{\n" + ",\n".join(items) + f"\n{indent}}}"
    return "[\n" + ",\n".join(inner + laid_out(one, inner) for one in value) + f"\n{indent}]"


def part(text: str, name: str) -> str:
    """What stands between the markers `name`."""
    found = re.findall(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", text, re.DOTALL)
    assert len(found) == 1, f"the README has one part '{name}'"
    return str(found[0]).strip("\n")


def replaced(text: str, name: str, new: str) -> str:
    """The text with `new` between the markers `name`; kept as it is where it says the same."""
    old = part(text, name)
    if masked(old) == masked(new):
        return text
    head, _, rest = text.partition(f"<!-- {name} -->\n")
    _, _, tail = rest.partition(f"<!-- /{name} -->")
    return f"{head}<!-- {name} -->\n\n{new}\n\n<!-- /{name} -->{tail}"


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives to headings."""
    heads = re.findall(r"^#+ (.+)$", _FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_every_session_goes_as_the_readme_shows_it(tmp_path: Path) -> None:
    text = README.read_text("utf-8")
    assert played(text, tmp_path) == text, "python tests/test_readme.py writes what comes back"


def test_the_json_of_an_answer_is_one_that_memtree_gives(tmp_path: Path) -> None:
    shown = part(README.read_text("utf-8"), "answer")
    assert masked(shown) == masked(answer_block(tmp_path))


def test_the_settings_table_is_what_the_code_says() -> None:
    assert part(README.read_text("utf-8"), "settings") == settings_table()


def test_the_command_reference_is_what_the_code_says() -> None:
    assert part(README.read_text("utf-8"), "commands") == command_reference()


def test_the_first_two_commands_are_those_that_ci_runs() -> None:
    fences = _FENCE.finditer(README.read_text("utf-8"))
    commands = [fence[3].strip() for fence in fences if fence[1] == "sh"]
    assert commands[:2] == ["pip install . && memtree demo", 'pip install -e ".[dev]" && pytest']
    script = (REPOSITORY / ".ci" / "run").read_text("utf-8").replace(" --quiet", "").splitlines()
    assert set(commands[:2]) <= set(script)


@pytest.mark.parametrize("page", [README, HOUSE], ids=["README.md", "memtree/README.md"])
def test_every_link_leads_to_a_file_or_a_heading(page: Path) -> None:
    text = page.read_text("utf-8")
    targets = [link for link in _LINK.findall(_FENCE.sub("", text)) if "://" not in link]
    assert targets
    for target in targets:
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file.read_text("utf-8")), target


def test_the_bounds_of_the_history_are_what_the_code_says() -> None:
    told = f"the last {HISTORY_TRANSACTIONS}, or {HISTORY_BYTES >> 20} MiB of them"
    assert told in README.read_text("utf-8")


def test_the_readme_has_room_for_measured_figures() -> None:
    assert "| measured |" in part(README.read_text("utf-8"), "figures")


def write() -> None:
    """Bring the README up to what the code does."""
    text = README.read_text("utf-8")
    with tempfile.TemporaryDirectory() as folder:
        text = replaced(text, "settings", settings_table())
        text = replaced(text, "commands", command_reference())
        text = replaced(text, "answer", answer_block(Path(folder)))
    with tempfile.TemporaryDirectory() as folder:
        text = played(text, Path(folder))
    README.write_text(text, "utf-8")


if __name__ == "__main__":
    write()
