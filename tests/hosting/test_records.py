"""Records: files of JSON lines, and the names of those that belong to entries."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtree.errors import UsageError
from memtree.plugins import file_of, read_records


@given(st.text(min_size=1, max_size=300))
def test_every_id_has_a_file_that_every_disk_takes(entry: str) -> None:
    name = file_of("triples", entry)
    assert name.startswith("triples/")
    assert name.endswith(".jsonl")
    for part in name.removesuffix(".jsonl").split("/"):
        assert part
        assert not part.startswith(".")
        assert part.isprintable()
        assert len(part.encode()) <= 200
        assert "\\" not in part
        assert ":" not in part


@given(st.text(min_size=1, max_size=300), st.text(min_size=1, max_size=300))
def test_two_ids_have_two_files(one: str, other: str) -> None:
    def bare(entry: str) -> list[str]:
        sound = entry.encode("utf-8", "replace").decode()
        return [part for part in sound.split("/") if part]

    if bare(one) != bare(other):
        assert file_of("x", one) != file_of("x", other) or not (bare(one) and bare(other))


def test_an_id_that_people_can_read_stays_readable() -> None:
    assert file_of("pairs", "architecture/Retry policy") == "pairs/architecture/Retry policy.jsonl"
    assert file_of("pairs", "中" * 100).startswith("pairs/" + "中" * 40 + "~")


def test_a_line_that_is_no_record_is_named(tmp_path: Path) -> None:
    file = tmp_path / "given.jsonl"
    file.write_text('{"a": 1}\n\n{"a": 2}\n')
    assert list(read_records(str(file))) == [{"a": 1}, {"a": 2}]
    for bad in ('{"a": 1}\n[1]\n', '{"a": 1}\n{"a"\n'):
        file.write_text(bad)
        with pytest.raises(UsageError, match="line 2"):
            list(read_records(str(file)))
    with pytest.raises(UsageError, match="can't be read"):
        list(read_records(str(tmp_path / "missing.jsonl")))
