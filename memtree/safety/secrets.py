"""Keys, tokens and passwords: found by the shape of their value, and taken out of a text.

Redacted before anything is stored, logged, shown or put into a prompt. What is looked for is the
value, not the word: prose about passwords is no secret, and neither are git hashes, UUIDs, digests,
images in base64, or what stands for a secret in documentation (`YOUR_KEY`, `xxxx`, `${TOKEN}`).
Patterns come from detect-secrets (`memtree.safety.detectors`); here are the kinds that it lacks,
each as its issuer documents it, and values that are assigned to something called a secret.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A secret in a text: its kind (`aws-key`), where (characters), and on which line from 1."""

    kind: str
    start: int
    end: int
    line: int


# Kind -> (words of which one must stand in the text in small letters, pattern). The last group that
# matched is the secret, or else the whole match.
_OURS: dict[str, tuple[tuple[str, ...], str]] = {
    "aws-key": (("akia", "asia"), r"\b((?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16})\b"),
    "github-token": (("gh",), r"\b(gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_\w{36,255})"),
    "anthropic-key": (("sk-ant-",), r"\b(sk-ant-[a-z0-9]{3,10}-[\w-]{20,})"),
    "openai-key": (("sk-",),
                   r"\b(sk-(?:proj|svcacct|admin|or-v1)-[\w-]{20,}|sk-[A-Za-z0-9]{40,64})\b"),
    "google-key": (("aiza", "gocspx-", "ya29."),
                   r"\b(AIza[\w-]{35}|GOCSPX-[\w-]{28}|ya29\.[\w-]{20,})"),
    "huggingface-token": (("hf_",), r"\b(hf_[A-Za-z0-9]{30,})\b"),
    "slack-token": (("xox", "xapp-"), r"\b((?:xox[abeoprs]|xapp)-[\w-]{20,})"),
    "stripe-key": (("k_live_", "k_test_", "whsec_"),
                   r"\b((?:sk|rk)_(?:live|test)_[0-9a-zA-Z]{16,}|whsec_[A-Za-z0-9+/=]{24,})"),
    "jwt": (("eyj",), r"\b(eyJ[\w-]{8,}\.eyJ[\w-]{8,}(?:\.[\w-]*)?)"),
    "npm-token": (("npm_",), r"\b(npm_[A-Za-z0-9]{36})\b"),
    "digitalocean-token": (("_v1_",), r"\b(do[opr]_v1_[a-f0-9]{64})\b"),
    "shopify-token": (("shp",), r"\b(shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32})\b"),
    "databricks-token": (("dapi",), r"\b(dapi[a-f0-9]{32})\b"),
    "docker-token": (("dckr_",), r"\b(dckr_(?:pat|oat)_[\w-]{24,})"),
    "vault-token": (("hvs.", "hvb."), r"\b(hv[sb]\.[\w-]{24,})"),
    "linear-key": (("lin_api_",), r"\b(lin_api_[A-Za-z0-9]{40})\b"),
    "notion-token": (("ntn_", "secret_"), r"\b(ntn_[A-Za-z0-9]{40,}|secret_[A-Za-z0-9]{43})\b"),
    "age-key": (("age-secret-key-",), r"\b(AGE-SECRET-KEY-1[0-9A-Z]{58})\b"),
    "grafana-token": (("glsa_", "glc_"), r"\b(glsa_\w{32}_[a-f0-9]{8}|glc_[A-Za-z0-9+/=]{32,})"),
    "groq-key": (("gsk_",), r"\b(gsk_[A-Za-z0-9]{40,})\b"),
    "replicate-token": (("r8_",), r"\b(r8_[A-Za-z0-9]{37})\b"),
    "postman-key": (("pmak-",), r"\b(PMAK-[a-f0-9]{24}-[a-f0-9]{34})\b"),
    "sentry-token": (("sntry",), r"\b(sntry[su]_[A-Za-z0-9+/=_-]{40,})"),
    "airtable-token": (("pat",), r"\b(pat[A-Za-z0-9]{14}\.[a-f0-9]{64})\b"),
    "azure-key": (("sharedaccesskey=", "accountkey="),
                  r"(?:SharedAccessKey|AccountKey)=([A-Za-z0-9+/]{40,}={0,2})"),
    "telegram-token": ((":aa",), r"\b(\d{8,10}:AA[\w-]{33})\b"),
    "bearer-token": (("bearer ", "basic "),
                     r"(?i)\b(?:bearer|authorization:\s*basic)\s+([A-Za-z0-9._~+/=-]{20,})"),
    "private-key": (
        ("private key",),
        (r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
        r"(?:[\s\S]{0,20000}?-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
        r"|(?:\s*[A-Za-z0-9+/=]{16,})+)?"),
    ),
}  # fmt: skip
_CALLED = (
    r"pass(?:word|wd|phrase)?|pwd|secret|token|api[_ -]?key|apikey|access[_ -]?key|"
    r"private[_ -]?key|secret[_ -]?key|auth[_ -]?key|client[_ -]?secret|credentials?|"
    r"passwort|kennwort|mot de passe|contraseña|clave|senha|пароль|密码|密碼|パスワード|비밀번호"
)
_ASSIGNED = re.compile(
    rf"(?i)(?:(?<![^\W_])|_)(?:{_CALLED})(?P<tail>[\w.-]{{0,20}})[\"'`]?\]?\s*"
    r"(?:[:=]{1,2}>?|\bis(?: now)?:?|\bwas:?|：|\blautet:?|\best:?|\bes:?)\s*"  # noqa: RUF001
    r"(?P<q>[\"'`*]*)(?P<value>[^\s\"'`<>]{6,200})"
)
_URL_PASSWORD = re.compile(r"://[^\s:/?#\[\]@\"'`<>]{1,80}:(?P<value>[^\s:/?#\[\]@\"'`<>]{3,200})@")
_CALL_HINTS = ("pass", "pwd", "secret", "token", "key", "credential", "kennwort", "contraseña",
               "clave", "senha", "пароль", "密码", "密碼", "パスワード", "비밀번호")  # fmt: skip
