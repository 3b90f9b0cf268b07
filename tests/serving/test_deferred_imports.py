from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest

from serving.deferred_imports import defer, without

NAME = "costly_package_of_a_test"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A deferred package that is slow to run, and notes each time that it does."""
    folder = tmp_path / NAME
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "import pathlib, time\n"
        "with open(pathlib.Path(__file__).with_name('runs'), 'a') as file:\n"
        "    file.write('x')\n"
        "time.sleep(0.3)\n"
        "from . import part\n"
        "value = part.value\n"
    )
    (folder / "part.py").write_text(f"import {NAME}\nvalue = 7\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    defer(NAME)
    yield importlib.import_module(NAME)
    for name in [name for name in sys.modules if name.partition(".")[0] == NAME]:
        del sys.modules[name]


def runs(package: ModuleType) -> int:
    assert package.__file__ is not None
    noted = Path(package.__file__).with_name("runs")
    return len(noted.read_text()) if noted.exists() else 0


def test_what_imports_do_without_can_be_imported_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "spared_module_of_a_test"
    (tmp_path / f"{name}.py").write_text("value = 7\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with without(name), pytest.raises(ModuleNotFoundError, match=name):
        importlib.import_module(name)
    assert importlib.import_module(name).value == 7
    with without(name):  # has no effect on one that is imported already
        assert importlib.import_module(name).value == 7
    monkeypatch.delitem(sys.modules, name)


def test_a_package_runs_at_its_first_name_and_once(package: ModuleType) -> None:
    assert runs(package) == 0
    assert package.value == 7
    assert package.value == 7
    assert runs(package) == 1
    with pytest.raises(AttributeError, match="missing"):
        package.missing  # noqa: B018


def test_a_packages_modules_are_imported_without_it(package: ModuleType) -> None:
    assert package.part.value == 7
    assert runs(package) == 0


def test_several_threads_wait_for_the_one_that_runs_it(package: ModuleType) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: package.value, range(8)))
    assert found == [7] * 8
    assert runs(package) == 1
