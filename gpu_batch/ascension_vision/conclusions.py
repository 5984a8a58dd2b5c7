"""From what was seen in a video to everything that a result tells: wall, contacts, body, loads, Ghost and numbers.

Nothing here looks at a picture of the climber or runs a network, so that a correction of the holds is worked in within
seconds.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ascension_vision import __version__
from ascension_vision.body.fit import fit_body
from ascension_vision.body.motion import BodyMotion
from ascension_vision.contacts.balance import with_hands_in_time, with_hidden_hands
from ascension_vision.contacts.contact import Contact
from ascension_vision.contacts.finding import find_contacts
from ascension_vision.contacts.moves import moves
from ascension_vision.ghost.finding import find_ghost
from ascension_vision.ghost.ghost import Ghost, NoGhost
from ascension_vision.ghost.support import with_needed_feet
from ascension_vision.holds.hold import Hold
from ascension_vision.metrics import measuring
from ascension_vision.metrics.loads import hold_types, loads
from ascension_vision.observations import Observations
from ascension_vision.result import document
from ascension_vision.wall.estimate import estimate_wall
from ascension_vision.wall.placing import place_holds
from ascension_vision.wall.wall import Wall

Array = npt.NDArray[np.float64]
Progress = Callable[[str, float], None]

_NOT_ASKED = "Holds were not asked for."
# A motion that is seen on fewer says nothing of forces.
_FEWEST_FRAMES = 5


@dataclass(frozen=True)
class Wishes:
    """What the user wants to know, and what the user says: see ``analysis.Options``."""

    ghost: bool
    climber_height_cm: float | None
    wall_angle_deg: float | None


def conclude(seen: Observations, wishes: Wishes, device: str, report: Progress) -> document.Findings:
    """Everything that follows from what was seen.

    Args:
        device: where the body is fitted: ``cpu`` or ``cuda``.
        report: called with the stage and the share of this work that is done.
    """
    if seen.holds is None or seen.track is None:
        unasked = dict.fromkeys(("camera", "wall", "holds", "contacts", "moves", "loads"), _NOT_ASKED)
        no_ghost = NoGhost("It climbs on holds, and holds were not asked for.")
        absent = {**unasked, "ghost": _why_no_ghost(no_ghost if wishes.ghost else None)}
        numbers = measuring.measure(measuring.Findings(seen.poses, ghost=no_ghost if wishes.ghost else None))
        return _findings(seen, metrics=numbers, absent=absent)
    report("reading the wall", 0.0)
    absent = {}
    wall = estimate_wall(
        seen.poses, seen.track, seen.view, seen.holds, wishes.climber_height_cm, wishes.wall_angle_deg
    )  # fmt: skip
    holds = place_holds(seen.holds, wall)
    report("finding contacts", 0.1)
    contacts = find_contacts(seen.poses, seen.track, holds, wall)
    report("fitting the body", 0.2)
    motion = None
    if wall is None:
        absent["wall"] = "Nothing tells the wall's size: too few holds were found. The climber's height would."
    else:
        height = None if wishes.climber_height_cm is None else wishes.climber_height_cm / 100
        motion = fit_body(seen.poses, seen.track, wall, contacts, height, device)
        if motion is not None:
            contacts = with_hands_in_time(contacts, motion, holds, wall)
            contacts = with_hidden_hands(contacts, motion, seen.poses.visibility[motion.frames], holds, wall)
    # what holds the body up is more than what was seen to
    bearing, carried = contacts, None
    if motion is not None and wall is not None and contacts and len(motion.t) >= _FEWEST_FRAMES:
        bearing = with_needed_feet(contacts, motion, wall, holds)
        carried = _loads(seen, motion, bearing, holds, wall)
    if carried is None:
        absent["loads"] = absent.get("wall") or "The climber is not seen on the wall long enough."
    ghost: Ghost | NoGhost | None = None
    if wishes.ghost:
        report("training the Ghost", 0.6)
        ghost = find_ghost(motion, bearing, holds, wall)
    if not isinstance(ghost, Ghost):
        absent["ghost"] = _why_no_ghost(ghost)
    report("measuring", 0.85)
    numbers = measuring.measure(measuring.Findings(seen.poses, motion, wall, holds, bearing, ghost))
    return _findings(
        seen,
        camera=seen.track,
        wall=wall,
        holds=holds,
        contacts=contacts,
        moves=moves(contacts),
        loads=carried,
        ghost=ghost if isinstance(ghost, Ghost) else None,
        metrics=numbers,
        absent=absent,
    )


def _findings(seen: Observations, **found: object) -> document.Findings:
    return document.Findings(
        video=seen.video,
        poses=seen.poses,
        model_versions={"ascension_vision": __version__, **seen.models},
        warnings=seen.warnings,
        revision=seen.revision,
        **found,  # type: ignore[arg-type]
    )


def _why_no_ghost(ghost: NoGhost | None) -> str:
    return "The Ghost Climber was not asked for." if ghost is None else ghost.reason


def _loads(seen: Observations, motion: BodyMotion, contacts: list[Contact], holds: list[Hold], wall: Wall) -> Array:
    """``(frames, 4)`` over all analysed frames, NaN where the contacts do not hold the body."""
    found = loads(motion.t, motion.landmarks, motion.gravity_centre, contacts, hold_types(holds), wall)
    every = np.full((len(seen.poses.t), 4), np.nan)
    every[motion.frames] = np.where(found.held[:, None], found.share, np.nan)
    return every
