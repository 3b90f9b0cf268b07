"""Every question of golden.json by its name there."""

from __future__ import annotations

from tests.serving.conftest import VERSION
from tests.serving.contract.asking import Answer, Grpc, Question, asked, rest
from tests.serving.contract.grpc_requests import (
    classifying,
    health,
    labelled,
    metadata,
    metadata_spec,
    model,
    predicting,
    reloading,
    signatures,
    status,
)
from tests.serving.contract.questions_predict import BAD, CLASSIFIED, PREDICTED, REFUSED
from tests.serving.contract.questions_rest import MODEL, REST, picture
from tests.serving.server_process import ServerAt


def by_label(request: object) -> None:
    request.model_spec.version_label = "stable"


def empty_config(request: object) -> None:
    request.config.Clear()
    request.config.SetInParent()


def custom_config(request: object) -> None:
    request.config.custom_model_config.SetInParent()


def twice(request: object) -> None:
    models = request.config.model_config_list.config
    models.append(models[0])


def with_version(value: int, name: str = "classifier") -> Grpc:
    def change(request: object) -> None:
        request.model_spec.name = name
        request.model_spec.version.value = value

    return status(change)


DESCRIBED: dict[str, Grpc] = {
    "metadata": metadata("signature_def"),
    "metadata signature_def unpacked": signatures,
    "metadata twice": metadata_spec("signature_def", "signature_def"),
    "metadata none": metadata(),
    "metadata x": metadata("x"),
    "metadata sig+x": metadata("signature_def", "x"),
    "metadata no spec": metadata("signature_def", change=lambda r: r.ClearField("model_spec")),
    "metadata no spec no field": metadata(change=lambda r: r.ClearField("model_spec")),
    "metadata with signature name": metadata_spec(
        "signature_def", change=lambda r: setattr(r.model_spec, "signature_name", "busy")
    ),
    "metadata unknown model": metadata(
        "signature_def", change=lambda r: setattr(r.model_spec, "name", "m")
    ),
    "metadata unknown version": metadata(
        "signature_def", change=lambda r: setattr(r.model_spec.version, "value", 7)
    ),
    "metadata unknown label": metadata(
        "signature_def", change=lambda r: setattr(r.model_spec, "version_label", "x")
    ),
    "status": status(),
    "status version": with_version(VERSION),
    "status wrong version": with_version(7),
    "status unknown": status(lambda r: setattr(r.model_spec, "name", "m")),
    "status unknown version": with_version(7, "m"),
    "status no spec": status(lambda r: r.ClearField("model_spec")),
    "status empty name": with_version(7, ""),
    "status label": status(lambda r: setattr(r.model_spec, "version_label", "x")),
    "status after reloads": status(),
    "predict by gone label": predicting(by_label),
    **{
        f"health '{service}'": health(service)
        for service in (
            "",
            "ModelService",
            "PredictionService",
            "tensorflow.serving.PredictionService",
            "tensorflow.serving.ModelService",
            "x",
        )
    },
}

RELOADED: dict[str, Grpc] = {
    "reload empty": reloading(lambda r: r.Clear()),
    "reload empty config": reloading(empty_config),
    "reload custom": reloading(custom_config),
    "reload label unavailable": reloading(canary=7),
    "reload same": reloading(),
    "reload label": reloading(stable=VERSION),
    "reload unlabel": reloading(),
    "reload no base path": reloading(model(base_path="")),
    "reload no name": reloading(model(name="")),
    "reload no platform": reloading(model(model_platform="")),
    "reload other platform": reloading(model(model_platform="pytorch")),
    "reload relative base path": reloading(model(base_path="models/tiny")),
    "reload twice same name": reloading(twice),
}

LABELLED: dict[str, Question] = {
    "status by label": asked(status(by_label)),
    "predict by label": asked(predicting(by_label)),
    "metadata by label": asked(metadata_spec("signature_def", change=by_label)),
    "classify by label": asked(classifying(by_label)),
    "REST status by label path": rest("GET", f"{MODEL}/labels/stable"),
    "REST predict by label path": rest(
        "POST", f"{MODEL}/labels/stable:predict", {"inputs": [picture()]}
    ),
    "REST metadata by label path": rest("GET", f"{MODEL}/labels/stable/metadata"),
}


def kept_alive(server: ServerAt) -> Answer:
    """Asks three times by one connection; a server that closed it would end the second in error."""
    answers = []
    with server.http() as connection:
        for _ in range(3):
            connection.request("GET", MODEL)
            socket = connection.sock
            response = connection.getresponse()
            response.read()
            answers.append((response.status, response.headers["Connection"]))
            assert connection.sock is socket
    return {"answer": str(answers)}


GRPC = {
    **{f"predict refused: {name}": ask for name, ask in REFUSED.items()},
    **{f"bad: {name}": ask for name, ask in BAD.items()},
    **PREDICTED,
    **CLASSIFIED,
    **DESCRIBED,
    **RELOADED,
}

QUESTIONS: dict[str, Question] = {
    **{name: asked(ask) for name, ask in GRPC.items()},
    **{name: labelled("stable", VERSION, ask) for name, ask in LABELLED.items()},
    **REST,
    "REST keep-alive": kept_alive,
}
