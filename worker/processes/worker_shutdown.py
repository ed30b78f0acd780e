"""The shutdown of a worker's main process: no child outlives the soft shutdown."""

from time import monotonic, sleep
from typing import Any

from billiard.process import active_children
from celery.apps.worker import Worker
from celery.worker import state

from worker.logs import get_logger
from worker.processes.ended_runs import EndedRuns
from worker.processes.stop_flag import StopFlag

_log = get_logger(__name__)

_LOOK_EVERY = 0.05


class BoundedWorker(Worker):  # type: ignore[misc]  # celery publishes no types
    """Celery's worker, which also ends the runs that its main process does not know of yet.

    A child reports to the main process that it has started a job, but the handler of SIGTERM blocks the loop that reads
    the report. So Celery 5.7 neither waits for such a run nor cancels it: it cancels the runs that it knows of, then
    waits for its children without a limit, three hours if need be. A supervisor then kills the worker, and the job is
    charged an attempt.
    """

    def on_after_init(self, **kwargs: Any) -> None:
        """Called once `concurrency` is known and before the children are forked."""
        super().on_after_init(**kwargs)
        self.app.ended_runs = EndedRuns(self.concurrency)
        self.app.stop_flag = StopFlag()

    def wait_for_soft_shutdown(self) -> None:
        """Wait while messages are being processed, then terminate the children whose runs Celery will not cancel."""
        self.app.stop_flag.set()
        seconds = self.app.conf.worker_soft_shutdown_timeout
        if self._messages_in_process():
            _log.info("soft_shutdown", seconds=seconds)
            end = monotonic() + seconds
            while (messages := self._messages_in_process()) and monotonic() < end:
                sleep(_LOOK_EVERY)
            _log.info("soft_shutdown_over", interrupted=len(messages))
        known = {request.worker_pid for request in tuple(state.active_requests)}
        for child in active_children():
            if child.pid not in known:
                self.pool.terminate_job(child.pid)

    def _messages_in_process(self) -> list[str]:
        """Ids of messages that children have or are about to read; the handler keeps `state` from changing."""
        ended = self.app.ended_runs
        requests = tuple(state.reserved_requests)
        return [request.id for request in requests if request.id not in ended and not _is_lost(request)]


def _is_lost(request: Any) -> bool:
    """Whether the child with the message was killed, which the blocked loop would otherwise notice."""
    reference = request._apply_result  # noqa: SLF001 - no public attribute says which child has it
    result = None if reference is None else reference()
    if result is None:
        return False
    child = result._scheduled_for  # noqa: SLF001
    return result._worker_lost is not None or (child is not None and child.exitcode is not None)  # noqa: SLF001
