"""Topic 2: what leaves the tree is refused with exit 4 and one sentence, and nothing is written."""

# ruff: noqa: E501  (tables of cases read better on one line each)

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from real_tree import RealTree, new_tree

OUTSIDE = [
    "../evil", "../../evil.md", "a/../../evil", "a/b/../../../evil.md", "/tmp/memtree-evil/a/b.md", "/etc/passwd",
    "..\\evil", "C:\\evil\\a", "\\\\host\\share\\x", ".memtree/config.toml", ".memtree/sidecar/x.md",
    ".git/hooks/x", "a/.git/x/y.md", ".hidden/a/b", "a/b/con", "a/b/NUL.md", "a/COM1/x", "a/b/lpt9.txt.md", "a/b\x01/c",
    "a/b/c\x1b[31m", "a/b/x\u202egpj", "a/b/trailing.", "a/trailing /c", "a/b/c:stream", "a/b/<x>", "a//b/c",
    "./../x/y", "a/b/\u2028x", "a/" + "x" * 300 + "/y", "/".join(["x" * 200] * 30),
]  # fmt: skip


@pytest.fixture
def world(tmp_path: Path) -> RealTree:
    tree = new_tree(tmp_path / "world" / "tree")
    tree.write("a/b/note.md", "# Note\n\nThe giraffe is tall. [[other]]\n")
    tree.write("a/b/other.md", "# Other\n\n[[note]]\n")
    (tmp_path / "world" / "outside").mkdir()
    (tmp_path / "world" / "outside" / "private.md").write_text("# Private\n\nsecret hippo\n")
    (tree.root / "linked").symlink_to(tmp_path / "world" / "outside")
    (tree.root / "a" / "b" / "linked.md").symlink_to(tmp_path / "world" / "outside" / "private.md")
    tree.run("index")
    return tree


def _everything(tree: RealTree) -> dict[str, bytes]:
    found = {}
    for above, folders, names in os.walk(tree.root.parent):
        inside = os.path.relpath(above, tree.root)
        if inside.startswith((".memtree/state", ".memtree/cache")):
            folders.clear()
            continue
        found[above] = b""
        for name in names:
            path = os.path.join(above, name)
            found[path] = (
                os.readlink(path).encode() if os.path.islink(path) else Path(path).read_bytes()
            )
    return found


def _refused(
    tree: RealTree, *args: str, stdin: bytes = b"", env: dict[str, str] | None = None
) -> None:
    before = _everything(tree)
    done = tree.run(*args, stdin=stdin, env=env)
    assert _everything(tree) == before, done
    assert done.code == 4, done
    assert not done.out, done
    lines = done.err.decode().splitlines()
    assert lines[0].startswith("error: "), done
    assert len(lines) <= 2, done
    assert not Path("/tmp/memtree-evil").exists()


@pytest.mark.parametrize("path", OUTSIDE)
def test_add_to_a_place_outside_is_refused(world: RealTree, path: str) -> None:
    _refused(world, "add", "text", "--to", path)


@pytest.mark.parametrize("path", ["linked/a", "linked/a/x.md"])
def test_add_through_a_link_is_refused(world: RealTree, path: str) -> None:
    _refused(world, "add", "text", "--to", path)


@pytest.mark.parametrize(
    "path",
    [*(p for p in OUTSIDE if p != "a/b/trailing."), "linked/", "linked/x.md", "a/b/linked.md"],
)
def test_moving_to_a_place_outside_is_refused(world: RealTree, path: str) -> None:
    _refused(world, "mv", "a/b/note.md", path)


@pytest.mark.parametrize("path", OUTSIDE)
def test_moving_from_a_place_outside_is_refused(world: RealTree, path: str) -> None:
    _refused(world, "mv", path, "a/b/new.md")


@pytest.mark.parametrize("path", ["../outside", "linked", ".memtree", "/", "."])
def test_moving_a_folder_of_outside_is_refused_or_unknown(world: RealTree, path: str) -> None:
    before = _everything(world)
    done = world.run("mv", path, "x/y")
    assert done.code in (1, 2, 4), done
    assert _everything(world) == before


