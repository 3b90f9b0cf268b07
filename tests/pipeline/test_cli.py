from __future__ import annotations

import json
import platform
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
import yaml

from components.errors import ConfigError
from pipeline import config
from pipeline.commands.compile import compile_to
from serving import publishing, versions
from tests import made_pictures
from tests.explains import refused
from tests.pipeline.conftest import Say


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    """A push directory with three versions."""
    model = tmp_path / "model"
    model.mkdir()
    (model / "saved_model.pb").touch()
    for _ in range(3):
        publishing.publish(model, tmp_path / "served")
    return tmp_path / "served"


@pytest.mark.parametrize(
    ("words", "about"),
    [
        (["fly"], "fly"),
        (["run", "--colour", "red"], "--colour"),
        (["run", "--set"], "--set"),
        (["check"], "--data"),
        (["lr-find"], "--data"),
        (["classify"], "images"),
        (["classify", "a.png", "--top", "0"], "--top"),
        (["classify", "a.png", "--json", "--csv"], "--csv"),
        (["serve"], "--model-config-file"),
        (["serve", "--model-dir", "x", "--ssl-config-file", "none"], "none"),
        (["serve", "--port", "99999"], "--port"),
        (["serve", "--rest-port", "-1"], "--rest-port"),
        (["canary", "--model-dir", "x", "--promote", "--withdraw"], "--withdraw"),
        (["rollback", "--model-dir", "x", "--to", "last"], "--to"),
        (["compile", "--config", "x", "--target", "cloud", "--output", "y"], "kubeflow"),
    ],
)
def test_wrong_words_end_with_2_and_are_named(say: Say, words: list[str], about: str) -> None:
    code, out, err = say(*words)
    assert (code, out) == (2, "")
    assert about in err.lower()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run"], "Nothing to run"),
        (["run", "--config", "none.yaml"], "none.yaml can't be read"),
        (["run", "--preset", "none"], "No preset 'none'; allowed are"),
        (["run", "--data", "none"], "data.source: no folder "),
        (["run", "--data", "none", "--set", "gate.x=1"], "gate.x: unknown key"),
        (["run", "--data", "none", "--set", "gate"], "--set gate: KEY=VALUE is needed"),
        (["check", "--data", "none"], "data.source: no folder "),
        (["versions", "--model-dir", "none"], "no directory none"),
        (["rollback", "--model-dir", "none", "--to", "3"], "no directory none"),
        (["runs", "--root", "none"], "none has no metadata.sqlite"),
        (["compile", "--config", "x", "--target", "tfx", "--output", "y"], "x can't be read"),
    ],
)
def test_a_wrong_configuration_ends_with_2_and_one_message(
    say: Say, words: list[str], message: str
) -> None:
    code, out, err = say(*words)
    assert code == 2
    assert err.startswith("error: ") and message in err
    assert "Traceback" not in err
    assert out == ""


def test_pictures_that_make_no_classifier_end_with_1(say: Say, tmp_path: Path) -> None:
    code, out, err = say("check", "--data", tmp_path)
    assert (code, out) == (1, "")
    assert err.startswith("error: data.source")


def test_programs_read_why_a_run_could_not_start_on_the_last_line(say: Say) -> None:
    code, out, err = say("run", "--data", "none", "--json")
    result = json.loads(out.splitlines()[-1])
    assert (code, result["verdict"]) == (2, "failed")
    assert "no folder" in result["error"] and "no folder" in err


def test_check_ends_with_0_though_it_rejects_some_pictures(say: Say, tmp_path: Path) -> None:
    made_pictures.make(tmp_path, 4)
    (tmp_path / "red" / "broken.png").touch()
    words = ["check", "--data", tmp_path, "--json"]
    code, out, _ = say(*words, "--set", "data.max_rejected_fraction=0.5")
    assert code == 0
    assert len(json.loads(out)["rejected"]) == 1
    code, out, _ = say(*words)
    assert (code, json.loads(out)["would_stop"] is None) == (1, False)


def test_versions_are_listed_the_newest_first(say: Say, model_dir: Path) -> None:
    numbers = [version.number for version in versions.published(model_dir)]
    code, out, _ = say("versions", "--model-dir", model_dir)
    assert code == 0
    assert [int(line.split()[0]) for line in out.splitlines()] == numbers
    assert [line.split()[-1] for line in out.splitlines()] == ["served", "older", "older"]


def test_programs_read_the_versions_as_json(say: Say, model_dir: Path) -> None:
    rows = json.loads(say("versions", "--model-dir", model_dir, "--json")[1])
    assert [row["version"] for row in rows] == [v.number for v in versions.published(model_dir)]
    assert [row["state"] for row in rows] == ["served", "older", "older"]
    assert all(datetime.fromisoformat(row["published"]).tzinfo for row in rows)


def test_a_rollback_is_made_and_taken_back(say: Say, model_dir: Path) -> None:
    newest, older, _ = (version.number for version in versions.published(model_dir))
    assert say("rollback", "--model-dir", model_dir, "--to", str(older))[0] == 0
    assert versions.served(model_dir) == model_dir / str(older)
    code, out, _ = say("rollback", "--model-dir", model_dir, "--to", str(newest))
    assert (code, out) == (0, f"{model_dir} serves version {newest}\n")
    assert versions.served(model_dir) == model_dir / str(newest)


