from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.errors import ConfigError
from pipeline import config
from pipeline.targets.kubeflow import (
    SCRIPT,
    KubeflowCompileError,
    compile_for_kubeflow,
    order,
)
from tests.explains import refused

COMPILED = {"nodes": [{"pipelineNode": {"nodeInfo": {"id": "Trainer"}}}]}


def make(**kubeflow: Any) -> config.Config:
    return config.build(
        {
            "data": {"source": ["pictures", "gs://bucket/more"]},
            "push": {"directory": "~/served"},
            "model": {"weights": "base.h5"},
            "runtime": {"metadata": "grpc://metadata:8080", "kubeflow": kubeflow},
        }
    )


def test_a_missing_interpreter_is_named_with_the_way_to_get_it(tmp_path: Path) -> None:
    with refused(
        ConfigError,
        found="No Python at .*none/python",
        allowed="an environment with its SDK",
        next="make kubeflow-setup",
    ):
        compile_for_kubeflow(make(python=f"{tmp_path}/none/python"), COMPILED, tmp_path / "o")


def test_the_interpreter_is_given_the_script_the_order_and_the_output(tmp_path: Path) -> None:
    interpreter = tmp_path / "python with space"
    interpreter.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/words; cp "$3" {tmp_path}')
    interpreter.chmod(0o755)
    given = make(python=str(interpreter))
    compile_for_kubeflow(given, COMPILED, Path("out.yaml"))
    script, option, _, *rest = (tmp_path / "words").read_text().splitlines()
    assert [script, option, *rest] == [str(SCRIPT), "--order", "--output", "out.yaml"]
    assert json.loads((tmp_path / "order.json").read_text()) == order(given, COMPILED)


def test_what_is_compiled_has_no_webhook_which_no_step_reads() -> None:
    chat = {"webhook": "https://chat/51lence", "secret_env": "HOOK"}
    given = config.build(
        {
            "data": {"source": "pictures"},
            "push": {"directory": "served"},
            "runtime": {"notify": chat},
        }
    )
    made = order(given, COMPILED)
    assert "51lence" not in json.dumps(made)
    assert config.build(made["configuration"]).runtime == given.resolved().runtime.model_copy(
        update={"notify": None}
    )


def test_an_interpreter_without_the_sdk_is_told_in_its_own_words(tmp_path: Path) -> None:
    bare = tmp_path / "python"  # TFX 1.21's own environment has the SDK
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')
    bare.chmod(0o755)
    with refused(
        KubeflowCompileError,
        found=f"{bare} failed: .*(No module named|cannot import).* 'kfp'",
        allowed="needs kfp 2.17",
        next="make kubeflow-setup.* runtime.kubeflow.python",
    ):
        compile_for_kubeflow(make(python=str(bare)), COMPILED, tmp_path / "o")


def test_the_steps_working_folder_does_not_matter() -> None:
    here, tree = str(Path.cwd()), make().resolved().model_dump()
    assert tree["data"]["source"] == [f"{here}/pictures", "gs://bucket/more"]
    assert tree["push"]["directory"] == f"{Path.home()}/served"
    assert tree["model"]["weights"] == f"{here}/base.h5"
    assert tree["runtime"]["root"].startswith(f"{here}/")
    assert tree["runtime"]["metadata"] == "grpc://metadata:8080"
    config.build(tree)


def test_what_a_step_is_given_replaces_that_key_of_what_all_get() -> None:
    everyone = {"cpu": 2, "env": {"A": "1"}, "retries": 5}
    own = {"gpu": 1, "image": "gpu:1", "env": {"B": "2"}, "retries": 0}
    steps = order(make(image="cpu:1", step=everyone, steps={"Trainer": own}), COMPILED)["steps"]
    assert list(steps) == ["compile", "Trainer"]
    keys = ("image", "cpu", "gpu", "env", "retries")
    assert [steps["compile"][key] for key in keys] == ["cpu:1", "2", None, {"A": "1"}, 5]
    assert [steps["Trainer"][key] for key in keys] == ["gpu:1", "2", 1, {"B": "2"}, 0]


def test_a_step_that_is_not_there_is_refused_with_those_that_are() -> None:
    with refused(
        ConfigError,
        found="no step 'trainer'",
        allowed="the steps are compile, Trainer",
        next="Name one",
    ):
        order(make(steps={"trainer": {"gpu": 1}}), COMPILED)


def test_the_documented_example_is_a_configuration_and_a_step_gets_what_it_says() -> None:
    text = (Path(__file__).parents[3] / "docs" / "schedulers.md").read_text("utf-8")
    [block] = [
        block for block in re.findall(r"```yaml\n(.*?)```", text, re.S) if "kubeflow:" in block
    ]
    places = {"data": {"source": "/srv/pictures"}, "push": {"directory": "/srv/served"}}
    trainer = order(config.build({**places, **yaml.safe_load(block)}), COMPILED)["steps"]["Trainer"]
    assert trainer["image"] == "REGISTRY/transfer-pipeline:1-gpu"
    assert (trainer["gpu"], trainer["cpu"], trainer["volumes"][0]["mount"]) == (1, "2", "/srv")


@pytest.mark.parametrize(
    ("step", "found", "allowed"),
    [
        ({"cpu": "two"}, "step.cpu: found the text 'two'", "cores as 2, 0.5 or 500m"),
        ({"memory": "8GB"}, "step.memory: found the text '8GB'", "bytes as 512Mi or 4G"),
        (
            {"volumes": [{"claim": "c", "mount": "p"}]},
            "step.volumes.0.mount: found the text 'p'",
            "an absolute path",
        ),
        ({"secrets": [{"name": "s"}]}, "step.secrets.0: found", "`env` or `mount` is needed"),
        ({"secrets": [{"env": "S"}]}, "step.secrets.0.name: is missing", "a value is needed"),
        (
            {"tolerations": [{"effekt": "x"}]},
            "tolerations.0.effekt: unknown key",
            "did you mean effect.* Allowed here",
        ),
    ],
)
def test_a_wrong_step_is_told_with_its_key(step: dict[str, Any], found: str, allowed: str) -> None:
    with refused(ConfigError, found=found, allowed=allowed, next="correct these keys"):
        make(step=step)


def test_a_wrong_key_of_one_step_is_told_with_the_step() -> None:
    with refused(
        ConfigError,
        found="runtime.kubeflow.steps.Trainer.gpus: unknown key",
        allowed="did you mean gpu.* Allowed here: ",
        next="correct these keys",
    ):
        make(steps={"Trainer": {"gpus": 1}})
