"""What can be chosen about a rendered climb."""

from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal


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
class StyleOptions:
    """How well the climber climbs. The default is an expert, who does nothing that the route does not ask for.

    The same seed with another style is the same route, climbed in the same order; what is added is the style's alone.

    Attributes:
        wander: 0 … 1, how far the hips stray from the expert's path, slowly: 14 cm at 1.
        sway: 0 … 1, how far the hips swing from side to side under the hands, four times in three seconds: 7 cm at 1.
        hesitation: 0 … 1, how long the climber waits between moves: a third of the expert's time at 1.
        regrips: how often a hand leaves its hold and comes back to it.
        fidgets: how often a foot does.
    """

    wander: float = 0.0
    sway: float = 0.0
    hesitation: float = 0.0
    regrips: int = 0
    fidgets: int = 0

    # a re-grip or a fidget takes so long, with the moments of stillness before and after
    REGRIP_S: ClassVar[float] = 1.0
    FIDGET_S: ClassVar[float] = 0.9

    def __post_init__(self) -> None:
        if not all(0 <= share <= 1 for share in (self.wander, self.sway, self.hesitation)):
            raise ValueError("wander, sway and hesitation must lie between 0 and 1")
        if not 0 <= self.regrips <= 100 or not 0 <= self.fidgets <= 100:
            raise ValueError("the numbers of re-grips and fidgets must lie between 0 and 100")

    @classmethod
    def graded(cls, clumsiness: float) -> "StyleOptions":
        """Every fault at once, from 0 (the expert) to 1; eleven steps of a tenth differ in each of them."""
        return cls(
            wander=clumsiness,
            sway=clumsiness**0.5,  # so that jerk, which goes with its square, grows evenly
            hesitation=clumsiness,
            regrips=round(10 * clumsiness),
            fidgets=round(6 * clumsiness),
        )


@dataclass(frozen=True)
class SceneOptions:
    """One rendered climb; equal options give equal pixels and equal truth.

    ``duration_s`` is how long the expert takes; a clumsier climber's film is longer, ``length_s``.
    With ``dyno`` both hands leave at once in the last move, while the feet stay; it takes three moves' time at least.
    With a ``flight_s`` as well the feet push off: for so long nothing touches the wall, and the body falls.
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
    dyno: bool = False
    flight_s: float = 0.0
    camera: CameraOptions = field(default_factory=CameraOptions)
    style: StyleOptions = field(default_factory=StyleOptions)

    # before the first move and after the last
    LEAD_IN_S: ClassVar[float] = 0.9
    LEAD_OUT_S: ClassVar[float] = 1.0

    def __post_init__(self) -> None:
        if self.duration_s <= 0 or self.fps <= 0:
            raise ValueError("duration and frame rate must be positive")
        if self.width < 16 or self.height < 16 or self.width % 2 or self.height % 2:
            raise ValueError("width and height must be even and at least 16")
        if self.flight_s and not (self.dyno and 0.2 <= self.flight_s <= 0.4):
            raise ValueError("a flight is part of a dyno and lasts 0.2 to 0.4 s")
        if not -30 <= self.wall_angle_deg <= 45:
            raise ValueError("the wall angle must lie between -30 (slab) and 45 (overhang) degrees")

    @property
    def waiting_s(self) -> float:
        """How long hesitation makes the climber wait, all together."""
        return self.style.hesitation * max(0.0, self.duration_s - self.LEAD_IN_S - self.LEAD_OUT_S) / 3

    @property
    def length_s(self) -> float:
        """How long the film is: the expert's time, and what hesitation, re-grips and fidgets add to it."""
        faults = self.style.regrips * self.style.REGRIP_S + self.style.fidgets * self.style.FIDGET_S
        return round(self.duration_s + self.waiting_s + faults, 4)

    @property
    def frame_count(self) -> int:
        return max(1, round(self.length_s * self.fps))

    @property
    def expert(self) -> "SceneOptions":
        """The same route climbed without a fault: what is known to be better."""
        return replace(self, style=StyleOptions())
