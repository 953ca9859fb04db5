"""The curator that needs no model: what a source says, in its own words, where it belongs.

It invents nothing, because it writes nothing: a claim is sentences of the source, with the name of
who said them in front and the day that they speak of behind. What it adds is choice (small talk,
questions and reactions are left out), kind, subject, date and place. The same words make the same
claims, whatever was read before. English is known best; of other languages every sentence is a
claim.
"""

from memtree.curate.rules.curator import Rules, RulesCurator

__all__ = ["Rules", "RulesCurator"]
