"""Holds for all tests: the environment is the command's; tests that share a run share a worker."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Iterator

import hypothesis
import numpy as np
import pytest

from pipeline.launch import environment

environment.prepare()  # before any test module imports TensorFlow or Keras

hypothesis.settings.register_profile("tests", deadline=None)  # no clock decides a test
hypothesis.settings.load_profile("tests")

_COSTLY = ("first_run", "undisturbed")
"""Fixtures of several files that take longer than most of their tests."""


@pytest.fixture(scope="session", autouse=True)
def _temporary_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Gives the tests, and what they start, a folder of temporary files that goes away.

    A run has one, whatever TFX, Beam and TensorFlow leave there; a step's executor alone has not.
    """
    tmp_path_factory.getbasetemp()  # pytest's own folders stay where it keeps them
    with (
        tempfile.TemporaryDirectory(prefix="tests-", ignore_cleanup_errors=True) as folder,
        pytest.MonkeyPatch.context() as patched,
    ):
        os.chmod(folder, 0o1777)  # as /tmp: servers of other users write here, too
        patched.setenv("TMPDIR", folder)
        patched.setattr(tempfile, "tempdir", folder)
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Seeds what draws without a seed of its own: fixtures, then each test, in whatever order.

    Keras draws the seeds of its initializers and of dropout from Python's generator.
    """
    random.seed(0)
    np.random.seed(0)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call() -> None:
    pytest_runtest_setup()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keeps together, under `-n 2 --dist loadgroup`, what shares fixtures: mostly files."""
    for item in items:
        needed = getattr(item, "fixturenames", ())
        file = item.nodeid.split("::")[0]
        group = next((name for name in _COSTLY if name in needed), file)
        item.add_marker(pytest.mark.xdist_group(group))


CAN_NOT_BE_HAD = (
    "root writes everywhere",
    "no docker compose on this machine",
    "Maven Central does not answer",
    "no disk can be mounted here",
)
"""Reasons of skips that CI's machine can do nothing about; any other skip there is a failure."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Fails in CI what is skipped for a program or an environment that CI must have."""
    report = yield
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not any(known in reason for known in CAN_NOT_BE_HAD):
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} was skipped, which is a failure in CI: {reason}"
    return report
