"""The processor's cores, and threads that each do whole pieces of work on one of them."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads(name: str) -> ThreadPoolExecutor:
    """As many threads as there are cores, or as ``OMP_NUM_THREADS`` says; PyTorch works in one thread within each.

    Two threads within one convolution wait for each other, all the more where something else runs on the same cores.
    """
    torch.get_num_threads()  # settles this thread's number before the others ask for one each
    count = int(os.environ.get("OMP_NUM_THREADS") or 0) or cores()
    return ThreadPoolExecutor(count, name, initializer=torch.set_num_threads, initargs=(1,))


@contextmanager
def one_thread() -> Iterator[None]:
    """Within, PyTorch computes in the calling thread alone: small operations take less time than threads' waiting.

    How many threads it takes is each thread's own affair, but one that begins to use PyTorch meanwhile starts with one.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
