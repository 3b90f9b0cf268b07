from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.artifacts import packed_json


@pytest.mark.parametrize("values", [[], [1], [{"é": None}, [1.5, "\n"], "x"]])
def test_a_list_that_was_written_piece_by_piece_is_read_as_it_was(
    tmp_path: Path, values: list[Any]
) -> None:
    def pieces() -> Iterator[Any]:
        yield from values

    packed_json.write_list(str(tmp_path / "new"), "list.json.gz", pieces())
    packed_json.write_list(str(tmp_path / "again"), "list.json.gz", pieces())
    assert packed_json.read(str(tmp_path / "new"), "list.json.gz") == values
    first, second = (tmp_path / name / "list.json.gz" for name in ("new", "again"))
    assert first.read_bytes() == second.read_bytes()  # whatever the time and the folder
