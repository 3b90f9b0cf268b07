"""The tf.Examples of a request to Classify, Regress or MultiInference (util.cc)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef
from tensorflow_serving.apis.input_pb2 import Input
from tensorflow_serving.apis.model_pb2 import ModelSpec

from serving.local_server.errors import invalid_argument
from serving.local_server.servable import Servable, signature_name
from serving.local_server.tensors import check_dtypes
from serving.saved_model_session import Arrays

_CONTEXT_BYTES, _CONTEXT_TIMES = 2**20, 64  # a request's context is copied into each example

INPUTS = "inputs"
"""The alias of the one input that takes serialized tf.Examples (signature_constants.h)."""


def signature_on_examples(
    servable: Servable, spec: ModelSpec, check: Callable[[SignatureDef], None]
) -> str:
    """Returns the signature that a request on Examples names, the default one where it names none.

    Raises:
        ServingError: INVALID_ARGUMENT, the model lacks it; and what `check` raises.
    """
    name = signature_name(spec)
    if name not in servable.signatures:
        raise invalid_argument(f"No signature was found with the name: {name}")
    check(servable.signatures[name])
    return name


def feed(signature: SignatureDef, sent: Input) -> Arrays:
    """Returns the input of the signature: the serialized tf.Examples, `[examples]`.

    Raises:
        ServingError: INVALID_ARGUMENT, there are none, or the signature takes no strings.
    """
    examples = _serialized(sent)
    check_dtypes(signature.inputs, {INPUTS: tf.string.as_datatype_enum})
    return {INPUTS: np.array(examples, object)}


def _serialized(sent: Input) -> list[bytes]:
    """One serialized tf.Example each; a context's features go into all of them."""
    context = b""
    examples = sent.example_list.examples
    if sent.WhichOneof("kind") == "example_list_with_context":
        context = sent.example_list_with_context.context.SerializeToString()
        examples = sent.example_list_with_context.examples
    if not examples:
        raise invalid_argument("Input is empty.")
    if len(context) * len(examples) > _CONTEXT_BYTES + _CONTEXT_TIMES * sent.ByteSize():
        raise invalid_argument(
            f"A context of {len(context)} bytes for {len(examples)} examples is more than this"
            " server copies: send its features within the examples"
        )
    # Protocol buffers merge when they are concatenated.
    return [context + example.SerializeToString() for example in examples]
