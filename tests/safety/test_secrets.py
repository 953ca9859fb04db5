from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memtree.safety.secrets import find_secrets, redact

# Put together here, so that no scanner of this repository takes a test for a leak.
_LETTERS = "q7Zt2Wm9Xc4Vb6Nn8Lk3Jh5Gf1Ds0Ap"
SECRETS = {
    "aws-key": "AKIA" + "Q7ZT2WM9XC4VB6NN",
    "github-token": "ghp_" + _LETTERS + "Qw4e",
    "openai-key": "sk-proj-" + _LETTERS,
    "anthropic-key": "sk-ant-api03-" + _LETTERS,
    "google-key": "AIza" + _LETTERS + "Qw4e",
    "slack-token": "xoxb-" + "2718281828-3141592653-" + "q7zt2wm9xc4vb6nn",
    "stripe-key": "sk_live_" + "q7Zt2Wm9Xc4Vb6Nn8Lk3Jh5G",
    "huggingface-token": "hf_" + _LETTERS + "Qw",
    "gitlab-token": "glpat-" + "q7Zt2Wm9Xc4Vb6Nn8Lk3",
    "npm-token": "npm_" + _LETTERS + "Qw4eR",
    "sendgrid-key": "SG." + "q7Zt2Wm9Xc4Vb6Nn8Lk3Jh" + "." + _LETTERS + "Qw4eRt6yUi8o",
    "jwt": "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiJxN1p0MldtOSJ9." + "q7Zt2Wm9Xc4Vb6Nn8Lk3",
}


@pytest.mark.parametrize("kind", SECRETS)
def test_a_key_of_a_known_service_is_taken_out(kind: str) -> None:
    text, found = redact(f"The key is {SECRETS[kind]} as of May.")
    assert [secret.kind for secret in found] == [kind]
    assert SECRETS[kind] not in text
    assert text == f"The key is [secret: {kind}] as of May."


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("password: tr0ub4dor&3x", "tr0ub4dor&3x"),
        ("DB_PASSWORD='n0t-So-s3cret'", "n0t-So-s3cret"),
        ("The wifi password is Kx9!vale22", "Kx9!vale22"),
        ('api_key = "f3Qz81LmWp02"', "f3Qz81LmWp02"),
        ("postgres://app:W7h2kd93@db.local/x", "W7h2kd93"),
        ("Authorization: Bearer q7Zt2Wm9Xc4Vb6Nn8Lk3Jh5", "q7Zt2Wm9Xc4Vb6Nn8Lk3Jh5"),
        ("Passwort: H4us!tuer99", "H4us!tuer99"),
        ("密码: Zx81mkLp2", "Zx81mkLp2"),
    ],
)
def test_what_is_assigned_to_a_password_is_taken_out(text: str, secret: str) -> None:
    clean, found = redact(text)
    assert secret not in clean
    assert len(found) == 1


@pytest.mark.parametrize(
    "text",
    [
        "commit 3f2504e04f8911d39a0c0305e82c3301aabbccdd",
        "id: 123e4567-e89b-12d3-a456-426614174000",
        "sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "![](data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk)",
        "The password must have at least 12 characters.",
        "token = os.environ['GITHUB_TOKEN']",
        "password: ${DB_PASSWORD}",
        "api_key: YOUR_API_KEY_HERE",
        "export TOKEN=<your-token-123>",
        "secret_key_base is read from config/secrets.yml",
        "postgres://user:password@localhost/db",
        "AKIAIOSFODNN7EXAMPLE",
        "the token is refreshed every 30 minutes",
        "auth: tokenRefreshHandler(request)",
        "https://example.com/path?key=value&page=2",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == (text, ())


def test_a_private_key_goes_whole_and_lines_keep_their_numbers() -> None:
    block = "\n".join(
        ["-----BEGIN " + "OPENSSH PRIVATE KEY-----", *["b3BlbnNzaC1rZXktdjEAAAAA"] * 3,
         "-----END " + "OPENSSH PRIVATE KEY-----"]
    )  # fmt: skip
    text, found = redact(f"before\n{block}\nafter")
    assert text.split("\n")[0] == "before"
    assert text.count("\n") == 6
    assert text.endswith("\nafter")
    assert "b3Blb" not in text
    assert found[0].line == 2


@settings(max_examples=100)
@given(st.text(max_size=80), st.sampled_from(sorted(SECRETS)), st.text(max_size=80))
def test_redacting_keeps_lines_and_twice_is_once(before: str, kind: str, after: str) -> None:
    text = f"{before} {SECRETS[kind]} {after}"
    clean, found = redact(text)
    assert SECRETS[kind] not in clean
    assert found
    assert clean.count("\n") == text.count("\n")
    assert redact(clean) == (clean, ())


@settings(max_examples=100)
@given(st.text(max_size=300))
def test_any_text_can_be_searched(text: str) -> None:
    for secret in find_secrets(text):
        assert 0 <= secret.start < secret.end <= len(text)
