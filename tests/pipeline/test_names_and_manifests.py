"""Folders, manifests and configurations as people have them, by the command."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from components.artifacts import known_pictures
from components.image_example_gen import sources
from components.image_example_gen.ledger import Ledger
from components.image_example_gen.reading import read
from components.settings.data import Data
from tests import made_pictures
from tests.pipeline.conftest import Say

FILES = [f"{name}/{n:03}.png" for name in ("blue", "green", "red") for n in range(20)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return made_pictures.make(tmp_path / "pictures", 20)


def label(file: str) -> str:
    return file.partition("/")[0]


def manifest(folder: Path, rows: Iterable[str], header: str = "path,label") -> Path:
    path = folder / "m.csv"
    path.write_text("\n".join([header, *rows, ""]))
    return path


ROWS = [f"{file},{label(file)}" for file in FILES]


@pytest.mark.parametrize(
    ("rows", "header", "told"),
    [
        ([row.replace("/", "\\") for row in ROWS], "path,label", ""),
        ([f"E:\\set\\{row}".replace("/", "\\") for row in ROWS], "path,label", ""),
        ([row.replace(",", ";") for row in ROWS], "Image;Category", "read Image as path"),
        ([row.replace(",", "\t") for row in ROWS], "file name\tclass", "read file name as path"),
        ([*ROWS, ",", "", " , "], "path,label", ""),
        (
            [*(f"{row},ann,1" for row in ROWS), f"{ROWS[3]},bob,2"],
            "path,label,who,when",
            "differ in when, who",
        ),
    ],
)
def test_a_manifest_is_read_as_it_was_exported(
    say: Say, folder: Path, rows: list[str], header: str, told: str
) -> None:
    code, out, _ = say("check", "--data", manifest(folder, rows, header))
    assert code == 0
    assert "60 accepted, 0 rejected" in out and told in out


def test_an_unquoted_comma_makes_no_class(say: Say, folder: Path) -> None:
    code, _, err = say("check", "--data", manifest(folder, [*ROWS, "red/x,y.png,red"]))
    assert code == 1
    assert "line 62: 3 cells, but the header names 2 columns" in err
    assert len(err.splitlines()) == 3


def test_two_labels_of_one_picture_are_told_in_one_line(say: Say, folder: Path) -> None:
    source = manifest(folder, [*ROWS, "red/000.png,scarlet"])
    code, out, _ = say("check", "--data", source)
    named = [line for line in out.splitlines() if "red/000.png" in line]
    assert len(named) == 1 and "red/000.png is labelled 'red' and 'scarlet'" in named[0]
    assert "scarlet" not in out.replace(named[0], "")


def test_names_that_differ_by_case_stop_the_run_unless_allowed(say: Say, folder: Path) -> None:
    (folder / "green").rename(folder / "Red")
    code, _, err = say("check", "--data", folder)
    assert code == 1 and "'Red' (20 pictures) and 'red' (20 pictures) differ by case only" in err
    code, out, _ = say("check", "--data", folder, "--set", "data.similar_class_names=allow")
    assert code == 0 and "differ by case only" in out


def test_markup_and_unseen_signs_are_shown_and_not_read(say: Say, folder: Path) -> None:
    (folder / "green").rename(folder / "[bold]x")
    (folder / "red").rename(folder / "a\nb\x1b[31m")
    code, out, _ = say("check", "--data", folder)
    assert code == 0
    assert "[bold]x" in out and r"a\nb\x1b[31m" in out and "\x1b" not in out


def test_names_that_are_not_utf8_are_answered_or_rejected(say: Say, folder: Path) -> None:
    place = os.fsencode(folder / "red")
    for number in range(3):
        os.rename(place + b"/%03d.png" % number, place + b"/caf\xe9 %d.png" % number)
    Path(os.fsdecode(place + b"/\xff.png")).write_bytes(b"no picture")
    words = ("check", "--data", folder, "--set", "data.max_rejected_fraction=0.5")
    code, out, _ = say(*words)
    assert code == 0 and r"rejected  red/\udcff.png: not a picture" in out
    code, out, _ = say(*words, "--json")
    [line] = out.splitlines()
    found = json.loads(line)
    assert found["accepted"] == 60 and found["rejected"][0]["file"] == r"red/\udcff.png"
    os.mkdir(os.fsencode(folder) + b"/\xe9t\xe9")
    code, _, err = say("check", "--data", folder)
    assert code == 1 and r"the class folder \udce9t\udce9 has a name that is not UTF-8" in err


def test_no_kind_has_more_than_ten_lines(say: Say, folder: Path) -> None:
    for number in range(15):
        (folder / "red" / f"broken{number}.png").touch()
    code, out, _ = say("check", "--data", folder)
    lines = out.splitlines()
    assert sum("broken" in line for line in lines) == 10
    assert "rejected  5 more; --json lists all." in lines


def configuration(folder: Path, text: str) -> Path:
    path = folder.parent / "config.yaml"
    path.write_text(text.format(folder=folder, root=folder.parent))
    return path


CONFIG = "data: {{source: {folder}}}\npush: {{directory: {root}/m}}\n"


def test_a_key_twice_is_refused_with_both_lines(say: Say, folder: Path) -> None:
    path = configuration(folder, f"{CONFIG}data:\n  window: 2\n")
    code, _, err = say("check", "--config", path)
    assert code == 2 and "'data' is there twice, in line 1 and in line 3" in err


def test_classes_called_yes_and_no_have_thresholds(say: Say, folder: Path) -> None:
    for old, new in (("blue", "yes"), ("green", "no"), ("red", "1.10")):
        (folder / old).rename(folder / new)
    text = f"{CONFIG}gate: {{{{class_recall: {{{{yes: 0.9, no: 0.8, 1.10: 0.7}}}}}}}}\n"
    path = configuration(folder, text)
    assert say("check", "--config", path)[0] == 0
    code, _, err = say("check", "--config", path, "--set", 'gate.class_recall."v1.2"=0.9')
    assert code == 2 and "gate.class_recall: no class 'v1.2'; found 1.10, no, yes" in err


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("gate.slices=[camera]", "gate.slices: no column 'camera'"),
        ("gate.class_precision={cat: 1}", "gate.class_precision: no class 'cat'"),
        ("model.weights=/none.h5", "model.weights: no file /none.h5"),
    ],
)
@pytest.mark.parametrize("command", ["check", "run"])
def test_a_wrong_name_is_refused_before_any_work(
    say: Say, folder: Path, command: str, word: str, told: str
) -> None:
    code, out, err = say(command, "--config", configuration(folder, CONFIG), "--set", word)
    assert code == 2 and told in err
    assert "Loading" not in out + err


def test_a_run_from_a_node_that_never_ran_is_refused_before_any_work(
    say: Say, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    path = configuration(folder, CONFIG)
    for node, told in (("Trayner", "Did you mean Trainer?"), ("Trainer", "nothing has run")):
        code, out, err = say("run", "--config", path, "--from", node)
        assert code == 2 and told in err and "pictures of" not in out


def accept(root: Path, source: Path) -> None:
    """Leaves what DataValidator leaves of the data in a source."""
    data = Data(source=str(source))
    ledger = Ledger.of([read(file, data)[1] for file in sources.scan(data).files], data)
    acceptance = root / "image-classifier" / "DataValidator" / "acceptance" / "4"
    acceptance.mkdir(parents=True)
    (acceptance / "acceptance.json").write_text('{"accepted": "2026-11-26 06:00 UTC"}')
    content = known_pictures.as_bytes(known_pictures.of_rows(ledger.accepted))
    (acceptance / known_pictures.FILE).write_bytes(content)


def test_what_changed_since_the_last_accepted_data_is_told(
    say: Say, folder: Path, tmp_path: Path
) -> None:
    source = manifest(folder, ROWS)
    accept(tmp_path / "root", source)
    changed = [f"{file},{'red' if n < 7 else label(file)}" for n, file in enumerate(FILES[:-4])]
    manifest(folder, changed)
    code, out, _ = say("check", "--data", source, "--root", tmp_path / "root")
    assert code == 0
    assert "7 relabelled, 0 added, 4 gone since the data accepted on 2026-11-26" in out
    assert "blue/006.png ('blue', now 'red')" in out
    manifest(folder, [row.replace(",green", ",verde") for row in ROWS])
    _, out, _ = say("check", "--data", source, "--root", tmp_path / "root", "--json")
    changes = json.loads(out)["changes"]
    assert (changes["renamed"], changes["relabelled"]) == ({"verde": "green"}, 0)
