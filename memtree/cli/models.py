"""`models`: which language models there are, and which one is used."""

from __future__ import annotations

import sys

from memtree.cli._errors import DONE, NOTHING
from memtree.cli._progress import Progress
from memtree.cli._render import table
from memtree.cli._terminal import clean, stderr, stdout
from memtree.errors import Refused, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Annotated

    import typer

    from memtree.cli._typer import JsonOption, TreeOption
    from memtree.llm.store import Model


def _family() -> int:
    """Add, fetch, choose and try language models; none is needed.

    None is fetched unasked. A model proposes what to keep (`curate`) and answers what no other tier
    is sure of (`query`). It is your own setting, the same for every tree. A server of yours that
    speaks OpenAI's protocol will do: `memtree config set llm.endpoint URL`, then
    `memtree models use endpoint:MODEL`.
    """
    return DONE


def list_(as_json: JsonOption = False, tree: TreeOption = None) -> int:
    """List the models that are here, and those that can be fetched."""
    from memtree.config import own
    from memtree.llm.catalogue import CATALOGUE
    from memtree.llm.store import models

    del tree
    used, window = own("llm.model"), int(float(own("llm.window")))
    here = models()
    names = {model.name for model in here}
    others = [each for each in CATALOGUE if each.name not in names]
    if as_json:
        from dataclasses import asdict

        from memtree.cli._json import emit

        emit(
            {
                "used": used,
                "here": [{**asdict(each), "used": each.name == used} for each in here],
                "catalogue": [{**asdict(each), "memory": each.memory(window)} for each in others],
            }
        )
        return DONE
    out = stdout()
    for model in here:
        mark = " (used)" if model.name == used else ""
        out.line(f"{out.bold(clean(model.name))}{mark}")
        out.line(f"  {_size(model.size)}, {clean(model.kind)}, {clean(model.path)}")
    if used and used not in names:
        out.line(f"used: {clean(used)}")
    if not used:
        out.line("No model is used: rules curate, and no tier needs one.")
    if others:
        out.line()
        out.line("To be fetched with `memtree models pull NAME`, if you like; memory is estimated:")
        rows = [
            (each.name, _size(each.size), f"memory {_size(each.memory(window))}",
             each.license, each.good)
            for each in others
        ]  # fmt: skip
        table(out, rows)
    return DONE


def add(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A language model in GGUF.")],
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="What to call it.")] = "",
    as_json: JsonOption = False,
    tree: TreeOption = None,
) -> int:
    """Add a GGUF file that is on this machine; it stays where it is."""
    from memtree.llm import store

    del tree
    with Progress() as progress:
        model = store.add(file, name=name, progress=progress)
    return _said(model, "added", as_json=as_json)


def pull(
    name: Annotated[
        str, typer.Argument(metavar="NAME|URL", help="A name of `models list`, or an address.")
    ],
    sha256: Annotated[
        str, typer.Option("--sha256", metavar="HEX", help="What an address must hold.")
    ] = "",
    called: Annotated[str, typer.Option("--name", metavar="NAME", help="What to call it.")] = "",
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: JsonOption = False,
    tree: TreeOption = None,
) -> int:
    """Fetch a model over the network: says first what, how much and under which license.

    An interrupted download goes on where it stopped. A file that is not what it should be is not
    kept. Where nobody can be asked (a script, a pipe) it needs --yes.
    """
    from memtree.llm import store
    from memtree.llm.catalogue import listed

    del tree
    known = listed(name)
    if known is None and not name.startswith(("https://", "http://")):
        raise UsageError(
            f"the catalogue has no model {name!r}",
            hint="memtree models list; or give the address of a GGUF file",
        )
    sha256 = sha256.strip().lower()
    if sha256 and (len(sha256) != 64 or sha256.strip("0123456789abcdef")):
        raise UsageError("--sha256 takes 64 hexadecimal digits")
    if known and sha256 not in ("", known.sha256):
        raise UsageError(
            f"the catalogue has another SHA-256 for {name!r}: {known.sha256}",
            hint="leave --sha256 out, or give the address of another file",
        )
    url = known.url if known else name
    size, license_ = (known.size, known.license) if known else (0, "")
    what = f"{clean(url)}\n  {_size(size)}, license {license_ or 'not known'}"
    if not (known or sha256):
        what += "; without --sha256 nobody can tell whether it is the file that was meant"
    if not yes and not _agreed(f"fetch {what}\n  into {clean(store.folder())}"):
        stderr().line("nothing was fetched")
        return NOTHING
    short = called or (known.name if known else _stem(url))
    with Progress() as progress:
        model = store.pull(
            short, url, sha256=known.sha256 if known else sha256, size=size,
            license=license_, progress=progress,
        )  # fmt: skip
    return _said(model, "fetched", as_json=as_json)


