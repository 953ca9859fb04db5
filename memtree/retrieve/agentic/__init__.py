"""Tier 5: several steps to an answer, with a language model or without one; claims cite entries."""
