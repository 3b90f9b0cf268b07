from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from components.errors import ConfigError, DataError
from components.image_example_gen import sources
from components.settings.data import Data
from components.settings.gate import Gate
from pipeline import config
from pipeline.commands import preflight_network, preflight_pictures
from pipeline.commands.preflight import check_folders
from pipeline.commands.preflight_pictures import check_golden
from tests import made_pictures
from tests.explains import refused


def build(folder: Path, **places: Path | str) -> config.Config:
    tree: dict[str, Any] = {
        "data": {"source": str(folder / "pictures")},
        "push": {"directory": str(places.get("push", folder / "served"))},
        "runtime": {"root": str(places.get("root", folder / "runs"))},
    }
    return config.build(tree)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    made_pictures.make(tmp_path / "pictures", 3)
    return tmp_path


def test_the_pictures_are_listed_and_the_folders_made(place: Path) -> None:
    listing = check_folders(build(place))
    assert len(listing.files) == 9
    assert (place / "served").is_dir() and (place / "runs").is_dir()
    assert not list((place / "served").iterdir())


@pytest.mark.parametrize("name", ["[2024]", "runs*", "what?"])
def test_a_root_that_tfx_would_read_as_a_pattern_is_refused(place: Path, name: str) -> None:
    with refused(
        ConfigError,
        found=r"runtime.root: .*runs.* has '[\[*?]'",
        allowed=r"Allowed are paths without \* \? \[",
        next="Name another folder",
    ):
        check_folders(build(place, root=place / name / "runs"))
    assert not (place / name).exists()


@pytest.mark.parametrize(
    ("beam", "interpreter", "found", "allowed", "next"),
    [
        (
            ["--runner=FlinkRunner"],
            "/opt/python",
            "would download a program",
            "--flink_.*=",
            "Get it yourself and add",
        ),
        (
            ["--direct_running_mode=multi_processing"],
            "/my tools/python",
            "/my tools/python: its path has a space",
            "a path without one",
            "Move the environment",
        ),
    ],
)
def test_a_runner_of_beam_s_that_can_t_work_is_told_first(
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    beam: list[str],
    interpreter: str,
    found: str,
    allowed: str,
    next: str,
) -> None:
    monkeypatch.setattr(sys, "executable", interpreter)
    made = build(place)
    runtime = made.runtime.model_copy(update={"beam": beam})
    with refused(ConfigError, found=found, allowed=allowed, next=next):
        check_folders(made.model_copy(update={"runtime": runtime}))


def test_pictures_that_make_no_classifier_are_refused_before_a_folder_is_made(place: Path) -> None:
    (place / "pictures" / "pink").mkdir()
    with refused(
        DataError,
        found=r"too few pictures in .*pink \(0\)",
        allowed="a class needs at least",
        next="Add pictures or remove the class",
    ):
        check_folders(build(place))
    assert not (place / "runs").exists()


@pytest.mark.parametrize(("name", "key"), [("push", "push.directory"), ("root", "runtime.root")])
def test_a_folder_that_is_a_file_is_named_with_its_key(place: Path, name: str, key: str) -> None:
    (place / "file").touch()
    with refused(
        ConfigError,
        found=f"{key}: .*file can't be written.*exists",
        allowed="a folder that can",
        next="Name a folder",
    ):
        check_folders(build(place, **{name: place / "file"}))


def test_a_push_directory_that_is_not_mounted_is_refused(place: Path) -> None:
    with refused(
        ConfigError,
        found="push.directory: s3://bucket/x is no folder",
        allowed="only there is a version renamed into place in one step",
        next="Mount the store .* and name the folder",
    ):
        check_folders(build(place, push="s3://bucket/x"))


def test_metadata_is_not_looked_for_in_a_root_that_is_no_folder(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(place / "cache"))
    made = build(place, root="gs://bucket/runs")
    with refused(
        ConfigError,
        found=r"runtime.metadata: is needed where runtime.root \(gs://bucket/runs\) is no folder",
        allowed="SQLite writes to local files only",
        next="Name a server .*, or a SQLite file",
    ):
        check_folders(made)
    runtime = made.runtime.model_copy(update={"metadata": "grpc://metadata"})
    assert check_folders(made.model_copy(update={"runtime": runtime})).files
    assert (place / "cache/transfer-pipeline/roots/gs-bucket-runs").is_dir()  # for locks and logs


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_without_permission_is_named(place: Path) -> None:
    (place / "closed").mkdir(mode=0o500)
    with refused(
        ConfigError,
        found="push.directory: .*closed.*Permission denied",
        allowed="a folder that can",
        next="Name a folder",
    ):
        check_folders(build(place, push=place / "closed"))


