"""Stored results travel inside gzipped answers without being unpacked."""

import gzip
import random
import zlib

import pytest
from ascension.analyses.splicing import Spliced, spliceable

CHANCE = random.Random(1)
CONTENTS = [b"{}", b'{"schema":"ascension.analysis/1"}', CHANCE.randbytes(100_000), b"ab" * 1_000_000]


@pytest.mark.parametrize("content", CONTENTS, ids=len)
@pytest.mark.parametrize("pack", [spliceable, gzip.compress], ids=["the worker's gzip", "any gzip"])
def test_the_parts_come_out_as_one(content: bytes, pack: type[bytes]) -> None:
    document = Spliced(b'{"id":"x","result":', pack(content), b"}")
    assert document.plain() == b'{"id":"x","result":' + content + b"}"
    # Not only by Python's gzip, which would also read several members: phones stop after the first.
    reader = zlib.decompressobj(wbits=31)
    assert reader.decompress(document.gzipped()) == document.plain()
    assert reader.eof
    assert not reader.unused_data


def test_a_document_without_a_packed_part_is_compressed_too() -> None:
    assert gzip.decompress(Spliced(b'{"result":null}').gzipped()) == b'{"result":null}'


def test_what_the_worker_packed_is_taken_over_as_it_is() -> None:
    packed = spliceable(CHANCE.randbytes(50_000))
    assert gzip.decompress(packed)
    assert packed[10:-10] in Spliced(b"[", packed, b"]").gzipped()
