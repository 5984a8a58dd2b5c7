"""Files that are safetensors, and files that only say so."""

import json
import pickle
from typing import Any

import pytest
from ascension.models.safetensors import Contents, NotSafetensors, contents, header_length


def file(described: Any, body: bytes = b"\0" * 24) -> bytes:
    header = json.dumps(described).encode()
    return len(header).to_bytes(8, "little") + header + body


def checked(content: bytes) -> Contents:
    length = header_length(content[:8])
    return contents(content[8 : 8 + length], len(content))


GOOD = {
    "__metadata__": {"made": "here"},
    "weight": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
    "bias": {"dtype": "F16", "shape": [4], "data_offsets": [16, 24]},
}


def test_a_good_file_is_counted() -> None:
    assert checked(file(GOOD)) == Contents(tensors=2, parameters=8, metadata={"made": "here"})


def test_what_the_library_writes_is_good() -> None:
    numpy = pytest.importorskip("numpy")
    library = pytest.importorskip("safetensors.numpy")
    written = library.save(
        {"a": numpy.zeros((3, 5), "float32"), "b": numpy.ones(7, "int8"), "c": numpy.float64(1)[None]}
    )
    assert checked(written) == Contents(tensors=3, parameters=23, metadata={})


def tensor(**changes: Any) -> dict[str, Any]:
    return {"weight": {"dtype": "F32", "shape": [6], "data_offsets": [0, 24], **changes}}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x04",
        pickle.dumps({"weight": [0.0] * 100}),
        b"PK\x03\x04" + b"\0" * 100,
        (2**40).to_bytes(8, "little") + b"{}",
        file([]),
        file({}),
        file({"__metadata__": {}}),
        file({**tensor(), "__metadata__": {"made": 3}}),
        file({**tensor(), "__metadata__": "here"}),
        file({"weight": 3}),
        file(tensor(dtype="F8")),
        file(tensor(dtype=["F32"])),
        file(tensor(shape=[7])),
        file(tensor(shape=[-6])),
        file(tensor(shape=[6.0])),
        file(tensor(shape=[True] * 6)),
        file(tensor(shape=[1] * 9)),
        file(tensor(data_offsets=[0])),
        file(tensor(data_offsets=[4, 28]), b"\0" * 28),
        file(tensor(data_offsets=[24, 0])),
        file(tensor(), b"\0" * 23),
        file(tensor(), b"\0" * 25),
        file({**tensor(), **{"again": tensor()["weight"]}}),
        file({str(i): {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]} for i in range(10_001)}, b""),
        (1000).to_bytes(8, "little") + b"[" * 1000,
    ],
    ids=lambda content: repr(content[:40]),
)
def test_anything_else_is_refused(content: bytes) -> None:
    with pytest.raises(NotSafetensors):
        checked(content)
