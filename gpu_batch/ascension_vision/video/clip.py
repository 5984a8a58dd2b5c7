"""Decode a video into upright RGB frames, in a thread of its own and within bounded memory."""

import contextlib
import os
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.error
import cv2
import numpy as np
from av.codec.hwaccel import HWAccel

from ascension_vision.problems import Problem
from ascension_vision.video.picture import RGB, Picture, Plane, to_rgb

MAX_FPS = 30.0
MAX_SECONDS = 300.0
MIN_SIDE = 64
# Enough for a climber a tenth of the frame's height; larger frames (4K) are scaled down to it for analysis.
ANALYSIS_SIDE = 1920

# Only real containers: FFmpeg would also read play lists, which name other files, and plain text as an ANSI animation.
_FORMATS = "mov,matroska,webm,avi,mpegts,mpeg"
_QUEUED_FRAMES = 8
# Each decoding thread holds a frame of its own.
_MOST_THREADS = 8

_FULL_RANGE = 2  # FFmpeg's AVCOL_RANGE_JPEG
_ROTATIONS = (-1, cv2.ROTATE_90_COUNTERCLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_CLOCKWISE)


@dataclass(frozen=True)
class Frame:
    """One analysed frame.

    Attributes:
        index: position among the analysed frames, from 0.
        t: seconds since the first frame.
        picture: upright, long side at most ``ANALYSIS_SIDE``.
    """

    index: int
    t: float
    picture: Picture

    @property
    def image(self) -> RGB:
        """``(rows, columns, 3) uint8`` RGB."""
        return self.picture.rgb


