"""Conclusions of layer 1: grounded, guarded, stale when sources change; export, LoRA, haystack."""

from __future__ import annotations

import json
import os
import struct
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtree.errors import EntryNotFound, Refused, StorageFailed, Unavailable, UsageError
from memtree.hosting.desk import WorkDesk
from memtree.hosting.lab import ScratchLab, run
from memtree.knowledge.plan import Add, Annotate, Claim
from memtree.memories.layers import Layers, commands, haystack
from memtree.memories.layers.conclusions import STALE, cited, layer_of, stale
from memtree.memories.layers.derive import ASKED, ungrounded
from memtree.memories.layers.export import closed
from memtree.memories.layers.lora import read_adapter
from memtree.plugins import EntryView, Sweep
from memtree.testing import PluginContract

TWO = {
    "notes/a.md": "---\nid: a\ntitle: A\n---\nAda leads Payments.\n",
    "notes/b.md": "---\nid: b\ntitle: B\n---\nPayments stores orders in Postgres.\n",
    "notes/c.md": "---\nid: c\ntitle: C\nlayer: 1\nderived_from: [a, b]\n---\n"
    "Ada stores orders in Postgres.\n",
}


class TestContract(PluginContract):
    plugin = Layers


def entry(text: str, title: str = "N") -> EntryView:
    return EntryView(
        path=f"{title}.md", id=title, title=title, type="", tags=(), meta={}, body=text, first=1,
        digest="",
    )  # fmt: skip


def tree(lab: ScratchLab, **files: str) -> WorkDesk:
    return lab.tree({**TWO, **files}, embedder="none")


def test_the_plugin_proves_itself(tmp_path: Path) -> None:
    with ScratchLab(Layers, place=str(tmp_path)) as lab:
        checks = run(lab)
    assert [check for check in checks if not check.passed] == []
    assert len(checks) == 6


def test_layers_and_citations_are_read_from_whatever_a_person_wrote() -> None:
    assert [layer_of({"layer": value}) for value in (1, "1", " 2 ", True, None, "x", -1)] == [
        1, 1, 2, 0, 0, 0, 0,
    ]  # fmt: skip
    assert cited({"derived_from": ["a", "[[b]]", "a", 7, None, {}]}) == ("a", "b", "7")
    assert cited({"derived_from": "a"}) == ("a",)
    assert cited({}) == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Ada stores orders in Postgres.", ""),
        ("Zoe stores orders in Postgres.", "no note says"),
        ("Zoltan and Ada store 12 orders in Postgres.", "no note says"),
        ("Ada leads Payments.", "one note says it alone"),
        ("Ada paints houses beside quiet rivers.", "most words"),
        ("It is so.", "it says nothing"),
    ],
)
def test_a_conclusion_takes_its_words_from_two_notes(text: str, why: str) -> None:
    notes = [entry("Ada leads Payments.", "A"), entry("Payments stores orders in Postgres.", "B")]
    reason = ungrounded(text, notes)
    assert reason.startswith(why) if why else reason == ""
    assert "fewer" in ungrounded(text, notes[:1])


def test_a_settled_source_makes_nothing_stale_and_an_edited_one_does(tmp_path: Path) -> None:
    with ScratchLab(Layers, place=str(tmp_path)) as lab:
        desk = lab.tree(TWO, embedder="none")
        digests = {"layer": 1, "derived_from": ["a", "b"]}
        from memtree.memories.layers.conclusions import digest_of

        views = [desk.context.tree.get(f"notes/{name}.md") for name in "ab"]
        noted = {view.id: digest_of(view) for view in views if view is not None}
        desk.apply([
            Annotate(path="notes/c.md", reason="t", keys={**digests, "derived_digests": noted})
        ])  # fmt: skip
        desk.write("notes/a.md", TWO["notes/a.md"].replace("title: A", "title: A\nimportance: 90"))
        desk.follow()
        assert desk.context.sidecar.read(STALE) == []
        desk.write("notes/a.md", TWO["notes/a.md"].replace("Ada", "Eve"))
        desk.follow()
        assert [(r["source"], r["why"]) for r in desk.context.sidecar.read(STALE)] == [
            ("a", "changed")
        ]
        assert commands.stale(desk).code == 1
        desk.write("notes/a.md", TWO["notes/a.md"])
        assert commands.stale(desk).code == 0


