from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from make_table import random_rows, write_table

from memtree.embed.contract import EmbedderContract
from memtree.embed.table import Table, _swapped
from memtree.embed.table_file import quantise, table_bytes
from memtree.embed.wordpiece import longest_in
from memtree.errors import ModelUnavailable

if TYPE_CHECKING:
    from memtree.embed.protocol import Embedder

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.,!?:;-()[]#"
TOKENS = [
    *LETTERS, *(f"##{letter}" for letter in LETTERS[:36]), "the", "kettle", "water", "boil",
    "##ing", "##s", "mountains", "third", "story", "long", "def", "none", "e", "##tt", "ket",
    "\u4e00", "\u6728", "\u0438", "\u043a\u043e\u0442", "##\u0438", "na\u0457ve",
]  # fmt: skip


class TestTable(EmbedderContract):
    @pytest.fixture(autouse=True)
    def _files(self, tmp_path: Path) -> None:
        self.one = write_table(tmp_path / "one.bin", random_rows(TOKENS))
        self.other = write_table(tmp_path / "other.bin", random_rows(TOKENS, seed=2))

    def opened(self) -> Embedder:
        return Table(str(self.one))

    def opened_after_a_change(self) -> Embedder:
        return Table(str(self.other))


@pytest.fixture(scope="module", params=["log", "linear"])
def table(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Table:
    scales = {token: 0.1 + at % 7 for at, token in enumerate(TOKENS)} | {"the": 0.0, "!": 0.0}
    return Table(
        str(
            write_table(
                tmp_path_factory.mktemp("table") / "t.bin",
                random_rows(TOKENS),
                scales=scales,
                tf=request.param,
            )
        )
    )


def test_a_text_is_the_weighted_sum_of_its_tokens(tmp_path: Path) -> None:
    rows = {"a": [3, 0], "##b": [0, 5], "c": [-1, -1]}
    scales = {"a": 2.0, "##b": 1.0, "c": 0.5}
    log_, linear = (
        Table(str(write_table(tmp_path / tf, rows, scales=scales, tf=tf)))
        for tf in ("log", "linear")
    )
    x, y = 6 * (1 + math.log(2)) - 0.5, 5 - 0.5
    assert log_.question("a AB c") == pytest.approx([x / math.hypot(x, y), y / math.hypot(x, y)])
    x, y = 6 * 2 - 0.5, 5 - 0.5
    assert linear.question("a ab c") == pytest.approx([x / math.hypot(x, y), y / math.hypot(x, y)])


def test_a_text_without_a_known_token_is_zero(tmp_path: Path) -> None:
    known = Table(str(write_table(tmp_path / "t", {"a": [1, 2]})))
    assert known.question("z \u4e00 ax") == [0.0, 0.0]
    assert known.passages(["z", "a"]).tolist()[0] == [0.0, 0.0]
    assert known.known_share("z") == 0
    assert known.known_share("") == 0


TEXTS = st.lists(
    st.text(
        alphabet=st.one_of(
            st.sampled_from(
                "aktewb \n.!-A\u0130\u03a3\u00e9\u0301\u4e00\u0438\x1c\x85\x00\ufffd\ud83d"
            ),
            st.characters(),
        ),
        max_size=60,
    ),
    max_size=5,
)


@given(TEXTS)
def test_many_at_once_and_one_by_one_give_the_same_vectors(table: Table, texts: list[str]) -> None:
    texts += ["The boiling kettles! water, water", " ".join(texts)]
    vectors, shares = table.read(texts)
    assert vectors == pytest.approx(np.array(table.passages_plain(texts)), abs=1e-4)
    assert shares.tolist() == pytest.approx([table.known_share(text) for text in texts], abs=1e-5)


@given(st.text(alphabet="ketlbwaruins#\u0438\u043a\u043e\u0442", max_size=12))
def test_searching_the_file_finds_the_longest_token_as_a_dictionary_does(
    table: Table, text: str
) -> None:
    find = longest_in(table.vocabulary())
    for asked in (text.lstrip("#"), "##" + text.lstrip("#")):
        assert table._longest(asked) == find(asked)


def test_more_texts_than_a_batch_keep_their_order(table: Table) -> None:
    texts = [f"kettle {number}" for number in range(1200)]
    vectors = table.passages(texts)
    for at in (0, 31, 32, 511, 512, 1199):
        assert vectors[at].tolist() == pytest.approx(table.question(texts[at]), abs=1e-4)


def test_a_word_that_no_pieces_cover_counts_nothing(tmp_path: Path) -> None:
    table = Table(str(write_table(tmp_path / "t", {"a": [1, 2], "[UNK]": [9, -9]}, unknown="0")))
    assert table.question("a \U0001f44d") == table.question("a")
    assert table.passages(["a \U0001f44d", "a"]).tolist()[0] == table.passages(["a"]).tolist()[0]


def test_what_is_understood_of_a_text_is_told_from_what_is_only_spelt(table: Table) -> None:
    assert table.known_share("water kettle mountains") == 1
    assert table.known_share("zq9x7 fvw8e") == 0
    assert table.known_share("\u6728 \u4e00 \u0438\u0438\u0438") == 0
    assert table.known_share("the") == 0  # its scale is zero: the table has not learned it
    assert 0.4 < table.known_share("water zqxjv") < 0.6


def test_a_question_needs_neither_numpy_nor_re(tmp_path: Path) -> None:
    path = write_table(tmp_path / "t.bin", random_rows(TOKENS))
    code = (
        "import sys\n"
        "from memtree.embed.table import Table\n"
        f"table = Table({str(path)!r})\n"
        "table.question('water, na\\u00efve'), table.passages_plain(['a', 'b']), table.identity\n"
        "table.known_share('kettle')\n"
        "print(*sys.modules)"
    )
    command = [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{code}"]
    done = subprocess.run(command, capture_output=True, check=True, encoding="utf-8")
    loaded = set(done.stdout.split())
    assert "memtree.embed.table" in loaded
    assert not loaded & {
        "numpy",
        "re",
        "json",
        "dataclasses",
        "typing",
        "pathlib",
        "hashlib",
        "enum",
    }


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda raw: raw[:0], id="empty"),
        pytest.param(lambda raw: raw[:100], id="cut in the header"),
        pytest.param(lambda raw: raw[:5000], id="cut in the body"),
        pytest.param(lambda raw: raw[:-1], id="one byte short"),
        pytest.param(lambda raw: b"GGUF" + raw[4:], id="another kind of file"),
        pytest.param(lambda raw: b"\xff\xfe" + raw[2:], id="no text"),
        pytest.param(lambda raw: raw.replace(b"tf log", b"tf lag"), id="unknown weighting"),
        pytest.param(lambda raw: raw.replace(b"dimension ", b"dimensiom "), id="a key is missing"),
        pytest.param(lambda raw: raw.replace(b"tokens ", b"tokens -"), id="fewer than no tokens"),
        pytest.param(lambda raw: raw.replace(b"at.blob 4", b"at.blob 9"), id="beyond the end"),
        pytest.param(lambda raw: raw.replace(b"at.rows ", b"at.rows -"), id="inside the header"),
    ],
)
def test_a_damaged_file_says_so_in_words(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = write_table(tmp_path / "t.bin", random_rows(TOKENS))
    changed = damage(path.read_bytes())
    assert changed != path.read_bytes()
    path.write_bytes(changed)
    with pytest.raises(ModelUnavailable, match=r"t\.bin") as caught:
        Table(str(path))
    assert caught.value.exit_code == 3
    assert caught.value.hint


def test_a_missing_file_says_so_in_words(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="No such file"):
        Table(str(tmp_path / "none.bin"))


@given(st.data())
def test_flipped_bytes_in_the_body_never_crash(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = write_table(tmp_path_factory.mktemp("flip") / "t.bin", random_rows(TOKENS[:60]))
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 20))):
        raw[data.draw(st.integers(4096, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(raw)
    try:
        table = Table(str(path))
    except ModelUnavailable:
        return
    for vector in (table.question("the kettle boils: abc 12"), *table.passages(["b c a", "x"])):
        assert all(math.isfinite(value) for value in vector)
    table.close()


def test_the_identity_names_the_digest_of_the_header_or_else_of_the_file(tmp_path: Path) -> None:
    path = write_table(tmp_path / "t.bin", random_rows(TOKENS))
    assert len(Table(str(path)).identity.digest) == 64
    raw = path.read_bytes()
    start = raw.index(b"digest ")
    bare = raw[:start] + raw[raw.index(b"\n", start) + 1 : 4096]
    other = tmp_path / "bare.bin"
    other.write_bytes(bare + bytes(4096 - len(bare)) + raw[4096:])
    assert len(Table(str(other)).identity.digest) == 64
    assert Table(str(other)).identity != Table(str(path)).identity


def test_bytes_of_another_order_are_turned() -> None:
    assert _swapped(memoryview(b"\x01\x02\x03\x04abcd")) == b"\x04\x03\x02\x01dcba"


def test_the_table_that_the_builder_writes_is_the_one_that_is_read(tmp_path: Path) -> None:
    tokens = ["kettle", "##s", "[UNK]", "a", "\u6728"]
    vectors = np.random.default_rng(1).normal(size=(5, 8)).astype(np.float32)
    rows, scales = quantise(vectors)
    path = tmp_path / "built.bin"
    path.write_bytes(table_bytes(tokens, rows, scales, {"name": "built", "tf": "linear"}))
    table = Table(str(path))
    expected = vectors[0] * 2 + vectors[1] + vectors[3]
    expected /= np.linalg.norm(expected)
    assert table.question("kettles, kettle A") == pytest.approx(expected, abs=0.02)
    assert table.identity.name == "built"


def test_numpy_is_loaded_with_one_thread_and_the_environment_stays(tmp_path: Path) -> None:
    path = write_table(tmp_path / "t.bin", random_rows(TOKENS))
    code = (
        f"import os, sys; sys.path[:0] = {sys.path!r}\n"
        "before = dict(os.environ)\n"
        "from memtree.embed.table import Table\n"
        f"Table({str(path)!r}).passages(['water'])\n"
        "assert dict(os.environ) == before and 'numpy' in sys.modules\n"
        "import numpy as np\n"
        "big = np.ones((1500, 1500), np.float32)\n"
        "for _ in range(3): big @ big\n"
        "print(len(os.listdir('/proc/self/task')) if os.path.isdir('/proc/self/task') else 1)\n"
    )
    environment = {name: value for name, value in os.environ.items() if "_THREADS" not in name}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True, env=environment
    )
    assert done.stdout.strip() == "1"
