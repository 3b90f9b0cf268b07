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
from serving.local_server.tensors import check_dtypes, from_proto, to_proto


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
    sent = _inputs(signature, request.inputs)
    inputs = {alias: from_proto(alias, proto) for alias, proto in sent.items()}
    aliases = _outputs(signature, request.output_filter)
    check_dtypes(signature.inputs, {alias: proto.dtype for alias, proto in sent.items()})
    outputs = run(servable, name, inputs)
    response = PredictResponse()
    servable.identify(response.model_spec, name)
    for alias in aliases:
        response.outputs[alias].CopyFrom(to_proto(outputs[alias]))
    return response


def _inputs(signature: SignatureDef, sent: Mapping[str, TensorProto]) -> dict[str, TensorProto]:
    """The tensors by the signature's aliases: the request's, else the signature's defaults."""
    wanted, defaults = signature.inputs, signature.defaults
    if len(sent) > len(wanted) or (len(sent) < len(wanted) and not defaults):
        raise invalid_argument(
            f"input size does not match signature: {len(sent)}!={len(wanted)}"
            f" len({_set(sent)}) != len({_set(wanted)})."
            f" Sent extra: {_set(sent.keys() - wanted.keys())}."
            f" Missing but required: {_set(wanted.keys() - sent.keys())}."
        )
    for alias in sorted(wanted.keys() - sent.keys() - defaults.keys()):
        raise invalid_argument(
            f"Signature input alias: {alias}(feed name: {wanted[alias].name}) not found in request"
            f" and no default value provided. Inputs expected to be in the request {_set(sent)},"
            f" or default input alias set: {','.join(sorted(defaults))}"
        )
    return {alias: sent[alias] if alias in sent else defaults[alias] for alias in wanted}


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
