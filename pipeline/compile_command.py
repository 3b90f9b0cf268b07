"""The command `compile`: the pipeline in the form that a scheduler takes."""

from __future__ import annotations

import tempfile
from pathlib import Path

from components.errors import ConfigError
from pipeline import kubeflow_target
from pipeline.run_command import Request, build_config
from serving.quiet import quiet_import


def compile_to(config_file: Path, assignments: list[str], target: str, output: Path) -> None:
    """Writes `output`: TFX's compiled pipeline as JSON, or a Kubeflow pipeline as YAML.

    Raises:
      ConfigError: the configuration or the place of the file is wrong.
    """
    config = build_config(Request(config_file=config_file, assignments=assignments))
    if output.exists() and output.samefile(config_file):
        raise ConfigError(f"--output: {output} is the configuration. Name another file.")
    if not output.parent.is_dir():
        raise ConfigError(f"--output: no folder {output.parent}.")
    with quiet_import():
        from pipeline.local_runner import compile_config
        from pipeline.node_runner import write_compiled

    compiled = compile_config(config)
    if target == "tfx":
        write_compiled(compiled, output)
    else:
        named = config.runtime.kubeflow.python
        interpreter = Path(named) if named else kubeflow_target.INTERPRETER
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "pipeline.json")
            write_compiled(compiled, file)
            image = config.runtime.kubeflow.image
            kubeflow_target.compile_for_kubeflow(file, output, image, interpreter)
    print(f"{output} written")
