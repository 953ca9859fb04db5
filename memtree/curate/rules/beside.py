"""Beside what: the folder of the tree that speaks of the same, for claims that name no place.

A source that brings headings or a folder of its own says where it belongs. A text that was typed,
or a file that lies alone, goes to where the tree speaks of these things already, if that is one
place and not several.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.claims.wording import wording

if TYPE_CHECKING:
    from memtree.curate.protocol import Outlook
    from memtree.curate.rules.placing import Group

ANYWHERE = "notes/"
"""Where claims go that nothing places."""
WORDS = 12
"""Telling words of a group that have to be met at most: a long one speaks of more than a place."""
SHARED, COVER, ALONE = 2, 0.3, 0.6
"""Words in common with a passage, the share of the group's that they are, and the share of all that
is like it which has to lie in one folder. Set by hand, on the example tree and our own notes."""
_LETTERS = 1500
_APART = ("people/", "conversations/", ANYWHERE)


def beside(group: Group, outlook: Outlook) -> Group:
    """The group, moved to the folder where the tree speaks of the same; itself if there is none."""
    if not group.path.startswith(ANYWHERE) or outlook.entry(f"{group.path}.md") is not None:
        return group
    said = "\n".join(each.claim.text for each in group.found)[:_LETTERS]
    own = set(wording(said).content)
    likeness: dict[str, float] = {}
    for known in outlook.recall(said):
        common = own & set(wording(known.text).content)
        share = len(common) / max(1, min(len(own), WORDS))
        if len(common) >= SHARED and share >= COVER:
            home = known.path.rpartition("/")[0]
            likeness[home] = likeness.get(home, 0.0) + share
    if not likeness:
        return group
    folder, most = max(likeness.items(), key=lambda each: (each[1], each[0]))
    deep = 1 <= folder.count("/") <= 2
    if most < ALONE * sum(likeness.values()) or not deep or f"{folder}/".startswith(_APART):
        return group
    return group._replace(path=f"{folder}/{group.path.rpartition('/')[2]}")
