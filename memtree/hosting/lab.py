"""Where plugins are proved: scratch trees, scripted models, data that a person gave.

The host's side of `memtree.plugins.desk.Lab`. A lab is a program that uses memtree as others do:
it opens trees through the public face of the package.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from typing import TYPE_CHECKING

from memtree.config import assign
from memtree.errors import UsageError
from memtree.hosting.desk import WorkDesk
from memtree.hosting.registry import Loaded
from memtree.llm.scripted import ScriptedModel
from memtree.plugins.api import Check
from memtree.plugins.records import read_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Self

    from memtree.app import Tree
    from memtree.llm.protocol import Prompt
    from memtree.plugins.api import Manifest

WINDOW = 4096


class ScratchLab:
    """A lab for one plugin (its class), with its scratch trees below `place`."""

    def __init__(self, plugin: Callable[[], object], place: str = "", data: str = "") -> None:
        self.data = data
        self.skipped: list[tuple[str, str]] = []
        made = plugin()
        manifest: Manifest = made.manifest  # type: ignore[attr-defined]
        self.loaded = Loaded(made, manifest, ours=True)
        self._closing = contextlib.ExitStack()
        self._place = place or self._closing.enter_context(
            tempfile.TemporaryDirectory(prefix="memtree-lab-")
        )
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the trees, and take the scratch folder away if it is ours."""
        self._closing.close()

    def tree(
        self, files: Mapping[str, str], *,
        model: Sequence[str] | Callable[[str], str] | None = None, embedder: str = "builtin",
        options: Mapping[str, object] | None = None, now: str = "",
        capabilities: Sequence[str] = ("json", "raw"),
    ) -> WorkDesk:  # fmt: skip
        """A tree of these files with the plugin at work alone."""
        import memtree
        from memtree.hosting.host import Host

        self._count += 1
        root = os.path.join(self._place, f"tree-{self._count}")
        tree: Tree = self._closing.enter_context(memtree.init_tree(root))
        for path, text in files.items():
            _write(os.path.join(tree.root, *path.split("/")), text)
        if embedder != "builtin":
            assign(tree.root, "embed.model", embedder)
        if model is not None:
            tree.language_model = scripted(model)
        else:
            tree.without_model = True  # a person's own model has no part in a check
        tree.host_with(
            lambda: Host(
                tree, only=self.loaded, capabilities=frozenset(capabilities), options=options
            )
        )
        return WorkDesk(
            tree, self.loaded, options=options, now=now,
            capabilities=frozenset(capabilities),
        )  # fmt: skip

    def documents(self, folder: str) -> Iterator[tuple[str, str, str]]:
        """(id, path, text) of a data set's `corpus.jsonl`, as entries for `tree`."""
        from memtree.knowledge.path import slug

        path = os.path.join(folder, "corpus.jsonl")
        for number, line in enumerate(read_records(path)):
            group = slug(str(line.get("group") or "")) if line.get("group") else "all"
            title = " ".join(str(line.get("title") or "").split())
            head = {"id": str(line["id"]), "title": title, "time": str(line.get("date") or "")}
            front = "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n"
                            for key, value in head.items() if value)  # fmt: skip
            name = f"{slug(title)[:40]}-{number}" if title else f"{number}"
            yield str(line["id"]), f"{group}/{name}.md", f"---\n{front}---\n{line['text']}\n"

    def skip(self, name: str, reason: str) -> None:
        """A check that can't be measured here: said, and never counted as passed."""
        self.skipped.append((name, reason))


def scripted(model: Sequence[str] | Callable[[str], str]) -> ScriptedModel:
    """A model that says what it was told to, or what a function of the whole prompt gives."""
    if callable(model):
        function = model

        def answer(prompt: Prompt) -> str:
            parts = (prompt.system, prompt.shared, prompt.user)
            return function("\n".join(part for part in parts if part))

        return ScriptedModel(answer, window=WINDOW)
    return ScriptedModel(list(model), window=WINDOW)


def run(lab: ScratchLab) -> list[Check]:
    """The checks of a plugin's self-test; one that breaks off is a check that failed."""
    name = lab.loaded.name
    found: list[Check] = []
    selftest = getattr(lab.loaded.plugin, "selftest", None)
    if selftest is None:
        lab.skip("selftest", "it has none")
        return found
    try:
        for check in selftest(lab):
            found.append(check)
            if not isinstance(check, Check):
                found[-1] = Check(name="selftest", passed=False, needed="memtree.plugins.Check",
                                  measured=type(check).__name__)  # fmt: skip
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if lab.data and isinstance(error, UsageError):
            raise  # what a person gave can't be read: that is not the plugin's failure
        text = " ".join(str(error).split())[:300]
        found.append(Check(name=f"{name} runs to its end", passed=False,
                           measured=f"{type(error).__name__}: {text}",
                         needed="no error"))  # fmt: skip
    return found


def _write(place: str, text: str) -> None:
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place, "w", encoding="utf-8", newline="") as file:
        file.write(text)
