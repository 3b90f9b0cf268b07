"""Predict: any signature, any tensors (predict_util.cc)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import grpc
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef
from tensorflow_serving.apis.predict_pb2 import PredictRequest, PredictResponse

from serving.local_server.batching import Run
from serving.local_server.errors import ServingError, invalid_argument
from serving.local_server.servable import Servable, signature_name
from serving.local_server.tensors import from_proto, to_proto, type_name
from serving.saved_model_session import Arrays


def predict(
    servable: Servable, request: PredictRequest, run: Run = Servable.run
) -> PredictResponse:
    """Runs the signature that `request` names, `serving_default` where it names none, by `run`.

    Raises:
        ServingError: as TensorFlow Serving's, see the functions below and `Servable.run`.
    """
    name = signature_name(request.model_spec)
    if name not in servable.signatures:
        raise ServingError(
            grpc.StatusCode.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.'
        )
    signature = servable.signatures[name]
    inputs = _inputs(signature, request.inputs)
    aliases = _outputs(signature, request.output_filter)
    outputs = run(servable, name, inputs)
    response = PredictResponse()
    servable.identify(response.model_spec)
    response.model_spec.signature_name = name
    for alias in aliases:
        response.outputs[alias].CopyFrom(to_proto(outputs[alias]))
    return response


def _inputs(signature: SignatureDef, sent: Mapping[str, TensorProto]) -> Arrays:
    """The request's tensors by alias, of the dtypes that the signature asks for."""
    wanted = signature.inputs
    if sent.keys() != wanted.keys():
        raise invalid_argument(
            f"input size does not match signature: {len(sent)}!={len(wanted)}"
            f" len({_set(sent)}) != len({_set(wanted)})."
            f" Sent extra: {_set(sent.keys() - wanted.keys())}."
            f" Missing but required: {_set(wanted.keys() - sent.keys())}."
        )
    tensors = {}
    for position, (alias, info) in enumerate(sorted(wanted.items())):
        if sent[alias].dtype != info.dtype:
            raise invalid_argument(
                f"Expects arg[{position}] to be {type_name(info.dtype)}"
                f" but {type_name(sent[alias].dtype)} is provided"
            )
        tensors[alias] = from_proto(alias, sent[alias])
    return tensors


def _outputs(signature: SignatureDef, output_filter: Iterable[str]) -> list[str]:
    """The aliases to answer: those asked for, all where none is."""
    asked = list(output_filter)
    for at, alias in enumerate(asked):
        if alias not in signature.outputs:
            raise invalid_argument(
                f"output tensor alias not found in signature: {alias}"
                f" Outputs expected to be in the set {_set(signature.outputs)}."
            )
        if alias in asked[:at]:
            raise invalid_argument(f"duplicate output tensor alias: {alias}")
    return asked or list(signature.outputs)


def _set(aliases: Iterable[str]) -> str:
    return "{" + ",".join(sorted(aliases)) + "}"
