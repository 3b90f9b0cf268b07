"""The command `compile`: the pipeline in the form that a scheduler takes."""

from __future__ import annotations

from pathlib import Path

from components.errors import ConfigError
from components.files.paths import is_remote
from pipeline.commands.preflight import check_metadata
from pipeline.commands.run import Request, build_config
from pipeline.launch import environment
from pipeline.targets.airflow import write_dag
from pipeline.targets.kubeflow import compile_for_kubeflow
from serving.quiet_imports import quiet_import


def compile_to(config_file: Path, assignments: list[str], target: str, output: str | Path) -> None:
    """Writes `output`: TFX's compiled pipeline as JSON (on any file system), or a scheduler's form.

    Raises:
      ConfigError: the configuration or the place of the file is wrong.
    """
    config = build_config(Request(config_file=config_file, assignments=assignments))
    if target != "vertex":  # which has no metadata of TFX's
        check_metadata(config)
    if not (target == "tfx" and is_remote(str(output))):
        _check_file(Path(output), config_file)
    with quiet_import(), environment.heavy_imports():
        from google.protobuf import json_format

        from pipeline.local_runner import compile_config
        from pipeline.node_runner import write_compiled

    compiled = compile_config(config)
    if target == "tfx":
        write_compiled(compiled, output)
    elif target == "kubeflow":
        compile_for_kubeflow(config, json_format.MessageToDict(compiled), Path(output))
    elif target == "airflow":
        write_dag(json_format.MessageToDict(compiled), config, Path(output))
    else:
        with quiet_import():
            from pipeline.targets.vertex import compile_for_vertex
        compile_for_vertex(config, Path(output))
    print(f"{output} written")


def _check_file(output: Path, config_file: Path) -> None:
    if output.exists() and output.samefile(config_file):
        raise ConfigError(
            f"--output: {output} is the configuration, and is not overwritten; "
            "what is compiled needs a file of its own. Name another file."
        )
    if not output.parent.is_dir():
        raise ConfigError(
            f"--output: no folder {output.parent}; the file needs one that is there. Make it, or "
            "name another file."
        )
