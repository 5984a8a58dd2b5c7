"""What a movement costs a body: the one function that the climber and the Ghost are measured with.

    cost = ∫ Σ (load / capacity)² dt  +  0.1 / s · T  +  0.5 · L / h  +  0.1 · ∫ ‖c⃛‖ dt / g

- *load*: the norm of a limb's contact force as a share of body weight; *capacity*: how much the limb can hold there
  (``body.grips``). Experts spare their muscles rather than the sum of their torques (Russell et al. 2012); a sum of
  squared shares of strength is a usual measure of that (An et al. 1984; Crowninshield and Brand 1981 take the power 3).
- *T* the duration: whoever hangs gets tired. *L* the length of the centre of gravity's path, *h* the body's height.
- *c⃛* the jerk of the centre of gravity (Flash and Hogan 1985), *g* 9.81 m/s².

The weights of the terms are this project's choice: for rendered experts the load makes up about half of the cost.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ascension_vision.body.forces import GRAVITY
from ascension_vision.metrics.movement import jerk, path_length, steadied

Array = npt.NDArray[np.float64]

_TIME, _PATH, _JERK = 0.1, 0.5, 0.1


@dataclass(frozen=True)
class Effort:
    """The terms of the cost, already weighted."""

    load: float
    time: float
    path: float
    jerk: float

    @property
    def cost(self) -> float:
        return self.load + self.time + self.path + self.jerk


def effort(t: Array, gravity_centre: Array, strain: Array, held: npt.NDArray[np.bool_], height: float) -> Effort:
    """The cost of a movement.

    Args:
        t: ``(n,)`` seconds.
        gravity_centre: ``(n, 3)`` metres.
        strain: ``(n,)`` ``Σ (load / capacity)²``.
        held: ``(n,)`` where the strain is known; other times count like the mean of these.
        height: of the body, metres.
    """
    duration = float(t[-1] - t[0])
    mean = float(np.average(strain[held], weights=np.gradient(t)[held])) if held.any() else 0.0
    even, path = steadied(t, gravity_centre)
    return Effort(
        load=mean * duration,
        time=_TIME * duration,
        path=_PATH * path_length(path) / height,
        jerk=_JERK * float(np.linalg.norm(jerk(even, path), axis=1).mean()) * duration / GRAVITY,
    )
