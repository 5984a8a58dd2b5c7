"""Every frame of a video as it is meant to be seen: upright, at most so large, with its own time."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Shot:
    """One frame of the source. ``ticks`` since the first frame, in the footage's ``time_base``; ``t`` in seconds."""

    ticks: int
    t: float
    picture: Picture  # (height, width, 3) RGB, upright


class Footage:
    """A video file, decoded as a stream: one frame is in memory at a time.

    ``width`` and ``height`` are even and keep the shape of the upright frame, the long side at most ``long_side``.
    Unlike ``video.Clip``, which is for analysis, this yields every frame of a 60 fps video and never refuses a length.
    """

    def __init__(self, path: Path, long_side: int) -> None:
        """Raises ``ValueError`` where the file shows no picture."""
        self.path = path
        with av.open(str(path)) as container:
            stream = _picture_stream(container)
            first = next(_readable(container, stream), None)
            if first is None or stream.time_base is None:
                raise ValueError(f"{path.name} shows no picture")
            self.time_base: Fraction = stream.time_base
            self.rate = stream.average_rate or stream.guessed_rate or Fraction(30)
            announced = stream.duration
            self.announced_frames = stream.frames or (
                round(float(announced * stream.time_base * self.rate)) if announced else 0
            )
            turned = round(first.rotation / 90) % 2 == 1
            width, height = (first.height, first.width) if turned else (first.width, first.height)
        scale = min(1.0, long_side / max(width, height))
        self.width, self.height = (max(2, round(side * scale / 2) * 2) for side in (width, height))

    def shots(self) -> Iterator[Shot]:
        """Frames in order of time; the unreadable and those whose time does not advance are left out."""
        with av.open(str(self.path)) as container:
            stream = _picture_stream(container)
            origin = last = None
            for frame in _readable(container, stream):
                if frame.pts is None:
                    continue
                origin = frame.pts if origin is None else origin
                if last is not None and frame.pts <= last:
                    continue
                last = frame.pts
                ticks = frame.pts - origin
                yield Shot(ticks, float(ticks * self.time_base), self._upright(frame))

    def _upright(self, frame: av.VideoFrame) -> Picture:
        turns = round(frame.rotation / 90) % 4
        width, height = (self.height, self.width) if turns % 2 else (self.width, self.height)
        scaled = frame.reformat(width=width, height=height, format="rgb24", interpolation="AREA")
        picture: Picture = scaled.to_ndarray().astype(np.uint8, copy=False)
        return np.ascontiguousarray(np.rot90(picture, turns)) if turns else picture


def _picture_stream(container: av.container.InputContainer) -> av.video.stream.VideoStream:
    for stream in container.streams.video:
        if not int(stream.disposition) & int(av.stream.Disposition.attached_pic):
            stream.thread_type = "AUTO"
            return stream
    raise ValueError(f"{Path(container.name).name} shows no picture")


def _readable(container: av.container.InputContainer, stream: av.video.stream.VideoStream) -> Iterator[av.VideoFrame]:
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError:
            return
        if packet is None:
            return
        try:
            yield from packet.decode()
        except av.error.FFmpegError:
            continue
