"""TFX's Transform makes this pipeline's graph without a look at the pictures."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils, channel_utils, standard_artifacts

from components import schema
from components.artifacts import features
from components.model.transform_graph import Pixels
from components.settings.model import Image as ImageSettings
from components.transform.component import Transform


def test_the_graph_is_made_of_the_schema_so_that_no_picture_travels_for_it(tmp_path: Path) -> None:
    pictures, types = standard_artifacts.Examples(), standard_artifacts.Schema()
    pictures.uri = str(tmp_path / "elsewhere")  # where there are none
    pictures.split_names = artifact_utils.encode_split_names(list(features.SPLITS))
    types.uri = str(tmp_path / "schema")
    Path(types.uri).mkdir()
    shutil.copy(Path(schema.__file__).parent / "schema.pbtxt", types.uri)
    graph = standard_artifacts.TransformGraph()
    graph.uri = str(tmp_path / "graph")
    step = Transform(
        channel_utils.as_channel([pictures]),
        channel_utils.as_channel([types]),
        "mobilenet",
        [32, 32],
        ImageSettings(),
    )
    context = base_beam_executor.BaseBeamExecutor.Context(
        beam_pipeline_args=["--runner=FnApiRunner"], tmp_dir=str(tmp_path), unique_id="1"
    )
    step.EXECUTOR_SPEC.executor_class(context).Do(
        {"examples": [pictures], "schema": [types]},
        {"transform_graph": [graph]},
        step.exec_properties,
    )
    white = io.BytesIO()
    Image.fromarray(np.full((8, 8, 3), 255, np.uint8)).save(white, "PNG")
    assert (Pixels(graph.uri)(tf.constant([white.getvalue()])) == 1).numpy().all()
    assert step.STREAMED == ("examples",)  # not copied where the root is no folder