def use(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="A name of `models list`, endpoint:MODEL, or none."),
    ],
    as_json: JsonOption = False,
    tree: TreeOption = None,
) -> int:
    """Choose the model that `curate` and `query` use; `none` goes back to rules."""
    from memtree import config
    from memtree.llm.choose import choose, settled

    del tree
    wanted = "" if name == "none" else settled(name)
    if wanted:
        # A model that can't be used is refused here, not by the next question.
        settings = config.load("")
        settings.values["llm.model"] = wanted
        choose(settings).close()
    config.assign("", "llm.model", wanted)
    if as_json:
        from memtree.cli._json import emit

        emit({"used": wanted, "file": config.user_file()})
    else:
        stdout().line(f"used from now on: {clean(wanted) or 'no model, rules'}")
        if wanted:
            stdout().line("try it: memtree models test")
    return DONE


def rm(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name of `models list`.")],
    as_json: JsonOption = False,
    tree: TreeOption = None,
) -> int:
    """Forget a model; a file that was fetched is deleted, one that was added stays."""
    from memtree.llm import store

    del tree
    return _said(store.remove(name), "removed", as_json=as_json)


def try_(
    name: Annotated[
        str, typer.Argument(metavar="[NAME]", help="Which; by default the one that is used.")
    ] = "",
    as_json: JsonOption = False,
    tree: TreeOption = None,
) -> int:
    """Load a model and let it fill in a small form: says how fast it is and whether it fits."""
    from memtree import config
    from memtree.llm.choose import choose, settled
    from memtree.llm.trial import tried

    del tree
    settings = config.load("")
    if name:
        settings.values["llm.model"] = settled(name)
    model = choose(settings)
    try:
        trial = tried(model)
    finally:
        model.close()
    memory = _memory()
    if as_json:
        from dataclasses import asdict

        from memtree.cli._json import emit

        emit({**asdict(trial), "memory": memory})
    else:
        out = stdout()
        table(
            out,
            [
                ("model", clean(trial.model)),
                ("window", f"{trial.window:,} tokens"),
                ("first answer", f"{trial.first_ms:,.0f} ms, loading included"),
                ("again", f"{trial.again_ms:,.0f} ms"),
                ("in memory", f"{trial.reused} of the {trial.tokens_in} tokens read again"),
                ("writes", f"{trial.speed:,.1f} tokens a second"),
                ("memory", _size(memory) if memory else "not here: another process has it"),
                ("form", "filled in as it should be" if trial.fits else
                 f"not filled in: {clean(trial.problem)}"),
            ],
        )  # fmt: skip
    return DONE if trial.fits else 3


def _memory() -> int:
    """Bytes that the largest process we started had in memory at most; 0 if that isn't known."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def _said(model: Model, done: str, *, as_json: bool) -> int:
    if as_json:
        from dataclasses import asdict

        from memtree.cli._json import emit

        emit({done: asdict(model)})
        return DONE
    out = stdout()
    out.line(f"{done} {out.bold(clean(model.name))} ({_size(model.size)})")
    if done != "removed":
        out.line(f"use it: memtree models use {clean(model.name)}")
    return DONE


def _agreed(question: str) -> bool:
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        raise Refused("nobody can be asked whether to fetch this", hint="if you want it: --yes")
    err = stderr()
    err.line(question)
    err.write("Fetch it? [y/N] ")
    if err.stream is not None:
        err.stream.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _stem(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2].removesuffix(".gguf").lower()


def _size(size: int) -> str:
    if size <= 0:
        return "size not known"
    return f"{size / 1e9:.2f} GB" if size >= 1e8 else f"{size / 1e6:.1f} MB"


COMMANDS = {
    "models": {
        "_family": _family, "list": list_, "add": add, "pull": pull, "use": use, "rm": rm,
        "test": try_,
    }
}  # fmt: skip
