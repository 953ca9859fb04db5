"""What a sentence is: a decision, a preference, a plan, an event, a definition, a step, a fact.

Read from the words that the language has for it, in the order in which they decide.
"""

from __future__ import annotations

import re

_DECIDED = re.compile(
    r"\b(?:(?:I|we|they|he|she|[A-Z]\w+) (?:have |has |had |'ve )?(?:finally |just |all )?"
    r"(?:decided|chose|chosen|agreed|opted|settled)\b"
    r"|(?:decision|decided|agreed|resolved)(?: is)?:|it was (?:decided|agreed)"
    r"|(?:we|I)(?: will|'ll|(?: a|')re going to) (?:use|adopt|go with|stick with|keep)\b"
    r"|(?:adopted|rejected|went with) .{3,80}\bbecause\b"
    r"|\b(?:instead of|rather than)\b.*\bbecause\b)",
    re.IGNORECASE,
)
_PREFERS = re.compile(
    r"\b(?:prefers?|preferred|favou?rites?|likes|loves?|hates?|dislikes?|enjoys?|can't stand"
    r"|(?:I|we|they|you) (?:really |also |do )?like|fan of|always uses?|never uses?|fond of"
    r"|would rather|'d rather)\b",
    re.IGNORECASE,
)
_PLANS = re.compile(
    r"\b(?:will|won't|going to|gonna|plans?|planning|planned to|intends?|hoping to|hopes? to"
    r"|wants? to|would like to|'d like to|scheduled|looking forward to|thinking (?:of|about)"
    r"|aims? to|next (?:week|month|year|weekend|summer|spring|fall|autumn|winter)"
    r"|tomorrow)\b|'ll\b",
    re.IGNORECASE,
)
_MEANS = re.compile(
    r"^(?:(?:A|An|The)\s+)?[\w`*\"'()./+-]+(?:\s+[\w`*\"'()./+-]+){0,6}"
    r"\s+(?:(?:is|are)\s+(?:a|an|the"
    r"|any|used|short for|called|defined)\b|means?\b|refers? to\b|stands? for\b|denotes?\b)",
    re.IGNORECASE,
)
_ONE = re.compile(r"(?:A|An)\s")
_PERSONAL = re.compile(
    r"^(?:it|this|that|these|those|he|she|they|we|i|you|there|here)\b", re.IGNORECASE
)
_HAPPENED = re.compile(
    r"\b(?:went|came|met|saw|bought|got|made|took|gave|won|lost|began|started|finished|found|left"
    r"|moved|visited|joined|released|launched|shipped|fixed|added|removed|merged|broke|failed"
    r"|happened|arrived|told|said|wrote|sent|built|ran|held|attended|celebrated|received|completed"
    r"|signed|adopted|passed|graduated|married|died|was born|became|opened|closed|[a-z]{3,}ed)\b"
)
_IMPERATIVE = re.compile(
    r"^(?:(?:first|then|next|finally|now|after that|optionally)[, ]+)?(?:please )?"
    r"(?:add|apply|ask|back up|boil|build|call|change|check|choose|clean|click|clone|close|commit"
    r"|compile|configure|confirm|connect|copy|create|cut|define|delete|deploy|disable|download|drain"
    r"|edit|enable|ensure|enter|export|fill|find|follow|get|give|go|grant|heat|import|insert|install"
    r"|keep|leave|let|list|load|log|make|merge|mix|move|never|note|open|pass|paste|place|pour|press"
    r"|provide|pull|push|put|read|rebase|reboot|record|reload|remember|remove|rename|replace|reset"
    r"|restart|restore|return|review|roll|rotate|run|save|scale|select|send|set|shut|sign|specify"
    r"|start|stir|stop|switch|tag|take|tell|test|try|turn|type|undo|unplug|update|upgrade|upload|use"
    r"|verify|visit|wait|wash|watch|write)\b",
    re.IGNORECASE,
)


def kind_of(  # noqa: PLR0911  (one for each kind)
    words: str, *, when: str = "", personal: bool = False
) -> str:
    """Return one of `memtree.knowledge.plan.KINDS` for a sentence.

    `when` is the day that it speaks of, "" for none; `personal`: somebody says it of himself.
    """
    if _DECIDED.search(words):
        return "decision"
    if not personal and is_step(words):
        return "procedure"
    if _PLANS.search(words):
        return "plan"
    if _PREFERS.search(words):
        return "preference"
    if _MEANS.match(words) and not _PERSONAL.match(words) and (_ONE.match(words) or not personal):
        return "definition"
    if (when or personal) and _HAPPENED.search(words):
        return "event"
    return "fact"


def is_step(words: str) -> bool:
    """Whether a sentence tells whoever reads it to do something."""
    return bool(_IMPERATIVE.match(words.lstrip("`*_ ")))
