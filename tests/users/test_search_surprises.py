"""Topic 9: what people type, and what they expect to find first."""

# ruff: noqa: E501  (tables of cases read better on one line each)

from __future__ import annotations

import pytest
from real_tree import RealTree

NOTES = {
    "dev/py/settings.md": "# Settings loader\n\nThe function `load_user_settings` reads ~/.config/app/settings.toml. Call `SettingsLoader.from_env(strict=True)`.\nThe flag `--dry-run` skips writes; `maxRetryCount` is 5.\n",
    "dev/py/http.md": "# HTTP client\n\nWe use httpx.AsyncClient with a timeout of 30s. Error `ECONNRESET` is retried, HTTP 429 backs off. See https://docs.example.com/http/retries?x=1#top\n",
    "dev/db/errors.md": "# Database errors\n\nORA-00942: table or view does not exist. SQLSTATE 23505 is a unique violation. Exit code 137 means out of memory.\n",
    "dev/rel/v314.md": "# Release 3.14\n\nVersion 3.14 shipped on 2024-10-07 with free threading.\n",
    "dev/rel/v315.md": "# Release 3.15\n\nVersion 3.15 is planned for 2026-10-01 with lazy imports.\n",
    "team/people/ana.md": "# Ana Müller\n\nAna.Mueller@example.org is the contact in Zürich. Her résumé is in the safe. Naïve questions welcome.\n",
    "team/people/bob.md": "# Bob Smith\n\nbob.smith+memtree@example.org works on billing. Phone +49 30 1234567.\n",
    "zh/tea/longjing.md": "# 龙井茶\n\n龙井茶产于杭州西湖，清明前采摘的最好。水温八十度。\n",
    "zh/tea/puer.md": "# 普洱茶\n\n普洱茶产于云南，可以存放多年。\n",
    "ja/food/ramen.md": "# ラーメン\n\n博多ラーメンは豚骨スープで、細麺を使います。東京の店は醤油味です。\n",
    "ja/food/soba.md": "# 蕎麦\n\n蕎麦は長野県が有名です。冷たいつゆで食べます。\n",
    "ko/food/kimchi.md": "# 김치\n\n김치는 배추와 고춧가루로 담근다. 김장은 십일월에 한다.\n",
    "th/food/padthai.md": "# ผัดไทย\n\nผัดไทยใส่มะขามเปียกและน้ำตาลปี๊บ เส้นจันท์แช่น้ำก่อน\n",
    "th/food/tomyum.md": "# ต้มยำกุ้ง\n\nต้มยำกุ้งใส่ตะไคร้ ใบมะกรูด และพริก\n",
    "ar/food/hummus.md": "# الحمص\n\nيُصنع الحمص من الحمص المسلوق والطحينة وعصير الليمون.\n",
    "ar/food/falafel.md": "# الفلافل\n\nالفلافل تُقلى في الزيت الساخن مع الكزبرة.\n",
    "he/food/challah.md": "# חלה\n\nחלה נאפית ביום שישי עם קמח, ביצים ושמן.\n",
    "he/food/shakshuka.md": "# שקשוקה\n\nשקשוקה מבשלים עם עגבניות ופלפלים.\n",
    "hi/food/dal.md": "# दाल तड़का\n\nदाल में जीरा और लहसुन का तड़का लगता है। चावल के साथ खाते हैं।\n",
    "hi/food/chai.md": "# मसाला चाय\n\nचाय में अदरक और इलायची डालते हैं।\n",
    "ru/food/borscht.md": "# Борщ\n\nБорщ варят со свёклой и капустой. Ёлка стоит в углу.\n",
    "el/food/moussaka.md": "# Μουσακάς\n\nΟ μουσακάς έχει μελιτζάνες και κρέμα.\n",
    "mix/it/kafka.md": "# Kafka 消费者\n\nKafka消费者组 orders-v2 使用 at-least-once 语义，错误码 E1234 表示超时。\n",
    "home/misc/to-be.md": "# To be or not to be\n\nA quote from Hamlet. The who is a band.\n",
    "home/misc/the-who.md": "# The Who\n\nAn English rock band formed in London.\n",
    "home/garden/berries.md": "# Strawberries\n\nStrawberries are planted in August. Children's favourite; mice and geese eat them. Running water helps.\n",
    "home/garden/paths.md": "# Where files are\n\nLogs are in /var/log/nginx/access.log and C:\\Users\\ana\\notes.txt. The script is tools/build/make_release.sh.\n",
    "home/misc/emoji.md": "# Party 🎉 plan\n\nBring 🍕 and C++ books, C# too, and .NET. R&D pays. AT&T is the line.\n",
    "home/misc/not.md": "# Do not restart the staging server\n\nYou should not restart staging during the night job.\n",
    "home/misc/do.md": "# Restart the production server\n\nYou should restart production after each deploy.\n",
}  # fmt: skip

