"""Words that ask for the same, and words that say nothing in a question.

General knowledge of English, none of it from a corpus: only words that may stand for each other in
a question about anything. What is near but other (`brother` and `sister`, `buy` and `sell`) is not
here.
"""

from __future__ import annotations

from memtree.claims.wording import stem


def _words(text: str) -> list[str]:
    return text.split()


_SAME = """
live reside dwell residence residing home house housed|boss manager supervisor superior
job occupation profession employment career|work employed employ working
begin start commence launch started beginning|end finish conclude expire ended
buy purchase acquire bought|get receive obtain|car vehicle automobile|phone telephone cellphone
movie film|kid child|mom mother mum|dad father|spouse partner|big large|fix repair|
make create build produce built|created founded established founder|write author wrote writer
wed marry married wedding marriage|bike bicycle|photo picture photograph image|
ill sick unwell|doctor physician|reason cause why|goal aim objective|error mistake|
holiday vacation|trip journey travel|visit visited|go travel went|age old|
assist help|answer reply respond|ask request|choose pick select|close shut|
delete remove erase|change modify alter edit|set configure configuration setup|
happen occur take|keep retain stored kept|meet encounter|need require|own possess belong owner|
prefer like favour favorite favourite|show display|speak talk|use utilise utilize employ|
want wish desire|complete finish|contact reach|cost price charge|deploy release rollout ship|
document documentation docs|email mail|enable activate|disable deactivate|
endpoint url address|folder directory|function method|install setup|key token secret|
leader head lead chief|limit maximum max cap|lowest minimum min|meeting appointment|
member belong|money funds|password passphrase|plan schedule scheduled|problem issue trouble|
quit leave resign|rent lease|responsible charge|restart reboot|run execute operate|
salary pay wage income|shop store|study learn studied|team group crew|test check verify|
timeout deadline|town city|version release|wait pause delay|birthday born birthdate|
situated located location based lie|allergic allergy|pet animal|sibling|
drink beverage|dish meal|hobby pastime|instrument|play|concert gig|present gift|
"""
_NOT_THE_SAME = frozenset(
    _words(
        """
        stop take cap charge deadline why old store head release employ finish setup lie go
        """
    )
)
"""Of those above, words of several senses that would join what is different."""


def _senses() -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for group in _SAME.replace("\n", " ").split("|"):
        words = [word for word in group.split() if word not in _NOT_THE_SAME]
        if len(words) < 2:
            continue
        for word in words:
            own = stem(word)
            found[own] = found.get(own, frozenset((own,))) | {f"~{stem(words[0])}"}
    return found


SENSE = _senses()
"""Stem -> the senses that it may have."""

GENERIC = frozenset(
    map(
        stem,
        _words(
            """
        name names called named current currently exactly specific specifically particular
        """
        ),
    )
)
"""Stems that a question may have or not."""

_NOUNS = {
    "person": "person man woman guy people somebody someone",
    "place": "place location city town country state village region continent street address "
    "address venue",
    "time": "time date day year month week weekday hour decade century season",
    "number": "number amount quantity count",
    "reason": "reason cause purpose",
    "manner": "way manner method",
    "age": "age",
    "length": "duration",
    "frequency": "frequency",
    "distance": "distance",
    "height": "height",
    "size": "size",
    "speed": "speed",
    "weight": "weight",
}
_OPEN = frozenset(
    _words(
        """
        place location person time number amount quantity count reason way manner man guy people
        date cause
        """
    )
)

KINDS = {
    form: (kind, "" if word in _OPEN else word)
    for kind, words in _NOUNS.items()
    for word in words.split()
    for form in (word, f"{word}s", f"{word[:-1]}ies" if word.endswith("y") else f"{word}es")
}
"""A noun behind "what" or "which" -> the kind that it asks for, and how closely it says it."""
