"""Pusher: TFX's component, with an executor that never shows a server half a model."""

from __future__ import annotations

import functools
import json
import logging
import uuid
from pathlib import Path
from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx.components.pusher import component as tfx_component
from tfx.components.pusher import executor as tfx_executor
from tfx.dsl.components.base import executor_spec
from tfx.orchestration.portable.data_types import ExecutionInfo
from tfx.proto import pusher_pb2
from tfx.types import Artifact, BaseChannel, artifact_utils, standard_artifacts
from tfx.utils import proto_utils

from components.artifacts import saved_model
from components.artifacts.gate_rows import WITHDRAWN_VERSION
from components.artifacts.types import COMPARED_WITH, NO_VERSION
from components.errors import UserError
from components.files.paths import is_remote
from components.files.space import check_space, size_of
from components.pusher import upload
from components.settings.push import Push
from components.step import executions
from components.step.artifacts import ArtifactLists
from components.step.driver import Keyed, StepDriver
from serving import publishing, versions
from serving.push_lock import Busy

UNREPORTED = "unreported"
"""Execution property: the number of a version that a killed run pushed and did not report."""

_PUBLISHED = "published"
"""Execution property: the versions there are. A PushedModel has it, too: as it was before it."""


def _directory(exec_properties: dict[str, Any]) -> Path:
    destination = pusher_pb2.PushDestination()
    proto_utils.json_to_proto(exec_properties["push_destination"], destination)
    return Path(destination.filesystem.base_directory)


class ServedMeanwhile(UserError):
    """The gate compared the candidate with another model than the one served now."""


class Driver(StepDriver):
    """Adds the state of the push directory: a cached push into an emptied folder would be a lie."""

    def facts_of(self, execution_info: ExecutionInfo) -> dict[str, str]:
        directory = _directory(execution_info.exec_properties)
        found = versions.published(directory) if directory.is_dir() else []
        if not found:  # as before the first push, which may be in the cache
            return {_PUBLISHED: f"nothing {uuid.uuid4().hex}", UNREPORTED: ""}
        state = json.dumps([[version.number, version.state] for version in found])
        served = next((each.number for each in found if each.state in ("served", "newer")), None)
        before = self._before_its_push(execution_info, directory, served)
        return {_PUBLISHED: before or state, UNREPORTED: self._unreported(directory, served)}

    def _before_its_push(
        self, execution_info: ExecutionInfo, directory: Path, number: int | None
    ) -> str | None:
        """Returns which versions there were when the candidate was pushed, if it is served now.

        The cache has that push then: it is not to be done again.
        """
        [model] = execution_info.input_dict["model"]
        if number is None or self._mlmd_connection is None or is_remote(model.uri):
            return None
        for artifact in self._pushed():
            told = artifact.custom_properties
            if told["pushed_version"].string_value == str(number) and _alike(
                saved_model.serving_dir(model.uri), directory / str(number)
            ):
                return told[_PUBLISHED].string_value or None
        return None

    def _pushed(self) -> list[Any]:
        """Returns ml_metadata's artifacts of all pushes."""
        with self._mlmd_connection as handle:
            found = handle.store.get_artifacts_by_type(standard_artifacts.PushedModel.TYPE_NAME)
        return [each for each in found if each.state == metadata_store_pb2.Artifact.LIVE]

    def _unreported(self, directory: Path, number: int | None) -> str:
        """Returns the number if a run of this store pushed it and was killed before it said so."""
        maker = versions.maker_of(directory, number) if number is not None else None
        if maker is None or self._mlmd_connection is None:
            return ""
        run_id = maker.partition("/")[2]
        with self._mlmd_connection as handle:
            runs = handle.store.get_context_by_type_and_name(executions.RUN, run_id)
        told = (each.custom_properties["pushed_version"].string_value for each in self._pushed())
        return "" if runs is None or str(number) in told else str(number)


