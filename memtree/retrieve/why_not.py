"""Why an entry did not come: said of one entry, in sentences."""

from __future__ import annotations

from memtree.errors import MemtreeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from memtree.knowledge.query import Hit
    from memtree.retrieve.engine import Engine
    from memtree.retrieve.tier import Ask, Finding


def why_not(  # noqa: C901  (one sentence for each way to get lost)
    engine: Engine, ask: Ask, hits: Sequence[Hit], findings: Sequence[tuple[str, Finding]]
) -> str:
    """What happened to the entry that `ask.query.why_not` names."""
    from memtree.retrieve.naming import resolve

    name = ask.query.why_not or ""
    try:
        path = resolve(engine, name)
    except MemtreeError as error:
        return f"{error.message}; {error.hint}" if error.hint else error.message
    for rank, hit in enumerate(hits, 1):
        if hit.path == path:
            return f"it did come: rank {rank} of {len(hits)}, by the {hit.tier} tier ({hit.why})"
    row = engine.catalog.by_path(path)
    if row is None:
        return f"'{path}' is not in the index"
    said: list[str] = []
    if not row.fts:
        said.append("its text is not indexed yet (pending): memtree index")
    if ask.scope and not path.startswith(ask.scope + "/"):
        said.append(f"it lies outside '{ask.scope}'")
    said += _words(engine, ask, row.number)
    by = engine.company.taken(path) if engine.company is not None else ""
    if by:
        said.append(f"the plugin {by} took it out of what is shown")
    for tier, finding in findings:
        place = next(
            (at for at, match in enumerate(finding.matches, 1) if match.row.number == row.number),
            0,
        )
        if place:
            match = finding.matches[place - 1]
            said.append(
                f"the {tier} tier had it at rank {place} (score {match.score:.3f}: {match.why})"
                + ("" if by else ", behind what is shown")
            )
        elif finding.sure and not hits:
            said.append(f"the {tier} tier was not sure")
        elif finding.sure:
            said.append(f"the {tier} tier was sure of '{hits[0].path}' and the climb stopped")
    return "\n".join(said)


def _words(engine: Engine, ask: Ask, number: int) -> list[str]:
    full_text = engine.full_text
    there: list[str] = []
    missing: list[str] = []
    for word in ask.words:
        if word.stop:
            continue
        fields = [
            full_text.phrase(field, word.stems) for field in ("body", "title", "heading", "about")
        ]
        found = full_text.count(full_text.of_entries(full_text.any_of(fields), [number]))
        (there if found else missing).append(word.text)
    said = []
    if missing:
        said.append("it does not have " + ", ".join(f"'{word}'" for word in missing))
    if there:
        said.append("it has " + ", ".join(f"'{word}'" for word in there))
    return said
