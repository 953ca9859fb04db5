"""Conversations with assistants, as ChatGPT and Claude export them: messages in their order.

Of a ChatGPT conversation the branch is followed that ends at its current node. Left out is what
nobody said to the other: system and hidden messages, calls of tools and what they returned,
reasoning, images. Speakers are `user` and `assistant`. A message whose time is not known has none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from memtree.sources.stamps import iso_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NAMES = re.compile(r"(?:^|/)conversations(?:-\d+)?\.json$")
"""What the file is called in an archive that was downloaded."""
_SAID = frozenset({"text", "multimodal_text"})
_PARTS = frozenset({"text", "input_text", "output_text", "audio_transcription"})
_MARK = re.compile("\ue200[^\ue201]{0,400}\ue201|[\ue200-\ue206]")
"""References that ChatGPT writes into its text, to places that the export lacks."""
_SURROGATES = dict.fromkeys((0, *range(0xD800, 0xE000)), "\ufffd")


class Message(NamedTuple):
    """Something said: `time` in ISO 8601 or "", `key` the export's own name for it or ""."""

    text: str
    speaker: str
    time: str
    key: str


class Conversation(NamedTuple):
    """A conversation of an export, `maker` `chatgpt` or `claude`; fields are "" if unknown.

    `wordless` counts the messages of people and assistants in which no words stand: images, files.
    """

    maker: str
    id: str
    title: str
    time: str
    messages: tuple[Message, ...]
    wordless: int = 0


def conversation(item: object) -> Conversation | None:
    """Read one element of an export; None for what is no conversation. Never raises."""
    if not isinstance(item, dict):
        return None
    if isinstance(item.get("mapping"), dict):
        found = list(_chatgpt(item, item["mapping"]))
        identity = item.get("conversation_id") or item.get("id")
        return _made("chatgpt", identity, item.get("title"), item.get("create_time"), found)
    if isinstance(item.get("chat_messages"), list):
        found = list(_claude(item))
        return _made("claude", item.get("uuid"), item.get("name"), item.get("created_at"), found)
    return None


def _made(
    maker: str, identity: object, title: object, time: object, found: list[Message]
) -> Conversation:
    spoken = tuple(message for message in found if message.text.strip())
    wordless = len(found) - len(spoken)
    return Conversation(maker, line(identity), line(title), iso_of(time), spoken, wordless)


def said(value: object, depth: int = 0) -> str:
    """Return the words of a message's content, whatever shape it has: text, parts, objects.

    Parts that are no text (calls of tools, images, reasoning) say nothing.
    """
    if isinstance(value, str):
        return clean(value)
    if depth > 4:
        return ""
    if isinstance(value, list):
        return "\n\n".join([text for part in value if (text := said(part, depth + 1)).strip()])
    if isinstance(value, dict):
        kind = value.get("type") or value.get("content_type") or "text"
        if not isinstance(kind, str) or kind not in _PARTS | _SAID:
            return ""
        for key in ("text", "parts", "content"):
            if key in value:
                return said(value[key], depth + 1)
    return ""


def clean(text: str) -> str:
    """Replace what no text file can hold: NUL and halves of surrogate pairs."""
    if text.isascii() and "\0" not in text:
        return text
    return text.translate(_SURROGATES)


def line(value: object) -> str:
    """Return a value that should be a word or a title as one line of at most 200 characters."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    return " ".join(clean(str(value))[:400].split())[:200]


def _chatgpt(item: Mapping[str, object], nodes: Mapping[str, object]) -> Iterator[Message]:
    for name in _branch(item, nodes):
        node = nodes[name]
        message = node.get("message") if isinstance(node, dict) else None
        if not isinstance(message, dict):
            continue
        author = message.get("author")
        role = author.get("role") if isinstance(author, dict) else None
        about = message.get("metadata")
        hidden = isinstance(about, dict) and (
            about.get("is_visually_hidden_from_conversation") or about.get("is_user_system_message")
        )
        if role not in ("user", "assistant") or hidden:
            continue
        if message.get("recipient") not in (None, "", "all"):
            continue  # a call of a tool
        content = message.get("content")
        kind = content.get("content_type") if isinstance(content, dict) else "text"
        if kind in _SAID:
            text = _MARK.sub("", said(content))
            key = line(message.get("id")) or line(name)
            yield Message(text, str(role), iso_of(message.get("create_time")), key)


def _branch(item: Mapping[str, object], nodes: Mapping[str, object]) -> list[str]:
    """Return the nodes from the root to the current one; without one, to the last leaf."""
    at: object = item.get("current_node")
    if not isinstance(at, str) or at not in nodes:
        leaves = [name for name, node in nodes.items() if not _children(node)]
        at = leaves[-1] if leaves else None
    found: list[str] = []
    seen: set[str] = set()
    while isinstance(at, str) and at in nodes and at not in seen:
        seen.add(at)
        found.append(at)
        node = nodes[at]
        at = node.get("parent") if isinstance(node, dict) else None
    return found[::-1]


def _children(node: object) -> bool:
    return isinstance(node, dict) and bool(node.get("children"))


def _claude(item: Mapping[str, object]) -> Iterator[Message]:
    rows = item["chat_messages"]
    for row in _leading(item, rows) if isinstance(rows, list) else ():
        sender = row.get("sender")
        if sender not in ("human", "user", "assistant"):
            continue
        text = said(row.get("content")) if isinstance(row.get("content"), list) else ""
        text = text if text.strip() else said(row.get("text"))
        speaker = "assistant" if sender == "assistant" else "user"
        yield Message(text, speaker, iso_of(row.get("created_at")), line(row.get("uuid")))


def _leading(item: Mapping[str, object], rows: list[object]) -> list[dict[str, object]]:
    """Return the messages that lead to the current one; without it, all."""
    good = [row for row in rows if isinstance(row, dict)]
    at = item.get("current_leaf_message_uuid")
    by_id = {row.get("uuid"): row for row in good if isinstance(row.get("uuid"), str)}
    found: list[dict[str, object]] = []
    while isinstance(at, str) and at in by_id:
        row = by_id.pop(at)
        found.append(row)
        at = row.get("parent_message_uuid")
    return found[::-1] or good
