"""Digests of large files are taken once, and never believed after a change."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from memtree.embed import digest as module
from memtree.embed.digest import WORTH, folder, sha256
from memtree.errors import ModelUnavailable

OLD = 1_700_000_000


def large(path: Path, letter: bytes = b"a") -> Path:
    """A file that is worth a note."""
    path.write_bytes(letter * WORTH)
    return path


def truth(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(autouse=True)
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where notes are kept, at a time when what these tests write is long settled."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 60)
    monkeypatch.setattr(module, "_known", {})
    return tmp_path / "cache" / "memtree" / "digests"


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a new process knows."""
    monkeypatch.setattr(module, "_known", {})


def test_another_process_reads_the_note_and_not_the_file(
    tmp_path: Path, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = large(tmp_path / "a model.bin")
    assert sha256(str(file)) == truth(file)
    assert notes.read_text().startswith(truth(file))
    # Only a note that is believed can say something else.
    notes.write_text(notes.read_text().replace(truth(file), "0" * 64))
    forget(monkeypatch)
    assert sha256(str(file)) == "0" * 64


@pytest.mark.parametrize("how", ["longer", "other bytes", "another file", "times set back"])
def test_a_file_that_changed_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    file = large(tmp_path / "model.bin")
    os.utime(file, (OLD, OLD))
    before = sha256(str(file))
    forget(monkeypatch)
    if how == "longer":
        file.write_bytes(file.read_bytes() + b"x")
    elif how == "another file":
        os.replace(large(tmp_path / "other.bin", b"b"), file)
        os.utime(file, (OLD, OLD))
    else:
        time.sleep(0.02)  # beyond one tick of the file system's clock
        with file.open("r+b") as opened:
            opened.write(b"x")
        if how == "times set back" and sys.platform != "win32":
            os.utime(file, (OLD, OLD))
    assert sha256(str(file)) == truth(file) != before


def test_a_file_that_was_written_just_now_is_not_noted(
    tmp_path: Path, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = large(tmp_path / "model.bin")
    monkeypatch.setattr(time, "time", lambda: file.stat().st_mtime + 0.5)
    assert sha256(str(file)) == truth(file)
    assert not notes.exists()


def test_small_files_leave_no_note(tmp_path: Path, notes: Path) -> None:
    (tmp_path / "small").write_bytes(b"x")
    assert sha256(str(tmp_path / "small")) == hashlib.sha256(b"x").hexdigest()
    assert not notes.exists()


@pytest.mark.parametrize("rubbish", [b"\xff\xfe\0", b"\n\n\n", b"0" * 64, b"x 1 2 3"])
def test_notes_that_make_no_sense_are_no_notes(tmp_path: Path, notes: Path, rubbish: bytes) -> None:
    notes.parent.mkdir(parents=True)
    notes.write_bytes(rubbish)
    file = large(tmp_path / "model.bin")
    assert sha256(str(file)) == truth(file)


def test_a_place_that_cannot_be_written_costs_the_note_only(tmp_path: Path, notes: Path) -> None:
    notes.parent.parent.mkdir(parents=True)
    notes.parent.write_bytes(b"a file in the folder's place")
    file = large(tmp_path / "model.bin")
    assert sha256(str(file)) == truth(file)


def test_a_file_has_one_note_and_old_notes_go(
    tmp_path: Path, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [large(tmp_path / f"{number}.bin") for number in range(70)]
    for file in [*files, files[-1]]:
        forget(monkeypatch)
        os.utime(file)
        sha256(str(file))
    lines = notes.read_text().splitlines()
    assert len(lines) == 64
    assert sum(line.endswith("69.bin") for line in lines) == 1
    assert not any(line.endswith("/0.bin") for line in lines)


def test_a_relative_cache_folder_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/path")
    monkeypatch.chdir(tmp_path)
    assert folder() == ""
    file = large(tmp_path / "model.bin")
    assert sha256(str(file)) == truth(file)
    assert os.listdir(tmp_path) == ["model.bin"]


def test_a_file_that_is_not_there_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="can't be read"):
        sha256(str(tmp_path / "none"))


def test_a_note_is_read_without_loading_hashlib(tmp_path: Path) -> None:
    file = large(tmp_path / "model.bin")
    sha256(str(file))
    script = (
        "import sys; from memtree.embed.digest import sha256; print(sha256(sys.argv[1]));"
        "print('hashlib' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(file)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [truth(file), "False"]
