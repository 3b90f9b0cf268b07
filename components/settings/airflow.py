"""Settings of the pipeline's DAG in Airflow."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from components.settings.base import Count, Section

Pool = Annotated[str, Field(min_length=1)]


class Airflow(Section):
    """Settings that `compile --target airflow` writes into the DAG."""

    schedule: str | None = None
    """Cron expression or preset (`@weekly`) of Airflow's; null: by hand alone."""
    start_date: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")] = "2026-01-01"
    """The first data interval begins here, UTC."""
    catchup: bool = False
    """Whether intervals that were missed are made up for."""
    span: Literal["none", "date"] = "none"
    """`date`: a run's `data.span` is the day before its data interval ends, as YYYYMMDD."""
    retries: Count = 2
    """How often a failed task is retried; the Trainer resumes where it was."""
    retry_minutes: Annotated[float, Field(ge=0)] = 5.0
    """Before the first retry; each further one waits twice as long."""
    timeout_hours: Annotated[float, Field(gt=0)] | None = None
    """A task that takes longer fails; null: never."""
    pool: Pool | None = None
    """Airflow's pool of the tasks; null: its default."""
    pools: dict[str, Pool] = {}
    """By node, in place of `pool`: {Trainer: gpu}."""
    on_failure: str | None = None
    """Airflow's failure callback, `module.function` in Airflow's environment; null: none."""
    command: str | None = None
    """Path of `transfer-pipeline` on the workers; null: that which compiles."""
    image: str | None = None
    """Tasks run as Kubernetes pods of this image; null: as processes of the workers."""
    pod: dict[str, Any] = {}
    """Further arguments of Airflow's KubernetesPodOperator: {namespace: ml}."""
