"""Compiles for Kubeflow Pipelines through the environment that has Kubeflow's SDK."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from components.errors import ConfigError, UserError
from components.step.versions import version_of
from pipeline.config import Config

CHECKOUT = Path(__file__).resolve().parents[2]
SCRIPT = CHECKOUT / "kubeflow" / "compile.py"
_COMPILE = "compile"  # the step before all nodes


def interpreter() -> Path:
    """Returns the interpreter that has kfp: this one, else that of `make kubeflow-setup`.

    Kubeflow's SDK needs a newer protobuf than TFX 1.16 allows, and fits beside TFX 1.21.
    """
    if version_of("kfp") is None:  # a package `kfp` is there with kfp-pipeline-spec alone, too
        return CHECKOUT / ".venv-kubeflow" / "bin" / "python"
    return Path(sys.executable)


class KubeflowCompileError(UserError):
    """Kubeflow's compiler refused the pipeline."""


def order(config: Config, compiled: dict[str, Any]) -> dict[str, Any]:
    """Returns the order that `kubeflow/compile.py` reads; its `make_pipeline` names the keys.

    Args:
      config: the configuration that runs are made from.
      compiled: the compiled TFX pipeline, as `write_compiled` writes it.

    Raises:
      ConfigError: something is asked for a step that is not there.
    """
    nodes = [node["pipelineNode"]["nodeInfo"]["id"] for node in compiled["nodes"]]
    steps = [_COMPILE, *nodes]
    for name in config.runtime.kubeflow.steps:
        if name not in steps:
            raise ConfigError(
                f"runtime.kubeflow.steps: no step {name!r}; the steps are {', '.join(steps)}. Name "
                "one of them."
            )
    return {
        "compiled": compiled,
        "configuration": config.scheduled,
        "steps": {name: config.runtime.kubeflow.of(name).model_dump() for name in steps},
    }


def compile_for_kubeflow(config: Config, compiled: dict[str, Any], output: Path) -> None:
    """Writes the Kubeflow pipeline, as YAML, whose steps run the nodes of `compiled`.

    Args:
      config: as for `order`.
      compiled: as for `order`.
      output: the YAML file to write.

    Raises:
      ConfigError: the interpreter or the script is missing, or the order is wrong.
      KubeflowCompileError: the compiler refused the pipeline; the message has its last lines.
    """
    python = Path(config.runtime.kubeflow.python or interpreter())
    if not SCRIPT.is_file():
        raise ConfigError(
            f"No {SCRIPT}: compiling for Kubeflow needs a checkout of the project. Run "
            "`transfer-pipeline compile` in one."
        )
    if not python.is_file():
        raise ConfigError(
            f"No Python at {python}: compiling for Kubeflow needs an environment with its "
            "SDK. Run `make kubeflow-setup`, or name an interpreter that has kfp 2.17."
        )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "order.json")
        file.write_text(json.dumps(order(config, compiled)), "utf-8")
        arguments = [python, SCRIPT, "--order", file, "--output", output]
        done = subprocess.run(list(map(str, arguments)), capture_output=True, text=True)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise KubeflowCompileError(
            f"Compiling for Kubeflow with {python} failed: {last}. It needs kfp 2.17 and "
            "kfp-kubernetes: `make kubeflow-setup` installs them, and runtime.kubeflow.python "
            "names another interpreter that has them."
        )
