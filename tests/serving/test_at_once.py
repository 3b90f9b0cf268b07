"""Two changes of a push directory at once, and a file of labels that lies elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from serving import atomic_files, canary, labels
from serving.publishing import prune, publish
from serving.push_lock import locked
from tests.serving.push_directory import model

SLOW, FAST = ["slow:8500"], ["fast:8500"]
SECONDS = 60


@pytest.fixture
def pushed(tmp_path: Path) -> tuple[Path, list[int]]:
    """A push directory with three versions, the second of which is `stable`."""
    made, model_dir = model(tmp_path / "model"), tmp_path / "pushed"
    numbers = [publish(made, model_dir)]
    canary.advance(model_dir)
    numbers.append(publish(made, model_dir))
    for _ in range(2):
        canary.advance(model_dir)
    canary.promote(model_dir)
    return model_dir, [*numbers, publish(made, model_dir)]


class Servers:
    """Take every change; a slow one loads until it is allowed to end."""

    def __init__(self) -> None:
        self.loading, self.allowed = threading.Event(), threading.Event()

    def await_available(self, server: str, *_: object, **__: object) -> None:
        if server in SLOW:
            self.loading.set()
            assert self.allowed.wait(SECONDS)


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Servers:
    made = Servers()
    monkeypatch.setattr(canary, "await_available", made.await_available)
    monkeypatch.setattr(canary, "reload", lambda *_: None)
    return made


@contextmanager
def beside(act: Callable[[], object]) -> Iterator[None]:
    """Acts in another thread, which has ended once the block has."""
    thread = threading.Thread(target=act)
    thread.start()
    yield
    thread.join(SECONDS)
    assert not thread.is_alive()


def meanwhile(servers: Servers, first: Callable[[], object], second: Callable[[], object]) -> None:
    """Begins the second change while the first waits for its slow server."""
    with beside(first):
        assert servers.loading.wait(SECONDS)
        with beside(second):
            threading.Event().wait(0.5)  # or it has ended by now
            servers.allowed.set()


def test_a_rollback_is_not_lost_to_a_trial_that_began_before(
    pushed: tuple[Path, list[int]], servers: Servers
) -> None:
    model_dir, (first, _, _) = pushed
    meanwhile(
        servers,
        lambda: canary.advance(model_dir, servers=SLOW),
        lambda: canary.rollback(model_dir, first, servers=FAST),
    )
    found = labels.read(model_dir)
    assert found is not None and found.loaded == {first}


def test_a_version_that_is_about_to_get_the_labels_is_not_pruned(
    pushed: tuple[Path, list[int]], servers: Servers
) -> None:
    model_dir, (first, _, _) = pushed
    meanwhile(
        servers,
        lambda: canary.rollback(model_dir, first, servers=SLOW),
        lambda: prune(model_dir, keep=1),
    )
    assert (model_dir / str(first)).is_dir()


def test_a_push_that_begins_leaves_a_file_alone_that_is_being_written(
    pushed: tuple[Path, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    model_dir, (_, _, third) = pushed
    sync = atomic_files._sync
    pushes = []

    def push() -> None:
        with locked(model_dir):
            pass

    def synced(path: Path) -> None:
        if path.name.startswith(atomic_files.INCOMING):
            pushes.append(threading.Thread(target=push))
            pushes[-1].start()
            pushes[-1].join(0.5)
        sync(path)

    monkeypatch.setattr(atomic_files, "_sync", synced)
    assert canary.advance(model_dir).beside == third
    for each in pushes:
        each.join(SECONDS)
    assert pushes


def test_labels_behind_a_symbolic_link_are_changed_where_they_lie(
    pushed: tuple[Path, list[int]],
) -> None:
    model_dir, (_, _, third) = pushed
    file, shared = model_dir / labels.MODELS_CONFIG, model_dir.with_name("shared.config")
    file.rename(shared)
    file.symlink_to(shared)
    assert canary.advance(model_dir).beside == third
    assert file.is_symlink()
    assert str(third) in shared.read_text()


def test_a_file_that_cannot_be_written_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(atomic_files, "_sync", full)
    with pytest.raises(OSError, match="No space"):
        atomic_files.write(tmp_path / "watch.json", "{}")
    assert list(tmp_path.iterdir()) == []
