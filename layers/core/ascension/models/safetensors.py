"""Is a file what it says it is: safetensors, whole, of a bounded size, with numbers a network is made of?

Only the header is read: its length (eight bytes, little-endian), JSON of ``{name: {dtype, shape, data_offsets}}``, then
the tensors' bytes, one after the other without gaps (https://github.com/huggingface/safetensors, "Format"). Nothing in
such a file is ever executed; a pickle has no such header and is refused like everything else.
"""

import json
import math
from dataclasses import dataclass
from typing import Any

MAX_HEADER_BYTES = 1024 * 1024
MAX_TENSORS = 10_000
MAX_DIMENSIONS = 8
# Bytes of an element of the types that networks of ours are made of.
_DTYPES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}


class NotSafetensors(Exception):
    """The message says what is wrong, in a sentence for the user."""


@dataclass(frozen=True)
class Contents:
    """How many tensors a file has, how many numbers are in them, and what its author wrote beside them."""

    tensors: int
    parameters: int
    metadata: dict[str, str]


def header_length(start: bytes) -> int:
    """The length of the header, from the file's first eight bytes.

    Raises:
        NotSafetensors
    """
    length = int.from_bytes(start[:8], "little")
    if len(start) < 8 or not 2 <= length <= MAX_HEADER_BYTES:
        raise NotSafetensors("The file is not a safetensors file. Please export the model in that format.")
    return length


def contents(header: bytes, file_size: int) -> Contents:
    """Check a header against the size of its file.

    Raises:
        NotSafetensors
    """
    try:
        described = json.loads(header)
    except (ValueError, RecursionError) as error:
        raise NotSafetensors("The file's header is not JSON. Please export the model again.") from error
    if not isinstance(described, dict):
        raise NotSafetensors("The file's header is not an object. Please export the model again.")
    metadata = described.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise NotSafetensors("The header's __metadata__ is not made of strings. Please export the model again.")
    if not 1 <= len(described) <= MAX_TENSORS:
        raise NotSafetensors(f"A model has 1 to {MAX_TENSORS} tensors; this one has {len(described)}.")
    tensors = [_tensor(name, entry) for name, entry in described.items()]
    end = 0
    for start, stop, _ in sorted(tensors):
        if start != end:
            raise NotSafetensors("The tensors overlap or leave gaps. Please export the model again.")
        end = stop
    if 8 + len(header) + end != file_size:
        raise NotSafetensors("The file is longer or shorter than its header says. Please upload it again.")
    return Contents(len(tensors), sum(count for _, _, count in tensors), metadata)


def _tensor(name: str, entry: Any) -> tuple[int, int, int]:
    """Where a tensor begins and ends, and how many numbers it has."""
    shown = name[:60]
    try:
        dtype, shape, (start, stop) = entry["dtype"], entry["shape"], entry["data_offsets"]
    except (TypeError, KeyError, ValueError) as error:
        raise NotSafetensors(f"The tensor {shown!r} is not described as safetensors are.") from error
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        raise NotSafetensors(f"The tensor {shown!r} has a type that we do not take.")
    if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS or not all(map(_whole, (*shape, start, stop))):
        raise NotSafetensors(f"The tensor {shown!r} has no sensible shape.")
    count = math.prod(shape)
    if stop - start != count * _DTYPES[dtype]:
        raise NotSafetensors(f"The tensor {shown!r} has another size than its shape says.")
    return start, stop, count


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 2**40
