from __future__ import annotations

from pathlib import Path

import pytest

from components.errors import ConfigError, DataError
from components.image_example_gen.sources import scan
from components.image_example_gen.sources.corrections import read_corrections
from components.settings.data import Data
from tests.explains import refused

CLASSES = ["cats", "dogs"]
DIGEST = "ab" * 32


def corrections(tmp_path: Path, text: str) -> dict[str, str]:
    path = tmp_path / "corrections.csv"
    path.write_text(text, "utf-8")
    return read_corrections(str(path), CLASSES)


@pytest.mark.parametrize(
    "text",
    [
        f"path,label\ncats/1.png,dogs\n{DIGEST.upper()},cats\n",
        f"cats/1.png,dogs\n{DIGEST},cats\n",
        f"label;file\ndogs;./cats/1.png\ncats;{DIGEST}\n",
        f"sha256,path,label,score\n,cats/1.png,dogs,0.5\n{DIGEST},moved.png,cats,\n",
    ],
)
def test_a_row_names_a_picture_by_path_or_sha256(tmp_path: Path, text: str) -> None:
    assert corrections(tmp_path, text) == {"cats/1.png": "dogs", DIGEST: "cats"}


def test_no_label_leaves_a_picture_out(tmp_path: Path) -> None:
    found = corrections(tmp_path, "path,label\n1.png,-\n2.png,\n3.png\n")
    assert found == {"1.png": "", "2.png": "", "3.png": ""}


@pytest.mark.parametrize(
    ("text", "found", "allowed"),
    [
        ("path,label\n1.png,birds\n", "line 2: unknown class 'birds'", "are the classes of"),
        ("path,label\n,cats\n", "line 2: no path and no SHA-256", "Allowed labels are"),
        (
            "path,label\n1.png,cats\n1.png,dogs\n",
            "line 3: another label than in an earlier line",
            "Allowed labels are",
        ),
        (
            "path,name,note\n1.png,cats,x\n",
            "has the columns path, name, note",
            "`path` or `sha256`, and `label` are needed",
        ),
        (
            'path,label\n"1.png,cats\n2.png,dogs\n3.png,cats\n',
            "line 2: a quote opens here",
            "into one cell",
        ),
    ],
)
def test_what_can_not_be_obeyed_is_refused_with_its_line(
    tmp_path: Path, text: str, found: str, allowed: str
) -> None:
    with refused(
        DataError,
        found=f"data.corrections: .*{found}",
        allowed=allowed,
        next="Correct those lines|Name the columns so|Close it",
    ):
        corrections(tmp_path, text)


def test_a_file_that_is_not_there_is_a_fault_of_the_configuration(tmp_path: Path) -> None:
    with refused(
        ConfigError,
        found="data.corrections: .*missing.csv",
        allowed="can't be read .*No such file",
        next="Name a file that can",
    ):
        read_corrections(str(tmp_path / "missing.csv"), CLASSES)


def test_the_content_of_the_file_is_part_of_the_fingerprint(tmp_path: Path) -> None:
    for label in CLASSES:
        for number in range(3):
            path = tmp_path / "source" / label / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")
    table = tmp_path / "corrections.csv"
    data = Data(source=str(tmp_path / "source"), corrections=str(table))
    plain = scan(data.model_copy(update={"corrections": None})).fingerprint()
    table.write_text("path,label\ncats/1.png,dogs\n")
    once = scan(data).fingerprint()
    table.write_text("path,label\ncats/1.png,-\n")
    assert len({plain, once, scan(data).fingerprint()}) == 3
