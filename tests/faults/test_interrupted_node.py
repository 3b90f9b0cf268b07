"""A node that Ctrl-C or SIGTERM ends reads "interrupted", and its error goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.settings import metadata
from pipeline import config, local_runner, node_runner
from tests.pipeline.made_nodes import compiled


class Ended:
    """Notes how nodes end."""

    def __init__(self) -> None:
        self.states: list[str] = []

    def node_started(self, node_id: str, position: int, total: int) -> None: ...

    def node_ended(self, node_id: str, state: str, seconds: float) -> None:
        self.states.append(state)


def test_a_node_that_is_interrupted_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> str:
        raise KeyboardInterrupt

    store = metadata.connection_config(str(tmp_path / "metadata.sqlite"))
    monkeypatch.setattr(local_runner, "compile_config", lambda _: compiled(str(tmp_path), store))
    monkeypatch.setattr(node_runner, "run_node", interrupted)
    made = config.build({"data": {"source": "p"}, "push": {"directory": str(tmp_path)}})
    observer = Ended()
    with pytest.raises(KeyboardInterrupt):
        local_runner.run(made, observer, "run-1")
    assert observer.states == ["interrupted"]
