from __future__ import annotations

import sys
from pathlib import Path

import pytest

from components.errors import ConfigError
from pipeline.kubeflow_target import SCRIPT, KubeflowCompileError, compile_for_kubeflow


def test_a_missing_interpreter_is_named_with_the_way_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="none/python.*make kubeflow-setup"):
        compile_for_kubeflow(tmp_path, tmp_path / "o", "image", tmp_path / "none" / "python")


def test_the_interpreter_is_given_the_script_the_files_and_the_image(tmp_path: Path) -> None:
    interpreter = tmp_path / "python with space"
    interpreter.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{tmp_path}/arguments"\n')
    interpreter.chmod(0o755)
    compile_for_kubeflow(Path("c d.json"), Path("out.yaml"), "host/image:1", interpreter)
    given = (tmp_path / "arguments").read_text().splitlines()
    assert given == [
        *(str(SCRIPT), "--pipeline", "c d.json"),
        *("--output", "out.yaml", "--image", "host/image:1"),
    ]


def test_an_interpreter_without_the_sdk_is_told_in_its_own_words(tmp_path: Path) -> None:
    with pytest.raises(KubeflowCompileError, match="No module named 'kfp'"):
        compile_for_kubeflow(tmp_path, tmp_path / "o", "image", Path(sys.executable))