NAMED = ["../outside/private.md", "/etc/passwd", "linked/private.md", "a/b/linked.md", "a/../../outside/private.md",
         ".memtree/config.toml", "../outside/private"]  # fmt: skip


@pytest.mark.parametrize("path", NAMED)
@pytest.mark.parametrize("verb", ["show", "rm", "edit", "restore", "links"])
def test_naming_a_file_outside_gives_nothing_away_and_changes_nothing(
    world: RealTree, verb: str, path: str
) -> None:
    before = _everything(world)
    done = world.run(verb, path, env={"EDITOR": "sed -i s/a/b/"})
    assert done.code in (1, 4), done
    assert b"hippo" not in done.out + done.err
    assert b"root:" not in done.out + done.err
    assert _everything(world) == before


@pytest.mark.parametrize("path", NAMED)
@pytest.mark.parametrize("verb", ["show", "rm", "edit", "restore"])
def test_naming_a_file_outside_is_refused_with_4(world: RealTree, verb: str, path: str) -> None:
    _refused(world, verb, path, env={"EDITOR": "true"})


@pytest.mark.parametrize("path", [p for p in OUTSIDE if "x" * 150 not in p])
def test_searching_in_a_folder_outside_is_refused(world: RealTree, path: str) -> None:
    _refused(world, "search", "giraffe", "--in", path, "--json")
    _refused(world, "query", "giraffe", "--in", path, "--json")


@pytest.mark.parametrize("path", ["../x", "/etc", "a/../../x", ".memtree", "a/\x01"])
@pytest.mark.parametrize("command", [("list", "@"), ("tree", "@"), ("check", "@"), ("export", "--to", "jsonl", "--in", "@"),
                                     ("check", "--fix", "@"), ("import", "JSONL", "--into", "@")])  # fmt: skip
def test_every_scope_outside_is_refused(
    world: RealTree, command: tuple[str, ...], path: str, tmp_path: Path
) -> None:
    lines = tmp_path / "x.jsonl"
    lines.write_text('{"text": "t"}\n')
    _refused(
        world,
        *[path if part == "@" else str(lines) if part == "JSONL" else part for part in command],
    )


@pytest.mark.parametrize(
    "path", ["../outside", "/tmp/memtree-evil", ".git/hooks", "con/x", "linked"]
)
def test_importing_markdown_into_a_place_outside_is_refused(
    world: RealTree, path: str, tmp_path: Path
) -> None:
    (tmp_path / "vault").mkdir()
    (tmp_path / "vault" / "n.md").write_text("new\n")
    _refused(world, "import", str(tmp_path / "vault"), "--into", path)


def test_paths_in_jsonl_never_leave_the_tree(world: RealTree, tmp_path: Path) -> None:
    lines = tmp_path / "lines.jsonl"
    with lines.open("w") as file:
        for number, path in enumerate(
            [
                *OUTSIDE,
                "linked/x.md",
                "linked/a/x.md",
                "a/b/linked.md",
                "a/b/note.md",
                "a/b/index.md",
            ]
        ):
            file.write(json.dumps({"text": f"evil number {number}", "path": path}) + "\n")
    before = _everything(world)
    done = world.run("import", str(lines), "--json")
    assert done.code in (0, 1), done
    after = _everything(world)
    for path, data in before.items():
        assert after[path] == data
    for path in set(after) - set(before):
        assert path.startswith(str(world.root) + "/")
        assert "/.memtree/" not in path
        assert "/.git/" not in path
        assert not path.startswith(str(world.root / "linked"))
    report = done.json
    named = {item["line"] for item in report["problems"]}
    assert len(named) >= 20, report


