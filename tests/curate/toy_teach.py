"""Teach a small model the ledger's notation: `python toy_teach.py FILE.gguf`, some 40 s of CPU."""

import random
import sys
from pathlib import Path

from toy_ledger import example, make_item, vocabulary
from toy_transformer import BEGIN, END, Transformer, Words, save, teach

EXAMPLES, STEPS, WIDTH, CONTEXT = 4000, 600, 64, 1024


def main(path: Path) -> None:
    generator = random.Random(1)
    words = Words(vocabulary())
    examples = []
    for _ in range(EXAMPLES):
        prompt, answer = example(make_item(generator, held_out=False))
        told = [BEGIN]
        # As llama.cpp is given a prompt without a chat template, see `memtree.llm.llama`.
        for text in (prompt.system, "\n\n", prompt.shared, "\n\n", prompt.user, "\n\n"):
            told += words.encode(text)
        examples.append(([*told, *words.encode(answer), END], len(told)))
    model = Transformer(words.size, width=WIDTH, heads=4, wide=2 * WIDTH, layers=2, seed=3)
    teach(model, examples, steps=STEPS)
    unfinished = path.with_suffix(".part")
    save(model, words, unfinished, context=CONTEXT)
    unfinished.replace(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
