"""Answers each request, whether it came over gRPC or REST (server_core.cc)."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import grpc
from tensorflow_serving.apis.classification_pb2 import (
    ClassificationRequest,
    ClassificationResponse,
)
from tensorflow_serving.apis.get_model_metadata_pb2 import (
    GetModelMetadataRequest,
    GetModelMetadataResponse,
    SignatureDefMap,
)
from tensorflow_serving.apis.get_model_status_pb2 import (
    GetModelStatusRequest,
    GetModelStatusResponse,
)
from tensorflow_serving.apis.inference_pb2 import MultiInferenceRequest, MultiInferenceResponse
from tensorflow_serving.apis.model_management_pb2 import (
    ReloadConfigRequest,
    ReloadConfigResponse,
)
from tensorflow_serving.apis.model_pb2 import ModelSpec
from tensorflow_serving.apis.predict_pb2 import PredictRequest, PredictResponse
from tensorflow_serving.apis.regression_pb2 import RegressionRequest, RegressionResponse

from serving.local_server.batching import Batcher, Run
from serving.local_server.classify import classify
from serving.local_server.errors import ServingError, invalid_argument, servable_not_found
from serving.local_server.models import ModelSet
from serving.local_server.multi_inference import infer
from serving.local_server.predict import predict
from serving.local_server.recorded import Recorded
from serving.local_server.regress import regress
from serving.local_server.servable import Servable
from serving.saved_model_session import Arrays

Awaited = Callable[[], bool]
"""Whether the client of a request still waits for its answer."""

SIGNATURE_DEF = "signature_def"
"""The one metadata field there is."""


class Request(Protocol):
    """The part that all requests have in common."""

    model_spec: ModelSpec

    def HasField(self, field_name: str) -> bool: ...


class ServerCore:
    """Answers requests for the models of `models`; each method raises ServingError.

    Signatures are run by `run`, which `runner` makes for each request.

    Args:
        models: what is served.
        batcher: joins the requests of several clients; None: each runs by itself.
        recorded: keeps some pictures and their predictions; None: none.
    """

    def __init__(
        self,
        models: ModelSet,
        batcher: Batcher | None = None,
        recorded: Recorded | None = None,
    ) -> None:
        self._models = models
        self._batcher = batcher
        self._recorded = recorded

    def runner(self, awaited: Awaited, seconds: float | None = None) -> Run:
        """Returns the function that runs signatures, in batches where the server has a batcher.

        A run is cancelled after `seconds`, the time its client still waits (None: any time), and
        does not begin once `awaited` says no.
        """
        run: Callable[..., Arrays] = Servable.run if self._batcher is None else self._batcher.run
        run = run if self._recorded is None else self._recorded.run(run)
        if seconds is None or seconds > threading.TIMEOUT_MAX:
            return functools.partial(run, awaited=awaited)
        return functools.partial(run, deadline=time.monotonic() + seconds, awaited=awaited)

    def predict(self, request: PredictRequest, run: Run) -> PredictResponse:
        with self.lease(request) as servable:
            return predict(servable, request, run)

    def classify(self, request: ClassificationRequest, run: Run) -> ClassificationResponse:
        with self.lease(request) as servable:
            return classify(servable, request, run)

    def regress(self, request: RegressionRequest, run: Run) -> RegressionResponse:
        with self.lease(request) as servable:
            return regress(servable, request, run)

    def infer(self, request: MultiInferenceRequest, run: Run) -> MultiInferenceResponse:
        """Answers by the version that the first task names."""
        first = request.tasks[0].model_spec if request.tasks else ModelSpec()
        with self._lease(first) as servable:
            return infer(servable, request, run)

    def reload(self, request: ReloadConfigRequest) -> ReloadConfigResponse:
        self._models.apply(request.config)
        response = ReloadConfigResponse()
        response.status.SetInParent()  # OK is written out
        return response

    def metadata(self, request: GetModelMetadataRequest) -> GetModelMetadataResponse:
        _spec(request)
        if not request.metadata_field:
            raise invalid_argument(
                "GetModelMetadataRequest must specify at least one metadata_field"
            )
        for field in request.metadata_field:
            if field != SIGNATURE_DEF:
                raise invalid_argument(f"Metadata field {field} is not supported")
        response = GetModelMetadataResponse()
        with self.lease(request) as servable:
            servable.identify(response.model_spec)
            response.metadata[SIGNATURE_DEF].Pack(
                SignatureDefMap(signature_def=servable.signatures)
            )
        return response

    def status(self, request: GetModelStatusRequest) -> GetModelStatusResponse:
        spec = _spec(request)
        manager = self._models.get(spec.name)
        states = manager.states() if manager else []
        if spec.HasField("version"):
            states = [state for state in states if state.version == spec.version.value]
            missing = f"Could not find version {spec.version.value} of model {spec.name}"
        else:
            missing = f"Could not find any versions of model {spec.name}"
        if not states:
            raise ServingError(grpc.StatusCode.NOT_FOUND, missing)
        response = GetModelStatusResponse()
        for state in states:
            entry = response.model_version_status.add(version=state.version, state=state.state)
            entry.status.error_code = state.code
            entry.status.error_message = state.message
        return response

    @contextmanager
    def lease(self, request: Request) -> Iterator[Servable]:
        """Yields the version that the request's model_spec names, loaded until the block ends."""
        with self._lease(_spec(request)) as servable:
            yield servable

    @contextmanager
    def _lease(self, spec: ModelSpec) -> Iterator[Servable]:
        if not spec.name:
            raise invalid_argument("ModelSpec has no name specified.")
        version = spec.version.value if spec.HasField("version") else None
        manager = self._models.get(spec.name)
        labelled = spec.WhichOneof("version_choice") == "version_label"
        if manager is None and labelled:
            raise invalid_argument(f"Unrecognized servable version label: {spec.version_label}")
        if manager is None:
            raise servable_not_found(spec.name, version)
        if labelled:
            version = manager.labelled(spec.version_label)
        with manager.lease(version) as servable:
            yield servable


def _spec(request: Request) -> ModelSpec:
    if not request.HasField("model_spec"):
        raise invalid_argument("Missing ModelSpec")
    return request.model_spec
