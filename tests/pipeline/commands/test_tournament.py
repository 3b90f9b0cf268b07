from __future__ import annotations

import dataclasses
import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from components.errors import ConfigError, UserError
from pipeline.commands import tournament as command
from pipeline.commands import tournament_output
from pipeline.commands.run import Request
from pipeline.config import Config, override
from tests.explains import refused


@dataclasses.dataclass(frozen=True)
class Found:
    accuracy: float
    interval: tuple[float, float]
    pictures: int
    milliseconds: float
    megabytes: float


@pytest.fixture
def request_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Request:
    """A request whose runs end at once; VGG16's weights can't be had."""

    def execute(request: Request) -> dict[str, Any]:
        assert request.to_node == "BottleneckGen"
        if "model.backbone=vgg16" in request.assignments:
            raise UserError("no weights of vgg16")
        return {"error": None, "run_id": "run-1", "log": str(tmp_path / "log")}

    def enter(config: Config, run_id: str) -> Found:
        accuracy = {"mobilenet": 0.7, "resnet50": 0.9}[config.model.backbone]
        return Found(accuracy, (accuracy - 0.1, accuracy + 0.1), 100, 5.0, 12.0)

    monkeypatch.setattr(command.preflight, "check_folders", lambda config: None)
    monkeypatch.setattr(command, "execute", execute)
    monkeypatch.setattr(command, "_enter", enter)
    keys = ["image.size=[64, 64]", "training.seed=3"]
    return Request(data="p", root=str(tmp_path / "runs"), assignments=keys, as_json=True)


def test_the_best_stands_first_and_what_could_not_be_measured_says_why(
    request_: Request, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.tournament(request_, ["mobilenet,vgg16", "resnet50"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [row["backbone"] for row in found["backbones"]] == ["resnet50", "mobilenet", "vgg16"]
    assert found["backbones"][2]["error"] == "no weights of vgg16"
    assert found["best"] == "resnet50"
    first = found["backbones"][0]
    assert first["interval"] == [0.8, 1.0] and first["milliseconds"] == 5.0
    assert first["set"][-2:] == ["--set", "model.backbone=resnet50"]
    assert "training.seed=3" in first["set"]
    assert "resnet50" in Path(found["plot"]).read_text("utf-8")


def test_people_read_a_table_what_failed_and_a_command_that_is_one_line(
    request_: Request, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    asked = dataclasses.replace(request_, as_json=False)
    assert command.tournament(asked, ["mobilenet,resnet50,vgg16"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "Not measured    vgg16: no weights of vgg16" in lines
    [plot] = [line for line in lines if line.startswith("Plot ")]
    assert Path(plot.removeprefix("Plot").strip()).is_file()
    [go_on] = [line for line in lines if line.startswith("Go on ")]
    words = shlex.split(go_on.removeprefix("Go on"))
    assert words[:6] == ["transfer-pipeline", "run", "--data", "p", "--root", asked.root]
    assert words[-2:] == ["--set", "model.backbone=resnet50"]


@pytest.mark.parametrize("name", ["keras_hub:/a: b", "keras_hub:/a #1", "keras_hub:/\u00e4 'b'"])
def test_a_folder_whose_name_means_something_in_yaml_is_named_as_it_is(
    request_: Request, name: str
) -> None:
    tree: dict[str, Any] = {}
    override(tree, command._of(request_, name).assignments[-1])
    assert tree == {"model": {"backbone": name}}


def test_names_of_folders_are_whole_however_narrow_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    names = [f"keras_hub:/models/presets/{name}" for name in ("dinov2_base", "dinov3_base")]
    facts = dataclasses.asdict(Found(0.9, (0.8, 1.0), 100, 5.0, 12.0))
    rows = [{"backbone": name, **facts} for name in names]
    tournament_output.show({"backbones": rows, "plot": "p"}, Console(width=80), ["run"])
    cells = [line.split("│")[-2].strip() for line in capsys.readouterr().out.splitlines()[3:-3]]
    assert "".join(cells) == "".join(names)


def test_it_fails_where_no_backbone_could_be_measured(request_: Request) -> None:
    assert command.tournament(request_, ["vgg16"]) == 1


def test_an_unknown_backbone_is_refused_before_any_run(request_: Request) -> None:
    with refused(
        ConfigError,
        found="--backbones: unknown alexnet",
        allowed="allowed are inception_v3",
        next="Name some of them",
    ):
        command.tournament(request_, ["alexnet"])


@pytest.mark.parametrize("named", ["", ","])
def test_an_option_without_a_name_is_not_taken_for_all_backbones(
    request_: Request, named: str
) -> None:
    with refused(
        ConfigError,
        found="--backbones: found no name",
        allowed="allowed are inception_v3, .* and keras_hub:FOLDER",
        next="leave the option out",
    ):
        command.tournament(request_, [named])


def test_a_preset_that_is_not_there_is_refused_before_any_run(
    request_: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("components.hub_backbones.importlib.util.find_spec", lambda name: True)
    monkeypatch.setattr(command, "execute", None)
    with refused(
        ConfigError,
        found=f"{tmp_path / 'none'} is no preset of KerasHub",
        allowed="it has no config.json",
        next="Name a folder",
    ):
        command.tournament(request_, ["mobilenet", f"keras_hub:{tmp_path / 'none'}"])


def test_a_backbone_that_the_pictures_are_too_small_for_says_so_in_its_row(
    request_: Request, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.tournament(request_, ["inception_v3,resnet50"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [row["backbone"] for row in found["backbones"]] == ["resnet50", "inception_v3"]
    assert "at least 75 pixels" in found["backbones"][1]["error"]


def test_a_configuration_that_suits_no_backbone_is_refused_before_any_run(
    request_: Request,
) -> None:
    request_.assignments.append("training.frozen.epochs=-1")
    with refused(
        ConfigError,
        found="training.frozen.epochs: found the number -1",
        allowed="greater than or equal to 0",
        next="for example 10",
    ):
        command.tournament(request_, ["mobilenet,resnet50"])


def test_pictures_that_are_not_there_are_told_once_and_not_in_each_row(tmp_path: Path) -> None:
    missing = Request(data=str(tmp_path / "none"), root=str(tmp_path / "runs"))
    with refused(
        ConfigError,
        found="data.source: no folder .*none",
        allowed="one folder of pictures per class",
        next="Name a folder",
    ):
        command.tournament(missing, [])