class Executor(tfx_executor.Executor):
    """Copies a blessed model beside the versions and renames it into place.

    TensorFlow Serving that meets a half-copied version fails it and waits a minute. TFX's own
    executor copies in place and, where a version number exists, says pushed without a copy.
    """

    def Do(
        self, input_dict: ArtifactLists, output_dict: ArtifactLists, exec_properties: dict[str, Any]
    ) -> None:
        pushed = artifact_utils.get_single_instance(output_dict["pushed_model"])
        directory = _directory(exec_properties)
        model = Path(self.GetModelPath(input_dict))
        if not self.CheckBlessing(input_dict):
            self._MarkNotPushed(pushed)
            return
        custom_config = json.loads(exec_properties["custom_config"])
        store, maker = custom_config.get("upload_to"), self._maker()
        number = _pushed_before(model, directory, maker) if maker else None
        if number is None:
            number = _unreported(model, directory, exec_properties.get(UNREPORTED, ""))
        alike = _same_model(model, directory) if number is None else None
        if alike is not None:
            self._MarkNotPushed(pushed)
            if alike.state == "withdrawn":
                pushed.set_string_custom_property(WITHDRAWN_VERSION, str(alike.number))
            elif store:  # which may be new
                upload.upload(alike.path, store)
            return
        if number is None:
            check_space("push.directory", str(directory), size_of(str(model)))
            [blessing] = input_dict["model_blessing"]
            judged_by = functools.partial(_check_compared, blessing, directory)
            number = publishing.publish(model, directory, maker, check=judged_by)
        if store:
            upload.upload(directory / str(number), store)
        self._MarkPushed(pushed, str(directory / str(number)), str(number))
        pushed.set_string_custom_property(_PUBLISHED, exec_properties.get(_PUBLISHED, ""))
        try:
            keep, pinned = custom_config["keep_versions"], custom_config.get("pinned")
            removed = publishing.prune(directory, keep, pinned)
        except Busy as error:  # the candidate is pushed all the same
            logging.warning("Old versions stay until the next push. %s", error)
            return
        if store:
            upload.remove(removed, store)

    def _maker(self) -> str | None:
        """Names the run, which pushes once however often it is started; None outside of a run."""
        if not (self._context and self._context.pipeline_run_id):
            return None
        info = self._context.pipeline_info
        return f"{info.id if info else ''}/{self._context.pipeline_run_id}"


def _check_compared(blessing: Artifact, directory: Path) -> None:
    """Refuses a candidate that was not compared with the model that is served now.

    Raises:
      ServedMeanwhile: another run has pushed, or a rollback has taken place, since the gate asked.
    """
    compared = blessing.get_string_custom_property(COMPARED_WITH)
    served = versions.served(directory)
    if not compared or served is None or served.name == compared:
        return
    those = "no model, since none was served" if compared == NO_VERSION else f"version {compared}"
    raise ServedMeanwhile(
        f"{directory} serves version {served.name} now, and the gate compared the candidate with "
        f"{those}: another run pushed meanwhile, or a rollback took place. Nothing was pushed. Run "
        f"again, with --from not after the Evaluator: that compares with version {served.name}, "
        "and takes the training from the cache."
    )


def _pushed_before(model: Path, directory: Path, maker: str) -> int | None:
    """The version that this run pushed, where it was killed before it could say so.

    One that a rollback has withdrawn since is none.
    """
    version = versions.published_by(directory, maker)
    if version is None or version.state == "withdrawn" or not _alike(version.path, model):
        return None
    return version.number


def _unreported(model: Path, directory: Path, number: str) -> int | None:
    """The version that another run pushed before it was killed, where it is of this model."""
    return int(number) if number and _alike(directory / number, model) else None


def _alike(one: str | Path, other: str | Path) -> bool:
    """Checks whether two models are of the same files."""
    return saved_model.digest(one) == saved_model.digest(other)


def _same_model(model: Path, directory: Path) -> versions.Version | None:
    """The version with the same files that is served, on trial, or was taken back by a rollback.

    A model that a rollback withdrew must not be served again by the next identical run.
    """
    if not directory.is_dir():
        return None
    digest = saved_model.digest(model)
    kept = (version for version in versions.published(directory) if version.state != "older")
    return next((version for version in kept if saved_model.digest(version.path) == digest), None)


class Pusher(Keyed, tfx_component.Pusher):
    """Publishes a blessed model as a new version of the push directory."""

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)
    DRIVER_CLASS = Driver
    LIBRARIES = ("tfx",)  # whose marks of a push it writes

    def __init__(
        self,
        model: BaseChannel,
        model_blessing: BaseChannel,
        infra_blessing: BaseChannel,
        push: Push,
        pinned: int | None = None,
    ):
        """Makes the component.

        Args:
          model: the candidate.
          model_blessing: the gate's decision.
          infra_blessing: whether a server could serve it.
          push: the push directory and how many versions stay there.
          pinned: a version that stays there in any case.
        """
        super().__init__(
            model=model,
            model_blessing=model_blessing,
            infra_blessing=infra_blessing,
            push_destination=pusher_pb2.PushDestination(
                filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=push.directory)
            ),
            custom_config={"keep_versions": push.keep_versions}
            | ({"upload_to": push.upload_to} if push.upload_to else {})
            | ({"pinned": pinned} if pinned else {}),
        )
