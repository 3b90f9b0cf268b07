"""Which line of TFX a machine is given, and why."""

from __future__ import annotations

import pytest

from tests.checkout_tools import ROOT, bootstrap, lines

NEWEST, OLDER = lines.LINES


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine that can run every line, with every Python."""
    monkeypatch.delenv(lines.CHOICE, raising=False)
    monkeypatch.setattr(lines, "glibc", lambda: NEWEST.glibc)
    monkeypatch.setattr(lines, "first_python", lambda versions: (versions[0], "/a/python"))
    monkeypatch.setattr(lines, "lacks_headers", lambda version: False)
    return monkeypatch


def test_the_newest_line_is_taken_where_the_machine_can_run_it(machine: object) -> None:
    assert str(lines.choose()) == f"TFX {NEWEST.tfx} on Python {NEWEST.pythons[0]}"


def test_an_older_glibc_takes_the_older_line_and_says_why(machine: pytest.MonkeyPatch) -> None:
    machine.setattr(lines, "glibc", lambda: (2, 36))
    assert str(lines.choose()) == (
        "TFX 1.16 on Python 3.10, since TFX 1.21 needs glibc 2.39 and this machine has 2.36"
    )


def test_a_missing_python_takes_the_older_line_and_says_why(machine: pytest.MonkeyPatch) -> None:
    machine.setattr(
        lines, "first_python", lambda found: (found[0], "/a") if found == OLDER.pythons else None
    )
    assert str(lines.choose()).startswith(
        "TFX 1.16 on Python 3.10, since TFX 1.21 needs Python 3.13 or 3.12 with its C headers"
    )


def test_a_named_line_overrides(machine: pytest.MonkeyPatch) -> None:
    machine.setenv(lines.CHOICE, OLDER.tfx)
    chosen = lines.choose()
    assert chosen.line.lock(chosen.version) == "tfx-1.16-py310"


def test_a_line_that_is_none_is_refused_with_those_there_are(machine: pytest.MonkeyPatch) -> None:
    machine.setenv(lines.CHOICE, "1.17")
    with pytest.raises(lines.SetupError, match=r"TFX_LINE=1.17: .* there are 1.21 and 1.16"):
        lines.choose()


def test_a_machine_that_can_run_none_is_told_why_line_by_line(machine: pytest.MonkeyPatch) -> None:
    machine.setattr(lines, "glibc", lambda: (0, 0))  # musl
    with pytest.raises(lines.SetupError) as refused:
        lines.choose()
    for line in lines.LINES:
        assert f"TFX {line.tfx} needs glibc" in str(refused.value)


def test_every_line_and_python_has_a_lock_with_hashes() -> None:
    for environment in bootstrap.locked():
        text = (ROOT / "constraints" / f"{environment.lock}.txt").read_text()
        assert text.count("==") <= text.count("--hash=sha256:")
        assert (ROOT / "constraints" / f"{environment.source}.in").is_file()


def test_what_only_the_older_line_needs_is_in_its_lock_alone() -> None:
    for line in lines.LINES:
        for python in line.pythons:
            text = (ROOT / "constraints" / f"{line.lock(python)}.txt").read_text()
            assert f"\ntfx=={line.tfx}." in text
            assert ("\nsetuptools==79." in text) == (line is OLDER)
            assert ("\nkfp==" in text) == ("kubeflow" in line.extras)
