"""A small tree, and a scripted model that writes questions to it, one of them wrongly."""

from __future__ import annotations

import json

ANA, FALCON, ROUTER = "people/team/ana.md", "work/projects/falcon.md", "home/network/router.md"
FILES = {
    ANA: "---\ntitle: Ana Ruiz\n---\nAna Ruiz lives in Oslo. She was born in Bergen in 1988.\n\n"
    "Ana Ruiz wants to move to Lisbon.\n",
    "people/team/tom.md": "# Tom Wolf\n\nTom Wolf lives in Graz and is allergic to peanuts.\n",
    FALCON: "# Project Falcon\n\nThe manager of Project Falcon is Ana Ruiz.\n\n"
    "Project Falcon started on 3 May 2024.\n",
    "work/projects/eagle.md": "# Project Eagle\n\nThe manager of Project Eagle is Tom Wolf.\n",
    "work/api/gateway.md": "# Gateway\n\nThe default timeout of the gateway is 30 seconds.\n",
    ROUTER: "# Router\n\n## How do I reset the router?\n\nHold the button for ten seconds.\n\n"
    "## What is it?\n\nA box.\n",
}  # fmt: skip
QUESTIONS = {
    "Ana Ruiz": (
        ("Where does Ana Ruiz live?", "Oslo", "Oslo"),
        ("Where was Ana Ruiz born?", "Bergen", "Bergen"),
        # The seeded wrong pair: the answer stands in the entry, and is that to another question.
        ("Which city does Ana Ruiz want to move to?", "Bergen", "Lisbon"),
        ("How old is Ana Ruiz?", "thirty-six", "thirty-six"),  # does not stand there
        ("Where was she born?", "Bergen", "Bergen"),  # who?
    ),
    "Tom Wolf": (
        ("Where does Tom Wolf live?", "Graz", "Graz"),
        ("What is Tom Wolf allergic to?", "peanuts", "peanuts"),
    ),
    "Project Falcon": (
        ("Who is the manager of Project Falcon?", "Ana Ruiz", "Ana Ruiz"),
        ("When did Project Falcon start?", "3 May 2024", "3 May 2024"),
    ),
    "Project Eagle": (("Who is the manager of Project Eagle?", "Tom Wolf", "Tom Wolf."),),
    "Gateway": (("What is the default timeout of the gateway?", "30 seconds", "30 seconds"),),
}
"""Title -> (question, stored answer, what the model says when it is asked back)."""
KEPT = 8
WRONG = "Which city does Ana Ruiz want to move to?"
ASKED = {
    "In which city does Ana Ruiz live?": (ANA, "Oslo"),
    "do you know where Ana Ruiz lives": (ANA, "Oslo"),
    "Who manages Project Falcon?": (FALCON, "Ana Ruiz"),
    "When did Project Falcon begin?": (FALCON, "3 May 2024"),
    "What's the gateway's default timeout?": ("work/api/gateway.md", "30 seconds"),
    "Which allergy does Tom Wolf have?": ("people/team/tom.md", "peanuts"),
    "How can I reset the router?": (ROUTER, "Hold the button for ten seconds."),
}
"""A paraphrase of a stored question -> the entry and the answer."""
NOT_STORED = (
    "Where does Tom Wolf work?", "Who was the manager of Project Falcon?",
    "When did Project Eagle start?", "What is the maximum timeout of the gateway?",
    "Why do I reset the router?", WRONG,
)  # fmt: skip
TWO_HOPS = {
    "Where does the manager of Project Falcon live?": ("Oslo", (ANA, FALCON)),
    "In which city was Project Falcon's manager born?": ("Bergen", (ANA, FALCON)),
    "What is the manager of Project Eagle allergic to?": (
        "peanuts", ("people/team/tom.md", "work/projects/eagle.md"),
    ),
}  # fmt: skip


class Writer:
    """A model that writes these questions, answers them back, and counts how often it is asked."""

    def __init__(self) -> None:
        self.calls = 0
        self.read = 0

    def __call__(self, prompt: str) -> str:
        """The answer to a prompt."""
        self.calls += 1
        title = prompt.partition("Title: ")[2].partition("\n")[0]
        if "Write at most" in prompt:
            self.read += 1
            said = QUESTIONS.get(title, ())
            return json.dumps({"pairs": [{"question": q, "answer": a} for q, a, _ in said]})
        asked = prompt.rpartition("Question: ")[2].strip()
        back = {q: again for pairs in QUESTIONS.values() for q, _, again in pairs}
        return json.dumps({"answer": back.get(asked, "")})