FIRST = [
    ("load_user_settings", "dev/py/settings.md"), ("user settings", "dev/py/settings.md"), ("loadUserSettings", "dev/py/settings.md"), ("SettingsLoader.from_env", "dev/py/settings.md"), ("settings loader", "dev/py/settings.md"), ("from_env", "dev/py/settings.md"),
    ("--dry-run", "dev/py/settings.md"), ("dry run", "dev/py/settings.md"), ("maxRetryCount", "dev/py/settings.md"), ("max retry count", "dev/py/settings.md"), ("max_retry_count", "dev/py/settings.md"), ("~/.config/app/settings.toml", "dev/py/settings.md"), ("settings.toml", "dev/py/settings.md"),
    ("httpx.AsyncClient", "dev/py/http.md"), ("AsyncClient", "dev/py/http.md"), ("async client", "dev/py/http.md"), ("ECONNRESET", "dev/py/http.md"), ("econnreset", "dev/py/http.md"), ("HTTP 429", "dev/py/http.md"), ("429", "dev/py/http.md"), ("https://docs.example.com/http/retries?x=1#top", "dev/py/http.md"), ("docs.example.com", "dev/py/http.md"),
    ("ORA-00942", "dev/db/errors.md"), ("ora-00942", "dev/db/errors.md"), ("00942", "dev/db/errors.md"), ("23505", "dev/db/errors.md"), ("SQLSTATE 23505", "dev/db/errors.md"), ("exit code 137", "dev/db/errors.md"), ("unique violations", "dev/db/errors.md"),
    ("3.14", "dev/rel/v314.md"), ("3.15", "dev/rel/v315.md"), ("version 3.15", "dev/rel/v315.md"), ("release 3.14", "dev/rel/v314.md"), ("2024-10-07", "dev/rel/v314.md"), ("2026-10-01", "dev/rel/v315.md"), ("v3.14", "dev/rel/v314.md"), ("what came in 3.15?", "dev/rel/v315.md"),
    ("Müller", "team/people/ana.md"), ("muller", "team/people/ana.md"), ("Muller", "team/people/ana.md"), ("MÜLLER", "team/people/ana.md"), ("zurich", "team/people/ana.md"), ("Zürich", "team/people/ana.md"), ("Zu\u0308rich", "team/people/ana.md"), ("resume", "team/people/ana.md"), ("naive", "team/people/ana.md"),
    ("ana.mueller@example.org", "team/people/ana.md"), ("bob.smith+memtree@example.org", "team/people/bob.md"), ("bob.smith", "team/people/bob.md"), ("+49 30 1234567", "team/people/bob.md"), ("1234567", "team/people/bob.md"),
    ("龙井", "zh/tea/longjing.md"), ("龙井茶", "zh/tea/longjing.md"), ("西湖", "zh/tea/longjing.md"), ("杭州", "zh/tea/longjing.md"), ("清明前采摘", "zh/tea/longjing.md"), ("云南", "zh/tea/puer.md"), ("普洱茶可以存放多久", "zh/tea/puer.md"), ("水", "zh/tea/longjing.md"),
    ("豚骨", "ja/food/ramen.md"), ("ラーメン", "ja/food/ramen.md"), ("醤油味", "ja/food/ramen.md"), ("らーめん 博多", "ja/food/ramen.md"), ("長野", "ja/food/soba.md"), ("ﾗｰﾒﾝ", "ja/food/ramen.md"),
    ("김치", "ko/food/kimchi.md"), ("배추", "ko/food/kimchi.md"), ("고춧가루", "ko/food/kimchi.md"), ("김장", "ko/food/kimchi.md"),
    ("ผัดไทย", "th/food/padthai.md"), ("มะขามเปียก", "th/food/padthai.md"), ("น้ำตาล", "th/food/padthai.md"), ("ตะไคร้", "th/food/tomyum.md"), ("พริก", "th/food/tomyum.md"),
    ("الحمص", "ar/food/hummus.md"), ("يصنع", "ar/food/hummus.md"), ("الكزبرة", "ar/food/falafel.md"),
    ("חלה", "he/food/challah.md"), ("קמח", "he/food/challah.md"), ("עגבניות", "he/food/shakshuka.md"),
    ("जीरा", "hi/food/dal.md"), ("तड़का", "hi/food/dal.md"), ("इलायची", "hi/food/chai.md"), ("मसाला चाय", "hi/food/chai.md"),
    ("борщ", "ru/food/borscht.md"), ("БОРЩ", "ru/food/borscht.md"), ("свёклой", "ru/food/borscht.md"), ("свеклой", "ru/food/borscht.md"), ("елка", "ru/food/borscht.md"),
    ("μουσακάς", "el/food/moussaka.md"), ("μουσακας", "el/food/moussaka.md"), ("ΜΟΥΣΑΚΑΣ", "el/food/moussaka.md"), ("μελιτζανες", "el/food/moussaka.md"),
    ("Kafka消费者", "mix/it/kafka.md"), ("消费者", "mix/it/kafka.md"), ("E1234", "mix/it/kafka.md"), ("orders-v2", "mix/it/kafka.md"), ("at-least-once", "mix/it/kafka.md"), ("at least once", "mix/it/kafka.md"), ("错误码 E1234", "mix/it/kafka.md"),
    ("to be or not to be", "home/misc/to-be.md"), ('"to be or not to be"', "home/misc/to-be.md"), ('"not to be"', "home/misc/to-be.md"), ("the who", "home/misc/the-who.md"), ("The Who", "home/misc/the-who.md"), ('"the who"', "home/misc/the-who.md"),
    ("strawberry", "home/garden/berries.md"), ("strawberries", "home/garden/berries.md"), ("straw*", "home/garden/berries.md"), ("strawbery", "home/garden/berries.md"), ("planting strawberries", "home/garden/berries.md"), ("children", "home/garden/berries.md"), ("run", "home/garden/berries.md"),
    ("/var/log/nginx/access.log", "home/garden/paths.md"), ("access.log", "home/garden/paths.md"), ("nginx", "home/garden/paths.md"), ("C:\\Users\\ana\\notes.txt", "home/garden/paths.md"), ("notes.txt", "home/garden/paths.md"), ("tools/build/make_release.sh", "home/garden/paths.md"), ("make_release.sh", "home/garden/paths.md"), ("make release", "home/garden/paths.md"),
    ("C++", "home/misc/emoji.md"), ("C#", "home/misc/emoji.md"), (".NET", "home/misc/emoji.md"), ("R&D", "home/misc/emoji.md"), ("AT&T", "home/misc/emoji.md"), ("🍕", "home/misc/emoji.md"), ("🎉", "home/misc/emoji.md"), ("party 🎉", "home/misc/emoji.md"),
    ("restart staging", "home/misc/not.md"), ("should not restart", "home/misc/not.md"), ("restart production", "home/misc/do.md"), ("Restart the production server", "home/misc/do.md"), ("do not restart the staging server", "home/misc/not.md"),
    ("home/garden/paths.md", "home/garden/paths.md"), ("garden paths", "home/garden/paths.md"), ("./home/garden/paths.md", "home/garden/paths.md"), ("[[paths]]", "home/garden/paths.md"), ("dev/rel/v314", "dev/rel/v314.md"),
    ("I would like to know, if it is not too much trouble, in which month of the year one ought to be planting the strawberries in our garden, given that the children are fond of them and that the geese come by", "home/garden/berries.md"),
    ("strawberries " * 60, "home/garden/berries.md"), ("\u200bstrawberries\u200b", "home/garden/berries.md"), ("STRAWBERRIES!!!", "home/garden/berries.md"), ("“strawberries are planted”", "home/garden/berries.md"), ("ｓｔｒａｗｂｅｒｒｉｅｓ", "home/garden/berries.md"), ("straw\u00adberries", "home/garden/berries.md"),
    ("geese", "home/garden/berries.md"), ("childrens favorite", "home/garden/berries.md"),
]  # fmt: skip


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> object:
    from real_tree import new_tree

    from memtree import open_tree

    tree = new_tree(tmp_path_factory.mktemp("surprises") / "tree")
    for path, text in NOTES.items():
        tree.write(path, text)
    with open_tree(str(tree.root)) as opened:
        yield opened


