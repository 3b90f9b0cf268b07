"""The artifacts that a step is handed, by the names of its inputs or outputs."""

from __future__ import annotations

from tfx.types import Artifact, artifact_utils

ArtifactLists = dict[str, list[Artifact]]
"""As TFX hands them over, by key."""


class Artifacts(ArtifactLists):
    """The inputs or the outputs of one execution, as TFX has them, with shorter ways to them."""

    def one(self, key: str) -> Artifact:
        """Returns the only artifact of this key."""
        return artifact_utils.get_single_instance(self[key])

    def maybe(self, key: str) -> list[Artifact]:
        """Returns the artifacts of an input that may be left out: none, where it is."""
        return self.get(key, [])

    def uri(self, key: str) -> str:
        """Returns the folder of the only artifact of this key."""
        return artifact_utils.get_single_uri(self[key])

    def split(self, key: str, name: str) -> str:
        """Returns the folder of a split in the only artifact of this key."""
        return artifact_utils.get_split_uri(self[key], name)
