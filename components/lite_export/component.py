"""LiteExport: the candidate for phones and small devices, beside the SavedModel."""

from __future__ import annotations

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import BaseChannel, channel, component_spec, standard_artifacts

from components.artifacts.types import ClassList, LiteModel
from components.lite_export.executor import Executor
from components.settings.export import Export
from components.step.code_version import code_version


class LiteExportSpec(component_spec.ComponentSpec):
    """What LiteExport takes and gives."""

    PARAMETERS = {
        "export": component_spec.ExecutionParameter(type=str),
        "backbone": component_spec.ExecutionParameter(type=str),
        "code_version": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "transform_graph": component_spec.ChannelParameter(type=standard_artifacts.TransformGraph),
        "class_list": component_spec.ChannelParameter(type=ClassList),
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
    }
    OUTPUTS = {"lite_model": component_spec.ChannelParameter(type=LiteModel)}


class LiteExport(base_component.BaseComponent):
    """Writes .tflite files, with the class names and how close they come to the SavedModel.

    Of its own, and not a part of the Trainer's model: the push directory stays what TensorFlow
    Serving knows, and another kind of file asks for no other training.
    """

    SPEC_CLASS = LiteExportSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: BaseChannel,
        transform_graph: BaseChannel,
        class_list: BaseChannel,
        model: BaseChannel,
        backbone: str,
        export: Export,
    ):
        """Makes the component.

        Args:
          examples: ingested pictures, to find ranges with and to compare on.
          transform_graph: what they go through before the network.
          class_list: the class names.
          model: the candidate.
          backbone: a key of `BACKBONES`, whose pixel scaling goes into the files.
          export: which files, and their tolerance.
        """
        super().__init__(
            spec=LiteExportSpec(
                examples=examples,
                transform_graph=transform_graph,
                class_list=class_list,
                model=model,
                export=export.model_dump_json(),
                backbone=backbone,
                code_version=code_version(__name__),
                lite_model=channel.Channel(type=LiteModel),
            )
        )
