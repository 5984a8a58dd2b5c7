"""The proof that a body could do what the Ghost does, from its landmarks alone.

Five gates, each with its worst value, the limit, and the moment of the worst. Whoever has a result can compute all but
the joint limits again from ``ghost.frames[].world`` and ``ghost.contacts``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ascension_vision.body.model import BONES, tips
from ascension_vision.contacts.contact import LIMBS
from ascension_vision.ghost.ghost import GhostContact
from ascension_vision.metrics.reach import longest_reach

Array = npt.NDArray[np.float64]

BONE_DRIFT, SLIP_CM, EQUILIBRIUM, VIOLATION_DEG = 0.01, 1.0, 0.01, 0.01
# Places of contacts are averages: two of them may be this much farther apart than the climber's.
REACH_CM = 1.0
# Frames at the very ends of a contact belong to it though their times may have been rounded.
_INSTANT = 1e-6


@dataclass(frozen=True)
class Evidence:
    """What is judged.

    Attributes:
        t: ``(n,)`` the Ghost's seconds.
        landmarks: ``(n, 33, 3)`` wall metres.
        contacts: in the Ghost's seconds.
        violation_deg: ``(n,)`` the largest angle by which a joint is beyond its limits.
        imbalance: ``(n,)`` what the contacts cannot hold, as a share of body weight.
        reach_cm: the climber's own; None where it was never seen.
    """

    t: Array
    landmarks: Array
    contacts: Sequence[GhostContact]
    violation_deg: Array
    imbalance: Array
    reach_cm: float | None


def certify(evidence: Evidence, change: dict[str, float | None]) -> dict[str, Any]:
    """The certificate as docs/result-format.md describes it. ``change``: relative to the climber, negative is less."""
    drift, slip = bone_drift(evidence.landmarks), contact_slip(evidence.t, evidence.landmarks, evidence.contacts)
    reach, reach_at = longest_reach(evidence.contacts) or (0.0, 0.0)
    limit = None if evidence.reach_cm is None else evidence.reach_cm + REACH_CM
    gates = {
        "bone_drift": _gate(evidence.t, drift, BONE_DRIFT, "1"),
        "contact_slip": _gate(evidence.t, slip, SLIP_CM, "cm"),
        "joint_limits": _gate(evidence.t, evidence.violation_deg, VIOLATION_DEG, "deg"),
        "reach": {
            "value": round(100 * reach, 2),
            "limit": None if limit is None else round(limit, 2),
            "unit": "cm",
            "passed": limit is None or 100 * reach <= limit,
            "worst_t": round(reach_at, 3),
        },
        "equilibrium": _gate(evidence.t, evidence.imbalance, EQUILIBRIUM, "body weight"),
    }
    return {
        "passed": all(gate["passed"] for gate in gates.values()),
        "gates": gates,
        "frames": {
            "bone_drift": [round(float(value), 5) for value in drift],
            "contact_slip_cm": [round(float(value), 3) for value in slip],
            "equilibrium": [round(float(value), 5) for value in evidence.imbalance],
        },
        "change": {name: None if value is None else round(value, 4) for name, value in change.items()},
        "foot_order": [],
        "bones": [list(bone) for bone in BONES],
    }


def bone_drift(landmarks: Array) -> Array:
    """``(n,)`` by how much, relative, the bone that differs most from its usual length differs."""
    first, second = (list(ends) for ends in zip(*BONES, strict=True))
    length = np.linalg.norm(landmarks[:, first] - landmarks[:, second], axis=-1)
    drift: Array = np.abs(length / np.median(length, axis=0) - 1).max(axis=1)
    return drift


def contact_slip(t: Array, landmarks: Array, contacts: Sequence[GhostContact]) -> Array:
    """``(n,)`` centimetres between the tip of the limb that slips most and where it should be; 0 without a contact."""
    places = tips(torch.as_tensor(landmarks)).numpy()
    slip = np.zeros(len(t))
    for contact in contacts:
        during = (t >= contact.start - _INSTANT) & (t <= contact.end + _INSTANT)
        away = np.linalg.norm(places[during, LIMBS.index(contact.limb)] - contact.point, axis=-1)
        slip[during] = np.maximum(slip[during], 100 * away)
    return slip


def _gate(t: Array, values: Array, limit: float, unit: str) -> dict[str, Any]:
    worst = int(np.argmax(values))
    value = float(values[worst])
    return {
        "value": round(value, 5), "limit": limit, "unit": unit, "passed": bool(value <= limit),
        "worst_t": round(float(t[worst]), 3),
    }  # fmt: skip
