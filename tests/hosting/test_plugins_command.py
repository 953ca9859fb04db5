"""`memtree plugins` and the commands of plugins, as a person uses them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtree.errors import UsageError
from memtree.hosting import registry, settings
from memtree.hosting.stores import CacheStore, SidecarStore

ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("MEMTREE")}


def run(*words: str, cwd: Path, code: int = 0, python: str = sys.executable) -> str:
    done = subprocess.run(
        [python, "-m", "memtree", *words], cwd=cwd, capture_output=True, check=False,
        env={**ENVIRONMENT, "MEMTREE_CONFIG": str(cwd / "none.toml")}, timeout=300,
    )  # fmt: skip
    assert done.returncode == code, (words, done.stdout.decode(), done.stderr.decode())
    return done.stdout.decode() + (done.stderr.decode() if code else "")


def told(*words: str, cwd: Path, code: int = 0, python: str = sys.executable) -> Any:
    return json.loads(run(*words, "--json", cwd=cwd, code=code, python=python))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    root.mkdir()
    run("init", ".", cwd=root)
    run("add", "Cats sleep all day.", "--to", "animals/cats", "--title", "Cats", cwd=root)
    run("add", "Dogs run in the park.", "--to", "animals/dogs", "--title", "Dogs", cwd=root)
    return root


def test_a_list_has_what_the_contract_says(tree: Path) -> None:
    rows = told("plugins", "list", cwd=tree)
    assert {"name", "seeds", "status", "modes", "hooks"} <= set(rows[0])
    names = [row["name"] for row in rows]
    assert {"hippo", "memos", "exact", "semantic", "decay"} <= set(names)
    for row in rows:
        assert row["status"].split(" ")[0] in ("active", "degraded", "unavailable"), row


def test_every_built_in_plugin_loads_and_says_who_it_is() -> None:
    for name in registry.names():
        loaded = registry.load(name)
        assert isinstance(loaded, registry.Loaded), getattr(loaded, "reason", name)
        assert loaded.manifest.seeds or not loaded.ours
        assert "selftest" in loaded.hooks


def test_no_tree_is_needed_to_look_at_plugins(tmp_path: Path) -> None:
    assert "hippo" in run("plugins", "list", cwd=tmp_path)
    assert told("plugins", "show", "hippo", cwd=tmp_path)["seeds"] == ["S12"]


def test_enabling_and_disabling_keep_the_rest_of_the_file(tree: Path) -> None:
    file = tree / ".memtree/plugins.toml"
    assert told("plugins", "enable", "hippo", "edges", cwd=tree)["enabled"] == ["hippo", "edges"]
    file.write_text(file.read_text() + "\n[hippo]\ndamping = 0.7  # ours\n")
    assert told("plugins", "disable", "edges", cwd=tree)["enabled"] == ["hippo"]
    assert "damping = 0.7  # ours" in file.read_text()
    assert told("plugins", "show", "hippo", cwd=tree)["options"]["damping"] == 0.7
    run("plugins", "disable", "hippo", cwd=tree)
    assert told("search", "cats", cwd=tree)["by"] == []


def test_an_enabled_plugin_takes_part_and_none_leaves_it_out(tree: Path) -> None:
    run("plugins", "enable", "hippo", cwd=tree)
    by = told("search", "cats", "sleep", cwd=tree)["by"]
    assert by
    assert by[0].startswith("hippo")
    assert told("search", "cats", "--with", "none", cwd=tree)["by"] == []


def test_a_plugin_that_is_unknown_is_exit_3_with_the_nearest_name(tree: Path) -> None:
    said = run("search", "cats", "--with", "hipo", cwd=tree, code=3)
    assert "no plugin 'hipo' is installed" in said
    assert "did you mean 'hippo'?" in said


def test_what_is_enabled_and_not_installed_is_said_and_costs_no_answer(tree: Path) -> None:
    (tree / ".memtree/plugins.toml").write_text('enabled = ["of-another-machine"]\n')
    answer = told("search", "cats", cwd=tree)
    assert answer["hits"]
    assert "enabled here and not installed" in " ".join(answer["notes"])


@pytest.mark.parametrize("text", ["enabled = 7\n", "enabled = [\n", "\x00", 'enabled = ["a", 3]\n'])
def test_a_damaged_list_costs_its_plugins_and_not_the_tree(tree: Path, text: str) -> None:
    (tree / ".memtree/plugins.toml").write_text(text)
    answer = told("search", "cats", cwd=tree)
    assert answer["hits"]
    assert "plugins.toml" in " ".join(answer["notes"])
    assert "mend it by hand" in run("plugins", "enable", "hippo", cwd=tree, code=2)


def test_an_option_is_set_for_one_question(tree: Path) -> None:
    assert told("search", "cats", "--with", "hippo", "--set", "hippo.weight=0", cwd=tree)["hits"]
    said = run("search", "cats", "--with", "hippo", "--set", "nonsense", cwd=tree, code=2)
    assert "--set hippo.damping=0.7" in said


def test_disabled_plugins_are_not_even_imported(tree: Path) -> None:
    code = (
        "import sys; from memtree._fast import run; run(sys.argv[1:]); "
        "sys.exit(any('hosting.' in n or 'memories' in n or 'plugins' in n for n in sys.modules))"
    )
    for words in (("search", "cats"), ("query", "do cats sleep?"), ("list",), ("status",)):
        done = subprocess.run(
            [sys.executable, "-c", code, *words], cwd=tree, capture_output=True, check=False,
            env=ENVIRONMENT,
        )  # fmt: skip
        assert done.returncode == 0, words


# -- writing a plugin ---------------------------------------------------------------------------


def test_a_new_plugin_installs_passes_its_tests_and_works(tree: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    run("plugins", "new", "my-memory", "--into", str(folder), cwd=tree)
    place = tmp_path / "environment"
    venv.create(place, with_pip=False)
    python = str(place / ("Scripts" if os.name == "nt" else "bin") / "python")
    # What this environment has (memtree among it), and the new plugin besides.
    site = next(place.rglob("site-packages"))
    (site / "besides.pth").write_text(
        f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
    )
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps"]
    done = subprocess.run(
        [*pip, "--no-build-isolation", "--no-index", "--disable-pip-version-check", str(folder)],
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    tests = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "tests"],
        cwd=folder, capture_output=True, check=False, env=ENVIRONMENT,
    )  # fmt: skip
    assert tests.returncode == 0, tests.stdout.decode()
    rows = told("plugins", "list", cwd=tree, python=python)
    assert [row["ours"] for row in rows if row["name"] == "my-memory"] == [False]
    checks = told("plugins", "verify", "my-memory", cwd=tree, python=python)
    assert [check["passed"] for check in checks] == [True, True]
    run("my-memory", "pin", "Dogs", cwd=tree, python=python)
    assert told("my-memory", "list", cwd=tree, python=python)[0]["path"] == "animals/dogs/dogs.md"
    answer = told("search", "--with", "my-memory", "park", cwd=tree, python=python)
    assert answer["by"] == ["my-memory"]
    again = run("plugins", "new", "my-memory", "--into", str(folder), cwd=tree, code=4)
    assert "is not empty" in again


@pytest.mark.parametrize("name", ["", "Ünder", "a b", "../x", "9lives", "x-", "hippo"])
def test_a_name_that_is_none_writes_nothing(tree: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "nothing"
    code = 4 if name == "hippo" else 2
    run("plugins", "new", name, "--into", str(folder), cwd=tree, code=code)
    assert not folder.exists()


# -- stores -------------------------------------------------------------------------------------


@given(st.text(max_size=30))
def test_no_name_leads_out_of_a_store(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    root = tmp_path_factory.mktemp("store")
    store = SidecarStore(str(root), "toy")
    try:
        store.write(name, [{"x": "y"}])
    except UsageError:
        return
    inside = root / ".memtree/sidecar/toy"
    assert [path for path in root.rglob("*") if path.is_file()] == [
        path for path in inside.rglob("*") if path.is_file()
    ]
    assert store.read(name) == [{"x": "y"}]


@pytest.mark.parametrize(
    "name", ["", "..", "../x", "a/../../x", "/etc/passwd", "a//b", ".hidden", "c:x", "a\\b"]
)
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        SidecarStore(str(tmp_path), "toy").write(name, [{"x": 1}])


def test_a_link_out_of_the_store_is_not_followed(tmp_path: Path) -> None:
    store = SidecarStore(str(tmp_path), "toy")
    store.write("a/b.jsonl", [{"x": 1}])
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".memtree/sidecar/toy/out").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError):
        store.write("out/x.jsonl", [{"x": 1}])


def test_what_a_merge_left_costs_its_lines_alone(tmp_path: Path) -> None:
    store = SidecarStore(str(tmp_path), "toy")
    store.write("a.jsonl", [{"x": 1}, {"y": "ü"}])
    path = tmp_path / ".memtree/sidecar/toy/a.jsonl"
    assert path.read_text("utf-8") == '{"x": 1}\n{"y": "ü"}\n'
    before = store.stamp()
    path.write_text('<<<<<<< ours\n{"x": 1}\n=======\n{"x": 2}\n>>>>>>> theirs\n[1]\n', "utf-8")
    assert store.read("a.jsonl") == [{"x": 1}, {"x": 2}]
    assert store.stamp() != before
    store.write("a.jsonl", [])
    assert store.names() == []


def test_a_cache_of_another_key_or_a_damaged_one_is_none(tmp_path: Path) -> None:
    import numpy as np

    cache = CacheStore(str(tmp_path), "toy")
    cache.save("a", "key", {"x": np.arange(3)})
    found = cache.load("a", "key")
    assert found is not None
    assert found["x"].tolist() == [0, 1, 2]
    assert cache.load("a", "other") is None
    Path(cache.folder, "a.npz").write_bytes(b"PK\x03\x04 not at all")
    assert cache.load("a", "key") is None
    cache.save_value("v", "key", {"n": [1]})
    assert cache.load_value("v", "key") == {"n": [1]}
    assert cache.load_value("v", "other") is None


def test_settings_name_plugins_and_never_code(tmp_path: Path) -> None:
    (tmp_path / ".memtree").mkdir()
    (tmp_path / ".memtree/plugins.toml").write_text(
        'enabled = ["os:system"]\nclass = "os:system"\n'
    )
    assert settings.read(str(tmp_path)).enabled == ("os:system",)
    assert "os:system" not in registry.names()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("hippo.dampng=0.7", "it has damping, facts"),
        ("hippo.damping=high", "is a number"),
        ("hippo.damping=true", "is a number"),
        ("hippo.recognition=perhaps", "not 'perhaps'"),
        ("memgas.force=1", "is true or false"),
    ],
)
def test_an_option_that_cannot_be_understood_is_a_slip(tree: Path, given: str, said: str) -> None:
    name = given.partition(".")[0]
    assert said in run("search", "cats", "--with", name, "--set", given, cwd=tree, code=2)


def test_an_option_of_nobody_who_takes_part_is_said(tree: Path) -> None:
    notes = told("search", "cats", "--set", "hippo.damping=0.7", cwd=tree)["notes"]
    assert notes == ["hippo.damping was set, and hippo takes no part (--with hippo)"]
    run("search", "cats", "--set", "hipo.damping=0.7", cwd=tree, code=3)


def test_an_option_of_the_file_that_fits_nothing_is_said_and_left_out(tree: Path) -> None:
    run("plugins", "enable", "hippo", cwd=tree)
    with (tree / ".memtree/plugins.toml").open("a") as file:
        file.write('\n[hippo]\ndamping = "deep"\nfcats = 3\n')
    answer = told("search", "cats", cwd=tree)
    assert answer["by"]
    assert any("hippo.damping is a number, not 'deep'" in note for note in answer["notes"])
    assert any("hippo has no option 'fcats'" in note for note in answer["notes"])


def test_data_that_cannot_be_read_is_no_failure_of_the_plugin(tmp_path: Path) -> None:
    (tmp_path / "corpus.jsonl").write_text('{"id": "a", "text": "Cats sleep."}\nno line\n')
    (tmp_path / "queries.jsonl").write_text("no line\n")
    said = run("plugins", "verify", "memgas", "--data", ".", cwd=tmp_path, code=2)
    assert "can't be read" in said


def test_a_person_is_warned_of_what_a_guard_objects_to_and_has_their_way(tree: Path) -> None:
    run("plugins", "enable", "memos", cwd=tree)
    run("cube", "freeze", "Cats", cwd=tree)
    for words in (
        ["mv", "Cats", "animals/felines"],
        ["verify", "Cats", "--by", "ana"],
        ["supersede", "Cats", "Dogs"],
        ["rm", "Cats", "--yes"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "memtree", *words], cwd=tree, capture_output=True, check=True,
            env={**ENVIRONMENT, "MEMTREE_CONFIG": str(tree / "none.toml")}, text=True,
        )  # fmt: skip
        assert "warning: memos:" in done.stderr, words
        assert "is frozen" in done.stderr
    assert "no entry" in run("rm", "Cats", "--yes", cwd=tree, code=1)
