from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memtree.embed.protocol import Identity, Prefixes


def test_an_identity_is_one_line_of_five_words() -> None:
    identity = Identity("my model", 384, digest="abc", pooling="mean", prefix="query: |\n")
    assert identity.text() == "my%20model 384 abc mean query:%20|%0A"
    assert Identity("m", 2).text() == "m 2 - mean -"
    assert repr(Identity("m", 2)) == "Identity(m 2 - mean -)"


def test_an_identity_is_no_equal_of_its_text() -> None:
    assert Identity("m", 2) != Identity("m", 2).text()


@given(st.lists(st.text(), min_size=8, max_size=8))
def test_two_identities_are_equal_exactly_if_all_their_parts_are(parts: list[str]) -> None:
    one, other = (
        Identity(name, 3, digest=digest, pooling=pooling, prefix=prefix)
        for name, digest, pooling, prefix in (parts[:4], parts[4:])
    )
    assert (one == other) is (parts[:4] == parts[4:])
    assert len({one, other}) == (1 if parts[:4] == parts[4:] else 2)
    assert len(one.text().split()) == 5
    assert len(one.text().splitlines()) == 1


def test_a_bar_parts_the_prefix_of_passages_from_that_of_questions() -> None:
    both, two = Prefixes("text: "), Prefixes("passage: |query: ")
    assert (both.passage, both.question) == ("text: ", "text: ")
    assert (two.passage, two.question) == ("passage: ", "query: ")
    assert Prefixes("|query: ").passage == ""
