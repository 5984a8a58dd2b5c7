"""What a rendered climb costs the climber, so that what the style adds to the expert's cost is known."""

from dataclasses import dataclass

import numpy as np

from ascension_vision.scene.body import center_of_gravity
from ascension_vision.scene.motion import smooth
from ascension_vision.scene.plan import Scene

_SMOOTHING_S = 0.08


@dataclass(frozen=True)
class Effort:
    """Of one climb, for the whole body's centre of gravity.

    Attributes:
        duration_s: how long it took.
        path_m: the length of its path.
        jerk: its squared jerk summed over time, m² s⁻⁵, once its path is smoothed by a Gaussian of 0.08 s: a third
            derivative means nothing without a limit to the frequencies in it.
        regrips, fidgets: how often a hand or a foot left its hold for nothing.
    """

    duration_s: float
    path_m: float
    jerk: float
    regrips: int
    fidgets: int


def effort(scene: Scene) -> Effort:
    """The effort of a planned scene."""
    options = scene.options
    gravity = center_of_gravity(scene.motion.landmarks, options.body.sex)
    third = np.diff(smooth(gravity, _SMOOTHING_S * options.fps), n=3, axis=0) * options.fps**3
    purposes = [contact.purpose for contact in scene.climb.contacts]
    return Effort(
        duration_s=options.length_s,
        path_m=float(np.linalg.norm(np.diff(gravity, axis=0), axis=1).sum()),
        jerk=float((third**2).sum() / options.fps),
        regrips=purposes.count("regrip"),
        fidgets=purposes.count("fidget"),
    )
