"""From a question to an answer: the tiers, and the climb that stops at the first sure one."""
