"""A Spark cluster on this machine: a master and two workers, each with one executor per job."""

from __future__ import annotations

from pathlib import Path

from tests.beam_cluster import NODES, Cluster, free_port, java_options, wait_for
from tests.checkout_tools import cluster

_DEPLOY = "org.apache.spark.deploy"
_SETTINGS = {  # of the jobs: as in docs/schedulers.md, and what fits this machine
    "spark.excludeOnFailure.enabled": "true",
    "spark.excludeOnFailure.stage.maxFailedTasksPerExecutor": "1",
    "spark.excludeOnFailure.application.maxFailedTasksPerExecutor": "1",
    "spark.cores.max": str(NODES),
    "spark.executor.memory": "512m",
    "spark.locality.wait": "0",
    "spark.scheduler.minRegisteredResourcesRatio": "1.0",  # no job begins with one executor
    "spark.ui.enabled": "false",
}


class SparkCluster(Cluster):
    """Spark's part of the cluster; the job server is the driver, whose log says what happened."""

    engine = cluster.SPARK
    beam_arguments = ("--environment_cache_millis=60000",)

    def __init__(self, folder: Path, worker: dict[str, str]):
        super().__init__(folder, worker)
        self._master = free_port()

    def start_engine(self) -> None:
        home = self.folder / "home"
        (home / "jars").mkdir(parents=True)
        for jar in self.engine.jars():
            (home / "jars" / jar.file).symlink_to(self.engine.folder() / jar.file)
        address = {
            "SPARK_HOME": str(home),
            "SPARK_SCALA_VERSION": "2.12",
            "SPARK_LOCAL_IP": "127.0.0.1",
        }
        where = ["--host", "localhost", "--webui-port", "0"]
        port = ["--port", str(self._master)]
        self.java("master", f"{_DEPLOY}.master.Master", [*where, *port], environment=address)
        for number in range(NODES):
            size = ["--cores", "1", "--memory", "1g", "--work-dir", str(self._work(number))]
            # Executors inherit it.
            options = {"JAVA_TOOL_OPTIONS": f"-Djdk.net.hosts.file={self.hosts(number)}"}
            self.java(
                f"worker-{number}",
                f"{_DEPLOY}.worker.Worker",
                [*where, *size, self._url()],
                environment=address | options,
            )
        wait_for("both workers", lambda: self.log("master").count("Registering worker") == NODES)

    def start_job_server(self, arguments: list[str]) -> None:
        settings = _SETTINGS | {"spark.executor.extraJavaOptions": " ".join(java_options())}
        self.java(
            "jobserver",
            self.engine.main,
            ["--spark-master-url", self._url(), *arguments],
            options=[f"-D{key}={value}" for key, value in settings.items()],
            jars=str(self.engine.job_server()),
            environment={"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOCAL_HOSTNAME": "localhost"},
        )

    def retries(self) -> int:
        return self.log("jobserver").count("Lost task")

    def has_worked(self, number: int) -> bool:
        logs = self._work(number).glob("*/*/stderr")
        return any("Running task" in log.read_text() for log in logs)

    def _work(self, number: int) -> Path:
        return self.folder / f"work-{number}"

    def _url(self) -> str:
        return f"spark://localhost:{self._master}"