@pytest.mark.parametrize("inside", [".", "runs", "red/deep"])
@pytest.mark.parametrize(("name", "key"), [("push", "push.directory"), ("root", "runtime.root")])
def test_a_folder_inside_the_pictures_would_be_a_class_and_is_refused(
    place: Path, name: str, key: str, inside: str
) -> None:
    (place / "link").symlink_to(place / "pictures")
    for above in ("pictures", "link"):
        with refused(
            ConfigError,
            found=f"{key}: .* lies in data.source",
            allowed="where every folder is a class of pictures",
            next="Name a folder outside it",
        ):
            check_folders(build(place, **{name: place / above / inside}))
    assert len(list((place / "pictures").iterdir())) == 3


def test_a_sibling_whose_name_begins_alike_is_no_part_of_the_pictures(place: Path) -> None:
    check_folders(build(place, root=place / "pictures-runs"))


def test_every_one_of_several_sources_must_not_hold_the_results(place: Path) -> None:
    made_pictures.make(place / "more", 3)
    sources = [str(place / "pictures"), str(place / "more")]
    built = build(place, root=place / "more" / "runs")
    several = built.model_copy(update={"data": built.data.model_copy(update={"source": sources})})
    with refused(
        ConfigError,
        found="runtime.root: .* lies in data.source",
        allowed="where every folder is a class of pictures",
        next="Name a folder outside it",
    ):
        check_folders(several)


def test_results_may_lie_beside_a_manifest(place: Path) -> None:
    rows = "".join(
        f"pictures/{label}/00{n}.png,{label}\n" for label in ("blue", "red") for n in range(3)
    )
    (place / "m.csv").write_text(f"path,label\n{rows}")
    built = build(place)
    data = built.data.model_copy(update={"source": str(place / "m.csv")})
    assert len(check_folders(built.model_copy(update={"data": data})).files) == 6


def test_a_threshold_for_a_class_that_is_not_there_is_refused() -> None:
    gate = Gate(class_recall={"cats": 0.9}, class_precision={"cows": 0.5})
    with refused(
        ConfigError,
        found=r"gate\.class_precision: no class 'cows'",
        allowed="found cats, dogs",
        next="Correct the name, or remove it",
    ):
        preflight_pictures.check_gate(gate, ["cats", "dogs"])
    preflight_pictures.check_gate(gate, ["cats", "cows"])


@pytest.mark.parametrize("source", ["pictures", "m.csv"])
def test_a_slice_by_what_the_sources_do_not_know_is_refused(place: Path, source: str) -> None:
    rows = "".join(f"pictures/{name}/000.png,{name},C1\n" for name in ("blue", "red"))
    (place / "m.csv").write_text(f"path,label,camera\n{rows}")
    listing = sources.scan(Data(source=str(place / source), min_pictures=0))
    preflight_pictures.check_slices(Gate(slices=["picture_size"]), listing)
    with refused(
        ConfigError,
        found=r"gate\.slices: no column 'site'",
        allowed="there are .*picture_size",
        next="Name one of these.*or add the column to the manifest",
    ):
        preflight_pictures.check_slices(Gate(slices=["site"]), listing)
    if source == "m.csv":
        preflight_pictures.check_slices(Gate(slices=["camera"]), listing)


def test_a_weights_file_that_is_not_there_is_refused_before_anything_is_loaded(place: Path) -> None:
    made = build(place)
    model = made.model.model_copy(update={"weights": str(place / "none.h5")})
    with refused(
        ConfigError,
        found=r"model\.weights: no file .*none\.h5",
        allowed="Allowed are an existing file, `imagenet`, or null",
        next="correct the path, or set one of the others",
    ):
        preflight_network.check_settings(made.model_copy(update={"model": model}))


