from __future__ import annotations

from pathlib import Path

import grpc
import pytest
import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tensorflow_serving.apis.get_model_metadata_pb2 import (
    GetModelMetadataRequest,
    SignatureDefMap,
)
from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest

from tests.serving.conftest import VERSION
from tests.serving.contract.grpc_requests import reload_request
from tests.serving.server_process import ServerAt


def metadata_request(*fields: str) -> GetModelMetadataRequest:
    request = GetModelMetadataRequest(metadata_field=fields)
    request.model_spec.name = "classifier"
    return request


def refusal(method: grpc.UnaryUnaryMultiCallable, request: object) -> tuple[str, str]:
    with pytest.raises(grpc.RpcError) as refused:
        method(request)
    return refused.value.code().name, refused.value.details()


def test_metadata_holds_the_signatures_as_the_saved_model_does(
    server: ServerAt, saved_model: Path
) -> None:
    response = server.predictions.GetModelMetadata(metadata_request("signature_def"))
    found = SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(found)
    written = SavedModel.FromString((saved_model / "saved_model.pb").read_bytes())
    assert found.signature_def == written.meta_graphs[0].signature_def
    signature = found.signature_def["serving_default"]
    assert signature.method_name == "tensorflow/serving/predict"
    assert signature.inputs["inputs"].dtype == tf.string.as_datatype_enum
    assert [dim.size for dim in signature.outputs["scores"].tensor_shape.dim] == [-1, 3]
    assert {"serve_examples", "busy"} < set(found.signature_def)


def test_metadata_names_model_and_version_but_no_signature(server: ServerAt) -> None:
    spec = server.predictions.GetModelMetadata(metadata_request("signature_def")).model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == ("classifier", VERSION, "")


def test_status_tells_the_version_its_state_and_that_it_is_well(server: ServerAt) -> None:
    request = GetModelStatusRequest()
    request.model_spec.name = "classifier"
    (entry,) = server.models.GetModelStatus(request).model_version_status
    assert (entry.version, entry.state) == (VERSION, 30)
    assert (entry.status.error_code, entry.status.error_message) == (0, "")
    request.model_spec.version.value = VERSION
    assert server.models.GetModelStatus(request).model_version_status[0] == entry


def test_a_label_answers_for_its_version(server: ServerAt) -> None:
    server.models.HandleReloadConfigRequest(reload_request(server, stable=VERSION))
    request = metadata_request("signature_def")
    request.model_spec.version_label = "stable"
    spec = server.predictions.GetModelMetadata(request).model_spec
    assert spec.version.value == VERSION
    server.models.HandleReloadConfigRequest(reload_request(server))
    assert refusal(server.predictions.GetModelMetadata, request) == (
        "INVALID_ARGUMENT",
        "Unrecognized servable version label: stable",
    )
