"""The requests that a new version answers before clients reach it (saved_model_warmup_util.cc)."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from serving.local_server.classify import classify
from serving.local_server.errors import invalid_argument
from serving.local_server.multi_inference import infer
from serving.local_server.predict import predict
from serving.local_server.regress import regress
from serving.local_server.servable import Servable

REQUESTS = Path("assets.extra", "tf_serving_warmup_requests")
"""A TFRecord file of PredictionLogs inside a SavedModel; a model may lack it."""

_MAX_RECORDS = 1000


def warm_up(servable: Servable, path: Path) -> int:
    """Answers the requests that the SavedModel in `path` brings; returns their number.

    Raises:
        ServingError: a request fails, is of a kind that is not served, or there are too many.
        tensorflow.errors.DataLossError: the file is no TFRecord file.
    """
    count = 0
    if not (path / REQUESTS).is_file():
        return count
    for record in tf.data.TFRecordDataset(str(path / REQUESTS)):
        if count == _MAX_RECORDS:
            raise invalid_argument(
                f"Number of warmup records exceeds the maximum ({_MAX_RECORDS})"
                f" at {path / REQUESTS}"
            )
        _answer(servable, PredictionLog.FromString(record.numpy()))
        count += 1
    return count


def _answer(servable: Servable, log: PredictionLog) -> None:
    match log.WhichOneof("log_type"):
        case "predict_log":
            predict(servable, log.predict_log.request)
        case "classify_log":
            classify(servable, log.classify_log.request)
        case "regress_log":
            regress(servable, log.regress_log.request)
        case "multi_inference_log":
            infer(servable, log.multi_inference_log.request)
        case other:
            raise invalid_argument(f"Unsupported log_type for warmup: {other}")
