"""From the words of a setting to an embedder; only the chosen one is imported."""

from __future__ import annotations

import os

from memtree.errors import ModelUnavailable, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from memtree.embed.protocol import Embedder

WAYS = "builtin, none, minilm, minilm:/folder, gguf:/file.gguf or endpoint:MODEL"


def choose(
    setting: str,
    *,
    endpoint: str = "",
    key_env: str = "",
    prefix: str = "",
    questions: str = "",
    digest: Callable[[str], str] | None = None,
) -> Embedder | None:
    """The embedder that a setting names, or None for `none`.

    `builtin` is the static table; `minilm` the installed full model, `minilm:/folder` the same from
    a folder; `gguf:/file.gguf` any embedding model through llama.cpp; `endpoint:MODEL` a model
    behind the URL `endpoint`, with the key in the environment variable `key_env`. `prefix` is what
    a GGUF model or an endpoint wants before each text. `questions` is where a table may lie, or be
    learned, that embeds questions in a large model's place (`memtree.embed.student`). `digest`
    takes a file's SHA-256, for a caller that remembers them. Paths may begin with `~`.

    Opens files and reads heads, and loads no model. Raises UsageError for a setting that says none
    of these, ModelUnavailable for a model that is not there.
    """
    way, colon, what = setting.strip().partition(":")
    if way == "none" and not colon:
        return None
    if way == "builtin" and not colon:
        from memtree.embed.table import Table

        return Table()
    if way == "minilm" and bool(what) == bool(colon):
        return _minilm(what, digest, questions)
    if way == "gguf" and what:
        from memtree.embed.digest import sha256
        from memtree.embed.gguf import GGUF

        return GGUF(os.path.expanduser(what), prefix=prefix, digest=digest or sha256)
    if way == "endpoint" and what:
        return _endpoint(what, endpoint, key_env, prefix)
    raise UsageError(f"embed.model = {setting!r} names no model", hint=f"it can be {WAYS}")


def settled(setting: str, *, endpoint: str = "", key_env: str = "", prefix: str = "") -> str:
    """The setting as it is to be written, after looking whether its model can be used here.

    Paths become absolute, since memtree is called from everywhere; one that begins with `~` stays.
    MiniLM's files are compared with the published ones; a server is not asked. Raises UsageError
    and ModelUnavailable as `choose` does.
    """
    way, _, what = setting.strip().partition(":")
    if what and way in ("minilm", "gguf") and not what.startswith("~"):
        setting = f"{way}:{os.path.abspath(what)}"
    model = choose(setting, endpoint=endpoint, key_env=key_env, prefix=prefix)
    if model is not None:
        try:
            if verify := getattr(model, "verify", None):
                verify()
            elif way == "gguf":
                _must_have_llama()
        finally:
            model.close()
    return setting.strip()


def _must_have_llama() -> None:
    from importlib.util import find_spec

    if find_spec("llama_cpp") is None:
        raise ModelUnavailable(
            "GGUF models need llama-cpp-python, which is not installed",
            hint='pip install "memtree[llm]"',
        )


def _minilm(folder: str, digest: Callable[[str], str] | None, questions: str) -> Embedder:
    from memtree.embed.digest import sha256
    from memtree.embed.minilm import MiniLM, installed

    place = os.path.expanduser(folder) if folder else installed()
    model = MiniLM(place, digest=digest or sha256)
    if not questions:
        return model
    from memtree.embed.student import Student

    return Student(model, questions)


def _endpoint(model: str, url: str, key_env: str, prefix: str) -> Embedder:
    if not url:
        raise UsageError(
            f"embed.model = 'endpoint:{model}' needs embed.endpoint",
            hint="set embed.endpoint to something like http://localhost:8080/v1",
        )
    from memtree.embed.endpoint import Endpoint

    return Endpoint(url, model, key_env=key_env, prefix=prefix)
