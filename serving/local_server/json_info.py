"""Status and metadata as JSON, every field written (http_rest_api_util.cc).

By hand, since protobuf 3 and 6 name json_format's option for that differently.
"""

from __future__ import annotations

import json
from typing import Any

from google.protobuf.json_format import MessageToDict
from tensorflow.core.framework.types_pb2 import DataType
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef, TensorInfo
from tensorflow_serving.apis.get_model_metadata_pb2 import (
    GetModelMetadataResponse,
    SignatureDefMap,
)
from tensorflow_serving.apis.get_model_status_pb2 import (
    GetModelStatusResponse,
    ModelVersionStatus,
)

from serving.local_server.core import SIGNATURE_DEF
from serving.local_server.errors import CODES


def status(response: GetModelStatusResponse) -> str:
    """Writes `{"model_version_status": [{"version", "state", "status"}]}`; 64 bit as strings."""
    entries = [
        {
            "version": str(entry.version),
            "state": ModelVersionStatus.State.Name(entry.state),
            "status": {
                "error_code": CODES[entry.status.error_code].name,
                "error_message": entry.status.error_message,
            },
        }
        for entry in response.model_version_status
    ]
    return _written({"model_version_status": entries})


def metadata(response: GetModelMetadataResponse) -> str:
    """Writes the model_spec and, two keys named `signature_def` deep, the signatures by name."""
    signatures = SignatureDefMap()
    response.metadata[SIGNATURE_DEF].Unpack(signatures)
    by_name = {name: _signature(entry) for name, entry in signatures.signature_def.items()}
    spec = {
        "name": response.model_spec.name,
        "signature_name": "",
        "version": str(response.model_spec.version.value),
    }
    head = f'{{\n"model_spec":{_written(spec)},\n"metadata": {{'
    return f'{head}"signature_def": {_written({"signature_def": by_name})}}}\n}}\n'


def _written(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _signature(signature: SignatureDef) -> dict[str, Any]:
    return {
        "inputs": {alias: _tensor(info) for alias, info in signature.inputs.items()},
        "outputs": {alias: _tensor(info) for alias, info in signature.outputs.items()},
        "method_name": signature.method_name,
        "defaults": {
            alias: MessageToDict(proto, preserving_proto_field_name=True)
            for alias, proto in signature.defaults.items()
        },
    }


def _tensor(info: TensorInfo) -> dict[str, Any]:
    shape = info.tensor_shape
    return {
        "dtype": DataType.Name(info.dtype),
        "tensor_shape": {
            "dim": [{"size": str(dim.size), "name": dim.name} for dim in shape.dim],
            "unknown_rank": shape.unknown_rank,
        },
        "name": info.name,
    }