_PLACEHOLDER = re.compile(
    r"(?i)example|sample|dummy|your[_-]?|change[_-]?me|placeholder|redacted|xxx|\*\*\*|\.\.\.|…"
    r"|<[^>]*>|\$\{|\$\(|\{\{|%\(|^\$[A-Za-z_]|process\.env|os\.environ|getenv|env\(|0123456789|"
    r"1234567|abcdefg|^(?:true|false|null|none|undefined|password|passwd|secret|token|string)\W*$"
)
_CODE = re.compile(r"^[A-Za-z_][\w.]*(?:\(.*\)?|\[.*\]?)?[;,)]*$")
_DIGEST = re.compile(
    r"(?i)^(?:sha\d{1,3}[-:])?[0-9a-f]{7,128}$|^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
)
_MARK = re.compile(r"\[secret: [a-z-]+\]")

_compiled: dict[str, re.Pattern[str]] = {}


def redact(text: str) -> tuple[str, tuple[Secret, ...]]:
    """The text with `[secret: KIND]` in the place of each secret, and what was found.

    Line breaks stay where they are, so lines keep their numbers. Redacting twice changes nothing.
    """
    found = find_secrets(text)
    if not found:
        return text, ()
    out: list[str] = []
    done = 0
    for secret in found:
        breaks = text.count("\n", secret.start, secret.end)
        out += [text[done : secret.start], f"[secret: {secret.kind}]", "\n" * breaks]
        done = secret.end
    return "".join([*out, text[done:]]), found


