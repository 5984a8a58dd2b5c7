"""What can be chosen about a rendered climb."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class BodyOptions:
    """The climber. ``build`` scales girths (1 = average), ``sex`` chooses the de Leva proportions."""

    height_m: float = 1.74
    build: float = 1.0
    sex: Literal["female", "male"] = "female"


@dataclass(frozen=True)
class CameraOptions:
    """A pin-hole camera on level ground before the wall.

    ``focal`` is in units of the image's long side. ``pan`` lets the camera follow the climber (0 not at all, 1 wholly);
    ``shake_deg`` is the standard deviation of a hand-held camera's rotation, zero for a tripod.
    """

    distance_m: float = 4.3
    height_m: float = 1.6
    aside_m: float = 0.45
    look_height_m: float = 1.68
    focal: float = 0.98
    pan: float = 0.0
    shake_deg: float = 0.0


@dataclass(frozen=True)
class SceneOptions:
    """One rendered climb; equal options give equal pixels and equal truth.

    ``wall_angle_deg`` is measured from the vertical: positive overhangs, negative is a slab.
    """

    seed: int = 7
    duration_s: float = 12.0
    fps: int = 30
    width: int = 720
    height: int = 1280
    wall_angle_deg: float = 8.0
    wall_height_m: float = 4.6
    body: BodyOptions = field(default_factory=BodyOptions)
    camera: CameraOptions = field(default_factory=CameraOptions)

    def __post_init__(self) -> None:
        if self.duration_s <= 0 or self.fps <= 0:
            raise ValueError("duration and frame rate must be positive")
        if self.width < 16 or self.height < 16 or self.width % 2 or self.height % 2:
            raise ValueError("width and height must be even and at least 16")
        if not -30 <= self.wall_angle_deg <= 45:
            raise ValueError("the wall angle must lie between -30 (slab) and 45 (overhang) degrees")

    @property
    def frame_count(self) -> int:
        return max(1, round(self.duration_s * self.fps))
