"""The messages of TensorFlow Serving's public API that a client speaks, by field number.

`tensorflow-serving-api` brings the same messages, and all of TensorFlow with them. What travels is
decided by the numbers alone, which the API keeps for good; those of the fields here are from
tensorflow/serving (apis/*.proto, config/*.proto) and tensorflow/core (framework/*.proto,
protobuf/meta_graph.proto). A field that no client sends or reads is left out: messages keep what
they don't know. The messages live in a pool of their own, beside that package's of the same names.
"""

from __future__ import annotations

import re
from typing import Any

from google.protobuf import any_pb2, descriptor_pb2, message_factory, wrappers_pb2

_SERVING, _CORE = "tensorflow.serving", "tensorflow"
_POLICY = "FileSystemStoragePathSourceConfig.ServableVersionPolicy"

MESSAGES = {
    # tensorflow/core/framework/{tensor,tensor_shape}.proto, protobuf/meta_graph.proto
    f"{_CORE}.TensorShapeProto": "repeated Dim dim = 2; bool unknown_rank = 3",
    f"{_CORE}.TensorShapeProto.Dim": "int64 size = 1; string name = 2",
    f"{_CORE}.TensorProto": (
        "DataType dtype = 1; TensorShapeProto tensor_shape = 2; bytes tensor_content = 4;"
        "repeated int32 half_val = 13; repeated float float_val = 5;"
        "repeated double double_val = 6; repeated int32 int_val = 7; repeated bytes string_val = 8;"
        "repeated int64 int64_val = 10; repeated bool bool_val = 11"
    ),
    f"{_CORE}.TensorInfo": (
        "string name = 1 in encoding; DataType dtype = 2; TensorShapeProto tensor_shape = 3"
    ),
    f"{_CORE}.SignatureDef": (
        "map TensorInfo inputs = 1; map TensorInfo outputs = 2; string method_name = 3"
    ),
    # tensorflow/core/example/{example,feature}.proto
    f"{_CORE}.Example": "Features features = 1",
    f"{_CORE}.Features": "map Feature feature = 1",
    f"{_CORE}.Feature": (
        "BytesList bytes_list = 1 in kind; FloatList float_list = 2 in kind;"
        "Int64List int64_list = 3 in kind"
    ),
    f"{_CORE}.BytesList": "repeated bytes value = 1",
    f"{_CORE}.FloatList": "repeated float value = 1",
    f"{_CORE}.Int64List": "repeated int64 value = 1",
    # tensorflow_serving/apis/{model,predict,get_model_status,get_model_metadata}.proto
    f"{_SERVING}.ModelSpec": (
        "string name = 1; google.protobuf.Int64Value version = 2 in version_choice;"
        "string version_label = 4 in version_choice; string signature_name = 3"
    ),
    f"{_SERVING}.PredictRequest": (
        "ModelSpec model_spec = 1; map tensorflow.TensorProto inputs = 2;"
        "repeated string output_filter = 3"
    ),
    f"{_SERVING}.PredictResponse": (
        "map tensorflow.TensorProto outputs = 1; ModelSpec model_spec = 2"
    ),
    f"{_SERVING}.StatusProto": "int32 error_code = 1; string error_message = 2",
    f"{_SERVING}.ModelVersionStatus": "int64 version = 1; State state = 2; StatusProto status = 3",
    f"{_SERVING}.GetModelStatusRequest": "ModelSpec model_spec = 1",
    f"{_SERVING}.GetModelStatusResponse": "repeated ModelVersionStatus model_version_status = 1",
    f"{_SERVING}.GetModelMetadataRequest": (
        "ModelSpec model_spec = 1; repeated string metadata_field = 2"
    ),
    f"{_SERVING}.GetModelMetadataResponse": (
        "ModelSpec model_spec = 1; map google.protobuf.Any metadata = 2"
    ),
    f"{_SERVING}.SignatureDefMap": "map tensorflow.SignatureDef signature_def = 1",
    # tensorflow_serving/apis/model_management.proto, config/model_server_config.proto
    f"{_SERVING}.ReloadConfigRequest": "ModelServerConfig config = 1",
    f"{_SERVING}.ReloadConfigResponse": "StatusProto status = 1",
    f"{_SERVING}.ModelServerConfig": (
        "ModelConfigList model_config_list = 1 in config;"
        "google.protobuf.Any custom_model_config = 2 in config"
    ),
    f"{_SERVING}.ModelConfigList": "repeated ModelConfig config = 1",
    f"{_SERVING}.ModelConfig": (
        "string name = 1; string base_path = 2; ModelType model_type = 3;"
        f"string model_platform = 4; {_POLICY} model_version_policy = 7;"
        "map_int64 version_labels = 8; LoggingConfig logging_config = 6"
    ),
    f"{_SERVING}.FileSystemStoragePathSourceConfig": "",
    f"{_SERVING}.{_POLICY}": (
        "Latest latest = 100 in policy_choice; All all = 101 in policy_choice;"
        "Specific specific = 102 in policy_choice"
    ),
    f"{_SERVING}.{_POLICY}.Latest": "uint32 num_versions = 1",
    f"{_SERVING}.{_POLICY}.All": "",
    f"{_SERVING}.{_POLICY}.Specific": "repeated int64 versions = 1",
    f"{_SERVING}.LoggingConfig": (
        "LogCollectorConfig log_collector_config = 1; SamplingConfig sampling_config = 2"
    ),
    f"{_SERVING}.LogCollectorConfig": "string type = 1; string filename_prefix = 2",
    f"{_SERVING}.SamplingConfig": "double sampling_rate = 1; int32 attributes = 2",
    # tensorflow_serving/servables/tensorflow/session_bundle_config.proto, config/ssl_config.proto,
    # config/monitoring_config.proto: the fields that both servers read, which that package lacks
    f"{_SERVING}.BatchingParameters": (
        "google.protobuf.Int64Value max_batch_size = 1;"
        "google.protobuf.Int64Value batch_timeout_micros = 2;"
        "google.protobuf.Int64Value max_enqueued_batches = 3;"
        "google.protobuf.Int64Value num_batch_threads = 4"
    ),
    f"{_SERVING}.SSLConfig": (
        "string server_key = 1; string server_cert = 2; string custom_ca = 3;bool client_verify = 4"
    ),
    f"{_SERVING}.PrometheusConfig": "bool enable = 1; string path = 2",
    f"{_SERVING}.MonitoringConfig": "PrometheusConfig prometheus_config = 1",
}
"""Fields as .proto files write them; `map X` is a map<string, X>, `in Y` a member of oneof Y."""