@pytest.mark.parametrize(("question", "path"), FIRST, ids=lambda value: value[:40])
def test_what_is_typed_finds_the_note_first(library: object, question: str, path: str) -> None:
    found = [hit.path for hit in library.search(question).hits]  # type: ignore[attr-defined]
    assert found[:1] == [path], found[:4]


NEVER_SURE = [
    ("restart the staging server", "home/misc/do.md"), ("should restart staging", "home/misc/do.md"), ("release 3.16", "dev/rel/v315.md"), ("Release 3.16", "dev/rel/v314.md"), ("ORA-00943", "dev/db/errors.md"), ("orders-v3", "mix/it/kafka.md"), ("Bob Smyth Jr", "team/people/ana.md"),
    ("Restart the testing server", "home/misc/do.md"), ("Do restart the staging server", "home/misc/do.md"), ("E1235", "mix/it/kafka.md"),
]  # fmt: skip


@pytest.mark.parametrize(("question", "path"), NEVER_SURE, ids=lambda value: value[:40])
def test_a_near_name_of_another_thing_is_not_a_sure_answer(
    library: object, question: str, path: str
) -> None:
    answer = library.query(question)  # type: ignore[attr-defined]
    sure_by_name = [tier for tier in answer.tiers if tier.sure and tier.tier in ("exact", "fuzzy")]
    assert not (sure_by_name and answer.hits and answer.hits[0].path == path), (
        answer.tier,
        answer.hits[0].path,
    )


