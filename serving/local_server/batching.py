"""One run of the graph for the requests of several clients (shared_batch_scheduler.h).

A batch waits until it is full, or until its first request has waited for `batch_timeout_micros`,
and then for a free thread.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from typing import Any

import grpc
import numpy as np

from serving.config_files import BatchingOptions
from serving.local_server.errors import ServingError, invalid_argument
from serving.local_server.servable import Servable
from serving.saved_model_session import Arrays

Run = Callable[[Servable, str, Arrays], Arrays]
"""Returns the outputs of a servable's signature for its inputs, batched or not."""

_Key = tuple[Servable, str, tuple[Any, ...]]  # of tasks that can share a batch: see `_key`


@dataclass(eq=False)
class _Task:
    inputs: Arrays
    size: int
    deadline: float | None  # time.monotonic()
    client: Callable[[], bool] | None  # whether it still waits
    answer: Future[Arrays] = field(default_factory=Future)

    @property
    def awaited(self) -> bool:
        in_time = self.deadline is None or time.monotonic() < self.deadline
        return in_time and (self.client is None or self.client())


@dataclass(eq=False)
class _Batch:
    ripe_at: float
    tasks: list[_Task] = field(default_factory=list)

    @property
    def size(self) -> int:
        return sum(task.size for task in self.tasks)


class Batcher:
    """Runs signatures for many threads at once; those without a batch dimension one by one."""

    def __init__(self, options: BatchingOptions) -> None:
        self._options = options
        self._queues: defaultdict[_Key, deque[_Batch]] = defaultdict(deque)
        self._changed = threading.Condition()
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._work, name=f"batch-{number}", daemon=True)
            for number in range(options.num_batch_threads)
        ]
        for thread in self._threads:
            thread.start()

    def queued(self) -> int:
        """Returns how many batches wait, for a thread or for more requests."""
        with self._changed:
            return sum(map(len, self._queues.values()))

    def stop(self, grace: float | None = None) -> None:
        """Runs what is queued and ends the threads, within `grace` seconds; None: any time."""
        end = time.monotonic() + (threading.TIMEOUT_MAX if grace is None else grace)
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def run(
        self,
        servable: Servable,
        name: str,
        inputs: Arrays,
        deadline: float | None = None,
        awaited: Callable[[], bool] | None = None,
    ) -> Arrays:
        """Returns the outputs for `inputs`, from a run that other requests may share.

        A request whose client no longer waits, by `awaited`, is not run.

        Raises:
            ServingError: INVALID_ARGUMENT for more than a batch holds, UNAVAILABLE where the queue
                is full, DEADLINE_EXCEEDED after `deadline` (time.monotonic()), and the graph's own.
        """
        if not servable.batches(name):
            return servable.run(name, inputs, deadline, awaited)
        task = _Task(inputs, _size(inputs), deadline, awaited)
        if task.size > self._options.max_batch_size:
            raise invalid_argument(
                f"Task size {task.size} is larger than maximum input batch size"
                f" {self._options.max_batch_size}"
            )
        self._enqueue((servable, name, _key(inputs)), task)
        try:
            return task.answer.result(
                None if deadline is None else max(0.0, deadline - time.monotonic())
            )
        except FutureTimeout:
            raise ServingError(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded") from None
        except CancelledError:
            raise ServingError(grpc.StatusCode.CANCELLED, "The client no longer waits") from None

    def _enqueue(self, key: _Key, task: _Task) -> None:
        with self._changed:
            queue = self._queues[key]
            opens = not queue or queue[-1].size + task.size > self._options.max_batch_size
            if opens:
                if len(queue) >= self._options.max_enqueued_batches:
                    raise ServingError(
                        grpc.StatusCode.UNAVAILABLE,
                        "The batch scheduling queue to which this task was submitted is full",
                    )
                wait = self._options.batch_timeout_micros / 1e6
                queue.append(_Batch(time.monotonic() + wait))
            queue[-1].tasks.append(task)
            if opens or queue[-1].size >= self._options.max_batch_size:
                self._changed.notify()  # others change nothing that a thread waits for

    def _work(self) -> None:
        while (found := self._next()) is not None:
            (servable, name, _), tasks = found
            for task in tasks:
                if not task.awaited:
                    task.answer.cancel()
            _run(servable, name, [task for task in tasks if not task.answer.cancelled()])
            del found, servable, tasks  # or a version that left would stay in memory

    def _next(self) -> tuple[_Key, list[_Task]] | None:
        """Waits for a batch that is full or ripe; None at the end."""
        with self._changed:
            while self._queues or not self._stopping:
                ripe_at, key = min(
                    ((self._ripe_at(queue), key) for key, queue in self._queues.items()),
                    key=lambda entry: entry[0],
                    default=(None, None),
                )
                if ripe_at is not None and (wait := ripe_at - time.monotonic()) > 0:
                    self._changed.wait(wait)
                elif key is None:
                    self._changed.wait()
                else:
                    return key, self._take(key)
            return None

    def _ripe_at(self, queue: deque[_Batch]) -> float:
        first = queue[0]
        full = len(queue) > 1 or first.size >= self._options.max_batch_size
        return 0.0 if full or self._stopping else first.ripe_at

    def _take(self, key: _Key) -> list[_Task]:
        queue = self._queues[key]
        batch = queue.popleft()
        if not queue:
            del self._queues[key]
        if self._queues:
            self._changed.notify()  # this thread no longer watches the others
        return batch.tasks


def _run(servable: Servable, name: str, tasks: list[_Task]) -> None:
    """Answers all tasks; one by one where the batch fails, so that no request fails another."""
    try:
        if len(tasks) > 1:
            _share(tasks, servable.run(name, _joined(tasks)))
            return
    except Exception:  # each request's own run shows whose fault it is, and of what kind
        pass
    for task in tasks:
        try:
            task.answer.set_result(servable.run(name, task.inputs))
        except Exception as error:
            task.answer.set_exception(error)


def _joined(tasks: list[_Task]) -> Arrays:
    aliases = tasks[0].inputs
    return {alias: np.concatenate([task.inputs[alias] for task in tasks]) for alias in aliases}


def _share(tasks: list[_Task], outputs: Arrays) -> None:
    ends = np.cumsum([task.size for task in tasks])[:-1]
    parts = {alias: np.split(array, ends) for alias, array in outputs.items()}
    for number, task in enumerate(tasks):
        task.answer.set_result({alias: split[number] for alias, split in parts.items()})


def _size(inputs: Mapping[str, np.ndarray]) -> int:
    sizes = {array.shape[:1] for array in inputs.values()}
    if len(sizes) != 1:
        raise invalid_argument("Batching input tensors must all have the same 0th-dimension size")
    return int(*sizes.pop())


def _key(inputs: Mapping[str, np.ndarray]) -> tuple[Any, ...]:
    """Returns what must be equal in the inputs of one batch: all dimensions but the first."""
    return tuple((alias, *array.shape[1:]) for alias, array in sorted(inputs.items()))
