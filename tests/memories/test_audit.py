"""The plugin audit: exactly what is wrong with a tree, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtree.errors import EntryNotFound, UsageError
from memtree.hosting.lab import ScratchLab, run
from memtree.memories.audit import Audit
from memtree.memories.audit.command import audit
from memtree.memories.audit.findings import portable
from memtree.memories.audit.verify import BROKEN, CLEAN, WANTED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from memtree.plugins import Report

NOW = "2026-01-01T00:00:00Z"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[ScratchLab]:
    with ScratchLab(Audit, place=str(tmp_path)) as made:
        yield made


def found(report: Report) -> dict[str, str]:
    assert isinstance(report.value, dict)
    return {each["path"]: each["kind"] for each in report.value["findings"]}


def with_(**files: str) -> dict[str, str]:
    return dict(CLEAN) | {f"infra/http/{name}.md": text for name, text in files.items()}


def test_the_self_test_passes(lab: ScratchLab) -> None:
    checks = run(lab)
    assert [check.name for check in checks if not check.passed] == []
    assert len(checks) == 3


def test_exactly_the_five_that_are_wrong_are_named_and_the_exit_code_says_so(
    lab: ScratchLab,
) -> None:
    report = audit(lab.tree({**CLEAN, **BROKEN}, now=NOW))
    assert report.code == 1
    assert isinstance(report.value, dict)
    assert report.value["ids"] == sorted(WANTED)
    clean = audit(lab.tree(CLEAN, now=NOW))
    assert clean.code == 0
    assert clean.lines[-1] == "nothing was found"


def test_passages_are_said_not_to_be_compared(lab: ScratchLab) -> None:
    text = "\n".join(audit(lab.tree(CLEAN, now=NOW)).lines)
    assert "3 claims compared, 3 passages not" in text


@pytest.mark.parametrize(("item", "why"), [
    ("derived_from: [nothing]", "gone"),
    ("derived_from: '[[retries]]'", ""),
    ("derived_from: '[[retries|the retries]]'", ""),
    ("derived_from: [{path: infra/http/retries.md, digest: '00'}]", "changed"),
    ("derived_from: [{id: cache, at: 2024-12-31}]", "newer"),
    ("derived_from: [{id: cache, at: 2025-01-01}]", ""),
    ("derived_from: 5", ""),
])  # fmt: skip
def test_a_derivation_is_stale_when_its_source_is_gone_changed_or_newer(
    lab: ScratchLab, item: str, why: str
) -> None:
    text = f"---\nid: gist\nowner: ann\n{item}\ncreated: 2025-06-01\n---\n\nIn short.\n"
    report = audit(lab.tree(with_(gist=text), now=NOW))
    stale = [each for each in report.lines if "stale" in each and "gist" in each]
    assert bool(stale) == bool(why)
    assert why in "".join(stale)


def test_a_digest_of_a_source_that_did_not_change_keeps_a_derivation_fresh(
    lab: ScratchLab,
) -> None:
    desk = lab.tree(CLEAN, now=NOW)
    ref = desk.context.tree.ref("infra/http/retries.md")
    assert ref is not None
    desk.write(
        "infra/http/gist.md",
        "---\nid: gist\nowner: ann\nderived_from:\n"
        f"  - {{path: infra/http/retries.md, digest: {ref.digest[:16]}}}\n---\n\nIn short.\n",
    )
    assert audit(desk).code == 0
    desk.write("infra/http/retries.md", desk.read("infra/http/retries.md") + "\nMore.\n")
    assert found(audit(desk)) == {"infra/http/gist.md": "stale"}


def test_two_that_are_said_to_contrast_are_no_finding(lab: ScratchLab) -> None:
    rival = BROKEN["infra/http/limits.md"].replace(
        "owner:", 'related: [{rel: contrasts-with, to: "[[retries]]"}]\nowner:'
    )
    assert audit(lab.tree(with_(limits=rival), now=NOW)).code == 0


def test_an_entry_longer_than_a_window_is_oversize(lab: ScratchLab) -> None:
    long = "---\nid: long\nowner: ann\n---\n\n" + "Many words stand here.\n\n" * 2000
    desk = lab.tree(with_(long=long), now=NOW)
    assert found(audit(desk)) == {"infra/http/long.md": "oversize"}
    wide = lab.tree(with_(long=long), now=NOW, options={"window": 20_000})
    assert audit(wide).code == 0


@pytest.mark.parametrize("text", [
    "---\nid: alone\nowner: ann\ntags: [client]\n---\n\nAlone.\n",
    "---\nid: alone\nowner: ann\n---\n\nSee [[retries]].\n",
])  # fmt: skip
def test_a_shared_tag_or_a_link_is_company_enough(lab: ScratchLab, text: str) -> None:
    tagged = CLEAN["infra/http/retries.md"].replace("owner:", "tags: [client]\nowner:")
    files = {**CLEAN, "infra/http/retries.md": tagged, "far/away/alone.md": text}
    assert audit(lab.tree(files, now=NOW)).code == 0


def test_what_describes_a_folder_needs_neither_company_nor_source(lab: ScratchLab) -> None:
    assert audit(lab.tree({**CLEAN, "far/index.md": "# Far\n"}, now=NOW)).code == 0


def test_bytes_that_are_no_text_and_ids_that_are_not_unique_do_not_travel(
    lab: ScratchLab, tmp_path: Path
) -> None:
    desk = lab.tree(with_(twin=CLEAN["infra/http/cache.md"]), now=NOW)
    place = next(tmp_path.glob("tree-*/infra/http"))
    (place / "odd.md").write_bytes(b"---\nowner: ann\n---\n\nCaf\xe9.\n")
    assert found(audit(desk)) == {
        "infra/http/cache.md": "not-portable",
        "infra/http/odd.md": "not-portable",
        "infra/http/twin.md": "not-portable",
    }


def test_kinds_can_be_left_out_and_unknown_ones_are_refused(lab: ScratchLab) -> None:
    desk = lab.tree({**CLEAN, **BROKEN}, now=NOW)
    report = audit(desk, skip="orphan, unsourced")
    assert set(found(report).values()) == {"contradiction", "stale"}
    with pytest.raises(UsageError):
        audit(desk, skip="spelling")


def test_a_folder_can_be_audited_alone(lab: ScratchLab) -> None:
    report = audit(lab.tree({**CLEAN, **BROKEN}, now=NOW), "people")
    assert report.value["entries"] == 1  # type: ignore[index]


def test_a_folder_that_is_not_there_is_a_mistake_and_no_clean_tree(lab: ScratchLab) -> None:
    with pytest.raises(EntryNotFound, match="no entries below 'poeple'"):
        audit(lab.tree(CLEAN, now=NOW), "poeple")


def test_an_empty_tree_has_nothing_wrong(lab: ScratchLab) -> None:
    assert audit(lab.tree({}, now=NOW)).code == 0


def test_the_installed_memory_models_stand_under_their_paradigms(lab: ScratchLab) -> None:
    report = audit(lab.tree({}, now=NOW), paradigms=True)
    assert isinstance(report.value, list)
    assert {"paradigm": "report", "name": "audit", "seeds": ["S16"]} in report.value
    assert any(line.startswith("implicit (neocortex)") for line in report.lines)


@given(st.binary(max_size=200))
def test_what_travels_comes_back_byte_for_byte(data: bytes) -> None:
    why, back = portable("a/b/c.md", data)
    assert why or back == data


@given(st.text(max_size=40))
def test_a_path_that_some_system_refuses_is_never_an_error(path: str) -> None:
    why, back = portable(path, b"x")
    assert why or back == b"x"


def test_findings_are_the_same_whatever_the_order_of_files(lab: ScratchLab) -> None:
    files: Mapping[str, str] = {**CLEAN, **BROKEN}
    one = audit(lab.tree(files, now=NOW))
    other = audit(lab.tree(dict(reversed(list(files.items()))), now=NOW))
    assert one.value == other.value
