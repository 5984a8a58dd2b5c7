"""Small videos made on the spot, and their wounds."""

import struct
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]


def film(
    path: Path,
    images: Iterable[Image],
    fps: int = 30,
    milliseconds: list[int] | None = None,
    options: dict[str, str] | None = None,
    codec: str = "libx264",
    pixels: str = "yuv420p",
) -> Path:
    """Video of RGB ``images``; ``milliseconds`` gives each its own time; ``pixels`` is how they are stored."""
    with av.open(str(path), "w", options=options or {}) as container:
        stream = None
        for i, image in enumerate(images):
            if stream is None:
                added = container.add_stream(codec, rate=fps, options={"crf": "18", "preset": "ultrafast"})
                assert isinstance(added, av.VideoStream)
                stream = added
                stream.height, stream.width = image.shape[:2]
                stream.pix_fmt = pixels
                if milliseconds:
                    stream.codec_context.time_base = Fraction(1, 1000)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            if milliseconds:
                frame.pts, frame.time_base = milliseconds[i], Fraction(1, 1000)
            container.mux(stream.encode(frame))
        assert stream is not None
        container.mux(stream.encode())
    return path


def plain(count: int, width: int = 96, height: int = 64) -> list[Image]:
    """Grey frames, each a little lighter than the one before."""
    return [np.full((height, width, 3), 40 + i % 160, np.uint8) for i in range(count)]


def sound_only(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100, layout="mono")
        for i in range(20):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 44100, i * 1024
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def turn_clockwise(path: Path) -> Path:
    """Write the rotation that a phone held upright writes: show this turned clockwise by 90 degrees."""
    content = bytearray(path.read_bytes())
    matrix = content.index(b"tkhd") + 4 + 40
    content[matrix : matrix + 36] = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    path.write_bytes(content)
    return path


def cut(path: Path, share: float) -> Path:
    """Keep the first ``share`` of the bytes."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path