def test_a_sweep_marks_what_is_stale_in_the_tree_and_unmarks_it(tmp_path: Path) -> None:
    with ScratchLab(Layers, place=str(tmp_path)) as lab:
        desk = lab.tree(TWO, embedder="none")
        desk.remove("notes/b.md")
        assert [kind for kind, _, _ in desk.propose(Sweep()).applied] == ["annotate"]
        assert "stale: its source b was deleted" in desk.read("notes/c.md")
        assert not desk.propose(Sweep()).applied
        desk.write("notes/b.md", TWO["notes/b.md"])
        desk.propose(Sweep())
        assert "stale" not in desk.read("notes/c.md")


def test_a_stale_conclusion_loses_importance_and_says_why(tmp_path: Path) -> None:
    from memtree.plugins import Signals

    with ScratchLab(Layers, place=str(tmp_path)) as lab:
        desk = lab.tree(TWO, embedder="none")
        desk.remove("notes/b.md")
        desk.follow()
        context = desk.context
        signals = Signals(importance=50, maturity="validated", recency=1, today=20000)
        found = {
            ref.path: Layers().lifecycle(ref, signals, context) for ref in context.tree.entries()
        }
        delta = found.pop("notes/c.md")
        assert delta is not None
        assert delta.importance < 0
        assert "its source b was deleted" in delta.why
        assert set(found.values()) == {None}


def test_an_annotation_can_not_make_a_conclusion_of_nothing(tmp_path: Path) -> None:
    with ScratchLab(Layers, place=str(tmp_path)) as lab:
        desk = lab.tree(TWO, embedder="none")
        done = desk.apply([Annotate(path="notes/a.md", keys={"layer": 1}, reason="t")])
        assert "at least 2" in done.rejected[0][2]
        good = Add(
            path="x/y/z", title="Z", claims=(Claim(text="Ada uses Postgres.", evidence=()),),
            meta={"layer": 1, "derived_from": ["a", "b"]}, reason="t",
        )  # fmt: skip
        assert desk.apply([good]).applied


def test_a_conclusion_is_no_ground_of_another(tmp_path: Path) -> None:
    with ScratchLab(Layers, place=str(tmp_path)) as lab:
        desk = lab.tree(TWO, embedder="none")
        add = Add(
            path="x/y/z", title="Z", claims=(Claim(text="So be it.", evidence=()),),
            meta={"layer": 1, "derived_from": ["a", "c"]}, reason="t",
        )  # fmt: skip
        assert desk.apply([add]).rejected


def test_without_a_model_nothing_is_derived_and_the_reason_is_said(tmp_path: Path) -> None:
    with ScratchLab(Layers, place=str(tmp_path)) as lab:
        desk = lab.tree(TWO, embedder="none")
        assert "no-derivation" in str(desk.status)
        with pytest.raises(Unavailable, match="language model"):
            commands.derive(desk)
        assert commands.export(desk).code == 0


def test_a_group_is_asked_about_once_and_again_when_it_changed(tmp_path: Path) -> None:
    asked = []

    def model(prompt: str) -> str:
        asked.append(prompt)
        return '{"conclusions":[]}'

    with ScratchLab(Layers, place=str(tmp_path)) as lab:
        desk = lab.tree(TWO, embedder="none", model=model)
        assert commands.derive(desk, dry_run=True).code == 1
        assert commands.derive(desk).code == 1
        count = len(asked)
        assert count == 2
        commands.derive(desk)
        assert len(asked) == count
        desk.write("notes/a.md", TWO["notes/a.md"].replace("leads", "heads"))
        commands.derive(desk)
        assert len(asked) == count + 1


@pytest.mark.parametrize(
    ("meta", "shut"),
    [
        ({}, False),
        ({"private": True}, True),
        ({"private": "yes"}, True),
        ({"private": False}, False),
        ({"memos": {"visibility": "private"}}, True),
        ({"memos": {"visibility": "session"}}, True),
        ({"memos": {"visibility": "public"}}, False),
        ({"memos": {"frozen": True}}, True),
        ({"memos": True}, False),
        ({"memos.visibility": "private"}, True),
    ],
)
def test_what_is_closed_stays(meta: dict[str, object], shut: bool) -> None:
    assert closed(meta) is shut