class Clip:
    """A video file that was found fit for analysis.

    Attributes:
        width, height: of the upright frame in the file's own pixels.
        on_gpu: whether NVDEC decodes it; its frames come back to the CPU's memory, where crops are cut from them.
        fps: frames a second that are analysed, nominally.
        source_fps: frames a second in the file, nominally.
        announced_seconds: length according to the container, or None where it does not say.
        warnings: sentences about what was wrong but could be lived with; complete once ``frames()`` is exhausted.
    """

    def __init__(self, path: Path) -> None:
        """Look at the container and the first frame only. Raises ``Problem`` for what cannot be analysed."""
        self.path = path
        self.warnings: list[str] = []
        self.on_gpu = False
        with _open(path) as container:
            stream = _video_stream(container)
            self.announced_seconds = _announced_seconds(container, stream)
            if self.announced_seconds is not None and self.announced_seconds > MAX_SECONDS + 1:
                raise _too_long(self.announced_seconds)
            first = next(_decoded(container, stream, []), None)
            if first is None:
                raise _damaged("Not a single picture in this video could be read.")
            quarter_turns = _quarter_turns(first)
            size = (first.width, first.height)
            self.width, self.height = size[::-1] if quarter_turns % 2 else size
            rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        if min(self.width, self.height) < MIN_SIDE:
            raise Problem(
                "video-too-small",
                "Video too small",
                f"The video is {self.width} × {self.height} pixels; at least {MIN_SIDE} × {MIN_SIDE} are needed.",
            )
        self.source_fps = float(rate)
        self._step = max(1, int(np.ceil(self.source_fps / MAX_FPS - 0.05)))
        self.fps = self.source_fps / self._step

    def decode_on_gpu(self) -> None:
        """From now on NVDEC decodes, where there is one and it knows the format; everywhere else the CPU still does."""
        self.on_gpu = _decodes_on_gpu(self.path)

    @property
    def expected_frames(self) -> int | None:
        """How many frames ``frames()`` will give, by the container's word; for progress only."""
        return None if self.announced_seconds is None else max(1, round(self.announced_seconds * self.fps))

    def frames(self, every: int = 1) -> Iterator[Frame]:
        """Decode in a background thread and yield every ``every``-th of the frames to analyse.

        The frames and their indices are the same in every call; those between are decoded but not converted.
        Raises ``Problem`` where the video turns out to be too long or to break off early.
        """
        return _in_background(self._decode(every))

    def frames_at(self, times: list[float], first: int, last: int) -> Iterator[Frame]:
        """Once more the frames ``first`` to ``last`` of those that ``frames()`` gave; ``times`` are all of theirs."""
        return _in_background(self._decode_again(times, first, last))

    def _decode_again(self, times: list[float], first: int, last: int) -> Iterator[Frame]:
        wanted = {round(1e5 * times[index]): index for index in range(first, last + 1)}
        with _open(self.path, self.on_gpu) as container:
            stream = _video_stream(container)
            start = next(_decoded(container, stream, []), None)
            origin = start.time if start is not None and start.time is not None else None
            if origin is None or start is None or start.pts is None or stream.time_base is None:
                return
            container.seek(start.pts + int(times[first] / stream.time_base), stream=stream, backward=True)
            for decoded in _decoded(container, stream, []):
                if decoded.time is None:
                    continue
                index = wanted.get(round(1e5 * (decoded.time - origin)))
                if index is not None:
                    yield Frame(index, times[index], _upright(decoded))
                if decoded.time - origin >= times[last]:
                    return

    def _decode(self, every: int) -> Iterator[Frame]:
        errors: list[str] = []
        index = 0
        origin: float | None = None
        last = kept = -float("inf")
        # Less than the nominal distance, for phones jitter. Where every frame is wanted the nominal one says little:
        # in the dark a phone films at 15 a second, in the light of the same video at 30.
        spacing = 0.7 / MAX_FPS if self._step == 1 else 1 / self.fps - 0.3 / self.source_fps
        with _open(self.path, self.on_gpu) as container:
            stream = _video_stream(container)
            for decoded in _decoded(container, stream, errors):
                seconds = decoded.time if decoded.time is not None else max(last, 0.0) + 1 / self.source_fps
                origin = seconds if origin is None else origin
                t = seconds - origin
                if t <= last:
                    continue  # repeated or reordered timestamps: time only goes forward
                last = t
                if t > MAX_SECONDS + 1:
                    raise _too_long(None)
                if t - kept < spacing:
                    continue
                kept = t
                if index % every == 0:
                    yield Frame(index, t, _upright(decoded))
                index += 1
        self._judge_end(index, last, errors)

    def _judge_end(self, frames: int, last: float, errors: list[str]) -> None:
        if not frames:
            raise _damaged("Not a single picture in this video could be read.")
        read = last + 1 / self.source_fps
        if self.announced_seconds is not None:
            missing = self.announced_seconds - read
            if missing > max(2.0, 0.2 * self.announced_seconds):
                raise _damaged(
                    f"It should last {self.announced_seconds:.0f} s but only the first {read:.0f} s can be read. "
                    "The upload may have been interrupted: please try again."
                )
            if missing > 0.5:
                self._warn(f"The last {missing:.1f} s of the video could not be read; everything before them was used.")
        if errors:
            self._warn("Some pictures in the video are damaged and were left out.")

    def _warn(self, sentence: str) -> None:
        if sentence not in self.warnings:
            self.warnings.append(sentence)


