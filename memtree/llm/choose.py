"""From a person's settings to a language model; nothing is loaded or asked before it is used."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from memtree.errors import ModelUnavailable

if TYPE_CHECKING:
    from memtree.config import Config
    from memtree.llm.protocol import LanguageModel

WAYS = "a name of `memtree models list`, gguf:FILE or endpoint:MODEL"


def choose(config: Config) -> LanguageModel:
    """The model that `llm.model` names, with the other settings `llm.*`.

    Raises ModelUnavailable when none is set, or the one that is can't be used.
    """
    setting = config.text("llm.model").strip()
    if not setting or setting == "none":
        raise ModelUnavailable(
            "no language model is set",
            hint="memtree models list shows some; then: memtree models use NAME",
        )
    window, timeout = int(config.number("llm.window")), config.number("llm.timeout")
    way, colon, what = setting.partition(":")
    if way == "endpoint" and colon:
        return _endpoint(what, config, window=window, timeout=timeout)
    from memtree.llm.llama import Llama

    path, name = _file(setting)
    model = Llama(
        path, name=name, window=window, threads=int(config.number("llm.threads")), timeout=timeout
    )
    must_have_llama()  # said after what is wrong with the file: that can be mended at once
    return model


def settled(setting: str) -> str:
    """A setting as it means the same from every folder: the path of a file made absolute."""
    setting = setting.strip()
    if setting.startswith("gguf:") and setting != "gguf:":
        return "gguf:" + os.path.abspath(os.path.expanduser(setting[5:]))
    return setting


def _endpoint(model: str, config: Config, *, window: int, timeout: float) -> LanguageModel:
    url = config.text("llm.endpoint")
    if not url or not model:
        raise ModelUnavailable(
            f"llm.model = 'endpoint:{model}' needs a model's name, and llm.endpoint",
            hint="memtree config set llm.endpoint http://localhost:8080/v1",
        )
    from memtree.llm.endpoint import Endpoint

    return Endpoint(url, model, key_env=config.text("llm.key_env"), window=window, timeout=timeout)


def _file(setting: str) -> tuple[str, str]:
    """The file that a setting names, and the name that it goes by."""
    if setting.startswith("gguf:") and setting != "gguf:":
        return settled(setting)[5:], ""
    if ":" in setting:
        raise ModelUnavailable(f"llm.model = {setting!r} names no model", hint=f"it can be {WAYS}")
    from memtree.llm.store import find

    return find(setting).path, setting


def must_have_llama() -> None:
    """Raise ModelUnavailable where llama-cpp-python is not installed, in words."""
    from importlib.util import find_spec

    if find_spec("llama_cpp") is None:
        raise ModelUnavailable(
            "models in GGUF files need llama-cpp-python, which is not installed",
            hint='pip install "memtree[llm]"; compiling it takes some 10 to 20 minutes',
        )
