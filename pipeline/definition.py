"""The pipeline as one pure function of its configuration."""

from __future__ import annotations

from typing import Any

from tfx.dsl.components.base.base_node import BaseNode
from tfx.orchestration.pipeline import Pipeline
from tfx.types import BaseChannel

from components.baseline.component import BaselineResolver, BaselineSettings
from components.bottleneck_gen.component import BottleneckGen
from components.bottleneck_gen.executor import BottleneckSettings
from components.data_validator.component import DataValidator
from components.evaluator.component import Evaluator
from components.example_validator.component import ExampleValidator
from components.files.paths import is_remote
from components.image_example_gen.component import ImageExampleGen
from components.image_example_gen.golden import GoldenExampleGen
from components.infra_validator.component import InfraValidator
from components.infra_validator.executor import InfraSettings
from components.lite_export.component import LiteExport
from components.lite_export.executor import LiteSettings
from components.pusher.component import Pusher
from components.report.component import Report
from components.report.executor import ReportSettings
from components.schema.component import ImportSchemaGen
from components.settings.beam_options import is_local, pipeline_arguments
from components.settings.ingest import Ingest
from components.settings.metadata import connection_config
from components.settings.runtime import Runtime
from components.statistics_gen.component import StatisticsGen
from components.statistics_gen.executor import StatisticsSettings
from components.trainer.component import Trainer
from components.trainer.settings import TrainerSettings
from components.transform.component import Transform
from pipeline.config import Config


def create_pipeline(config: Config) -> Pipeline:
    """Returns the pipeline that turns `config.data` into a served model.

    It looks at nothing but the configuration and the project's own sources, and runs as it stands
    under TFX's `LocalDagRunner`, or node by node under `pipeline.node_runner`.

    Raises:
      ConfigError: Beam's runner would download a program.
    """
    nodes = _components(config.resolved(), config.reported)
    return Pipeline(
        pipeline_name=config.pipeline_name,
        pipeline_root=config.pipeline_root,
        components=_placed(config, nodes),
        metadata_connection_config=connection_config(config.metadata),
        beam_pipeline_args=pipeline_arguments(config.runtime.beam),
        enable_cache=True,
    )


def _placed(config: Config, nodes: list[BaseNode]) -> list[BaseNode]:
    """Keeps Transform on the node's machine, where the root is no folder.

    It computes nothing over the pictures, and TensorFlow writes its graph to the file systems that
    it knows, which need not be the root's.
    """
    if is_remote(config.runtime.root) and not is_local(config.runtime.beam):
        for node in nodes:
            if isinstance(node, Transform):  # the last arguments are those that count
                node.with_beam_pipeline_args(pipeline_arguments(Runtime().beam))
    return nodes


def _components(config: Config, written: dict[str, Any]) -> list[BaseNode]:
    """Makes the nodes.

    Args:
      config: with absolute paths: a scheduler runs the nodes from another folder.
      written: the configuration as the user wrote it, for the report.
    """
    pictures = ImageExampleGen(config.data, config.image)
    schema = ImportSchemaGen()
    *checks, validator = _checks(config, pictures, schema)
    transform = Transform(
        pictures.outputs["examples"],
        schema.outputs["schema"],
        config.model.backbone,
        config.image_size,
        config.image,
        config.data.max_pixels,
    )
    transform.add_upstream_node(validator)  # no step sees data that was stopped
    baseline = BaselineResolver(BaselineSettings(push_directory=config.push.directory))
    training, trials = _training(config, pictures, validator, transform, baseline)
    release = _release(config, written, pictures, validator, transform, training, baseline, trials)
    return [pictures, schema, *checks, validator, transform, baseline, *training, *release]


def _lite_export(
    config: Config, transform: BaseNode, candidate: dict[str, BaseChannel]
) -> list[BaseNode]:
    """Makes the step that makes files for devices of the candidate, if any are asked for."""
    if not config.export.tflite:
        return []
    return [
        LiteExport(
            LiteSettings(backbone=config.model.backbone, export=config.export),
            **candidate,
            transform_graph=transform.outputs["transform_graph"],
        )
    ]


def _golden(config: Config, pictures: BaseNode) -> list[BaseNode]:
    """Makes the step that reads the golden set, if there is one."""
    if config.golden is None:
        return []
    return [
        GoldenExampleGen(Ingest.of(config.golden), ingest_report=pictures.outputs["ingest_report"])
    ]


