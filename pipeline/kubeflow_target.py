"""Compiles for Kubeflow Pipelines through the environment that has Kubeflow's SDK."""

from __future__ import annotations

import subprocess
from pathlib import Path

from components.errors import ConfigError, UserError

CHECKOUT = Path(__file__).resolve().parents[1]
INTERPRETER = CHECKOUT / ".venv-kubeflow" / "bin" / "python"
SCRIPT = CHECKOUT / "kubeflow" / "compile.py"


class KubeflowCompileError(UserError):
    """Kubeflow's compiler refused the pipeline."""


def compile_command(interpreter: Path, compiled: Path, output: Path, image: str) -> list[str]:
    """Gives the command that turns a compiled TFX pipeline (JSON) into a Kubeflow one (YAML)."""
    files = ["--pipeline", str(compiled), "--output", str(output)]
    return [str(interpreter), str(SCRIPT), *files, "--image", image]


def compile_for_kubeflow(
    compiled: Path, output: Path, image: str, interpreter: Path = INTERPRETER
) -> None:
    """Writes the Kubeflow pipeline whose steps run the nodes of `compiled` in `image`.

    Args:
      compiled: a compiled TFX pipeline as JSON.
      output: the YAML file to write.
      image: has the project and `kfp`; `kubeflow/compile.py` says where.
      interpreter: a Python that has kfp 2.17.

    Raises:
      ConfigError: the interpreter or the script is missing.
      KubeflowCompileError: the compiler refused the pipeline; the message has its last words.
    """
    if not SCRIPT.is_file():
        raise ConfigError(f"No {SCRIPT}: compiling for Kubeflow needs a checkout of the project.")
    if not interpreter.is_file():
        raise ConfigError(
            f"No Python at {interpreter}: compiling for Kubeflow needs an environment with its "
            "SDK. Run `make kubeflow-setup`, or name an interpreter that has kfp 2.17."
        )
    command = compile_command(interpreter, compiled, output, image)
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise KubeflowCompileError(f"Compiling {compiled} for Kubeflow failed: {last}")
