"""How many pictures a cache with room for a part holds; across attempts."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.trainer import part_cache


def test_a_disk_that_is_full_when_the_decision_is_written_does_not_end_later_attempts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = str(tmp_path / "work")
    first = part_cache.decided({"train": 16, "eval": 8}, work)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="No space"):
        patched.setattr(Path, "write_bytes", full)
        part_cache.decided({"train": 9, "eval": 8}, work)
    assert part_cache.decided({"train": 20, "eval": 8}, work) == first
