"""All pairs that may contradict each other, found without comparing all pairs."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from memtree.claims.contradictions import CLOSE
from memtree.claims.pairing import between, meetings, rivals, same_subject, shape_of
from memtree.claims.statements import Statement
from memtree.memories.clash.pairs40 import COMPATIBLE, CONTRADICTING

TEXTS = sorted({text for pair in (*CONTRADICTING, *COMPATIBLE) for text in pair})


def claim(text: str, *, path: str = "", title: str = "") -> Statement:
    return Statement(path=path or f"{abs(hash(text))}.md", by=text, text=text, title=title)


def test_the_join_finds_every_pair_that_comparing_all_finds() -> None:
    claims = [claim(text) for text in TEXTS]
    slow = {frozenset((a.text, b.text)) for a, b in combinations(claims, 2) if between(a, b)}
    fast = [frozenset((each.one.text, each.other.text)) for each in rivals(claims)]
    assert set(fast) == slow
    assert len(fast) == len(slow)
    assert len(slow) >= 40


@settings(max_examples=25, deadline=None)
@given(st.sets(st.sampled_from(TEXTS), min_size=1, max_size=12), st.lists(st.sampled_from(TEXTS)))
def test_comparing_what_changed_finds_the_pairs_in_which_it_is(
    changed: set[str], others: list[str]
) -> None:
    claims = [claim(text) for text in sorted(changed | set(others))]
    everything = {frozenset((each.one.text, each.other.text)) for each in rivals(claims)}
    part = [frozenset((each.one.text, each.other.text))
            for each in rivals(claims, lambda each: each.text in changed)]  # fmt: skip
    assert set(part) == {pair for pair in everything if pair & changed}
    assert len(part) == len(set(part))


@given(st.text(max_size=120), st.text(max_size=120))
@settings(deadline=None)
def test_any_two_texts_are_joined_as_they_are_compared(one: str, other: str) -> None:
    claims = [claim(one, path="a.md"), claim(other, path="b.md")]
    assert bool(list(rivals(claims))) == (between(*claims) is not None)


@given(
    st.lists(
        st.tuples(st.frozensets(st.sampled_from("abcdefghijkl"), max_size=9), st.booleans()),
        max_size=30,
    ),
    st.sampled_from((0, 100)),
)
@settings(deadline=None)
def test_no_two_sets_that_are_close_miss_each_other(
    given_sets: list[tuple[frozenset[str], bool]], few: int
) -> None:
    sets, asked = [each for each, _ in given_sets], [each for _, each in given_sets]
    met = [
        frozenset((at, other)) for at, others in meetings(sets, asked, few=few) for other in others
    ]
    close = {
        frozenset((a, b))
        for a, b in combinations(range(len(sets)), 2)
        if (asked[a] or asked[b]) and sets[a] and sets[b]
        and len(sets[a] & sets[b]) >= CLOSE * len(sets[a] | sets[b])
    }  # fmt: skip
    assert close <= set(met)
    assert len(met) == len(set(met))
    assert all(len(pair) == 2 and any(asked[at] for at in pair) for pair in met)


def test_shapes_that_are_known_give_the_same() -> None:
    claims = [claim(text) for text in TEXTS]
    shapes = [shape_of(each.text) for each in claims]
    assert list(rivals(claims, shapes=shapes)) == list(rivals(claims))


def test_a_claim_without_a_subject_is_of_its_title() -> None:
    one = claim("The timeout is 30 seconds.", path="a.md", title="Billing")
    assert not same_subject(one, claim("The timeout is 60 seconds.", path="b.md", title="Search"))
    assert same_subject(one, claim("The timeout is 60 seconds.", path="c.md", title="Billing"))
    assert same_subject(one, claim("The timeout is 60 seconds.", path="a.md", title="Billing"))


def test_a_shared_name_says_what_two_claims_are_about() -> None:
    one = claim("The timeout of Falcon is 30 seconds.", path="a.md", title="Billing")
    assert same_subject(one, claim("Falcon has a timeout of 60.", path="b.md", title="Search"))


def test_it_was_sold_is_about_what_the_title_says() -> None:
    one = claim("It was sold to Acme in 2003.", path="a.md", title="The mill")
    assert not same_subject(
        one, claim("It was sold to Acme in 2004.", path="b.md", title="The inn")
    )
    assert same_subject(one, claim("It was sold to Acme in 2004.", path="b.md", title="Mill"))


def test_claims_of_one_word_are_compared_where_both_titles_name_the_same_thing() -> None:
    one = claim("The deadline is 3 May 2026.", path="a.md", title="Falcon")
    other = claim("The deadline is 7 May 2026.", path="b.md", title="Falcon")
    found = between(one, other)
    assert found is not None
    assert found.kind == "date"
    assert list(rivals([one, other])) == [found]
    for title in ("Deadline", ""):
        apart = claim(other.text, path="c.md", title=title)
        assert between(claim(one.text, path="d.md", title=title), apart) is None
    assert between(one, claim(other.text, path="c.md", title="Osprey")) is None
    assert between(claim("No problem.", path="a.md", title="Falcon"),
                   claim("Any problem.", path="b.md", title="Falcon")) is None  # fmt: skip


def test_claims_about_things_of_other_numbers_are_not_even_compared() -> None:
    claims = [
        claim(
            f"Server {n} was restarted by the watchdog at {n % 24}:{n % 50 + 10}.", path=f"{n}.md"
        )
        for n in range(600)
    ]
    again = claim("Server 17 was not restarted by the watchdog at 17:27.", path="again.md")
    (found,) = rivals([*claims, again])
    assert {found.one.path, found.other.path} == {"17.md", "again.md"}
