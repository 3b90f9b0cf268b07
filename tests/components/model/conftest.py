from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from components import processor


@pytest.fixture
def with_flags(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Makes this machine's processor one with these flags, all of which oneDNN may use."""

    def make(flags: str) -> None:
        info = tmp_path / "cpuinfo"
        info.write_text(f"processor\t: 0\nflags\t\t: {flags}\nbugs\t\t: spectre_v1\n")
        monkeypatch.setattr(processor, "_CPU_INFO", info)
        monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
        monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)

    return make
