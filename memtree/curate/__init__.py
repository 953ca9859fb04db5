"""From text to knowledge: a curator proposes a plan, code checks it, only then it is applied."""
