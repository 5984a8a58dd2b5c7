"""Batches that several threads share: on a GPU, small ones cost as much as large ones."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Array = npt.NDArray[np.float64]


@dataclass
class _Request:
    """One call's rows, and what came of them."""

    rows: Tensor
    answer: Array | None = None
    error: BaseException | None = None

    @property
    def done(self) -> bool:
        return self.answer is not None or self.error is not None


class SharedBatches:
    """Work on rows that one thread does at a time, for all that wait.

    Whoever comes while nobody is at work begins at once, alone. What comes meanwhile makes up the next batch, which one
    of those who wait takes over: nobody waits for others to come, and no thread is needed beside the callers'.
    """

    def __init__(self, work: Callable[[Tensor], Array], most: int) -> None:
        """``work`` answers ``(n, …)`` with ``(n, columns)``, each row for itself; ``most`` rows are given to it at
        once, but a call's rows stay together."""
        self._work, self._most = work, most
        self._waiting: deque[_Request] = deque()
        self._changed = threading.Condition()
        self._busy = False

    def __call__(self, rows: Tensor) -> Array:
        """The answers to ``rows``. An error of the work is raised in every thread whose rows were in that batch."""
        mine = _Request(rows)
        with self._changed:
            self._waiting.append(mine)
        while batch := self._next(mine):
            self._do(batch)
        if mine.error is not None:
            raise mine.error
        assert mine.answer is not None
        return mine.answer

    def _next(self, mine: _Request) -> list[_Request]:
        """The batch that this thread has to see to, as soon as no other is at work; none once ``mine`` is done."""
        with self._changed:
            self._changed.wait_for(lambda: mine.done or not self._busy)
            if mine.done:
                return []
            self._busy = True
            batch = [self._waiting.popleft()]
            rows = len(batch[0].rows)
            while self._waiting and rows + len(self._waiting[0].rows) <= self._most:
                batch.append(self._waiting.popleft())
                rows += len(batch[-1].rows)
            return batch

    def _do(self, batch: list[_Request]) -> None:
        answers: list[Array] = []
        error: BaseException | None = None
        try:
            found = self._work(batch[0].rows if len(batch) == 1 else torch.cat([request.rows for request in batch]))
            answers = np.split(found, np.cumsum([len(request.rows) for request in batch])[:-1])
        except BaseException as raised:
            error = raised
        with self._changed:
            for i, request in enumerate(batch):
                request.answer, request.error = (None, error) if error is not None else (answers[i], None)
            self._busy = False
            self._changed.notify_all()
