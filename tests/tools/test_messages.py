"""A test of a fault that the user can mend holds its message against all three questions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.checkout_tools import ROOT

_BASES = {"UserError", "ClientError", "VersionError", "ConfigFileError"}
_SOURCES = ("components", "pipeline", "serving")
_HELD = ("tests/faults", "tests/pipeline", "tests/serving")
_NOT_YET = {
    "tests/pipeline/commands/test_check.py",
    "tests/pipeline/commands/test_classify.py",
    "tests/pipeline/commands/test_demo_data.py",
    "tests/pipeline/commands/test_evaluate.py",
    "tests/pipeline/commands/test_notify.py",
    "tests/pipeline/commands/test_run.py",
    "tests/pipeline/commands/test_runs.py",
    "tests/pipeline/targets/test_airflow.py",
    "tests/pipeline/targets/test_kubeflow.py",
    "tests/pipeline/test_api.py",
    "tests/pipeline/test_cli.py",
    "tests/pipeline/test_config.py",
    "tests/pipeline/test_yaml_text.py",
    "tests/serving/client/test_tls.py",
    "tests/serving/test_config_files.py",
}
"""Files that are still content with one answer; none is added."""


def _faults() -> set[str]:
    """Returns the names of the error classes that people are shown as a message alone."""
    bases = {
        node.name: {_name(base) for base in node.bases}
        for folder in _SOURCES
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    }
    found = set(_BASES)
    while more := {name for name, above in bases.items() if above & found} - found:
        found |= more
    return found


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _content_with_less(path: Path, faults: set[str]) -> Iterator[int]:
    """Yields the lines where `pytest.raises` awaits a user's fault."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and _name(node.func) == "raises" and node.args:
            first = node.args[0]
            kinds = first.elts if isinstance(first, ast.Tuple) else [first]
            if {_name(kind) for kind in kinds} & faults:
                yield node.lineno


def test_a_refusal_is_awaited_with_what_was_found_what_is_allowed_and_what_to_do() -> None:
    faults = _faults()
    assert {"ConfigError", "DiskFull", "MetadataDamaged", "ServerBusy"} <= faults
    found = {
        path.relative_to(ROOT).as_posix(): lines
        for folder in _HELD
        for path in sorted((ROOT / folder).rglob("*.py"))
        if (lines := [*_content_with_less(path, faults)])
    }
    assert found.keys() - _NOT_YET == set(), "use tests.explains.refused"
    assert found.keys() >= _NOT_YET, "take what is converted out of the list"
