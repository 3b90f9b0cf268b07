from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

INGEST = "components.image_example_gen.component"


def version(tree: Path, module: str = INGEST) -> str:
    """The version as a process with these sources computes it."""
    code = f"from components.step.code_version import code_version; print(code_version({module!r}))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tree, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def append(tree: Path, source: str) -> None:
    with (tree / source).open("a") as file:
        file.write("\nCHANGED = True\n")


def test_the_same_sources_elsewhere_have_the_same_version(tree: Path, tmp_path: Path) -> None:
    shutil.copytree(tree / "components", tmp_path / "other" / "components")
    shutil.copytree(tree / "serving", tmp_path / "other" / "serving")
    assert version(tree) == version(tmp_path / "other")
    assert len(version(tree)) == 16


@pytest.mark.parametrize(
    "source",
    [
        "components/image_example_gen/component.py",  # itself
        "components/image_example_gen/executor.py",  # imported
        "components/image_example_gen/splits.py",  # imported by what is imported
        "components/artifacts/features.py",  # `from components import features`
        "serving/pictures.py",  # of another package
        "serving/graph_decoder.py",  # imported there
    ],
)
def test_it_changes_with_every_module_behind_the_component(tree: Path, source: str) -> None:
    before = version(tree)
    append(tree, source)
    assert version(tree) != before


@pytest.mark.parametrize(
    "source",
    ["components/trainer/training_loop.py", "components/evaluator/gate.py", "serving/versions.py"],
)
def test_it_does_not_change_with_a_module_that_is_not_behind_it(tree: Path, source: str) -> None:
    before = version(tree)
    append(tree, source)
    assert version(tree) == before


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"""Splits."""\n', '"""How pictures are split, at length."""\n\n\n# And why.\n'),
        ('    """Returns two."""\n', ""),
        ("    two: int\n", '    two: int\n    """A field, explained."""\n'),
        ("return 1 + 1", "return (\n        1\n        + 1  # which is two\n    )"),
    ],
)
def test_prose_and_formatting_change_nothing(tree: Path, before: str, after: str) -> None:
    source = tree / "components" / "image_example_gen" / "splits.py"
    code = '"""Splits."""\n\ndef f():\n    """Returns two."""\n    return 1 + 1\n'
    code += "\nclass Pair:\n    two: int\n"
    assert before in code
    source.write_text(code)
    first = version(tree)
    source.write_text(code.replace(before, after))
    assert version(tree) == first
    source.write_text(code.replace("1 + 1", "1 + 2"))
    assert version(tree) != first


def test_a_text_that_is_used_is_no_prose(tree: Path) -> None:
    source = tree / "components" / "image_example_gen" / "splits.py"
    source.write_text('def f():\n    return "one"\n')
    first = version(tree)
    source.write_text('def f():\n    return "two"\n')
    assert version(tree) != first


def test_an_import_inside_a_function_counts(tree: Path) -> None:
    source = tree / "components" / "image_example_gen" / "splits.py"
    source.write_text(source.read_text() + "\ndef f():\n    from components.model import network\n")
    before = version(tree)
    append(tree, "components/model/network.py")
    assert version(tree) != before


def test_different_components_have_different_versions(tree: Path) -> None:
    modules = [INGEST, "components.trainer.component", "components.transform.preprocessing"]
    assert len({version(tree, module) for module in modules}) == 3
