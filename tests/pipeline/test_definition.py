from __future__ import annotations

from typing import Any

import pytest
from tfx.proto.orchestration import pipeline_pb2

from pipeline import config
from pipeline.local_runner import compile_config
from pipeline.nodes import node_ids

KEYS = {"data": {"source": "pictures"}, "push": {"directory": "models"}}
END_TO_END = {"training": {"frozen": {"features": "end_to_end"}}}
HEAD = {"dense": [{"units": 32}]}


def nodes(**sections: Any) -> dict[str, pipeline_pb2.PipelineNode]:
    """The compiled pipeline's nodes, by id."""
    compiled = compile_config(config.build({**KEYS, **sections}))
    return {each.pipeline_node.node_info.id: each.pipeline_node for each in compiled.nodes}


@pytest.mark.parametrize(
    "sections",
    [
        {"gate": {"golden": "fixed"}},
        {"tuner": {"trials": 3}, "export": {"tflite": ["float16"]}},
        END_TO_END,
    ],
)
def test_the_ids_that_need_no_tfx_are_those_of_the_compiled_pipeline(
    sections: dict[str, Any],
) -> None:
    found = nodes(**sections)
    ids = node_ids(config.build({**KEYS, **sections}))
    assert sorted(ids) == sorted(found)
    for position, name in enumerate(ids):
        assert set(found[name].upstream_nodes) <= set(ids[:position])


def test_without_trials_there_is_no_tuner() -> None:
    found = nodes()
    assert "Tuner" not in found
    assert "hyperparameters" not in found["Trainer"].inputs.inputs
    assert "tuner_results" not in found["Report"].inputs.inputs


def test_tuner_stands_between_bottleneck_gen_and_trainer() -> None:
    found = nodes(tuner={"trials": 3})
    assert set(found["Tuner"].upstream_nodes) == {"BottleneckGen", "ImageExampleGen"}
    assert "Tuner" in found["Trainer"].upstream_nodes
    assert set(found["Tuner"].downstream_nodes) == {"Trainer", "Report"}


def test_what_is_tuned_reruns_neither_bottleneck_gen_nor_what_is_before_it() -> None:
    plain, tuned = nodes(), nodes(tuner={"trials": 3}, model={"head": HEAD})
    for name in ("Transform", "BottleneckGen"):
        assert tuned[name].parameters == plain[name].parameters


def test_what_only_the_second_phase_reads_does_not_rerun_the_tuner() -> None:
    one = nodes(tuner={"trials": 3})["Tuner"]
    other = nodes(
        tuner={"trials": 3},
        model={"weights": None},
        training={"unfrozen": {"epochs": 3}, "cache_budget_mb": 1},
    )["Tuner"]
    assert one.parameters == other.parameters
    searched = nodes(tuner={"trials": 3, "units": [8, 16]})["Tuner"]
    assert searched.parameters != one.parameters


def test_a_golden_set_is_read_by_a_step_of_its_own_that_nothing_but_the_gate_sees() -> None:
    assert "GoldenExampleGen" not in nodes()
    plain, found = nodes(), nodes(gate={"golden": "fixed"})
    assert set(found["GoldenExampleGen"].upstream_nodes) == {"ImageExampleGen"}
    assert set(found["GoldenExampleGen"].downstream_nodes) == {"Evaluator"}
    assert found["Trainer"].parameters == plain["Trainer"].parameters
