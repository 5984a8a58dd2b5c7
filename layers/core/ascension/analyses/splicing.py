"""Stored results put into gzipped answers as they are.

Unpacking and packing megabytes anew would cost more than all the rest of a request. A gzip stream can be continued
where its last block, which says that it is the last, is empty and stands on a byte boundary. The worker ends its files
that way (as ``spliceable`` does); any other gzip is unpacked and packed again.
"""

import gzip
import struct
import zlib
from dataclasses import dataclass
from functools import cache

_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
# An empty block after which the next begins on a byte boundary, then the empty last block.
_OPEN_END = b"\x00\x00\xff\xff\x03\x00"
_LAST_BLOCK = b"\x03\x00"
# CRC-32's polynomial and the numbers 1 and x, bits reversed as everywhere in gzip.
_POLYNOMIAL, _ONE, _X = 0xEDB88320, 1 << 31, 1 << 30


@dataclass(frozen=True)
class Spliced:
    """A document: ``head``, then what ``packed`` (gzip) holds, then ``tail``."""

    head: bytes
    packed: bytes = b""
    tail: bytes = b""

    def plain(self) -> bytes:
        """The document's bytes."""
        return b"".join((self.head, gzip.decompress(self.packed) if self.packed else b"", self.tail))

    def gzipped(self) -> bytes:
        """The document as one gzip member."""
        if self.packed[:10] != _HEADER[:9] + self.packed[9:10] or self.packed[-14:-8] != _OPEN_END:
            return gzip.compress(self.plain(), compresslevel=1, mtime=0)
        crc, length = struct.unpack("<II", self.packed[-8:])
        crc = _crc_of_both(zlib.crc32(self.head), crc, length)
        return b"".join(
            (
                _HEADER,
                _blocks(self.head),
                self.packed[10:-10],
                _blocks(self.tail),
                _LAST_BLOCK,
                struct.pack("<II", zlib.crc32(self.tail, crc), (len(self.head) + length + len(self.tail)) & 0xFFFFFFFF),
            )
        )


def spliceable(content: bytes) -> bytes:
    """The content as gzip that ``Spliced`` can take over as it is."""
    packer = zlib.compressobj(wbits=31)
    return packer.compress(content) + packer.flush(zlib.Z_SYNC_FLUSH) + packer.flush()


def _blocks(content: bytes) -> bytes:
    """Deflate blocks that others can follow."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(content) + packer.flush(zlib.Z_SYNC_FLUSH)


def _crc_of_both(first: int, second: int, second_length: int) -> int:
    """CRC-32 of two byte strings, one after the other, from their own: as ``crc32_combine`` of zlib, not in Python."""
    return _product(_power_of_x(8 * second_length), first) ^ second


def _power_of_x(exponent: int) -> int:
    power, bit = _ONE, 0
    while exponent >> bit:
        if exponent >> bit & 1:
            power = _product(_squared_x(bit), power)
        bit += 1
    return power


@cache
def _squared_x(times: int) -> int:
    """x to the power of 2 to the power of ``times``."""
    if times == 0:
        return _X
    root = _squared_x(times - 1)
    return _product(root, root)


def _product(a: int, b: int) -> int:
    """a·b modulo the polynomial, over the field of two elements."""
    product, mask = 0, _ONE
    while mask:
        if a & mask:
            product ^= b
        b = b >> 1 ^ _POLYNOMIAL if b & 1 else b >> 1
        mask >>= 1
    return product
