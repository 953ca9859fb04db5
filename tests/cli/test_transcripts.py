"""Whole sessions, as a person would type them: see transcript.py for the notation."""

from __future__ import annotations

from pathlib import Path

import pytest
from transcript import play

SESSIONS = sorted((Path(__file__).parent / "transcripts").glob("*.txt"))


@pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session.stem)
def test_a_session_goes_as_it_is_written_down(session: Path, tmp_path: Path) -> None:
    play(session.read_text("utf-8"), tmp_path)


def test_a_transcript_that_differs_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="line 1"):
        play("$ memtree version\nmemtree of another kind\n", tmp_path)
    with pytest.raises(AssertionError, match="line 1"):
        play("$ memtree version\nmemtree [..]\n? 1\n", tmp_path)
