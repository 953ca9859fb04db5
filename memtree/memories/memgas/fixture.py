"""Twelve entries: one bullet off its entry's topic answers, and a partner shares only the topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

QUESTION = "What is the code of the cabin gate?"
ANSWERS, PARTNER = "notes/hives/spring.md", "notes/hives/winter.md"
_BEES = (
    "The bees came out early this spring and the hives by the orchard are strong. Two queens were "
    "marked, the brood frames look healthy, and the honey supers went on before the lime trees "
    "began to bloom. One colony swarmed on a warm morning and was caught in the pear tree; it got "
    "a new hive with old combs. Mites were counted on every board, sugar syrup was given to the "
    "weak colony, and the smoker needs a new bellows. The first honey was spun late in June, clear "
    "and light, and the wax was melted for candles. Drones were thrown out of two hives, wasps "
    "came to the entrances, and these were made narrow so that the guards can hold them."
)
_WINTER = (
    "The bees cluster in the hives through the winter, and the queens rest without brood. Sugar "
    "syrup was fed until the combs were full of stores, mites were treated, the mouse guards are "
    "at the entrances, and the colonies hum softly when one knocks. Old combs were melted, wax "
    "was poured into candles, honey was sold in jars, and new frames and supers were built for "
    "the spring, when the swarms and drones come again."
)
_OTHERS = (
    (
        "science/sky/saturn.md", "Saturn", "astronomy, planets", "Planets in the telescope.",
        (("The telescope showed the rings of Saturn, four moons of Jupiter and the phase of Venus; "
         "the nebula in Orion was faint, and galaxies were not to be seen."),
         "An eclipse of the moon is expected by astronomers in September."),
    ),
    (
        "music/choir/concert.md", "Choir concert", "choir, singing",
        "Motets and a mass, sung by the choir.",
        (("The choir sang two motets and a mass by Haydn; the tenors were too loud, the altos held "
         "the melody, and the conductor took the fugue faster than in any rehearsal."),
         "The organ was out of tune, and the soprano sang her aria with a cold."),
    ),
    (
        "games/chess/opening.md", "Chess opening", "chess, opening", "A gambit in chess.",
        (("White sacrificed a pawn and later the bishop in the Sicilian opening; the endgame with "
         "two rooks was a draw after sixty moves."),
         "The grandmaster recommended another gambit for Black."),
    ),
    (
        "sports/club/football.md", "Football season", "football, league",
        "Football matches in the league.",
        (("The football team lost the cup final after penalties; the goalkeeper was injured, the "
         "striker scored twice, and the referee gave three yellow cards."),
         "The coach moved training to Tuesdays; the league begins in August."),
    ),
    (
        "health/teeth/dentist.md", "Dentist", "dentist, teeth", "Teeth, and what the dentist said.",
        (("The dentist drilled and filled a molar under anaesthesia; the wisdom teeth may stay, "
         "the gums bleed a little, and an X-ray showed no caries."),
         "The dental hygienist cleans the teeth in autumn; the door has a code."),
    ),
    (
        "work/taxes/return.md", "Tax return", "tax, income", "Income tax and deductions.",
        (("The tax authority demands receipts for deductions of income; interest and dividends are "
         "declared separately, and the refund is paid into the bank account."),
         "The accountant files the tax declaration in March."),
    ),
    (
        "school/maths/exam.md", "Mathematics exam", "mathematics, algebra",
        "Algebra and integrals in the exam.",
        (("The mathematics exam asked for integrals, a proof by induction, and the roots of a "
         "cubic polynomial; calculators were forbidden."),
         "The teacher grades algebra and geometry alike."),
    ),
    (
        "house/cabin/rent.md", "Renting it out", "cabin, guests", "The cabin and who rents it.",
        (("The cabin is rented by the week in summer to families from the town, and guests leave "
         "the cabin as clean as they found it, with the shutters closed and the stove cold."),
         "Guests fetch the cabin key at the farm in the afternoon, and bring it back there."),
    ),
    (
        "house/cabin/repairs.md", "What was mended", "cabin, repairs", "Mending the cabin.",
        (("The roof of the cabin was tarred again before the rain, the gate was hung anew on "
         "stronger hinges, and two panes of the cabin windows were replaced."),
         "The cabin stove draws badly; the pipe behind the cabin has to be swept."),
    ),
    (
        "house/cabin/fence.md", "The fence", "cabin, fence", "The fence of the cabin.",
        (("The fence around the cabin was painted green and the posts were set in concrete, since "
         "the ground is soft where the brook comes down to the meadow."),
         "A gate for the cart is missing still; the path to the cabin is gravel now."),
    ),
)  # fmt: skip


def entries() -> dict[str, str]:
    """The twelve by path, the partner the newest."""
    found = {}
    for number, (path, title, tags, summary, bullets) in enumerate(_OTHERS, 1):
        found[path] = _entry(title, tags, summary, bullets, number)
    found[ANSWERS] = _entry(
        "Hives in spring", "cabin, bees, hives", "The bees and hives by the cabin in spring.",
        (_BEES, "The code of the cabin gate is 4471."), 11,
    )  # fmt: skip
    found[PARTNER] = _entry(
        "Hives in winter", "bees, hives, honey", "The bees and hives in winter.", (_WINTER,), 12
    )
    return found


def _entry(title: str, tags: str, summary: str, bullets: Sequence[str], day: int) -> str:
    listed = "".join(f"- {bullet}\n" for bullet in bullets)
    return (
        f"---\ntitle: {title}\ntags: [{tags}]\nsummary: {summary}\n"
        f"time: 2024-03-{day:02}\n---\n{listed}"
    )
