"""grpc.health.v1 under the names that TensorFlow Serving gives its services (server.cc)."""

from __future__ import annotations

from typing import Any

import grpc
from grpc_health.v1.health import OVERALL_HEALTH, HealthServicer
from grpc_health.v1.health_pb2 import HealthCheckResponse

SERVICES = (OVERALL_HEALTH, "ModelService", "PredictionService")


class Health(HealthServicer):
    """Every service is well or none is; NOT_FOUND for another name."""

    def __init__(self) -> None:
        super().__init__()
        self.set_all(False)

    def Check(self, request: Any, context: grpc.ServicerContext) -> HealthCheckResponse:
        if request.service not in SERVICES:
            context.abort(grpc.StatusCode.NOT_FOUND, "service name unknown")
        return super().Check(request, context)

    def set_all(self, serving: bool) -> None:
        """Sets the health of all services."""
        status = HealthCheckResponse.SERVING if serving else HealthCheckResponse.NOT_SERVING
        for service in SERVICES:
            self.set(service, status)
