from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import config, local_runner, node_runner


class Seen:
    """An observer that keeps the ids of the nodes that began."""

    def __init__(self) -> None:
        self.nodes: list[str] = []

    def node_started(self, node_id: str, position: int, total: int) -> None:
        self.nodes.append(node_id)

    def node_ended(self, node_id: str, state: str, seconds: float) -> None:
        pass


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (
            {"from_node": "Trainer"},
            ["BaselineResolver", "Trainer", "Evaluator", "InfraValidator", "Pusher", "Report"],
        ),
        (
            {"from_node": "Evaluator", "to_node": "Pusher"},
            ["BaselineResolver", "Evaluator", "Pusher"],
        ),
        ({"from_node": "Trainer", "to_node": "Trainer"}, ["Trainer"]),
        ({"from_node": "Pusher"}, ["Pusher", "Report"]),
    ],
)
def test_a_partial_run_that_judges_looks_again_which_model_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: dict[str, str], expected: list[str]
) -> None:
    made = config.build(
        {
            "data": {"source": "pictures"},
            "push": {"directory": str(tmp_path / "models")},
            "runtime": {"root": str(tmp_path / "root")},
        }
    )
    Path(made.root).mkdir()
    monkeypatch.setattr(node_runner, "run_node", lambda compiled, node_id: "cached")
    seen = Seen()
    local_runner.run(made, seen, "monday", **part)
    assert seen.nodes == expected
