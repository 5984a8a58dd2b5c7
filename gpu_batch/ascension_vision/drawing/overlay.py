"""overlay.mp4: the climber's own video with what was found drawn on it."""

from bisect import bisect_left
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from ascension_vision.drawing.footage import Footage
from ascension_vision.drawing.poses import Ghost, Pose, Poses
from ascension_vision.drawing.skeleton import draw_ghost, draw_note, draw_skeleton, draw_trail
from ascension_vision.drawing.wall import Wall

Array = NDArray[np.float64]

LONG_SIDE = 1280
_TRAIL_SECONDS = 3.0
_TICKS = 90_000  # a second, so that times at variable frame rates stay as they are


def write_overlay(
    video_path: Path | str,
    verbose_result: dict[str, Any],
    out_path: Path | str,
    progress: Callable[[float], None] | None = None,
) -> None:
    """Draw a verbose result over its video: H.264, yuv420p, faststart; same frames at the same times, without sound.

    The long side is at most ``LONG_SIDE`` pixels. Frames stream through, so memory does not grow with the length.
    Raises ``ValueError`` where the video shows no picture.
    """
    footage = Footage(Path(video_path), LONG_SIDE)
    layers = Layers(verbose_result)
    with av.open(str(out_path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=footage.rate, options={"preset": "veryfast", "crf": "21"})
        stream.width, stream.height, stream.pix_fmt = footage.width, footage.height, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, _TICKS)
        stream.codec_context.thread_count = 2
        for count, shot in enumerate(footage.shots(), start=1):
            layers.draw(shot.picture, shot.t)
            frame = av.VideoFrame.from_ndarray(shot.picture, format="rgb24")
            frame.time_base, frame.pts = Fraction(1, _TICKS), round(shot.ticks * footage.time_base * _TICKS)
            container.mux(stream.encode(frame))
            if progress and footage.announced_frames:
                progress(min(1.0, count / footage.announced_frames))
        container.mux(stream.encode())


class Layers:
    """What a result has to show at a moment: holds, contacts, Ghost, skeleton, the centre of gravity's trail."""

    def __init__(self, result: dict[str, Any]) -> None:
        self.poses = Poses(result)
        self.wall = Wall(result)
        self.ghost = Ghost(result)
        self._centers = self.poses.centers()

    def draw(self, picture: NDArray[np.uint8], t: float, trail: bool = True) -> None:
        """Draw everything known at ``t`` seconds onto an upright RGB picture in place."""
        if not len(self.poses):
            return
        pose = self.poses.at(t)
        frame = self.poses.nearest(t)
        self.wall.draw(picture, t, frame, pose)
        ghost = self.ghost.at(t)
        if ghost is not None:
            draw_ghost(picture, ghost)
        if trail:
            draw_trail(picture, self._trail(t, frame, pose))
        if pose is None:
            draw_note(picture, "no climber seen")
            return
        draw_skeleton(picture, pose.landmarks)
        if pose.center is not None:
            draw_trail(picture, [pose.center])

    def _trail(self, t: float, now: int, pose: Pose | None) -> list[Array | None]:
        """Where on the wall the centre of gravity was, so that a moving camera draws no path."""
        first = bisect_left(self.poses.times, t - _TRAIL_SECONDS)
        last = bisect_left(self.poses.times, t)
        trail: list[Array | None] = [
            None if np.isnan(self._centers[then]).any() else self.wall.carried(self._centers[then], then, now)
            for then in range(first, last)
        ]
        return [*trail, pose.center if pose is not None else None]