def test_the_export_goes_to_a_file_outside_of_the_tree_and_over_none(tmp_path: Path) -> None:
    out = tmp_path / "pairs.jsonl"
    with ScratchLab(Layers, place=str(tmp_path / "lab")) as lab:
        desk = lab.tree(TWO, embedder="none")
        assert commands.export(desk, l2=str(out)).code == 0
        pairs = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
        assert [pair["layer"] for pair in pairs] == [0, 0, 1]
        assert pairs[2]["messages"][0]["content"] == "What follows from A and B?"
        with pytest.raises(Refused):
            commands.export(desk, l2=str(out))
        assert commands.export(desk, l2=str(out), replace=True).code == 0
        inside = next((tmp_path / "lab").iterdir()) / "pairs.jsonl"
        with pytest.raises(Refused):
            commands.export(desk, l2=str(inside))


def test_the_export_replaces_files_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "pairs"
    folder.mkdir()
    with ScratchLab(Layers, place=str(tmp_path / "lab")) as lab:
        desk = lab.tree(TWO, embedder="none")
        pipe = str(tmp_path / "lab" / "pipe")
        os.mkfifo(pipe)  # as a device: what is no file must never give way to one
        for name in (str(folder), pipe):
            with pytest.raises(Refused, match="is no file"):
                commands.export(desk, l2=name, replace=True)
        with pytest.raises(StorageFailed, match="can't be written"):
            commands.export(desk, l2=str(tmp_path / "nowhere" / "x.jsonl"))
    assert sorted(each.name for each in tmp_path.iterdir()) == ["lab", "pairs"]


def test_the_export_learns_no_ids_of_facts_and_nothing_superseded(tmp_path: Path) -> None:
    text = "## Facts\n\n- It is red. [^s1] ^f2\n\n## Superseded\n\n- It is blue. ^f1\n"
    with ScratchLab(Layers, place=str(tmp_path)) as lab:
        desk = lab.tree({"d.md": f"---\ntitle: D\n---\n{text}"}, embedder="none")
        (line,) = commands.export(desk).lines
        assert json.loads(line)["messages"][1]["content"] == "- It is red."


PRIVATE = "---\nid: a\nprivate: true\n---\nThe pin is 4711.\n"


def test_a_short_id_of_something_private_takes_no_other_words_along(tmp_path: Path) -> None:
    files = {"p/a.md": PRIVATE, "p/b.md": "---\ntitle: Bread\n---\nBake a loaf.\nPlain bread.\n"}
    with ScratchLab(Layers, place=str(tmp_path)) as lab:
        (line,) = commands.export(lab.tree(files, embedder="none")).lines
    assert json.loads(line)["messages"][1]["content"] == "Plain bread."


@pytest.mark.parametrize(
    "link", ["[x](a.md)", "[x](../p/a.md)", "[[a]]", "[[p/a|x]]", "[[Pin code]]", "[x](a.md#top)"]
)
def test_a_line_that_links_to_something_private_stays(tmp_path: Path, link: str) -> None:
    secret = PRIVATE.replace("id: a", "id: a\ntitle: Pin code")
    files = {"p/a.md": secret, "p/b.md": f"---\ntitle: Bread\n---\nFlour, {link}.\nWater.\n"}
    with ScratchLab(Layers, place=str(tmp_path)) as lab:
        (line,) = commands.export(lab.tree(files, embedder="none")).lines
    assert json.loads(line)["messages"][1]["content"] == "Water."


def test_what_rests_on_what_rests_on_something_private_stays(tmp_path: Path) -> None:
    made = "---\nid: {}\nlayer: 1\nderived_from: [{}]\n---\nIt is so.\n"
    files = {"p/z.md": PRIVATE, "p/y.md": made.format("y", "a"), "p/x.md": made.format("x", "y")}
    with ScratchLab(Layers, place=str(tmp_path)) as lab:
        assert commands.export(lab.tree(files, embedder="none")).lines == []


def test_a_folder_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with ScratchLab(Layers, place=str(tmp_path)) as lab:
        desk = lab.tree(TWO, embedder="none", model=['{"conclusions":[]}'])
        with pytest.raises(EntryNotFound, match="no entries below 'noets'"):
            commands.export(desk, scope="noets")
        with pytest.raises(EntryNotFound):
            commands.derive(desk, "noets")


