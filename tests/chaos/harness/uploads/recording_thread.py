"""A thread that records one lesson after another."""

import threading
from abc import ABC, abstractmethod


class RecordingThread(ABC):
    """Runs `_record_all`, which returns some time after `stop`; its error is raised by `is_done`."""

    def __init__(self) -> None:
        self._is_over = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._main, daemon=True)

    def start(self) -> None:
        """Begin to record."""
        self._thread.start()

    def stop(self) -> None:
        """Begin no further recording; those that have begun go on to their end."""
        self._is_over = True

    @property
    def is_done(self) -> bool:
        """Whether everything was sent; raises the error of the thread."""
        if self._error is not None:
            raise self._error
        return not self._thread.is_alive()

    @abstractmethod
    def _record_all(self) -> None:
        """Record until `_is_over`."""

    def _main(self) -> None:
        try:
            self._record_all()
        except BaseException as error:
            self._error = error
            raise
