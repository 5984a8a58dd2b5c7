"""Holds that nobody sees, but on which limbs rest.

Under an overhang the climber's own body hides footholds, often all through the clip. Where a limb is plainly seen to
rest for a while, no hold is known and no frame shows the wall, there is a hold, as large as holds usually are and of
unknown type. Where the wall is seen to be bare, the limb is on the bare wall.
"""

import numpy as np

from ascension_vision.camera.track import ReferenceView
from ascension_vision.contacts.resting import resting_places
from ascension_vision.contacts.tips import Tips
from ascension_vision.holds.correction import ellipse
from ascension_vision.holds.hold import UNKNOWN, Hold

# Seconds of a rest, and torso lengths from the nearest hold.
_SHORTEST, _BESIDE = 0.6, 0.1
# Width and height of a hold, torso lengths; the share of it that may have been seen without one being found.
_SIZE, _UNSEEN = (0.36, 0.24), 0.5
# So many of those presumed on rendered climbs are holds (docs/wall-and-contacts.md).
_CONFIDENCE = 0.7


def presumed_holds(tips: Tips, view: ReferenceView, known: list[Hold]) -> list[Hold]:
    """At most one for each place where a limb rests, in reference pixels, with the id -1."""
    width, height = _SIZE[0] * tips.torso, _SIZE[1] * tips.torso
    found = []
    for x, y in resting_places(tips, known, _SHORTEST, _BESIDE):
        box = (float(x - width / 2), float(y - height / 2), float(x + width / 2), float(y + height / 2))
        hold = Hold(-1, "hold", UNKNOWN, None, _CONFIDENCE, box, ellipse(box), by="limb")
        if share_seen(view, hold) < _UNSEEN:
            found.append(hold)
    return found


def share_seen(view: ReferenceView, hold: Hold) -> float:
    """The share of the hold's box in which some frame shows the wall; 1 where the box is out of the view."""
    x0, y0, x1, y1 = np.round(np.array(hold.box) - np.tile(view.origin, 2)).astype(int)
    seen = view.seen[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)]
    return float(seen.mean()) if seen.size else 1.0