def find_secrets(text: str) -> tuple[Secret, ...]:
    """All secrets in a text, in order, none overlapping another."""
    folded = text.casefold() if text.isascii() else text.lower()
    spans: list[tuple[int, int, str]] = []
    for kind, (hints, source) in _OURS.items():
        if any(hint in folded for hint in hints):
            spans += _spans(kind, _pattern(source), text)
    if any(hint in folded for hint in _known_hints()):
        from memtree.safety.detectors import patterns

        for kind, pattern in patterns(folded):
            if kind != "password":
                spans += _spans(kind, pattern, text)
    if any(hint in folded for hint in _CALL_HINTS):
        spans += [
            (*match.span("value"), "password")
            for match in _ASSIGNED.finditer(text)
            if _is_secret_value(match["value"], quoted=bool(match["q"]), called=match.group())
        ]
    if "://" in folded:
        spans += [
            (*match.span("value"), "password")
            for match in _URL_PASSWORD.finditer(text)
            if not _PLACEHOLDER.search(match["value"]) and not match["value"].isalpha()
        ]
    return _sorted(text, spans)


def _known_hints() -> frozenset[str]:
    global _hints  # noqa: PLW0603
    if _hints is None:
        from memtree.safety.detectors import HINTS

        # What these promise is looked for here as well, without loading a library.
        _hints = HINTS - {"://", "gh", "gl", "token", "bot", "-us", "akia", "asia"}
        _hints |= {
            "ghp_",
            "gho_",
            "ghu_",
            "ghs_",
            "ghr_",
            "glpat",
            "gldt",
            "glft",
            "glsoat",
            "glrt",
        }
        _hints |= {"glcbt-", "-us1", "-us2", "-us3", "-us4", "-us5", "-us6", "-us7", "-us8", "-us9"}
    return _hints


_hints: frozenset[str] | None = None


def _pattern(source: str) -> re.Pattern[str]:
    found = _compiled.get(source)
    if found is None:
        found = _compiled[source] = re.compile(source)
    return found


def _spans(kind: str, pattern: re.Pattern[str], text: str) -> list[tuple[int, int, str]]:
    found = []
    for match in pattern.finditer(text):
        group = match.lastindex or 0
        if group and match.end(group) - match.start(group) < 8:
            group = 0  # it holds the prefix only
        start, end = match.span(group)
        if end - start >= 8 and not _PLACEHOLDER.search(match[group]):
            found.append((start, end, kind))
    return found


def _is_secret_value(value: str, *, quoted: bool, called: str) -> bool:
    """Whether what is assigned to a "password" has its shape: no word, no code, no digest."""
    value = value.rstrip(".,;:!?)]}*_")
    if len(value) < 8 or _PLACEHOLDER.search(value) or _MARK.search(called):
        return False
    if "/" in value and (value.startswith(("/", "./", "~", "http")) or "://" in value):
        return False
    if (
        _DIGEST.match(value)
        and "key" not in called.casefold()
        and "secret" not in called.casefold()
    ):
        return False
    kinds = sum(
        any(test(letter) for letter in value)
        for test in (str.islower, str.isupper, str.isdigit, lambda c: not c.isalnum())
    )
    has_digit = any(letter.isdigit() for letter in value)
    if (
        not quoted
        and _CODE.match(value)
        and not (has_digit and (kinds >= 3 or entropy(value) >= 3.3))
    ):
        return False
    return entropy(value) >= 2.8 and kinds >= 2 and (has_digit or kinds >= 3)


def entropy(text: str) -> float:
    """Bits per character of a text by its own frequencies (Shannon 1948)."""
    size = len(text)
    counts = {letter: text.count(letter) for letter in set(text)}
    return -sum(n / size * math.log2(n / size) for n in counts.values())


def _sorted(text: str, spans: list[tuple[int, int, str]]) -> tuple[Secret, ...]:
    found: list[Secret] = []
    marks = [match.span() for match in _MARK.finditer(text)] if spans else []
    end = 0
    for start, stop, kind in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start < end or any(a <= start < b for a, b in marks):
            continue
        found.append(Secret(kind=kind, start=start, end=stop, line=1 + text.count("\n", 0, start)))
        end = stop
    return tuple(found)