def test_a_pinned_version_that_is_not_kept_is_refused_before_anything_is_listed(
    place: Path,
) -> None:
    made = build(place)
    pinned = made.model_copy(update={"gate": Gate(reference=7)})
    with refused(
        ConfigError,
        found=r"gate\.reference: .*served keeps no version 7",
        allowed="it keeps none",
        next="Name one of them, or say `best`",
    ):
        preflight_network.check_settings(pinned)
    (made.push_directory / "7").mkdir(parents=True)
    (made.push_directory / "7" / "saved_model.pb").touch()
    preflight_network.check_settings(pinned)
    (made.push_directory / "7").rename(made.push_directory / "7.withdrawn")
    with refused(ConfigError, found="keeps no version 7", allowed="it keeps none", next="Name"):
        preflight_network.check_settings(pinned)


@pytest.mark.parametrize("layer", ["mixed99", 5000])
def test_a_layer_that_the_backbone_lacks_is_refused_before_anything_is_listed(
    place: Path, layer: str | int
) -> None:
    made = build(place)
    unfrozen = made.training.unfrozen.model_copy(update={"from_layer": layer})
    training = made.training.model_copy(update={"unfrozen": unfrozen})
    model = made.model.model_copy(update={"backbone": "mobilenet"})
    with refused(
        ConfigError,
        found=f"mobilenet has no layer .?{layer}",
        allowed="allowed are 0 to [0-9]+ or a name such as conv_pw_12",
        next="Set one of them",
    ):
        preflight_network.check_settings(
            made.model_copy(update={"training": training, "model": model})
        )


def test_several_workers_are_for_the_node_runner(place: Path) -> None:
    made = build(place)
    training = made.training.model_copy(update={"distribution": "multi_worker"})
    with refused(
        ConfigError,
        found="training.distribution: multi_worker is for `run-node`",
        allowed="started on every worker",
        next="On one machine set training.distribution=mirrored",
    ):
        preflight_network.check_network(made.model_copy(update={"training": training}))


def test_a_warm_start_needs_weights_until_a_model_is_served(place: Path) -> None:
    made = build(place)
    training = made.training.model_copy(update={"warm_start": True})
    warm = made.model_copy(update={"training": training})
    assert preflight_network.goes_on_from(warm) is None
    (warm.push_directory / "7").mkdir(parents=True)
    (warm.push_directory / "7" / "saved_model.pb").touch()
    assert preflight_network.goes_on_from(warm) == warm.push_directory / "7"
    assert preflight_network.goes_on_from(made) is None


def test_a_golden_set_must_be_there_and_have_no_other_classes(place: Path) -> None:
    made, classes = build(place), ["blue", "green", "red"]

    def check(golden: Path) -> None:
        gate = made.gate.model_copy(update={"golden": str(golden)})
        check_golden(made.model_copy(update={"gate": gate}), classes)

    check_golden(made, [])
    check(made_pictures.make(place / "golden", 2))
    with refused(
        ConfigError,
        found="no folder .*nowhere",
        allowed="one folder of pictures per class",
        next="Name a folder",
    ):
        check(place / "nowhere")
    (place / "golden" / "red").rename(place / "golden" / "pink")
    with refused(
        ConfigError,
        found="gate.golden: .*: 'pink'",
        allowed="classes that data.source has not",
        next="Rename or remove them",
    ):
        check(place / "golden")


def test_a_training_that_goes_on_from_a_model_of_another_root_is_told(place: Path) -> None:
    made = build(place)
    training = made.training.model_copy(update={"warm_start": True})
    warm = made.model_copy(update={"training": training})
    assert preflight_network.unknown_splits(warm) is None  # nothing is served
    (made.push_directory / "7").mkdir(parents=True)
    (made.push_directory / "7" / "saved_model.pb").touch()
    assert preflight_network.unknown_splits(made) is None
    note = preflight_network.unknown_splits(warm)
    assert note and "version 7 is served" in note and "knows no earlier run" in note
    report = Path(warm.pipeline_root, "ImageExampleGen", "ingest_report", "2", "report.json")
    report.parent.mkdir(parents=True)
    report.touch()
    assert preflight_network.unknown_splits(warm) is None
