"""A SavedModel in a session, as TensorFlow Serving loads it (cc/saved_model/loader.cc).

`tf.saved_model.load` follows the object graph and finds variables that the saver never restores: a
model that it answers for may fail in TensorFlow Serving, Java, Go, C and Triton. These import the
graph, run the saver's restore op and the init op, and then run signatures by tensor names.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.protobuf.config_pb2 import ConfigProto, RunOptions
from tensorflow.core.protobuf.meta_graph_pb2 import AssetFileDef, MetaGraphDef, SignatureDef
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

_INIT_OP = "__saved_model_init_op"
_OLD_INIT_OPS = ("saved_model_main_op", "legacy_init_op")  # collections, before TensorFlow 2
_OLD_ASSETS = "saved_model_assets"  # likewise

Arrays = dict[str, np.ndarray]


class SavedModelSession:
    """A loaded SavedModel. `run` may be called by several threads at once.

    Attributes:
        signatures: as they are written in the meta graph, by key.
    """

    def __init__(self, directory: str | Path) -> None:
        """Loads the meta graph tagged `serve`.

        Args:
            directory: holds `saved_model.pb`, `variables/` and `assets/`.

        Raises:
            tensorflow.errors.OpError: no SavedModel, no such meta graph, or variables that can't be
                restored, or a graph that can't be imported; the message is the runtime's.
        """
        path = str(directory)
        meta_graph = read_meta_graph(directory)
        self.signatures: dict[str, SignatureDef] = dict(meta_graph.signature_def)
        _accept_any_shape(meta_graph)
        self._graph = tf.Graph()
        _import(meta_graph.graph_def, self._graph)
        config = ConfigProto(allow_soft_placement=True)
        self._session = tf.compat.v1.Session(graph=self._graph, config=config)
        try:
            assets = _asset_feeds(meta_graph, path)
            self._restore(meta_graph, path, assets)
            self._initialize(meta_graph, assets)
        except BaseException:
            self.close()
            raise

    def run(
        self,
        signature: str,
        inputs: Mapping[str, np.ndarray],
        outputs: list[str] | None = None,
        seconds: float | None = None,
    ) -> Arrays:
        """Computes outputs of one signature.

        Args:
            signature: its key.
            inputs: arrays by alias; strings as arrays of bytes with dtype object.
            outputs: aliases; None: all of them.
            seconds: after which the run ends with DeadlineExceededError; None: any time.

        Returns:
            Arrays by alias.

        Raises:
            KeyError: no such signature or alias.
            tensorflow.errors.OpError: the graph failed; the message is the kernel's, with the frame
                `{{function_node ...}}` as TensorFlow Serving sends it.
        """
        definition = self.signatures[signature]
        feeds = {definition.inputs[alias].name: array for alias, array in inputs.items()}
        wanted = list(definition.outputs) if outputs is None else outputs
        fetches = {alias: definition.outputs[alias].name for alias in wanted}
        options = None
        if seconds is not None:
            options = RunOptions(timeout_in_ms=max(1, int(seconds * 1000)))
        return self._run(fetches, feeds, options)

    def close(self) -> None:
        """Frees the variables and the graph."""
        self._session.close()

    def __enter__(self) -> SavedModelSession:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _restore(self, meta_graph: MetaGraphDef, path: str, assets: dict[str, str]) -> None:
        if not tf.io.gfile.exists(tf.io.gfile.join(path, "variables", "variables.index")):
            return  # a model without variables
        saver = meta_graph.saver_def
        variables = tf.io.gfile.join(path, "variables", "variables")
        self._run(saver.restore_op_name, {saver.filename_tensor_name: variables} | assets)

    def _initialize(self, meta_graph: MetaGraphDef, assets: dict[str, str]) -> None:
        name = _init_op(meta_graph)
        if name:
            self._run(self._graph.get_operation_by_name(name.partition(":")[0]), assets)

    def _run(self, fetches: object, feeds: object, options: RunOptions | None = None) -> Arrays:
        try:
            found = self._session.run(fetches, feeds, options)
        except tf.errors.OpError as error:
            # Session.run raises anew, with Python's stack trace of the graph in the message.
            if isinstance(error.__context__, tf.errors.OpError):
                raise error.__context__ from None
            raise
        if not isinstance(found, dict):
            return {}
        # Of a string without dimensions, the session returns the bytes themselves.
        return {
            alias: np.array(value, object) if isinstance(value, bytes) else np.asarray(value)
            for alias, value in found.items()
        }


def read_meta_graph(directory: str | Path) -> MetaGraphDef:
    """Reads the meta graph tagged `serve` of a SavedModel.

    Raises:
        tensorflow.errors.NotFoundError: there is none, or no SavedModel.
        tensorflow.errors.DataLossError: `saved_model.pb` is damaged.
    """
    file = tf.io.gfile.join(str(directory), "saved_model.pb")
    if not tf.io.gfile.exists(file):
        raise tf.errors.NotFoundError(
            None,
            None,
            "Could not find SavedModel .pb or .pbtxt at supplied export directory path: "
            f"{directory}. Check that the directory exists and that you have the right "
            "permissions for accessing it.",
        )
    with tf.io.gfile.GFile(file, "rb") as content:
        try:
            saved_model = SavedModel.FromString(content.read())
        except DecodeError:
            raise tf.errors.DataLossError(
                None, None, f"Can't parse {file} as binary proto"
            ) from None
    for meta_graph in saved_model.meta_graphs:
        if set(meta_graph.meta_info_def.tags) == {tf.saved_model.SERVING}:
            return meta_graph
    raise tf.errors.NotFoundError(
        None,
        None,
        f"Could not find meta graph def matching supplied tags: {{ {tf.saved_model.SERVING} }}. "
        "To inspect available tag-sets in the SavedModel, please use the SavedModel CLI: "
        "`saved_model_cli`",
    )


def _import(definition: GraphDef, graph: tf.Graph) -> None:
    try:
        with graph.as_default():
            tf.graph_util.import_graph_def(definition, name="")
    except ValueError as error:  # which Python makes of the runtime's INVALID_ARGUMENT
        raise tf.errors.InvalidArgumentError(None, None, str(error)) from None


def _accept_any_shape(meta_graph: MetaGraphDef) -> None:
    """Leaves the shapes of inputs to the kernels: Python's session would refuse them by itself."""
    for node in meta_graph.graph_def.node:
        if node.op == "Placeholder":
            node.attr["shape"].shape.Clear()
            node.attr["shape"].shape.unknown_rank = True
            node.attr.pop("_output_shapes", None)


def _asset_feeds(meta_graph: MetaGraphDef, path: str) -> dict[str, str]:
    """The assets' files by the tensors that hold their names in the graph."""
    assets = list(meta_graph.asset_file_def)
    if not assets:
        for packed in meta_graph.collection_def[_OLD_ASSETS].any_list.value:
            assets.append(AssetFileDef())
            packed.Unpack(assets[-1])
    folder = tf.io.gfile.join(path, "assets")
    return {asset.tensor_info.name: tf.io.gfile.join(folder, asset.filename) for asset in assets}


def _init_op(meta_graph: MetaGraphDef) -> str:
    """The name of the op, or of its output, that makes tables ready; "" where there is none."""
    if _INIT_OP in meta_graph.signature_def:
        name: str = meta_graph.signature_def[_INIT_OP].outputs[_INIT_OP].name
        return name
    for key in _OLD_INIT_OPS:
        for name in meta_graph.collection_def[key].node_list.value:
            return name
    return ""