@pytest.mark.parametrize(
    "question", ["the", "a", "is", "what is it", "?", "...", "!", "of the", "and or not"]
)
def test_words_without_content_crash_nothing_and_make_nobody_sure(
    library: object, question: str
) -> None:
    answer = library.query(question)  # type: ignore[attr-defined]
    assert answer.status in ("absent", "found")
    assert answer.status == "absent" or answer.tier == "exact", answer.hits[0].path


@pytest.mark.parametrize(
    "question", ['"restart staging after each deploy"', '"popular band of rock"', '"龙井云南"']
)
def test_a_phrase_that_stands_nowhere_finds_nothing(library: object, question: str) -> None:
    assert library.search(question).hits == []  # type: ignore[attr-defined]


def test_scope_limits_every_tier(library: object) -> None:
    from memtree.knowledge.query import Query

    for question in ("Strawberries", "strawbery", "home/garden/berries.md", "planted in August"):
        for tier in (None, "exact", "fuzzy", "fulltext"):
            hits = library.search(Query(question, scope="home/misc", tier=tier)).hits  # type: ignore[attr-defined]
            assert all(hit.path.startswith("home/misc/") for hit in hits), (question, tier)


def test_a_long_entry_is_found_by_its_last_paragraph_with_its_lines(tree: RealTree) -> None:
    lines = [f"Paragraph {n} about nothing in particular, lorem ipsum.\n" for n in range(800)]
    lines[731] = "The password of the greenhouse is marigold.\n"
    tree.write("a/long.md", "# Long\n\n" + "\n".join(lines))
    hit = tree.run("search", "greenhouse password", "--json").json["hits"][0]
    number = 1 + (tree.root / "a/long.md").read_text().splitlines().index(lines[731].strip())
    assert hit["lines"][0] <= number <= hit["lines"][1]
    assert hit["lines"][1] - hit["lines"][0] < 60
    assert "marigold" in hit["snippet"]
