"""What holds for all tests: the environment is the command's, and who shares what."""

from __future__ import annotations

import pytest

from pipeline.launch import environment

environment.prepare()  # before any test module imports TensorFlow or Keras

_COSTLY = "first_run"  # a fixture of several files that takes longer than most of its tests


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keeps together, under `-n 2 --dist loadgroup`, what shares fixtures: mostly files."""
    for item in items:
        named = _COSTLY in getattr(item, "fixturenames", ())
        item.add_marker(pytest.mark.xdist_group(_COSTLY if named else item.nodeid.split("::")[0]))