def test_an_export_never_goes_over_what_is_there(world: RealTree, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "a" / "b").mkdir(parents=True)
    (out / "a" / "b" / "other.md").write_text("mine\n")
    before = {str(path) for path in out.rglob("*")}
    for kind in ("markdown", "okf"):
        done = world.run("export", "--to", kind, "--output", str(out))
        assert done.code == 4, done
        assert (out / "a/b/other.md").read_text() == "mine\n"
        assert {str(path) for path in out.rglob("*")} == before, (
            "a refused export left files behind"
        )


def test_an_export_never_goes_through_a_link(world: RealTree, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (out / "a").symlink_to(elsewhere)
    world.run("export", "--to", "markdown", "--output", str(out))
    assert not list(elsewhere.iterdir())


@pytest.mark.parametrize("kind", ["json", "jsonl"])
def test_an_export_to_a_file_never_replaces_an_entry_of_the_tree(
    world: RealTree, kind: str
) -> None:
    _refused(world, "export", "--to", kind, "--output", str(world.root / "a/b/note.md"))
    _refused(world, "export", "--to", kind, "--output", str(world.root / ".memtree/config.toml"))


@pytest.mark.parametrize("kind", ["markdown", "okf"])
def test_an_export_into_the_tree_is_refused(world: RealTree, kind: str) -> None:
    _refused(world, "export", "--to", kind, "--output", "copy")
    _refused(world, "export", "--to", kind, "--output", ".")


def _git(root: Path, *args: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=n", "-c", "user.email=e@x", *args], cwd=root, check=True, capture_output=True
    )  # fmt: skip
    return done.stdout.decode()


@pytest.mark.parametrize("rev", ["--output=/tmp/memtree-evil", "-O/tmp/memtree-evil", "HEAD --output=x", "HEAD:../x", "HEAD..HEAD", ":/x", "@{u}", "\x01"])  # fmt: skip
def test_a_revision_is_never_an_option_of_git(world: RealTree, rev: str) -> None:
    _git(world.root, "init", "-q")
    _git(world.root, "add", "a/b/note.md")
    _git(world.root, "commit", "-qm", "x")
    before = _everything(world)
    for command in (("diff", f"--rev={rev}"), ("restore", "a/b/note.md", f"--rev={rev}")):
        done = world.run(*command)
        assert done.code in (1, 2, 3, 4), done
    assert {k: v for k, v in _everything(world).items() if "/.git" not in k} == {
        k: v for k, v in before.items() if "/.git" not in k
    }
    assert not Path("/tmp/memtree-evil").exists()


def test_restore_from_git_never_brings_files_of_outside_the_tree(tmp_path: Path) -> None:
    repo = tmp_path / "repo"
    repo.mkdir()
    _git(repo, "init", "-q")
    (repo / "top.md").write_text("top secret\n")
    tree = new_tree(repo / "memory")
    tree.write("a/b.md", "in\n")
    _git(repo, "add", ".")
    _git(repo, "commit", "-qm", "x")
    (repo / "top.md").write_text("changed\n")
    for path in ("../top.md", "/top.md", "a/../../top.md"):
        done = tree.run("restore", path, "--rev", "HEAD")
        assert done.code in (1, 4), done
    assert (repo / "top.md").read_text() == "changed\n"


def test_undo_and_restore_never_write_through_a_folder_that_became_a_link(
    world: RealTree, tmp_path: Path
) -> None:
    assert world.run("rm", "a/b/note.md", "--yes").code == 0
    elsewhere = tmp_path / "elsewhere"
    (world.root / "a").rename(elsewhere)
    (world.root / "a").symlink_to(elsewhere)
    for command in (("undo",), ("restore", "a/b/note.md")):
        done = world.run(*command)
        assert done.code == 4, done
        assert not (elsewhere / "b/note.md").exists()


def test_history_ids_are_not_paths(world: RealTree) -> None:
    for bad in ("../../../../etc/passwd", "/etc/passwd", "..", ".", "", "\x00x"[1:], "*"):
        for command in (("undo", bad), ("diff", bad), ("restore", "a/b/note.md", "--rev", bad)):
            done = world.run(*command)
            assert done.code in (1, 2, 3, 4), done
            assert b"root:" not in done.out
