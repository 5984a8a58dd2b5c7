"""Batches that threads share: what comes together goes together, and everybody gets their own."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pytest
import torch
from ascension_vision.pose.batches import SharedBatches
from torch import Tensor

Array = npt.NDArray[np.float64]


class Device:
    """Doubles numbers, a batch at a time, and waits within the first batch until it is let go."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.begun, self.go_on = threading.Event(), threading.Event()

    def __call__(self, rows: Tensor) -> Array:
        self.sizes.append(len(rows))
        self.begun.set()
        assert self.go_on.wait(20)
        if (rows < 0).any():
            raise ValueError("a negative number")
        return 2.0 * rows.numpy().astype(np.float64)


def rows(*values: float) -> Tensor:
    return torch.tensor(values)[:, None]


def together(device: Device, batches: SharedBatches, calls: list[Tensor]) -> list[Future[Array]]:
    """The first call keeps the device busy until all the others wait."""
    with ThreadPoolExecutor(len(calls)) as threads:
        asked = [threads.submit(batches, calls[0])]
        assert device.begun.wait(20)
        for count, call in enumerate(calls[1:], 1):
            asked.append(threads.submit(batches, call))
            wait_until(lambda: len(batches._waiting) == count)  # noqa: B023
        device.go_on.set()
    return asked


def wait_until(so: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not so() and time.monotonic() < end:
        time.sleep(0.001)
    assert so()


def test_one_thread_alone_waits_for_nobody() -> None:
    device = Device()
    device.go_on.set()
    batches = SharedBatches(device, 8)
    assert batches(rows(1, 2)).tolist() == [[2], [4]]
    assert batches(rows(3)).tolist() == [[6]]
    assert device.sizes == [2, 1]


def test_what_comes_while_the_device_is_busy_goes_as_one_batch_and_each_gets_its_own() -> None:
    device = Device()
    answers = together(device, SharedBatches(device, 8), [rows(1), rows(2, 3), rows(4), rows(5, 6, 7)])
    assert device.sizes == [1, 6]
    assert [answer.result().ravel().tolist() for answer in answers] == [[2], [4, 6], [8], [10, 12, 14]]


def test_a_batch_has_a_size_and_a_call_stays_whole() -> None:
    device = Device()
    answers = together(
        device, SharedBatches(device, 4), [rows(1), rows(2, 3, 4), rows(5, 6), rows(7, 8), rows(*[9] * 6)]
    )
    assert device.sizes == [1, 3, 4, 6]
    assert [len(answer.result()) for answer in answers] == [1, 3, 2, 2, 6]


def test_an_error_reaches_those_who_were_in_the_batch_and_nobody_else() -> None:
    device = Device()
    batches = SharedBatches(device, 2)
    first, beside, poor, later = together(device, batches, [rows(1), rows(2), rows(-3), rows(4)])
    assert device.sizes == [1, 2, 1]
    assert (first.result().item(), later.result().item()) == (2, 8)
    for answer in (beside, poor):
        with pytest.raises(ValueError, match="negative"):
            answer.result()
    assert batches(rows(5)).item() == 10, "the device is free again"
