from __future__ import annotations

import json
import warnings
from pathlib import Path

import pytest
import typer

from pipeline.commands.versions_group import versions
from serving.quiet_imports import quiet_pillow


def test_a_version_that_lacks_a_file_is_broken_and_not_served(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in ("1", "2"):
        (tmp_path / number).mkdir()
    (tmp_path / "1" / "saved_model.pb").write_bytes(b"graph")
    versions(tmp_path)
    broken, older = capsys.readouterr().out.splitlines()
    assert broken.endswith("UTC  broken  can't be served: no saved_model.pb")
    assert older.endswith("older")
    versions(tmp_path, as_json=True)
    assert [row["state"] for row in json.loads(capsys.readouterr().out)] == ["broken", "older"]


def test_a_version_that_the_check_finds_faulty_is_broken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").write_bytes(b"graph")
    fault = "pipeline.commands.versions_group.fault_of"
    monkeypatch.setattr(fault, lambda path: "INTERNAL: \x1b[31mred")
    with pytest.raises(typer.Exit):
        versions(tmp_path, check=True)
    assert capsys.readouterr().out.endswith("broken  can't be served: INTERNAL: \\x1b[31mred\n")


def test_pillows_warnings_are_hidden_and_no_others() -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        quiet_pillow()
        warnings.warn_explicit("corrupt EXIF data", UserWarning, "x.py", 1, module="PIL.TiffImage")
        warnings.warn_explicit("another", UserWarning, "x.py", 1, module="PILLAR")
    assert [str(warning.message) for warning in seen] == ["another"]
