"""How much a sentence of a conversation tells: names, numbers, days, and words that say something.

A conversation is mostly not knowledge. Questions, greetings, thanks, praise and echoes go; what
somebody tells of himself or of the world stays. The words below are the common ones of any chat,
which say how somebody feels about something and not what.
"""

from __future__ import annotations

import re

from memtree.claims.lexicon import FUNCTION, NEGATIONS, QUANTITIES, SOFT

LEAST = 4.0
"""What the weightiest sentence of a message has to weigh to stand for it."""
MORE = 5.0
"""What further sentences have to weigh; both are measured with `benchmarks/curation.py`."""

_CHATTING = """
absolutely acceptance accepting accomplish accomplished achieve achievement agree agreed alone
along already always amazed amazing another anyone anything appreciate appreciated around
aspects attitude awareness away awesome back balance beautiful beauty become believe belong best
bet better big bond brave bring bringing brings bummer bumpy calm calming can't cant care
celebrate challenge challenges challenging chance change changes chat check cheering cheers
cherish choice close comfort confidence confident congrats congratulations connect connection
cool courage crazy create creating creative creativity cute day days dear deep definite
definitely determination determined development didn't difference doesn't don't dream dreams
easy effort efforts else embrace emotional emotions encourage encouragement encouraging end
energy enjoy enjoyable enjoyed escape even ever everyone everything exactly excellent excited
exciting experience experiences express expressing expression face faith fantastic fear feel
feeling feelings feels felt figure find finding fine follow forever form forward free freedom
fresh fulfilled fulfilling fulfillment full fun game get give given gives giving glad goal goals
god going gonna good goodbye gorgeous gosh gotta great grow growing growth guess guide haha half
handle happen happened happiness happy hard hear hearing heck hello help helps hey hi hit hope
hopeful hopefully hoping huge i'm i've ideas identity imagine impact important impressive
incredible insane inspiration inspire inspired inspires inspiring interesting isn't it's journey
joy keep key kind kinda kindness know lately learn learning left let life lift like listen
little live lives living lol long look looking looks lot lots love loved lovely loves loving
luck lucky made make makes making many matter matters mean meaningful means meant memories
mental mind moment moments more motivated motivating motivation moving much neat need needed
nerve nervous never new nice no nope nothing oh ok okay old omg one open opportunities
opportunity others ourselves overcome overwhelming pain part passion past peace peaceful people
perfect persevere person perspective place pleased pleasure positive possible potential powerful
pressure pretty progress proof proud push pushing put question rad reach ready real reality
reason relax relaxing reminded reminder reminds resilience resilient respect rest rewarding ride
right rocky rough safe same satisfying say scary see seeing seem seems sense serious service set
setbacks several share sharing shine show side simple slow small smile solid someone something
sorry soul sound sounds space special spirit spread spreading stay staying step steps stick
stoked story strength stress strong struggle struggles stuff stunning success successful super
support supporting supportive sure surrounded sweet take talk talking task team tell thank
thankful thanks that's thing things think thinking thought thoughts time times today together
top totally touching tough treasure treat true trust truth try trying tune turn ugh uncertainty
understand unique unity up upbeat update ups valuable value vibe vibes vulnerable wait wanna
want wanted warm wasn't watch way welcome whoa whole wild willing win wise wish within won't
wonder wonderful word words work works world worry worth worthwhile wow yay yeah year years yep
yes you you're yup
"""
_CHATTER = frozenset(_CHATTING.split())
_LIGHT = FUNCTION | SOFT | NEGATIONS | frozenset(QUANTITIES) | _CHATTER
_WORD = re.compile(r"[^\W_]+(?:['\u2019.&@+#_-][^\W_]+)*[+#]*")
_FIRST = re.compile(
    r"\b(?:I|I'm|I've|I'd|I'll|my|mine|me|myself|we|we're|we've|we'd|we'll|our|ours|us)\b".replace(
        "'", "['\u2019]"
    ),
    re.IGNORECASE,
)
_SECOND = re.compile(
    r"\b(?:you|your|yours|yourself|you['\u2019](?:re|ve|ll|d)|u|ya)\b", re.IGNORECASE
)
_REACTS = re.compile(
    r"^(?:(?:oh|wow|yeah|yes|yep|aw+|haha|hey|hi|ok(?:ay)?|well|so)[,!. ]+)*"
    r"(?:thanks|thank you|glad|good (?:luck|job|for)|great (?:job|work|idea|to)|nice|congrat\w*"
    r"|keep|sounds|looks like|that(?:['\u2019]s| is| was| must| sounds| looks| would)"
    r"|can['\u2019]t wait|i['\u2019]m (?:so )?(?:glad|happy for|proud of you|sorry|here for"
    r"|rooting)"
    r"|i (?:really )?(?:appreciate|agree|bet|hope you|understand|can imagine|get it|hear you)"
    r"|no (?:problem|worries|doubt)"
    r"|you(?:['\u2019]re| are| got| can| look| must|r)|way to go|let me know|take care"
    r"|have (?:a|fun)|see you|talk to you|catch you|i['\u2019]ll keep you|enjoy"
    r"|hope (?:you|it)|looking forward)\b",
    re.IGNORECASE,
)
_URGES = re.compile(
    r"^(?:(?:just|always|please|don['\u2019]t|do|never|definitely|remember|so|and|but)[, ]+)*(?:be"
    r"|believe|check|chin|come|count|do(?:n['\u2019]t)?|embrace|feel|focus|follow|forget|get|give|go|hang"
    r"|hold|imagine|keep|let(?:['\u2019]s)?|listen|live|look|make|push|reach|relax|remember|stay|stick"
    r"|take|talk|tell|trust|try|wait|watch|work)\b(?!ing)",
    re.IGNORECASE,
)
_BACK = re.compile(
    r"^(?:it|its|it['\u2019]s|that|that['\u2019]s|this|these|those|they|they['\u2019]re|he|he['\u2019]s|she"
    r"|she['\u2019]s|there|his|her|their|them)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d")
