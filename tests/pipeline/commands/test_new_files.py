from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.commands.new_files import new_text


def test_what_is_there_stays_and_half_a_file_does_not(tmp_path: Path) -> None:
    file = tmp_path / "new.csv"
    with pytest.raises(OSError, match="full"), new_text(file) as opened:
        opened.write("half")
        raise OSError("the disk is full")
    assert not file.exists()
    with new_text(file) as opened:
        opened.write("é\n")
    assert file.read_bytes() == "é\n".encode()
    with pytest.raises(FileExistsError), new_text(file):
        pytest.fail("it is there")
    assert file.read_bytes() == "é\n".encode()
