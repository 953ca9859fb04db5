"""The one door to detect-secrets: its patterns for the keys and tokens of known services.

Only detectors of the shape of a value are taken. Those that look for words ("password:") or for
entropy alone find git hashes, digests and prose; and nothing here ever asks a service whether a key
works. Loaded when a text first holds a hint of a key: 0.15 s.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re

# Module and class of a detector -> what we call its finds, and of which words one must stand in a
# text (in small letters) before its patterns are worth trying.
_DETECTORS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("aws", "AWSKeyDetector", "aws-key", ("akia", "asia", "abia", "acca", "a3t", "aws")),
    ("azure_storage_key", "AzureStorageKeyDetector", "azure-key", ("accountkey=",)),
    ("basic_auth", "BasicAuthDetector", "password", ("://",)),
    ("cloudant", "CloudantDetector", "cloudant-key", ("cloudant",)),
    ("discord", "DiscordBotTokenDetector", "discord-token", ("discord", "token")),
    ("github_token", "GitHubTokenDetector", "github-token", ("gh",)),
    ("gitlab_token", "GitLabTokenDetector", "gitlab-token", ("gl", "gr1348941")),
    ("ibm_cloud_iam", "IbmCloudIamDetector", "ibm-key", ("ibm",)),
    ("jwt", "JwtTokenDetector", "jwt", ("eyj",)),
    ("mailchimp", "MailchimpDetector", "mailchimp-key", ("-us",)),
    ("npm", "NpmDetector", "npm-token", ("_authtoken",)),
    ("openai", "OpenAIDetector", "openai-key", ("t3blbkfj",)),
    ("pypi_token", "PypiTokenDetector", "pypi-token", ("pypi-ag",)),
    ("sendgrid", "SendGridDetector", "sendgrid-key", ("sg.",)),
    ("slack", "SlackDetector", "slack-token", ("xox", "hooks.slack.com")),
    ("softlayer", "SoftlayerDetector", "softlayer-key", ("softlayer",)),
    ("square_oauth", "SquareOAuthDetector", "square-token", ("sq0csp",)),
    ("stripe", "StripeDetector", "stripe-key", ("k_live_",)),
    ("telegram_token", "TelegramBotTokenDetector", "telegram-token", ("telegram", "bot")),
    ("twilio", "TwilioKeyDetector", "twilio-key", ("twilio",)),
)

HINTS = frozenset(hint for _, _, _, hints in _DETECTORS for hint in hints)


def patterns(folded: str) -> list[tuple[str, re.Pattern[str]]]:
    """What to call the find, and the pattern, of all that may stand in a text in small letters."""
    return [
        (kind, pattern)
        for module, name, kind, hints in _DETECTORS
        if any(hint in folded for hint in hints)
        for pattern in _patterns_of(module, name)
    ]


@cache
def _patterns_of(module: str, name: str) -> tuple[re.Pattern[str], ...]:
    from detect_secrets import plugins

    detector = getattr(import_module(f"{plugins.__name__}.{module}"), name)
    return tuple(detector().denylist)
