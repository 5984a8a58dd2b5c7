"""How the process gets its memory from the system."""

import ctypes
import sys

# glibc's names (malloc.h), and bytes: pieces up to here come from the heap, and so much of it is kept when it is free.
_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1
_PIECE, _KEPT = 256 << 20, 512 << 20


def keep_freed() -> None:
    """Keep what is freed for what comes next.

    What lies between a network's layers is large and gone at once. Gotten from the system anew each time, it takes a
    twentieth of an analysis. For whole processes of ours, to be called first; does nothing where malloc is not glibc's.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _PIECE)
        mallopt(_TRIM_THRESHOLD, _KEPT)