def test_what_a_limit_left_is_counted_and_looked_at_the_next_time(tmp_path: Path) -> None:
    words = ("ferry", "tide", "harbour", "crane")
    files = {f"{word}/{n}.md": f"---\nid: {word}-{n}\ntitle: {word} {n}\n---\nThe {word} {n}.\n"
             for word in words for n in (1, 2)}  # fmt: skip
    with ScratchLab(Layers, place=str(tmp_path)) as lab:
        desk = lab.tree(files, embedder="none", model=lambda _: '{"conclusions":[]}')
        left, asked = [], []
        for _ in range(len(files) + 1):
            value = commands.derive(desk, limit=1).value
            assert isinstance(value, dict)
            left.append(value["left"])
            asked.append(value["asked"])
        assert left[0] > left[1] > left[2]
        assert left[-1] == 0
        assert asked[-1] == 0
        desk.context.sidecar.write(ASKED, [])  # a person wants them asked about again
        again = commands.derive(desk).value
        assert isinstance(again, dict)
        assert again["asked"] == sum(asked)


def gguf(path: Path, keys: dict[str, object]) -> str:
    out = [b"GGUF", struct.pack("<IQQ", 3, 4, len(keys))]
    for name, value in keys.items():
        out.append(struct.pack("<Q", len(name)) + name.encode())
        if isinstance(value, str):
            out.append(struct.pack("<IQ", 8, len(value)) + value.encode())
        else:
            out.append(struct.pack("<If", 6, value))
    path.write_bytes(b"".join(out))
    return str(path)


def test_a_lora_is_told_from_a_model_and_from_noise(tmp_path: Path) -> None:
    lora = gguf(tmp_path / "l.gguf", {"general.type": "adapter", "adapter.type": "lora",
                                      "general.architecture": "qwen2",
                                      "adapter.lora.alpha": 16.0})  # fmt: skip
    found = read_adapter(lora)
    assert (found.kind, found.alpha, found.tensors) == ("qwen2", 16.0, 4)
    with pytest.raises(UsageError, match="whole model"):
        read_adapter(gguf(tmp_path / "m.gguf", {"general.architecture": "qwen2"}))
    with ScratchLab(Layers, place=str(tmp_path / "lab")) as lab:
        report = commands.use_lora(lab.tree(TWO, embedder="none"), lora)
    assert report.code == 3
    assert "qwen2" in report.lines[0]


@given(st.binary(max_size=200))
def test_no_file_of_noise_is_a_lora(noise: bytes) -> None:
    import tempfile

    with tempfile.NamedTemporaryFile() as file:
        file.write(b"GGUF\x03\0\0\0" + noise)
        file.flush()
        with pytest.raises(UsageError):
            read_adapter(file.name)


@given(st.integers(0, 10**6))
def test_the_solver_finds_the_gold_of_every_haystack(seed: int) -> None:
    suite = haystack.Haystack()
    for case in suite.cases(data="", seed=seed, sizes="400,1200", each=2):
        texts = [document.text for document in suite.documents(case.setup)]
        assert haystack.solve(case.query, texts) == (case.answer, len(case.gold))
        without = [text for n, text in enumerate(texts) if f"p{n:05}" != case.gold[-1]]
        assert haystack.solve(case.query, without)[0] == ""


@pytest.mark.parametrize("sizes", ["", "x", "10", "1000,"])
def test_sizes_that_are_no_numbers_are_refused(sizes: str) -> None:
    with pytest.raises(UsageError):
        list(haystack.Haystack().cases(data="", seed=1, sizes=sizes))


def test_damaged_records_of_the_sidecar_are_passed_over(tmp_path: Path) -> None:
    with ScratchLab(Layers, place=str(tmp_path)) as lab:
        desk = lab.tree(TWO, embedder="none")
        desk.context.sidecar.write(STALE, [{"path": 7}, {"path": "a.md", "source": "\x1b[31mx"}])
        assert stale(desk.context) == {"a.md": ["its source [31mx changed"]}


def test_importing_the_plugin_loads_nothing_heavy() -> None:
    import subprocess

    code = (
        "import sys, memtree.memories.layers; print('json' in sys.modules, 'numpy' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["False", "False"]