ENUMS = {
    f"{_CORE}.DataType": (
        "DT_INVALID = 0; DT_FLOAT = 1; DT_DOUBLE = 2; DT_INT32 = 3; DT_UINT8 = 4; DT_INT16 = 5;"
        "DT_INT8 = 6; DT_STRING = 7; DT_COMPLEX64 = 8; DT_INT64 = 9; DT_BOOL = 10; DT_QINT8 = 11;"
        "DT_QUINT8 = 12; DT_QINT32 = 13; DT_BFLOAT16 = 14; DT_QINT16 = 15; DT_QUINT16 = 16;"
        "DT_UINT16 = 17; DT_COMPLEX128 = 18; DT_HALF = 19; DT_RESOURCE = 20; DT_VARIANT = 21;"
        "DT_UINT32 = 22; DT_UINT64 = 23"
    ),
    f"{_SERVING}.ModelVersionStatus.State": (
        "UNKNOWN = 0; START = 10; LOADING = 20; AVAILABLE = 30; UNLOADING = 40; END = 50"
    ),
    f"{_SERVING}.ModelType": "MODEL_TYPE_UNSPECIFIED = 0; TENSORFLOW = 1; OTHER = 2",
}

_FIELD = descriptor_pb2.FieldDescriptorProto
_SCALARS = ("string", "bytes", "bool", "int32", "int64", "uint32", "float", "double")
_LINE = re.compile(r"(repeated |map |map_)?([\w.]+) (\w+) = (\d+)(?: in (\w+))?")


def messages() -> dict[str, Any]:
    """Returns every message's class by its full name."""
    files = [_copied(wrappers_pb2), _copied(any_pb2), _file(_CORE, []), _file(_SERVING, [_CORE])]
    return dict(message_factory.GetMessages(files))


def _copied(module: Any) -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto()
    module.DESCRIPTOR.CopyToProto(file)
    return file


def _file(package: str, imports: list[str]) -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name=package, package=package, syntax="proto3")
    file.dependency.extend([*imports, wrappers_pb2.DESCRIPTOR.name, any_pb2.DESCRIPTOR.name])
    made: dict[str, Any] = {package: file}
    for name, fields in MESSAGES.items():
        outer, _, own = name.rpartition(".")
        if outer in made:
            kind = made[outer].message_type if outer == package else made[outer].nested_type
            made[name] = kind.add(name=own)
            for line in filter(None, fields.split(";")):
                _add_field(made[name], line.strip(), scope=name)
    for name, values in ENUMS.items():
        outer, _, own = name.rpartition(".")
        if outer in made:
            enum = made[outer].enum_type.add(name=own)
            for value in values.split(";"):
                label, number = value.split("=")
                enum.value.add(name=label.strip(), number=int(number))
    return file


def _add_field(message: Any, line: str, scope: str) -> None:
    matched = _LINE.fullmatch(line)
    assert matched, line
    shape, kind, name, number, choice = matched.groups()
    field = message.field.add(name=name, number=int(number))
    field.label = _FIELD.LABEL_REPEATED if shape else _FIELD.LABEL_OPTIONAL
    if shape in ("map ", "map_"):
        entry = message.nested_type.add(name=f"{name.title().replace('_', '')}Entry")
        entry.options.map_entry = True
        for part, of, at in (("key", "string", 1), ("value", kind, 2)):
            _set_type(entry.field.add(name=part, number=at, label=1), of, scope)
        kind = f"{scope}.{entry.name}"
    _set_type(field, kind, scope)
    if choice:
        names = [oneof.name for oneof in message.oneof_decl]
        if choice not in names:
            message.oneof_decl.add(name=choice)
            names.append(choice)
        field.oneof_index = names.index(choice)


def _set_type(field: Any, kind: str, scope: str) -> None:
    """Sets a field's type: a scalar, or the message or enum that the name means in this scope."""
    if kind in _SCALARS:
        field.type = getattr(_FIELD, f"TYPE_{kind.upper()}")
        return
    # As protoc resolves names: innermost first.
    outer = scope.split(".")
    places = [".".join([*outer[:depth], kind]) for depth in range(len(outer), -1, -1)]
    known = [place for place in places if place in MESSAGES or place in ENUMS]
    found = known[0] if known else kind
    field.type = _FIELD.TYPE_ENUM if found in ENUMS else _FIELD.TYPE_MESSAGE
    field.type_name = f".{found}"