def _checks(config: Config, pictures: BaseNode, schema: BaseNode) -> list[BaseNode]:
    """Makes the steps that look at the data; the last of them stops the run."""
    examples = pictures.outputs["examples"]
    statistics = StatisticsGen(
        StatisticsSettings(distributed=not is_local(config.runtime.beam)),
        examples=examples,
        schema=schema.outputs["schema"],
    )
    anomalies = ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    )
    validator = DataValidator(
        config.validation,
        examples=examples,
        ingest_report=pictures.outputs["ingest_report"],
        statistics=statistics.outputs["statistics"],
        anomalies=anomalies.outputs["anomalies"],
    )
    return [statistics, anomalies, validator]


def _training(
    config: Config,
    pictures: BaseNode,
    validator: BaseNode,
    transform: BaseNode,
    baseline: BaseNode,
) -> tuple[list[BaseNode], BaseChannel | None]:
    """Makes the steps up to the candidate (the last one trains it); returns Tuner's trials, too."""
    model, training, size = config.model, config.training, config.image_size
    class_list = pictures.outputs["class_list"]
    shared = {
        "examples": pictures.outputs["examples"],
        "transform_graph": transform.outputs["transform_graph"],
        "baseline": baseline.outputs["model"] if training.warm_start else None,
    }
    nodes: list[BaseNode] = []
    bottlenecks = found = trials = None
    if training.frozen.epochs and training.frozen.features == "cached":
        bottleneck_gen = BottleneckGen(BottleneckSettings.of(model, size, training), **shared)
        bottlenecks = bottleneck_gen.outputs["bottlenecks"]
        nodes.append(bottleneck_gen)
    if config.tuner.trials:
        # KerasTuner and scikit-learn's processes for one step that few pipelines have.
        from components.tuner.component import Tuner
        from components.tuner.executor import TunerSettings

        tuner = Tuner(
            TunerSettings.of(model, size, training, config.tuner),
            bottlenecks=bottlenecks,
            class_list=class_list,
        )
        found, trials = tuner.outputs["best_hyperparameters"], tuner.outputs["tuner_results"]
        nodes.append(tuner)
    trainer = Trainer(
        TrainerSettings(model=model, training=training, served=config.export.served),
        **shared,
        class_list=class_list,
        ingest_report=pictures.outputs["ingest_report"],
        bottlenecks=bottlenecks,
        acceptance=validator.outputs["acceptance"] if training.warm_start else None,
        hyperparameters=found,
    )
    return [*nodes, trainer], trials


def _release(
    config: Config,
    written: dict[str, Any],
    pictures: BaseNode,
    validator: BaseNode,
    transform: BaseNode,
    training: list[BaseNode],
    baseline: BaseNode,
    trials: BaseChannel | None,
) -> list[BaseNode]:
    """Makes the steps that judge the candidate, push it and report on the run."""
    trainer = training[-1]
    candidate = {
        "examples": pictures.outputs["examples"],
        "class_list": pictures.outputs["class_list"],
        "model": trainer.outputs["model"],
    }
    features = [node for node in training if isinstance(node, BottleneckGen)]
    bottlenecks = features[0].outputs["bottlenecks"] if features else None
    golden = _golden(config, pictures)
    evaluator = Evaluator(
        config.gate,
        **candidate,
        baseline_model=baseline.outputs["model"],
        golden=golden[0].outputs["examples"] if golden else None,
    )
    infra = InfraValidator(
        InfraSettings.of(config.infra, config.export),
        examples=candidate["examples"],
        model=candidate["model"],
    )
    pusher = Pusher(
        candidate["model"],
        evaluator.outputs["blessing"],
        infra.outputs["blessing"],
        config.push,
        pinned=None if config.gate.reference == "best" else config.gate.reference,
    )
    lite = _lite_export(config, transform, candidate)
    report = Report(
        ReportSettings(configuration=written),
        **candidate,
        ingest_report=pictures.outputs["ingest_report"],
        acceptance=validator.outputs["acceptance"],
        transform_graph=transform.outputs["transform_graph"],
        model_run=trainer.outputs["model_run"],
        predictions=evaluator.outputs["predictions"],
        verdict=evaluator.outputs["verdict"],
        infra_blessing=infra.outputs["blessing"],
        pushed_model=pusher.outputs["pushed_model"],
        bottlenecks=bottlenecks,
        tuner_results=trials,
        lite_model=lite[0].outputs["lite_model"] if lite else None,
    )
    return [*golden, evaluator, infra, pusher, *lite, report]
