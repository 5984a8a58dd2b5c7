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
from ascension_vision.drawing.poses import LIMB_TIPS, Pose, Poses
from ascension_vision.drawing.skeleton import (
    LEFT,
    MIDDLE,
    RIGHT,
    draw_note,
    draw_outline,
    draw_ring,
    draw_skeleton,
    draw_trail,
)

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
    """What a result has to show at a moment: holds, contacts, ghost, skeleton, the centre of gravity's trail."""

    def __init__(self, result: dict[str, Any]) -> None:
        self.poses = Poses(result)
        self._centers = self.poses.centers()
        self._holds = result.get("holds") or []
        self._contacts = result.get("contacts") or []
        ghost = result.get("ghost") or {}
        self._ghost = Poses({"poses": {"frames": ghost.get("frames") or []}})
        camera = result.get("camera") or {}
        self._homographies = camera.get("frames") or []

    def draw(self, picture: NDArray[np.uint8], t: float) -> None:
        """Draw everything known at ``t`` seconds onto an upright RGB picture in place."""
        if not len(self.poses):
            return
        pose = self.poses.at(t)
        view = self._view(self.poses.nearest(t))
        active = [contact for contact in self._contacts if contact["start"] <= t <= contact["end"]]
        self._draw_holds(picture, view, active, pose)
        draw_trail(picture, self._trail(t, view, pose))
        ghost = self._ghost.at(t)
        if ghost is not None:
            draw_skeleton(picture, ghost.landmarks, ghost=True)
        if pose is not None:
            draw_skeleton(picture, pose.landmarks)
            if pose.center is not None:
                draw_trail(picture, [pose.center])
        else:
            draw_note(picture, "no climber seen")

    def _view(self, index: int) -> Array | None:
        """(3, 3) from the reference frame to this one; None where the camera is not known to have moved."""
        matrix = self._homographies[index] if index < len(self._homographies) else None
        return None if matrix is None else np.asarray(np.linalg.inv(np.array(matrix, dtype=np.float64).reshape(3, 3)))

    def _seen(self, points: Array, view: Array | None) -> Array:
        """Points of the reference frame as this frame sees them; image coordinates 0 to 1."""
        if view is None:
            return points
        mapped = np.column_stack([points, np.ones(len(points))]) @ view.T
        return np.asarray(mapped[:, :2] / mapped[:, 2:])

    def _draw_holds(
        self, picture: NDArray[np.uint8], view: Array | None, active: list[dict[str, Any]], pose: Pose | None
    ) -> None:
        used = {contact["hold_id"] for contact in active}
        for hold in self._holds:
            x0, y0, x1, y1 = hold["box"]
            corners = self._seen(np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]), view)
            draw_outline(picture, corners, MIDDLE, hold["id"] in used)
        if pose is None:
            return
        for contact in active:
            color = LEFT if contact["limb"].startswith("left") else RIGHT
            draw_ring(picture, pose.landmarks[list(LIMB_TIPS[contact["limb"]]), :2].mean(axis=0), color)

    def _trail(self, t: float, view: Array | None, pose: Pose | None) -> list[Array | None]:
        first = bisect_left(self.poses.times, t - _TRAIL_SECONDS)
        last = bisect_left(self.poses.times, t)
        trail: list[Array | None] = []
        for index in range(first, last):
            center = self._centers[index]
            if np.isnan(center).any():
                trail.append(None)
                continue
            then = self._homographies[index] if index < len(self._homographies) else None
            if view is not None and then is not None:
                # where that spot of the wall is now, so that a moving camera draws no path
                placed = np.array(then, dtype=np.float64).reshape(3, 3) @ [*center, 1.0]
                center = self._seen((placed[:2] / placed[2])[None], view)[0]
            trail.append(center)
        trail.append(pose.center if pose is not None else None)
        return trail
