"""The language models of this person: which files they are, registered by name.

The register (`models.json`) and what `models pull` fetched lie in one folder of the person's own,
never in a tree. A file that was added stays where it is; one that changed since is not used.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from memtree.errors import ModelUnavailable, StorageFailed, UsageError
from memtree.llama.head import read_head
from memtree.llm.catalogue import listed
from memtree.person import place, write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from memtree.llama.head import Head

    Progress = Callable[[str, int, int], None]

VARIABLE = "MEMTREE_MODELS"
"""The environment variable that names another folder."""
REGISTER = "models.json"
_MOST_NAME = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A registered model: an absolute path, the SHA-256 (hex) and size (bytes) of its file.

    `kind` is its architecture, `context` the tokens that it was made for; `ours` says that we
    fetched the file, and so may remove it.
    """

    name: str
    path: str
    sha256: str
    size: int
    kind: str = ""
    context: int = 0
    license: str = ""
    ours: bool = False


def folder() -> str:
    """Where the register and fetched models lie, on this system."""
    return place("data", VARIABLE, "models")


def models() -> list[Model]:
    """The registered models, by name. Raises StorageFailed for a register that can't be read."""
    path = os.path.join(folder(), REGISTER)
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
        return sorted((Model(**each) for each in found["models"]), key=lambda each: each.name)
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise StorageFailed(
            f"the register of models can't be read: {error}",
            hint=f"mend or remove {path}, and add the models again",
        ) from error


def find(name: str) -> Model:
    """The registered model with this name, its file looked at.

    Raises ModelUnavailable when there is none, or its file is gone or another one now.
    """
    known = models()
    model = next((each for each in known if each.name == name), None)
    if model is None:
        hint = "memtree models list shows what there is"
        if listed(name):
            hint = f"fetch it first: memtree models pull {name}"
        raise ModelUnavailable(f"there is no language model {name!r} here", hint=hint)
    try:
        size = os.stat(model.path).st_size
    except OSError as error:
        raise ModelUnavailable(
            f"the file of the model {name!r} can't be read: {error.strerror}",
            hint="put it back, or add it again: memtree models add FILE",
        ) from error
    if size != model.size:
        raise ModelUnavailable(
            f"the file of the model {name!r} changed since it was added",
            hint="if that is right, add it again: memtree models add FILE",
        )
    return model


def add(path: str, *, name: str = "", progress: Progress | None = None) -> Model:
    """Register the GGUF file at `path`; it stays where it is.

    Reads it once, for its digest. Raises ModelUnavailable for a file that is no language model,
    UsageError for a name that is no name or means another file.
    """
    path = os.path.abspath(os.path.expanduser(path))
    head = _head(path)
    name = _named(name or os.path.basename(path).removesuffix(".gguf").lower())
    _check_free(name, path)
    model = Model(
        name=name, path=path, sha256=_digest(path, progress), size=os.stat(path).st_size,
        kind=head.kind, context=head.context, license=head.license,
    )  # fmt: skip
    _register(model)
    return model


def pull(
    name: str, url: str, *, sha256: str = "", size: int = 0, license: str = "",  # noqa: A002
    progress: Progress | None = None,
) -> Model:  # fmt: skip
    """Fetch a GGUF file and register it; an interrupted download goes on where it stopped.

    One that is here already, as its digest says, is not fetched again. A file that is no language
    model is not kept, and whatever had the name before stays.

    Raises Unavailable when it can't be fetched, or is not what it should be; UsageError for a name
    that is no name or means a file of the person's own.
    """
    from memtree import net

    name = _named(name)
    place = folder()
    try:
        os.makedirs(place, exist_ok=True)
    except OSError as error:
        raise _refused(place, error) from error
    path = os.path.join(place, f"{name}.gguf")
    here = _check_free(name, path)
    if here and sha256 and here.sha256 == sha256 and _digest(path, progress) == sha256:
        return here
    fetched = f"{path}.new"
    told = None if progress is None else (lambda done, total: progress(name, done, total))
    digest = net.download(url, fetched, sha256=sha256, size=size, progress=told)
    try:
        head = _head(fetched)
    except ModelUnavailable:
        os.unlink(fetched)
        raise
    try:
        os.replace(fetched, path)
    except OSError as error:
        raise _refused(path, error) from error
    model = Model(
        name=name, path=path, sha256=digest, size=os.stat(path).st_size, kind=head.kind,
        context=head.context, license=license or head.license, ours=True,
    )  # fmt: skip
    _register(model)
    return model


def remove(name: str) -> Model:
    """Forget a model; a file that we fetched is deleted. Raises ModelUnavailable for none."""
    known = models()
    model = next((each for each in known if each.name == name), None)
    if model is None:
        raise ModelUnavailable(
            f"there is no language model {name!r} here", hint="memtree models list"
        )
    _write([each for each in known if each.name != name])
    inside = os.path.dirname(os.path.realpath(model.path)) == os.path.realpath(folder())
    if model.ours and inside:
        try:
            os.unlink(model.path)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise _refused(model.path, error) from error
    return model


def _head(path: str) -> Head:
    """The head of a language model. Raises ModelUnavailable for a file that is none."""
    head = read_head(path)
    if not head.writes:
        raise ModelUnavailable(
            f"{path!r} is no language model: it is {head.kind!r}, which writes nothing",
            hint="a model that embeds goes into embed.model",
        )
    return head


def _check_free(name: str, path: str) -> Model | None:
    """The model that has this name and file already, if any.

    Raises UsageError when the name means another file.
    """
    here = next((each for each in models() if each.name == name), None)
    if here is not None and here.path != path:
        raise UsageError(
            f"there is a model {name!r} already, another file",
            hint="give this one another name: --name NAME",
        )
    return here if here is not None and os.path.exists(path) else None


def _register(model: Model) -> None:
    _write([*(each for each in models() if each.name != model.name), model])


def _named(name: str) -> str:
    """A name that is a file's name on every system, or UsageError."""
    fits = 0 < len(name) <= _MOST_NAME and all(c.isalnum() or c in "-_." for c in name)
    if not fits or not name.isascii() or not name[0].isalnum() or ":" in name:
        raise UsageError(
            f"{name[:_MOST_NAME]!r} is no name for a model",
            hint="letters, digits, and - _ . between them: --name NAME",
        )
    return name


def _digest(path: str, progress: Progress | None) -> str:
    import hashlib

    digest = hashlib.sha256()
    total, done = os.stat(path).st_size, 0
    try:
        with open(path, "rb") as file:
            while piece := file.read(1 << 22):
                digest.update(piece)
                done += len(piece)
                if progress is not None:
                    progress("reading, bytes", done, total)
    except OSError as error:
        raise ModelUnavailable(f"{path!r} can't be read: {error.strerror}") from error
    return digest.hexdigest()


def _write(known: Sequence[Model]) -> None:
    path = os.path.join(folder(), REGISTER)
    ordered = [asdict(each) for each in sorted(known, key=lambda each: each.name)]
    try:
        os.makedirs(folder(), exist_ok=True)
        write_whole(path, json.dumps({"models": ordered}, indent=2) + "\n")
    except OSError as error:
        raise _refused(path, error) from error


def _refused(path: str, error: OSError) -> StorageFailed:
    return StorageFailed(f"{path} can't be written: {error.strerror or error}")
