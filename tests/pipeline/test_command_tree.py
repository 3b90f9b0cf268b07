"""What holds for every subcommand, looked up in the command itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from pipeline.cli import app
from pipeline.commands.serve import next_command, serve
from serving.local_server import IS_AVAILABLE
from serving.options import ServeOptions
from tests.pipeline.conftest import Say
from tests.pipeline.test_light_imports import imported_by

_WITHOUT_JSON = {
    "serve": "runs until it is stopped",
    "rollback": "its exit code says all; `versions --json` tells the rest",
    "canary": "its exit code says all; `versions --json` tells the rest",
    "compile": "writes a file",
    "run-node": "for a scheduler, which reads the exit code",
}
"""Older subcommands, and why no program reads what they print."""


def _tree(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "commands"):
        yield name, command
        return
    for part, each in command.commands.items():
        yield from _tree(each, f"{name} {part}".strip())


COMMANDS: dict[str, Any] = dict(_tree(typer.main.get_command(app)))


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_an_example_that_the_command_takes(name: str) -> None:
    command = COMMANDS[name]
    text = " ".join(f"{command.help} {command.epilog or ''}".split())
    assert f"transfer-pipeline {name}" in text.partition("Example: ")[2]


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - _WITHOUT_JSON.keys()))
def test_programs_can_read_what_it_prints(name: str) -> None:
    assert "--json" in [option for each in COMMANDS[name].params for option in each.opts]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_wrong_option_ends_with_2_before_anything_is_loaded(say: Say, name: str) -> None:
    code, _, err = say(*name.split(), "--no-such-option")
    assert (code, "--no-such-option" in err) == (2, True)


@pytest.mark.parametrize(
    "words",
    [
        ["presets"],
        ["presets", "solar-cells"],
        ["completion", "fish"],
        ["doctor", "--no-devices"],
        ["init", ".", "--no-measure", "--output", "/"],
        ["evaluate", "--data", "."],
    ],
    ids=" ".join,
)
def test_what_loads_no_model_imports_no_tensorflow(words: list[str]) -> None:
    code = f"import sys; sys.argv = ['transfer-pipeline', *{words!r}]\n"
    code += "import contextlib\nfrom pipeline.cli import main\n"
    code += "with contextlib.suppress(SystemExit): main()"
    assert not imported_by(code) & {"tensorflow", "keras", "tfx"}


def test_serve_says_how_it_is_asked() -> None:
    asked = next_command(ServeOptions(Path("m"), "classifier", 8500, 8501))
    assert asked == "transfer-pipeline classify PICTURE"
    asked = next_command(ServeOptions(Path("m"), "pets", 8600, 8501))
    assert asked == "transfer-pipeline classify PICTURE --server localhost:8600 --name pets"


def test_serve_says_what_comes_next_once_a_version_answers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def served(options: ServeOptions, announce: Callable[[str], None]) -> None:
        announce("gRPC on 127.0.0.1:8500")
        announce(f"classifier version 1 {IS_AVAILABLE}")
        announce(f"classifier version 2 {IS_AVAILABLE}")

    monkeypatch.setattr("pipeline.commands.serve.serve_locally", served)
    serve(ServeOptions(tmp_path, "classifier", 8500, 8501), local=True)
    lines = capsys.readouterr().out.splitlines()
    assert lines[2:] == [
        f"classifier version 1 {IS_AVAILABLE}",
        "Next, in another terminal: transfer-pipeline classify PICTURE",
        f"classifier version 2 {IS_AVAILABLE}",
    ]
