from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from elpv_dataset import utils

from components.errors import DataError
from pipeline.commands.demo_data import solar_cells
from tests.explains import refused

DATA = Path(utils.__file__).parent / "data"
ROOT = Path(__file__).resolve().parents[3]


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.png"))


def times(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path): (path.stat().st_ctime_ns, path.stat().st_ino)
        for path in [folder, *folder.rglob("*")]
    }


def test_the_sample_has_the_packages_labels_bytes_and_shares(tmp_path: Path) -> None:
    folder = tmp_path / "cells"
    solar_cells(folder, total=400, seed=0)
    truth = {}
    for line in (DATA / "labels.csv").read_text().splitlines():
        name, probability, kind = line.split()
        label = "defective" if float(probability) > 0.5 else "functional"
        truth[f"{label}/{Path(name).name}"] = (label, kind)
    found = names(folder)
    assert len(found) == 400
    assert set(found) <= truth.keys()
    whole, sample = Counter(truth.values()), Counter(truth[name] for name in found)
    for key, count in whole.items():
        assert abs(sample[key] - 400 * count / len(truth)) < 1
    for name in found[::40]:
        assert (folder / name).read_bytes() == (DATA / "images" / Path(name).name).read_bytes()


def test_the_same_arguments_touch_nothing_and_others_replace(tmp_path: Path) -> None:
    folder = tmp_path / "cells"
    solar_cells(folder, total=40, seed=0)
    first, before = names(folder), times(folder)
    solar_cells(folder, total=40, seed=0)
    assert times(folder) == before
    solar_cells(folder, total=40, seed=1)
    assert names(folder) != first
    solar_cells(folder, total=20, seed=0)
    assert len(names(folder)) == 20
    solar_cells(folder, total=40, seed=0)
    assert names(folder) == first
    assert [path.name for path in tmp_path.iterdir()] == ["cells"]


def test_a_damaged_sample_is_made_whole(tmp_path: Path) -> None:
    solar_cells(tmp_path / "cells", total=40, seed=0)
    first = names(tmp_path / "cells")
    (tmp_path / "cells" / first[0]).unlink()
    (tmp_path / "cells" / first[1]).write_bytes(b"half")
    solar_cells(tmp_path / "cells", total=40, seed=0)
    assert names(tmp_path / "cells") == first
    assert (tmp_path / "cells" / first[1]).stat().st_size > 1000


def test_files_of_others_are_never_replaced(tmp_path: Path) -> None:
    mine = tmp_path / "defective" / "mine.png"
    mine.parent.mkdir()
    mine.write_bytes(b"mine")
    with refused(
        DataError,
        found=r"holds files of others, such as defective/mine\.png",
        allowed="an empty or a new folder",
        next="Name",
    ):
        solar_cells(tmp_path, total=40, seed=0)
    assert mine.read_bytes() == b"mine"


@pytest.mark.parametrize("total", [0, 1, 2625])
def test_more_than_there_are_or_none_at_all_is_refused(tmp_path: Path, total: int) -> None:
    with refused(
        DataError,
        found=f"{total} pictures",
        allowed="elpv-dataset has 2624",
        next="Ask for 2 to 2624",
    ):
        solar_cells(tmp_path / "cells", total=total, seed=0)


def test_without_the_package_the_message_says_how_to_get_it(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from components.errors import DataError\n"
        "from pipeline.commands.demo_data import solar_cells\n"
        "try: solar_cells(Path('cells'), 4, 0)\n"
        "except DataError as error: print(error)"
    )
    # -S: without site-packages, as in an environment that has not the package.
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert "transfer-pipeline[demo]" in done.stdout, done.stderr