_QUOTED = re.compile(r"[\"\u201c][^\"\u201c\u201d]{2,60}[\"\u201d]")


def telling_words(text: str) -> list[str]:
    """The words of a text that say something, in small letters, in order."""
    words = (match[0].casefold().replace("\u2019", "'") for match in _WORD.finditer(text))
    return [word for word in words if word not in _LIGHT and word.removesuffix("'s") not in _LIGHT]


def points_back(words: str) -> bool:
    """Whether a sentence begins with a word for what was said before: it, that, they."""
    return bool(_BACK.match(words))


def weight(words: str, names: frozenset[str], *, day: bool, kind: str) -> float:
    """How much a sentence tells, from about -2; `names`: of those who talk, in small letters.

    `day`: it speaks of a time; `kind` as `kind_of` says.
    """
    telling: set[str] = set()
    named = 0
    for match in _WORD.finditer(words):
        word = match[0]
        folded = word.casefold().replace("\u2019", "'")
        bare = folded.removesuffix("'s")
        if bare in names or len(bare) < 2:
            continue
        if word[0].isupper() and match.start() and words[match.start() - 2] not in ".!?:":
            named += bare not in telling and bare not in FUNCTION and not folded.startswith("i'")
            telling.add(bare)
        elif bare not in _LIGHT and folded not in _LIGHT:
            telling.add(bare)
    total = float(len(telling)) + named
    total += 1.5 * bool(_NUMBER.search(words)) + bool(_QUOTED.search(words)) + 2.0 * day
    total += kind in ("event", "decision", "preference", "plan")
    if _FIRST.search(words):
        total += 1.0
        total -= bool(_SECOND.search(words))
    elif _SECOND.search(words):
        total -= 2.0
    elif not named and not day and not _NUMBER.search(words):
        total -= 1.0  # how things are in general
    if _REACTS.match(words) or _URGES.match(words):
        total -= 2.0
    return total
