"""A model that says what it was told to say, whatever it is asked."""

from collections.abc import Mapping, Sequence

from memtree.errors import ModelUnavailable, UsageError
from memtree.llm.protocol import Completion, Prompt


class ToyModel:
    """Answers one after another; an exception among them is raised. Tokens are words."""

    def __init__(self, answers: Sequence[str | Completion | Exception], window: int = 2048) -> None:
        self.answers = list(answers)
        self.window = window
        self.prompts: list[Prompt] = []
        self.schemas: list[Mapping[str, object] | None] = []
        self.closed = 0

    name = "toy"
    actor = "llama/toy"

    def count(self, text: str) -> int:
        return len(text.split())

    def complete(
        self,
        prompt: Prompt,
        *,
        limit: int,
        schema: Mapping[str, object] | None = None,
        seed: int = 0,
        temperature: float = 0.0,
    ) -> Completion:
        assert temperature == 0.0
        assert seed == 0
        whole = prompt.system + prompt.shared + prompt.user
        if self.count(whole) + limit > self.window:
            raise UsageError("too long")
        self.prompts.append(prompt)
        self.schemas.append(schema)
        if not self.answers:
            raise ModelUnavailable("the script is at its end")
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Completion):
            return answer
        return Completion(text=answer, tokens_in=self.count(whole), tokens_out=7, reused=3, ms=2.0)

    def close(self) -> None:
        self.closed += 1
