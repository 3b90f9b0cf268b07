"""What fails for a moment is tried again: a mount comes back, a server starts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

Result = TypeVar("Result")


def retried(
    action: Callable[[], Result], waits: Sequence[float], is_transient: Callable[[Exception], bool]
) -> Result:
    """Gives what `action` gives.

    Args:
      action: may be done several times.
      waits: seconds before each further attempt.
      is_transient: whether to try again after this error.

    Raises:
      Exception: that of the last attempt, or the first one that is not transient.
    """
    import tenacity  # part of the extra `pipeline`, and whoever has no extra imports this

    retrying = tenacity.Retrying(
        wait=tenacity.wait_chain(*map(tenacity.wait_fixed, waits)),
        stop=tenacity.stop_after_attempt(1 + len(waits)),
        # Tenacity asks about Ctrl-C, too.
        retry=tenacity.retry_if_exception(
            lambda error: isinstance(error, Exception) and is_transient(error)
        ),
        reraise=True,
    )
    return retrying(action)