def test_a_version_goes_on_trial_and_back(say: Say, model_dir: Path) -> None:
    newest = versions.published(model_dir)[0].number
    assert say("canary", "--model-dir", model_dir)[0] == 0
    code, out, _ = say("canary", "--model-dir", model_dir)
    assert (code, out) == (0, f"stable {newest}, canary {newest}: {model_dir / 'models.config'}\n")
    code, _, err = say("canary", "--model-dir", model_dir, "--promote")
    assert code == 2
    assert "on trial" in err


def test_each_step_of_a_trial_tells_what_comes_next(say: Say, model_dir: Path) -> None:
    older = versions.published(model_dir)[0].number
    say("canary", "--model-dir", model_dir)
    newest = publishing.publish(versions.published(model_dir)[0].path, model_dir)
    told = []
    for more in ((), (), ("--withdraw",), ("--withdraw",)):
        code, out, _ = say("canary", "--model-dir", model_dir, *more)
        assert code == 0
        told.append(out)
    both = f"stable {older}, canary {older}: {model_dir / 'models.config'}\n"
    assert told[0].startswith(f"{both}Version {newest} is loaded beside them by servers")
    assert told[1] == f"stable {older}, canary {newest}: {model_dir / 'models.config'}\n"
    assert told[2].startswith(f"{both}Version {newest} stays loaded until")
    assert told[3] == both


def test_a_rollback_to_no_version_lists_those_there_are(say: Say, model_dir: Path) -> None:
    code, _, err = say("rollback", "--model-dir", model_dir, "--to", "3")
    assert code == 2
    assert all(str(version.number) in err for version in versions.published(model_dir))
    assert len(versions.published(model_dir)) == 3


def test_check_reads_what_a_run_with_the_same_words_would(say: Say, tmp_path: Path) -> None:
    for name in ("one", "other"):
        made_pictures.make(tmp_path / name, 6, seed=len(name))
    file = tmp_path / "pets.yaml"
    file.write_text(f"data: {{source: {tmp_path}/one}}\npush: {{directory: {tmp_path}/served}}\n")
    assert json.loads(say("check", "--config", str(file), "--json")[1])["accepted"] == 18
    both = ["--data", str(tmp_path / "one"), "--data", str(tmp_path / "other")]
    code, out, _ = say("check", *both, "--set", "data.max_pixels=1", "--json")
    assert (code, json.loads(out)["accepted"], len(json.loads(out)["rejected"])) == (1, 0, 36)
    assert not (tmp_path / "served").exists()


def test_compile_does_not_overwrite_its_configuration(tmp_path: Path) -> None:
    file = tmp_path / "pets.yaml"
    text = f"data: {{source: {tmp_path}}}\npush: {{directory: {tmp_path / 'served'}}}\n"
    file.write_text(text)
    with refused(
        ConfigError,
        found="--output: .* is the configuration",
        allowed="a file of its own",
        next="Name another file",
    ):
        compile_to(file, [], "tfx", file)
    assert file.read_text() == text


def test_compile_asks_for_metadata_where_the_root_is_no_folder(tmp_path: Path) -> None:
    file = tmp_path / "pets.yaml"
    places = f"push: {{directory: {tmp_path}}}\nruntime: {{root: gs://bucket/runs}}\n"
    file.write_text(f"data: {{source: {tmp_path}}}\n{places}")
    with refused(
        ConfigError,
        found=r"runtime.metadata: is needed where runtime.root \(gs://bucket/runs\)",
        allowed="SQLite writes to local files only",
        next="Name a server",
    ):
        compile_to(file, [], "tfx", "gs://bucket/compiled.json")


def test_a_broken_package_ends_at_the_start_with_its_name(tmp_path: Path) -> None:
    """As a library does whose version does not fit another's."""
    pictures, broken = tmp_path / "pictures", tmp_path / "broken" / "tfx_bsl"
    made_pictures.make(pictures, 20)
    broken.mkdir(parents=True)
    raised = "raise ImportError('undefined symbol: _ZN5arrow', name='tfx_bsl')"
    (broken / "__init__.py").write_text(raised)
    script = f"import sys; sys.path.insert(0, {str(broken.parent)!r})\n"
    script += "from pipeline.cli import main; main()"
    words = ["run", "--data", pictures, "--root", tmp_path / "runs", "--set", "model.weights=null"]
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, words)], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "tfx_bsl is installed and can't be imported: undefined symbol" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_is_read_with_and_without_its_option(say: Say, tmp_path: Path) -> None:
    made_pictures.make(tmp_path, 6)
    with_option = say("check", "--data", tmp_path, "--json")
    assert say("check", tmp_path, "--json") == with_option
    assert with_option[0] == 0
    code, _, err = say("run", "none")
    assert (code, "data.source: no folder " in err) == (2, True)


def test_the_version_is_told_in_one_line(say: Say) -> None:
    code, out, _ = say("--version")
    assert (code, out.count("\n")) == (0, 1)
    assert out.startswith("transfer-pipeline ") and f"Python {platform.python_version()}" in out


def test_presets_are_listed_and_shown(say: Say) -> None:
    code, out, _ = say("presets")
    assert (code, [line.split()[0] for line in out.splitlines()]) == (0, config.presets())
    rows = json.loads(say("presets", "--json")[1])
    assert all(row["about"].endswith(".") for row in rows)
    assert yaml.safe_load(say("presets", "solar-cells")[1]) == config.read_preset("solar-cells")
    code, _, err = say("presets", "none")
    assert (code, "allowed are" in err) == (2, True)
