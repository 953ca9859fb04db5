"""`memtree layers derive|stale|export|use-lora`."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from memtree.errors import Refused, StorageFailed, Unavailable, UsageError
from memtree.memories.layers.conclusions import stale as stale_now
from memtree.plugins import Report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memtree.plugins import Desk

NO_MODEL = "conclusions are drawn by a language model, and none is set or can be used"


def derive(
    desk: Desk,
    scope: Annotated[str, "a folder of the tree"] = "",
    *,
    limit: Annotated[int, "most groups of entries that the model is asked about"] = 20,
    dry_run: Annotated[bool, "show what would be added"] = False,
) -> Report:
    """Draw conclusions from entries that belong together, as entries of layer 1 (needs a model)."""
    from memtree.memories.layers.derive import derived, remember

    if limit < 1:
        raise UsageError("--limit is a number from 1")
    context = desk.context
    model = context.llm
    if model is None or "json" not in model.capabilities:
        raise Unavailable(NO_MODEL, hint="memtree models list; `layers stale` and `export` work")
    scope = context.tree.folder(scope)
    done = derived(context, model, scope=scope, limit=limit)
    swept = desk.apply(done.operations, dry_run=dry_run)
    if not dry_run:
        remember(context, done, scope)
    lines = [f"{'would add' if dry_run else 'added'} {path}: {why}"
             for _, path, why in swept.applied]  # fmt: skip
    lines += [f"refused {path}: {why}" for _, path, why in swept.rejected]
    lines += [f"not taken: {text} ({why})" for text, why in done.refused]
    turned = len(done.refused) + len(swept.rejected)
    lines.append(
        f"{len(done.asked)} groups asked, {len(swept.applied)} conclusions, {turned} turned down, "
        f"{done.left} entries not looked at yet"
    )
    value = {
        "asked": len(done.asked), "left": done.left,
        "added": [path for _, path, _ in swept.applied],
        "refused": [list(each) for each in done.refused] + [list(each) for each in swept.rejected],
        "transaction": swept.transaction,
    }  # fmt: skip
    return Report(lines=lines, value=value, code=0 if swept.applied else 1)


def stale(desk: Desk) -> Report:
    """Show conclusions whose sources changed or were deleted since they were drawn."""
    desk.follow()
    found = stale_now(desk.context)
    lines = [f"{path}: {'; '.join(why)}" for path, why in found.items()]
    return Report(
        lines=lines or ["no conclusion is stale"], value={"stale": found}, code=1 if found else 0
    )


def export(
    desk: Desk,
    *,
    l2: Annotated[str, "write the pairs to this file, outside of the tree"] = "",
    scope: Annotated[str, "only entries below this folder"] = "",
    replace: Annotated[bool, "take the place of a file that is there"] = False,
) -> Report:
    """Give pairs to train a personal model (L2) on, as JSON lines, nothing private or frozen."""
    from memtree.memories.layers.export import pairs

    desk.follow()
    scope = desk.context.tree.folder(scope)
    found = list(pairs(desk.context, scope))
    lines = [json.dumps(pair, ensure_ascii=False) for pair in found]
    if not l2:
        return Report(lines=lines, value={"pairs": found}, code=0 if found else 1)
    _write(l2, lines, replace=replace)
    return Report(
        lines=[f"{len(found)} pairs in {l2}"], value={"pairs": len(found), "file": l2},
        code=0 if found else 1,
    )  # fmt: skip


def _write(name: str, lines: Sequence[str], *, replace: bool) -> None:
    """Write a file outside of any tree, whole or not at all."""
    place = os.path.realpath(name)
    if any((folder / ".memtree").is_dir() for folder in Path(place).parents):
        raise Refused(f"'{name}' lies in a tree", hint="pairs to train on belong outside of it")
    if os.path.lexists(place) and not os.path.isfile(place):
        raise Refused(f"'{name}' is no file", hint="name a file, or leave out --l2 to print")
    if os.path.lexists(name) and not replace:
        raise Refused(f"'{name}' is there already", hint="--replace, or another name")
    part = f"{place}.part"
    try:
        with open(part, "w", encoding="utf-8", errors="replace", newline="\n") as file:
            file.writelines(f"{line}\n" for line in lines)
        os.replace(part, place)
    except OSError as error:
        with suppress(OSError):
            os.remove(part)
        raise StorageFailed(f"'{name}' can't be written: {error.strerror or error}") from error


def use_lora(desk: Desk, file: Annotated[str, "a LoRA in GGUF"]) -> Report:
    """Look whether a file is a LoRA, and say what could use it (here nothing loads one yet)."""
    from memtree.memories.layers.lora import read_adapter

    found = read_adapter(file)
    model = desk.context.llm
    shown = "".join(letter for letter in f"{found.name or file}" if letter.isprintable())
    lines = [f"{shown}: a LoRA for {found.kind}, alpha {found.alpha:g}, {found.tensors} tensors"]
    able = model is not None and "lora" in model.capabilities
    lines.append(
        f"{model.name} says that it takes LoRA, but memtree has no way yet to hand it one"
        if model is not None and able
        else "no language model that is set here can load a LoRA"
    )
    lines.append(
        f"to use it: merge it into its base model of the kind {found.kind} (llama-export-lora), "
        "then memtree models add FILE"
    )
    value = {"kind": found.kind, "alpha": found.alpha, "tensors": found.tensors, "used": False}
    return Report(lines=lines, value=value, code=3)
