"""The pipeline as one pure function of its configuration."""

from __future__ import annotations

import tfx.components as tfx_components
from tfx.dsl.components.base.base_node import BaseNode
from tfx.orchestration.pipeline import Pipeline
from tfx.types import BaseChannel

from components.baseline.component import BaselineResolver
from components.bottleneck_gen.component import BottleneckGen
from components.data_validator.component import DataValidator
from components.evaluator.component import Evaluator
from components.files.paths import is_remote
from components.image_example_gen.component import ImageExampleGen
from components.infra_validator.component import InfraValidator
from components.lite_export.component import LiteExport
from components.pusher.component import Pusher
from components.report.component import Report
from components.schema.component import ImportSchemaGen
from components.settings.beam_options import is_local, pipeline_arguments
from components.settings.metadata import connection_config
from components.settings.runtime import Runtime
from components.statistics_gen.component import StatisticsGen
from components.statistics_gen.distributed import make_distributed_statistics_gen
from components.trainer.component import Trainer
from components.transform.component import make_transform
from components.tuner.component import Tuner
from pipeline.config import Config


def create_pipeline(config: Config) -> Pipeline:
    """Returns the pipeline that turns `config.data` into a served model.

    It looks at nothing but the configuration and the project's own sources, and runs as it stands
    under TFX's `LocalDagRunner`, or node by node under `pipeline.node_runner`.

    Raises:
      ConfigError: Beam's runner would download a program.
    """
    nodes = _components(config.resolved(), config.model_dump_json(indent=1))
    return Pipeline(
        pipeline_name=config.pipeline_name,
        pipeline_root=config.pipeline_root,
        components=_placed(config, nodes),
        metadata_connection_config=connection_config(config.metadata),
        beam_pipeline_args=pipeline_arguments(config.runtime.beam),
        enable_cache=True,
    )


def _placed(config: Config, nodes: list[BaseNode]) -> list[BaseNode]:
    """Keeps the Beam steps that read folders on the node's machine, where the root is no folder."""
    if is_remote(config.runtime.root) and not is_local(config.runtime.beam):
        for node in nodes:
            if isinstance(
                node, BottleneckGen | Evaluator
            ):  # the last arguments are those that count
                node.with_beam_pipeline_args(pipeline_arguments(Runtime().beam))
    return nodes


def _components(config: Config, written: str) -> list[BaseNode]:
    """Makes the nodes.

    Args:
      config: with absolute paths: a scheduler runs the nodes from another folder.
      written: the configuration as the user wrote it, for the report.
    """
    pictures = ImageExampleGen(config.data)
    schema = ImportSchemaGen()
    *checks, validator = _checks(config, pictures, schema)
    transform = make_transform(
        pictures.outputs["examples"],
        schema.outputs["schema"],
        config.model.backbone,
        config.image_size,
        config.image,
    )
    transform.add_upstream_node(validator)  # no step sees data that was stopped
    baseline = BaselineResolver(config.push.directory)
    training, trials = _training(config, pictures, transform, baseline)
    release = _release(
        config, written, pictures, validator, transform, training[-1], baseline, trials
    )
    return [pictures, schema, *checks, validator, transform, baseline, *training, *release]


def _lite_export(
    config: Config, pictures: BaseNode, transform: BaseNode, trainer: BaseNode
) -> list[BaseNode]:
    """Makes the node that converts the candidate for devices, where the configuration names any."""
    if not config.export.tflite:
        return []
    return [
        LiteExport(
            pictures.outputs["examples"],
            transform.outputs["transform_graph"],
            pictures.outputs["class_list"],
            trainer.outputs["model"],
            config.model.backbone,
            config.export,
        )
    ]


def _checks(config: Config, pictures: BaseNode, schema: BaseNode) -> list[BaseNode]:
    """Makes the nodes that check the data; the last of them stops the run."""
    examples = pictures.outputs["examples"]
    local = is_local(config.runtime.beam)
    make_statistics_gen = StatisticsGen if local else make_distributed_statistics_gen
    statistics = make_statistics_gen(examples, schema.outputs["schema"])
    anomalies = tfx_components.ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    )
    validator = DataValidator(
        examples,
        pictures.outputs["ingest_report"],
        statistics.outputs["statistics"],
        anomalies.outputs["anomalies"],
        config.validation,
    )
    return [statistics, anomalies, validator]


def _training(
    config: Config, pictures: BaseNode, transform: BaseNode, baseline: BaseNode
) -> tuple[list[BaseNode], BaseChannel | None]:
    """Makes the nodes that fit the candidate, the Trainer last; returns them and Tuner's trials."""
    examples, graph = pictures.outputs["examples"], transform.outputs["transform_graph"]
    model, training = config.model, config.training
    served = baseline.outputs["model"] if training.warm_start else None
    class_list = pictures.outputs["class_list"]
    nodes: list[BaseNode] = []
    bottlenecks = found = trials = None
    if training.frozen.epochs and training.frozen.features == "cached":
        bottleneck_gen = BottleneckGen(examples, graph, model, config.image_size, training, served)
        bottlenecks = bottleneck_gen.outputs["bottlenecks"]
        nodes.append(bottleneck_gen)
    if config.tuner.trials:
        tuner = Tuner(bottlenecks, class_list, model, config.image_size, training, config.tuner)
        found, trials = tuner.outputs["best_hyperparameters"], tuner.outputs["tuner_results"]
        nodes.append(tuner)
    trainer = Trainer(examples, graph, class_list, model, training, bottlenecks, served, found)
    return [*nodes, trainer], trials


def _release(
    config: Config,
    written: str,
    pictures: BaseNode,
    validator: BaseNode,
    transform: BaseNode,
    trainer: BaseNode,
    baseline: BaseNode,
    trials: BaseChannel | None,
) -> list[BaseNode]:
    """Makes the nodes that evaluate the candidate, push it and report."""
    examples, class_list = pictures.outputs["examples"], pictures.outputs["class_list"]
    candidate = trainer.outputs["model"]
    evaluator = Evaluator(examples, class_list, candidate, baseline.outputs["model"], config.gate)
    infra = InfraValidator(examples, candidate, config.infra)
    pusher = Pusher(
        candidate, evaluator.outputs["blessing"], infra.outputs["blessing"], config.push
    )
    lite = _lite_export(config, pictures, transform, trainer)
    report = Report(
        examples,
        class_list,
        pictures.outputs["ingest_report"],
        validator.outputs["acceptance"],
        candidate,
        transform.outputs["transform_graph"],
        trainer.outputs["model_run"],
        evaluator.outputs["predictions"],
        evaluator.outputs["verdict"],
        written,
        infra.outputs["blessing"],
        pusher.outputs["pushed_model"],
        trials,
        lite[0].outputs["lite_model"] if lite else None,
    )
    return [evaluator, infra, pusher, *lite, report]
