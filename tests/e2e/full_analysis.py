"""A complete analysis made up for the page's tests: a real result of a rendered climb, with what the renderer knows of
its holds and contacts, and with a Ghost, loads, cues and numbers of which each is simple enough to check on the screen.
"""

from itertools import pairwise
from typing import Any

import numpy as np

LIMBS = ("left_hand", "right_hand", "left_foot", "right_foot")
GHOST_SHIFT = 0.06  # of the picture's width, to the right of the climber
GHOST_SPEED = 1.25  # how much faster the Ghost is than the climber
CUE_AT = 1.0


def full_analysis(verbose: dict[str, Any], truth: dict[str, Any]) -> dict[str, Any]:
    """``verbose``: a real result; ``truth``: the renderer's truth.json of the same clip. Returns a verbose result."""
    frames = verbose["poses"]["frames"]
    seen = [frame for frame in frames if frame["landmarks"]]
    end = seen[-1]["t"]
    contacts = [
        {**contact, "end": min(contact["end"], end), "confidence": 0.95 - 0.15 * (i % 3)}
        for i, contact in enumerate(truth["contacts"])
        if contact["start"] < end
    ]
    contacts.append({"limb": "right_foot", "hold_id": None, "start": end - 0.4, "end": end, "confidence": 0.4})
    return verbose | {
        "camera": {"frames": [None] * len(frames), "still": True},
        "wall": {
            "angle_deg": truth["wall"]["angle_deg"], "angle_source": "user", "scale_source": "climber_height",
            "scale_error": 0.03, "projection": [[0.3, 0, 0, 0.5], [0, -0.2, 0, 0.9], [0, 0, 0, 1]], "planes": 1,
        },
        "holds": [_hold(hold, contacts) for hold in truth["holds"]],
        "contacts": contacts,
        "moves": [
            {"limb": a["limb"], "from_hold_id": a["hold_id"], "to_hold_id": b["hold_id"], "start": a["end"],
             "end": b["start"]}
            for limb in LIMBS
            for a, b in pairwise([contact for contact in contacts if contact["limb"] == limb])
        ],
        "loads": {"frames": [frame["landmarks"] and [0.3, 0.2, 0.35, 0.25] for frame in frames]},
        "ghost": _ghost(seen, contacts),
        "absent": {},
        "revision": 0,
        "metrics": verbose["metrics"] | {"hold_count": 4, "max_reach_cm": 61.4, "avg_tension": None},
        "metrics_info": verbose["metrics_info"]
        | {
            "hold_count": {"unit": "holds", "meaning": "How many holds were used.", "from": ["contacts"]},
            "max_reach_cm": {
                "unit": "cm", "meaning": "The longest way of a hand from one hold to the next.", "uncertainty": 4.2,
                "from": ["contacts", "wall"],
            },
            "avg_tension": {"unit": "ratio", "meaning": "Mean load.", "reason": "The feet are hidden too often."},
        },
    }  # fmt: skip


def _hold(hold: dict[str, Any], contacts: list[dict[str, Any]]) -> dict[str, Any]:
    x0, y0, x1, y1 = hold["box"]
    unknown = hold["id"] % 7 == 3
    return {
        "id": hold["id"], "kind": hold["kind"], "type": "unknown" if unknown else hold["type"],
        "type_confidence": None if unknown else 0.8, "confidence": 0.9, "box": hold["box"], "outline": hold["outline"],
        "center": [(x0 + x1) / 2, (y0 + y1) / 2], "color": hold["color"], "route": 0 if hold["on_route"] else None,
        "wall_m": hold["wall_m"], "wall_error_cm": 3.0, "by": "detector",
        "used": any(contact["hold_id"] == hold["id"] for contact in contacts),
    }  # fmt: skip


def _ghost(seen: list[dict[str, Any]], contacts: list[dict[str, Any]]) -> dict[str, Any]:
    """The climber's own motion, a little to the right and faster."""
    begins, ends = seen[0]["t"], seen[-1]["t"]
    times = np.arange(0, (ends - begins) / GHOST_SPEED, 1 / 30)
    frames = []
    for t in times:
        climber_t = begins + float(t) * GHOST_SPEED
        pose = min(seen, key=lambda frame: abs(frame["t"] - climber_t))
        frames.append(
            {
                "t": round(float(t), 4), "climber_t": round(climber_t, 4), "loads": [0.2, 0.15, 0.4, 0.3],
                "landmarks": [[x + GHOST_SHIFT, y, z, visibility] for x, y, z, visibility in pose["landmarks"]],
                "world": pose["world"],
            }
        )  # fmt: skip
    own = [
        {"limb": c["limb"], "hold_id": c["hold_id"], "start": max(0.0, c["start"] - begins) / GHOST_SPEED,
         "end": (c["end"] - begins) / GHOST_SPEED, "point_m": [0.0, 1.0, 0.0]}
        for c in contacts
    ]  # fmt: skip
    gates = {
        "bone_drift": {"value": 0.0004, "limit": 0.01, "unit": "ratio", "passed": True, "worst_t": 0.5},
        "contact_slip": {"value": 0.31, "limit": 1.0, "unit": "cm", "passed": True, "worst_t": 0.9},
        "joint_limits": {"value": 0.0, "limit": 0.0, "unit": "deg", "passed": True, "worst_t": None},
        "reach": {"value": 0.97, "limit": 1.0, "unit": "ratio", "passed": True, "worst_t": 1.2},
        "equilibrium": {"value": 0.018, "limit": 0.01, "unit": "ratio", "passed": False, "worst_t": 1.5},
    }
    certificate = {
        "passed": False, "gates": gates, "frames": {}, "bones": [[11, 13]],
        "change": {"jerk": -0.62, "hand_load": -0.18, "path": -0.24, "duration": -0.2},
        "foot_order": [{"limb": "left_foot", "hold_id": 2, "before": "right_hand", "at": 1.1, "saved": 0.09}],
    }  # fmt: skip
    cues = [
        {"at": CUE_AT, "climber_t": CUE_AT, "text_key": "not-a-key-of-the-page", "values": {"limb": "right_hand"},
         "text": "At 0:01 bring the hips 12 cm to the right: hand load −18 %.", "metric": "hand_load", "change": -0.18,
         "gate_checked": True},
        {"at": 1.8, "climber_t": 1.8, "text_key": "another", "values": {"hold_id": contacts[0]["hold_id"]},
         "text": "At 0:02 keep the foot where it is.", "metric": "path", "change": -0.06, "gate_checked": True},
    ]  # fmt: skip
    return {"frames": frames, "contacts": own, "certificate": certificate, "cues": cues}
