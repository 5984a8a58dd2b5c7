"""What is on the wall as strokes on a picture: holds with their types, and the limbs that touch them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ascension_vision.drawing.poses import LIMB_TIPS, Pose
from ascension_vision.drawing.skeleton import LIMB_COLORS, MIDDLE, OUTLINE, Color, label, polygon, ring, stroke_width

Array = NDArray[np.float64]

_HOLD_COLORS: dict[str, Color] = {
    "black": (107, 114, 128), "white": (255, 255, 255), "grey": (203, 213, 225), "red": (248, 113, 113),
    "orange": (253, 186, 116), "yellow": (253, 224, 71), "green": (74, 222, 128), "turquoise": (45, 212, 191),
    "blue": (96, 165, 250), "purple": (192, 132, 252), "pink": (249, 168, 212), "brown": (214, 167, 121),
}  # fmt: skip


class Wall:
    """The holds and contacts of a verbose result, and the camera that sees them."""

    def __init__(self, result: dict[str, Any]) -> None:
        self._holds: list[dict[str, Any]] = result.get("holds") or []
        self._contacts: list[dict[str, Any]] = result.get("contacts") or []
        self._used = {contact.get("hold_id") for contact in self._contacts}
        self._by_id = {hold["id"]: hold for hold in self._holds}
        self._homographies = (result.get("camera") or {}).get("frames") or []

    def hold(self, hold_id: int | None) -> dict[str, Any] | None:
        """The hold of that id."""
        return self._by_id.get(hold_id) if hold_id is not None else None

    def touched(self, t: float) -> list[dict[str, Any]]:
        """The contacts at ``t`` seconds."""
        return [contact for contact in self._contacts if contact["start"] <= t <= contact["end"]]

    def seen(self, points: Array, frame: int) -> Array:
        """``(n, 2)`` points of the reference frame as an analysed frame sees them; image coordinates 0 to 1. Unmoved
        where the camera's movement is not known."""
        matrix = self._homography(frame)
        return points if matrix is None else _mapped(_inverse(matrix), points)

    def carried(self, point: Array, then: int, now: int) -> Array:
        """Where frame ``now`` sees that spot of the wall at which ``point`` (2,) was in frame ``then``."""
        first, second = self._homography(then), self._homography(now)
        if first is None or second is None:
            return point
        carried: Array = _mapped(_inverse(second), _mapped(first, point[None]))[0]
        return carried

    def draw(self, picture: NDArray[np.uint8], t: float, frame: int, pose: Pose | None) -> None:
        """Every hold's outline, those of the climb stronger and with their type, dashed where only a resting limb tells
        of one, and a ring in the limb's colour round each that is touched; where a limb rests on no hold, round its
        tip."""
        height, width = picture.shape[:2]
        thick = stroke_width(width, height)
        size = np.array([width, height], dtype=np.float64)
        touched = self.touched(t)
        outlines = {hold["id"]: self.seen(_outline(hold), frame) * size for hold in self._holds}
        for hold in sorted(self._holds, key=lambda hold: hold["id"] in self._used):
            color = _HOLD_COLORS.get(str(hold.get("color")), MIDDLE)
            strong, dashed = hold["id"] in self._used, hold.get("by") == "limb"
            if strong:
                polygon(picture, outlines[hold["id"]], OUTLINE, thick // 2 + 2, dashed)
            polygon(picture, outlines[hold["id"]], color, max(1, thick // 2 if strong else thick // 4), dashed)
        for contact in touched:
            color = LIMB_COLORS[contact["limb"]]
            corners = outlines.get(contact["hold_id"])
            if corners is not None:
                middle = (corners.min(axis=0) + corners.max(axis=0)) / 2
                radius = float(np.linalg.norm(corners - middle, axis=1).max()) + 1.2 * thick
                ring(picture, middle, radius, color, max(1, thick // 2 + 1))
            elif pose is not None:
                tip = pose.landmarks[list(LIMB_TIPS[contact["limb"]]), :2].mean(axis=0)
                ring(picture, tip * size, 2.6 * thick, color, max(1, thick // 2 + 1))
        for hold in self._holds:
            if hold["id"] in self._used and hold.get("type") not in (None, "unknown"):
                corners = outlines[hold["id"]]
                above = np.array([corners[:, 0].mean(), corners[:, 1].min() - 2.5 * thick])
                label(picture, hold["type"], above, 0.013)

    def _homography(self, frame: int) -> Array | None:
        """(3, 3) from a frame to the reference frame; None where it is not known."""
        matrix = self._homographies[frame] if frame < len(self._homographies) else None
        return None if matrix is None else np.array(matrix, dtype=np.float64).reshape(3, 3)


def _outline(hold: dict[str, Any]) -> Array:
    x0, y0, x1, y1 = hold["box"]
    corners = hold.get("outline") or []
    return np.array(corners if len(corners) > 2 else [[x0, y0], [x1, y0], [x1, y1], [x0, y1]], dtype=np.float64)


def _mapped(homography: Array, points: Array) -> Array:
    mapped = np.column_stack([points, np.ones(len(points))]) @ homography.T
    placed: Array = mapped[:, :2] / mapped[:, 2:]
    return placed


def _inverse(homography: Array) -> Array:
    return np.asarray(np.linalg.inv(homography), dtype=np.float64)
