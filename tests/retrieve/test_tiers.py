"""Each tier finds what it promises to find, and is sure only when it may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from memtree.app import Tree, init_tree
from memtree.knowledge.query import Query

NOTES = {
    "services/users/users-api.md": "---\nid: usr1\naliases: [Accounts API]\n---\n"
    "# Users API\n\nThe users API runs on port 8081 and is owned by team Falcon.\n",
    "services/deploy/production.md": "# Deploying to production\n\nNeeds two approvals.\n",
    "services/deploy/rotate.md": "---\nquestions: ['How do I rotate the keys?']\n---\n"
    "# Rotate the database password\n\nRun `rotate_db_password --now`, then restart.\n",
    "languages/python/3-14.md": "# Python 3.14 support\n\nWe support free threading.\n",
    "rules/cache/should.md": "# Responses should be cached\n\nFor sixty seconds.\n",
    "code/http/client.md": "# HttpClient\n\nCall `HttpClient.sendRequest` with `--max-retries`; on"
    " `ERR_CONN_RESET` see src/net/retry_policy.py and `std::vector::push_back`.\n",
    "misc/food/cafe.md": "# Café Zürich\n\nThe crème brûlée is naïvely priced. Smørrebrød too.\n",
    "misc/cjk/tree.md": "# 知識の木\n\n木造建築は地震に強い。データベースの設定 v2 を確認する。\n",
    "misc/cjk/korean.md": "# 데이터베이스 백업\n\n매일 밤 백업을 실행한다.\n",
    "misc/thai/food.md": "# อาหารไทย\n\nต้มยำกุ้งอร่อยมาก\n",
    "misc/run/marathon.md": "# Running\n\nShe was running marathons; the runners ran daily.\n",
    "misc/bard/hamlet.md": "# Hamlet\n\nTo be, or not to be, that is the question.\n",
    "misc/lang/cpp.md": "# Notes on C++\n\nC++ templates.\n",
    "misc/lang/csharp.md": "# Notes on C#\n\nC# generics.\n",
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    made = init_tree(str(tmp_path_factory.mktemp("tiers") / "tree"))
    for path, text in NOTES.items():
        place = Path(made.root) / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    return made


def first(tree: Tree, question: str, **bounds: object) -> str:
    hits = tree.search(Query(question, **bounds)).hits  # type: ignore[arg-type]
    return hits[0].path if hits else ""


@pytest.mark.parametrize(
    ("question", "path"),
    [
        ("usr1", "services/users/users-api.md"),
        ("USERS  API", "services/users/users-api.md"),
        ("accounts api", "services/users/users-api.md"),
        ("services/users/users-api.md", "services/users/users-api.md"),
        ("services/users/users-api", "services/users/users-api.md"),
        ("[[Users API]]", "services/users/users-api.md"),
        ("how do i rotate the keys", "services/deploy/rotate.md"),
        ("CAFÉ ZÜRICH", "misc/food/cafe.md"),
        ("Cafe\u0301 Zu\u0308rich", "misc/food/cafe.md"),
        ("ＨｔｔｐＣｌｉｅｎｔ", "code/http/client.md"),
        ("知識の木", "misc/cjk/tree.md"),
    ],
)
def test_a_name_is_answered_by_the_exact_tier(tree: Tree, question: str, path: str) -> None:
    answer = tree.query(question)
    assert (answer.status, answer.tier) == ("found", "exact")
    assert answer.hits[0].path == path


@pytest.mark.parametrize(
    ("question", "path"),
    [
        ("Rotate the databse password", "services/deploy/rotate.md"),
        ("password database rotate", "services/deploy/rotate.md"),
        ("rotate database pasword", "services/deploy/rotate.md"),
        ("Deploing to production", "services/deploy/production.md"),
        ("Python 3.14 suport", "languages/python/3-14.md"),
    ],
)
def test_a_misspelt_name_is_answered_by_the_fuzzy_tier(
    tree: Tree, question: str, path: str
) -> None:
    answer = tree.query(question)
    assert (answer.status, answer.tier) == ("found", "fuzzy"), [t.why for t in answer.tiers]
    assert answer.hits[0].path == path


@pytest.mark.parametrize(
    "question",
    [
        "Orders API",
        "Deploying to staging",
        "Deploying to prod staging",
        "Python 3.15 support",
        "Python 3.1 support",
        "Responses should not be cached",
        "Responses should never be cached",
        "Users API v2",
        "Rotate the database password 2",
    ],
)
def test_a_name_that_differs_in_a_telling_word_is_not_it(tree: Tree, question: str) -> None:
    for tier in ("exact", "fuzzy"):
        answer = tree.query(Query(question, tier=tier))
        assert answer.status == "absent", (tier, answer.hits[0].path)


@pytest.mark.parametrize(
    ("question", "path"),
    [
        ("team falcon port", "services/users/users-api.md"),
        ("HttpClient.sendRequest", "code/http/client.md"),
        ("send request", "code/http/client.md"),
        ("sendrequest", "code/http/client.md"),
        ("http client request", "code/http/client.md"),
        ("--max-retries", "code/http/client.md"),
        ("max retries", "code/http/client.md"),
        ("ERR_CONN_RESET", "code/http/client.md"),
        ("err_conn_reset", "code/http/client.md"),
        ("conn reset", "code/http/client.md"),
        ("src/net/retry_policy.py", "code/http/client.md"),
        ("retry_policy", "code/http/client.md"),
        ("std::vector::push_back", "code/http/client.md"),
        ("push_back", "code/http/client.md"),
        ("rotate_db_password", "services/deploy/rotate.md"),
        ("creme brulee", "misc/food/cafe.md"),
        ("crème brûlée", "misc/food/cafe.md"),
        ("smorrebrod", "misc/food/cafe.md"),
        ("木造", "misc/cjk/tree.md"),
        ("地震", "misc/cjk/tree.md"),
        ("データベース", "misc/cjk/tree.md"),
        ("v2", "misc/cjk/tree.md"),
        ("백업", "misc/cjk/korean.md"),
        ("ต้มยำกุ้ง", "misc/thai/food.md"),
        ("runs a marathon", "misc/run/marathon.md"),
        ('"to be or not to be"', "misc/bard/hamlet.md"),
        ("to be or not to be", "misc/bard/hamlet.md"),
        ("marath*", "misc/run/marathon.md"),
        ("C++ templates", "misc/lang/cpp.md"),
        ("C# generics", "misc/lang/csharp.md"),
    ],
)
def test_full_text_finds_it(tree: Tree, question: str, path: str) -> None:
    assert first(tree, question, tier="fulltext") == path


@pytest.mark.parametrize(
    "question",
    ['"be to or not"', "造木", "受震", "zzqx*", '"falcon team"', '"not a quote" falcon'],
)
def test_a_phrase_that_is_not_there_finds_nothing(tree: Tree, question: str) -> None:
    assert first(tree, question, tier="fulltext") == ""


def test_signs_tell_languages_apart(tree: Tree) -> None:
    assert first(tree, "C++") == "misc/lang/cpp.md"
    assert first(tree, "C#") == "misc/lang/csharp.md"


def test_a_misspelt_word_of_a_text_is_still_found(tree: Tree) -> None:
    assert first(tree, "ownd by team falkon") == "services/users/users-api.md"
    assert first(tree, "marathns") == "misc/run/marathon.md"


@pytest.mark.parametrize(
    "question",
    ["", "   ", "?", "*", '"', '""', "--", "()", "a" * 5000, "title:(", "AND OR NOT", "\0",
     "\ud800", "🦀", "'; DROP TABLE entry; --", "../../etc/passwd", "word " * 3000, "[[", "^~:{}"],
)  # fmt: skip
def test_no_question_breaks_anything(tree: Tree, question: str) -> None:
    for tier in (None, "exact", "fuzzy", "fulltext"):
        tree.search(Query(question, tier=tier))
        tree.query(Query(question, tier=tier))


def test_a_scope_bounds_every_tier(tree: Tree) -> None:
    assert first(tree, "users api", scope="services") == "services/users/users-api.md"
    assert first(tree, "users api", scope="services/deploy") == ""
    assert first(tree, "usr1", scope="misc") == ""
    assert first(tree, "services", scope="serv") == ""


def test_the_limit_is_kept(tree: Tree) -> None:
    assert len(tree.search(Query("the", limit=3)).hits) == 3
    assert len(tree.search(Query("the api database support", limit=1)).hits) == 1


@pytest.mark.parametrize(
    "question",
    [
        "What is the boiling point of tungsten?",
        "Who won the chess championship in 1972?",
        "kubernetes ingress controller annotations",
        "zzqx blorp",
        "When does the orders service page the on-call engineer?",
        "How do I bake sourdough bread?",
    ],
)
def test_what_the_tree_does_not_hold_is_absent(tree: Tree, question: str) -> None:
    answer = tree.query(question)
    assert answer.status == "absent", (answer.tier, answer.confidence, answer.hits[0].path)
    assert not answer.hits


@pytest.mark.parametrize(
    ("question", "path"),
    [
        ("Which team owns the users API?", "services/users/users-api.md"),
        ("How many approvals does a production deploy need?", "services/deploy/production.md"),
        ("How long should responses be cached?", "rules/cache/should.md"),
    ],
)
def test_what_the_tree_holds_is_found(tree: Tree, question: str, path: str) -> None:
    answer = tree.query(question)
    assert answer.status == "found"
    assert answer.hits[0].path == path


def test_the_first_tree_of_five_entries_says_absent_too(tmp_path: Path) -> None:
    small = init_tree(str(tmp_path / "tree"))
    assert small.query("anything at all").status == "absent"
    for path, text in list(NOTES.items())[:5]:
        place = Path(small.root) / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    assert small.query("Which team owns the users API?").status == "found"
    assert small.query("What is the boiling point of tungsten?").status == "absent"
    assert small.query("the").status == "absent"


def test_why_not_says_where_an_entry_was_lost(tree: Tree) -> None:
    answer = tree.search(Query("team falcon", why_not="misc/food/cafe.md"))
    assert answer.why_not
    assert "falcon" in answer.why_not
    answer = tree.search(Query("team falcon", why_not="users api"))
    assert answer.why_not
    assert "rank 1" in answer.why_not


def test_a_long_entry_is_found_by_one_paragraph(tmp_path: Path) -> None:
    long = init_tree(str(tmp_path / "tree"))
    parts = [f"## Part {n}\n\n" + "Plain words about nothing much. " * 30 for n in range(60)]
    parts[41] = "## Part 41\n\n" + "Plain words. " * 20 + "\nThe quokka sleeps at noon.\n"
    text = "# Long\n\n" + "\n\n".join(parts)
    place = Path(long.root) / "a/b/long.md"
    place.parent.mkdir(parents=True)
    place.write_text(text, encoding="utf-8")
    hit = long.search("when does the quokka sleep").hits[0]
    assert "quokka sleeps" in hit.snippet
    first_line, last_line = hit.lines
    told = text.split("\n")[first_line - 1 : last_line]
    assert any("quokka" in line for line in told)
    assert last_line - first_line < 5


def test_what_was_superseded_comes_after_what_took_its_place(tmp_path: Path) -> None:
    tree = init_tree(str(tmp_path / "t"))
    old = tree.add("Backups run nightly, backups of backups too.", title="Backups nightly")
    new = tree.add("Backups run every hour.", title="Hourly")
    assert first(tree, "when do backups run nightly") == old.path
    tree.supersede(old.path, new.path)
    found = tree.search("when do backups run nightly").hits
    assert [hit.path for hit in found] == [new.path, old.path]
    assert found[0].score >= found[1].score
    assert "superseded by" in found[1].why
