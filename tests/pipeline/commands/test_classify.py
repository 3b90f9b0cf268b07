from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.errors import ConfigError, UserError
from components.files import object_stores
from pipeline.commands import classify as command
from pipeline.commands.classify import Request, classify
from pipeline.commands.named_pictures import named_pictures
from serving.access import Access
from serving.client import PictureRefused, Prediction
from serving.names import as_text
from tests import s3_server
from tests.explains import refused
from tests.serving.conftest import processes, saved_model, server, settled
from tests.serving.samples import png
from tests.serving.server_process import ServerProcess

__all__ = ["processes", "saved_model", "server", "settled"]

THERE = {
    "allowed": "It has the model 'classifier' with the versions .*AVAILABLE",
    "next": "Ask for a name, version and label that it serves",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures, a broken one, and files that are none."""
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / ".hidden").mkdir()
    for name in ("b.png", "deep/er/a.PNG", ".hidden/c.png"):
        (tmp_path / name).write_bytes(png())
    (tmp_path / "cut.jpg").write_bytes(b"\xff\xd8 no more")
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The same pictures in a bucket; returns its address."""
    for store in s3_server.serving(monkeypatch):
        for name in (
            "dog/b.png",
            "dog/deep/er/a.PNG",
            "dog/.hidden/c.png",
            ".d.png",
            "dog/é 1.png",
        ):
            store.put(f"asked/{name}", png())
        store.put("asked/cut.jpg", b"\xff\xd8 no more")
        store.put("asked/notes.txt", b"no picture")
        yield f"s3://{s3_server.BUCKET}/asked"


def test_pictures_in_a_bucket_are_asked_about_like_files(
    server: ServerProcess, bucket: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert classify(Request([f"{bucket}/"], server.address, "classifier", style="json")) is False
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    names = ["cut.jpg", "dog/b.png", "dog/deep/er/a.PNG", "dog/é 1.png"]
    assert [row["file"] for row in rows] == [f"{bucket}/{name}" for name in names]
    assert ["error" in row for row in rows] == [True, False, False, False]
    assert classify(Request([f"{bucket}/dog/b.png"], server.address, "classifier")) is True
    assert capsys.readouterr().out.startswith(f"{bucket}/dog/b.png  ")


def test_a_picture_that_is_not_in_the_bucket_is_told_and_so_is_a_missing_bucket(
    server: ServerProcess, bucket: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert classify(Request([f"{bucket}/none.png"], server.address, "classifier")) is False
    assert f"{bucket}/none.png  error: " in capsys.readouterr().err
    with refused(
        UserError,
        found="^s3://absent/x can't be listed",
        allowed="bucket does not exist",
        next="Check the path and its access",
    ):
        classify(Request(["s3://absent/x"], server.address, "classifier"))


def test_an_address_of_a_store_without_its_library_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(object_stores, "installed_schemes", lambda: [])
    monkeypatch.setitem(sys.modules, "apache_beam.io.filesystems", None)  # as in a client alone
    with refused(
        UserError,
        found="^No file system is installed for s3://",
        allowed="the extra `s3`",
        next="Install",
    ):
        classify(Request(["s3://bucket/x.png"], "localhost:1", "classifier"))


def test_a_folder_becomes_a_table_and_broken_pictures_a_list(
    server: ServerProcess, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "answers.csv"
    request = Request([folder], server.address, "classifier", top=2, style="csv", output=table)
    assert classify(request) is False
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = [Path(row["file"]).relative_to(folder).as_posix() for row in rows]
    assert names == ["b.png", "cut.jpg", "deep/er/a.PNG"]
    assert [bool(row["error"]) for row in rows] == [False, True, False]
    assert rows[0]["class_1"] and float(rows[0]["score_1"]) >= float(rows[0]["score_2"])
    assert rows[1]["class_1"] == ""
    told = capsys.readouterr().err
    assert "1 of 3 pictures could not be classified" in told
    assert "cut.jpg: " in told


def test_a_folder_becomes_json_lines(
    server: ServerProcess, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert classify(Request([folder], server.address, "classifier", style="json")) is False
    first, broken, last = map(json.loads, capsys.readouterr().out.splitlines())
    assert broken.keys() == {"file", "error"}
    for row in (first, last):
        assert row.keys() == {"file", "classes", "scores"}
        assert len(row["classes"]) == len(row["scores"]) == 3


class Answering:
    """Stands for the client: names the same classes for every picture, and refuses the last."""

    CLASSES = ("=1+1", "a\nb\x1b[31m", "[bold]\u202e")

    def __enter__(self) -> Answering:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def connect(self, seconds: float) -> None:
        pass

    def classify_each(self, images: list[Path]) -> Iterator[Prediction | PictureRefused]:
        *answered, last = images
        yield from (Prediction(self.CLASSES, (0.7, 0.2, 0.1)) for _ in answered)
        yield PictureRefused(str(last), f"{last} can't be read")


@pytest.mark.parametrize("style", ["text", "json", "csv"])
def test_no_name_breaks_a_line_steers_a_terminal_or_is_run_by_a_spreadsheet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    monkeypatch.setattr(command, "_client", lambda _: Answering())
    names = [b"caf\xe9.png", b"a\nb.png", b"-x.png", b"z\x1b[2J.png", b"zz\xff.png"]
    images = [Path(os.fsdecode(name)) for name in names]
    output = tmp_path / "answers"
    classify(Request(images, "", "", style=style, output=output))
    text = output.read_text("utf-8")
    assert "\x1b" not in text and "\u202e" not in text or style == "json"
    if style == "csv":
        header, *rows = csv.reader(io.StringIO(text))
        files = [r"caf\udce9.png", r"a\nb.png", "'-x.png", r"z\x1b[2J.png", r"zz\udcff.png"]
        assert [row[0] for row in rows] == files
        assert rows[0][2] == "'=1+1" and len({len(row) for row in [header, *rows]}) == 1
    elif style == "json":
        rows = [json.loads(line) for line in text.splitlines()]
        assert [row["file"] for row in rows] == [as_text(os.fsdecode(name)) for name in names]
        assert tuple(rows[0]["classes"]) == Answering.CLASSES
    else:
        assert len(text.splitlines()) == 4  # the last picture was refused
        assert text.startswith(r"caf\udce9.png  =1+1 0.7000  a\nb\x1b[31m 0.2000")


def test_a_version_can_be_asked_for(server: ServerProcess, folder: Path) -> None:
    request = Request([folder / "b.png"], server.address, "classifier", version=3)
    assert classify(request) is True
    with refused(UserError, found="version label: x", **THERE):
        classify(Request([folder], server.address, "classifier", label="x"))


def test_a_bar_shows_how_far_it_is(
    server: ServerProcess,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    request = Request([folder], server.address, "classifier", output=tmp_path / "answers.txt")
    classify(request)
    assert "3/3" in capsys.readouterr().err


def test_a_folder_without_pictures_is_told(tmp_path: Path) -> None:
    with refused(
        UserError, found="has no pictures", allowed="files named .*.png", next="Name a folder"
    ):
        classify(Request([tmp_path], "localhost:1", "classifier"))


def test_options_that_exclude_each_other_are_told(folder: Path) -> None:
    with refused(
        ConfigError,
        found="Version 1 and label 'x' are given",
        allowed="one of the two, not for both",
        next="Leave one out",
    ):
        classify(Request([folder], "localhost:1", "classifier", version=1, label="x"))
    with refused(
        ConfigError, found="certificate is given without", allowed="needs both", next="or neither"
    ):
        classify(
            Request([folder], "localhost:1", "classifier", access=Access(cert=folder / "b.png"))
        )


@pytest.mark.parametrize(
    "wrong",
    [{"version": 77}, {"label": "beta"}, {"name": "pets"}],
    ids=["version", "label", "name"],
)
def test_what_the_server_does_not_have_is_told_with_what_it_has(
    wrong: dict[str, Any], server: ServerProcess, folder: Path
) -> None:
    request = replace(Request([folder / "b.png"], server.address, "classifier"), **wrong)
    with refused(UserError, found="does not serve this", **THERE):
        classify(request)


class Doubting(Answering):
    """Is certain of every second picture."""

    def classify_each(self, images: list[Path]) -> Iterator[Prediction | PictureRefused]:
        for number, _ in enumerate(images):
            yield Prediction(("cat", "dog"), (0.7, 0.3), certain=number % 2 == 0)


def test_what_the_model_is_not_certain_of_is_shown_as_such_or_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "_client", lambda _: Doubting())
    images, output = [Path("a.png"), Path("b.png")], tmp_path / "answers"

    def written(**options: Any) -> list[str]:
        assert classify(Request(images, "", "", output=output, **options))
        return output.read_text("utf-8").splitlines()

    assert written() == [
        "a.png  cat 0.7000  dog 0.3000",
        "b.png  cat 0.7000  dog 0.3000  (not certain)",
    ]
    assert written(certain=True) == ["a.png  cat 0.7000  dog 0.3000"]
    rows = [json.loads(line) for line in written(style="json")]
    assert [row["certain"] for row in rows] == [True, False]
    assert len(written(style="csv", certain=True)) == 2
    table = list(csv.DictReader(written(style="csv")))
    assert [row["certain"] for row in table] == ["true", "false"]
    monkeypatch.setattr(command, "_client", lambda _: Answering())
    with refused(
        UserError,
        found="does not say whether it is certain",
        allowed="only one with export.certain does",
        next="Train it with --set export.certain.accuracy=0.95",
    ):
        classify(Request(images, "", "", certain=True))


class Sorting(Answering):
    """Takes every picture for a cat."""

    def classify_each(self, images: list[Path]) -> Iterator[Prediction | PictureRefused]:
        yield PictureRefused(str(images[0]), "it is empty")
        yield from (Prediction(("cat", "dog"), (0.7, 0.3)) for _ in images[1:])


@pytest.fixture
def sorted_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders of which two are named by class."""
    monkeypatch.setattr(command, "_client", lambda _: Sorting())
    place = tmp_path / "sorted"
    for name in ("a-new-folder/0.png", "a-new-folder/1.png", "cat/2.png", "dog/may/3.png"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).touch()
    return place


def test_folders_that_are_named_by_class_tell_the_truth_and_the_accuracy(
    sorted_pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not classify(Request([sorted_pictures], "", ""))
    *lines, last = capsys.readouterr().out.splitlines()
    assert [line.endswith("(is dog)") for line in lines] == [False, False, True]
    assert last.startswith("Accuracy 0.5000 (95 %: 0.0945 to 0.9055) on 2 pictures")

    classify(Request([sorted_pictures], "", "", style="json"))
    said = capsys.readouterr()
    rows = [json.loads(line) for line in said.out.splitlines()]
    assert [row.get("truth") for row in rows] == [None, None, "cat", "dog"]
    end = json.loads(said.err.splitlines()[0])
    assert (end["accuracy"], end["pictures"]) == (0.5, 2)

    classify(Request([sorted_pictures], "", "", style="csv"))
    said = capsys.readouterr()
    table = list(csv.DictReader(io.StringIO(said.out)))
    assert [row["truth"] for row in table] == ["", "", "cat", "dog"]
    assert table[0]["error"] == "it is empty" and "Accuracy 0.5000" in said.err


def test_folders_of_other_names_and_files_by_themselves_tell_nothing(
    sorted_pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [sorted_pictures / "dog/may/3.png", sorted_pictures / "cat/2.png"]
    for images in (files, [sorted_pictures / "a-new-folder"]):
        for style in ("text", "json", "csv"):
            classify(Request(images, "", "", style=style))
        told = "".join(capsys.readouterr())
        assert "ccuracy" not in told and "truth" not in told


def test_a_link_that_leads_nowhere_is_asked_about_and_so_told(folder: Path) -> None:
    (folder / "gone.png").symlink_to(folder / "nothing.png")
    assert folder / "gone.png" in dict(named_pictures([folder]))