def _in_background(frames: Iterator[Frame]) -> Iterator[Frame]:
    """The same frames, made by a thread that is a few frames ahead."""
    buffer: queue.Queue[Frame | BaseException | None] = queue.Queue(maxsize=_QUEUED_FRAMES)
    stop = threading.Event()

    def put(item: Frame | BaseException | None) -> None:
        while not stop.is_set():
            with contextlib.suppress(queue.Full):
                buffer.put(item, timeout=0.2)
                return

    def decode() -> None:
        try:
            for frame in frames:
                put(frame)
                if stop.is_set():
                    return
            put(None)
        except BaseException as error:
            put(error)

    thread = threading.Thread(target=decode, name="decode", daemon=True)
    thread.start()
    try:
        while (item := buffer.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        thread.join()


def _decodes_on_gpu(path: Path) -> bool:
    """Whether NVDEC is there and takes this video: its first frame says so for certain."""
    try:
        with _open(path, on_gpu=True) as container:
            stream = _video_stream(container)
            return next(_decoded(container, stream, []), None) is not None and stream.codec_context.is_hwaccel
    except (Problem, NotImplementedError):
        return False


def _open(path: Path, on_gpu: bool = False) -> "av.container.InputContainer":
    if not path.exists():
        raise Problem("not-a-video", "No such file", f"There is no file {path.name}.")
    if path.stat().st_size == 0:
        raise Problem("empty-file", "Empty file", "The file is empty: nothing arrived. Please upload the video again.")
    try:
        options = {"format_whitelist": _FORMATS, "protocol_whitelist": "file"}
        return av.open(str(path), options=options, hwaccel=HWAccel("cuda") if on_gpu else None)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        with path.open("rb") as opened:
            head = opened.read(12)
        if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free"):
            raise _damaged(
                "It begins like a video but cannot be opened; the upload may have been cut short."
            ) from error
        raise Problem(
            "not-a-video", "Not a video", "This file is not a video we can read. MP4 and MOV files work."
        ) from error


def _video_stream(container: "av.container.InputContainer") -> "av.video.stream.VideoStream":
    streams = [
        stream
        for stream in container.streams.video
        # A song's cover is a video stream of one picture.
        if not int(stream.disposition) & int(av.stream.Disposition.attached_pic)
    ]
    if not streams:
        raise Problem("no-video-stream", "No picture", "This file has sound but no picture. Please upload a video.")
    stream = streams[0]
    if stream.codec_context is None:
        raise Problem("not-a-video", "Unknown video format", "The picture is stored in a format that we cannot read.")
    stream.thread_type = "AUTO"
    stream.thread_count = min(_MOST_THREADS, max(2, os.cpu_count() or 2))
    return stream


def _announced_seconds(container: "av.container.InputContainer", stream: "av.video.stream.VideoStream") -> float | None:
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else None


def _decoded(
    container: "av.container.InputContainer", stream: "av.video.stream.VideoStream", errors: list[str]
) -> Iterator["av.VideoFrame"]:
    """All frames that can be decoded; what cannot is noted in ``errors`` and stepped over."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError as error:
            errors.append(str(error))
            return
        if packet is None:
            return
        try:
            frames = packet.decode()
        except av.error.FFmpegError as error:
            errors.append(str(error))
            continue
        for frame in frames:
            if frame.is_corrupt:
                errors.append("corrupt frame")
            else:
                yield frame


def _quarter_turns(frame: "av.VideoFrame") -> int:
    """Counter-clockwise quarter turns that set the frame upright."""
    return round(frame.rotation / 90) % 4


def _upright(frame: "av.VideoFrame") -> Picture:
    matrix = to_rgb(int(frame.colorspace), int(frame.color_range) == _FULL_RANGE or frame.format.name == "yuvj420p")
    turns = _quarter_turns(frame)
    scale = min(1.0, ANALYSIS_SIDE / max(frame.width, frame.height))
    if scale < 1 or frame.format.name not in ("yuv420p", "yuvj420p"):
        width, height = round(frame.width * scale), round(frame.height * scale)
        frame = frame.reformat(width, height, "yuv420p", interpolation="AREA")
    y, u, v = (_plane(plane, turns) for plane in frame.planes)
    return Picture(y, u, v, matrix)


def _plane(plane: "av.video.plane.VideoPlane", turns: int) -> Plane:
    padded = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)  # type: ignore[call-overload]
    shown: Plane = padded[:, : plane.width]
    return cv2.rotate(shown, _ROTATIONS[turns]).astype(np.uint8, copy=False) if turns else shown


def _too_long(seconds: float | None) -> Problem:
    length = "longer than that" if seconds is None else f"{seconds / 60:.1f} minutes long"
    return Problem(
        "video-too-long",
        "Video too long",
        f"Videos of up to {MAX_SECONDS / 60:.0f} minutes can be analysed; this one is {length}. "
        "Please cut it to one climb.",
    )


def _damaged(detail: str) -> Problem:
    return Problem("damaged-video", "Damaged video", detail)
