"""The compact document: what the parts of the analysis found, as docs/result-format.md describes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from ascension_vision.body.posture import phases
from ascension_vision.camera.track import CameraTrack
from ascension_vision.contacts.contact import Contact, Move
from ascension_vision.holds.hold import Hold
from ascension_vision.metrics.metric import Metric
from ascension_vision.pose.following import Poses
from ascension_vision.result import decode, encode
from ascension_vision.video.clip import Clip
from ascension_vision.wall.wall import Wall

if TYPE_CHECKING:  # it brings PyTorch along
    from ascension_vision.ghost.ghost import Ghost

Array = npt.NDArray[np.float64]

# How far a number may be off. Pixels are those of a frame whose short side has 1080, along each axis: landmarks are
# within two pixels and homographies within half of one.
_SHORT_SIDE = 1080
_LANDMARK_PIXELS = 1.4
_CORNER_PIXELS = 0.25
_OUTLINE_PIXELS = 2.0
_WORLD_M, _DEPTH_WIDTHS, _VISIBILITY = 0.01, 0.02, 0.1
# A tenth of a millimetre: the Ghost's shortest bones, of 6 cm, must keep their length within the gate's 1 %, as told.
_BONE_M, _LOAD = 0.0001, 0.02
# How small the third coordinate of a frame's corner may become where the first corner's is about 1.
_NEAREST = 0.02
# Certificates are told to this share of their gate's limit.
_GATE_SHARE = 0.01


@dataclass(frozen=True)
class Findings:
    """All that a result tells. None where a part could not be found; ``absent`` then says why.

    Attributes:
        video: see ``video_facts``.
        poses: the cleaned ones.
        loads: ``(frames, 4)`` the climber's own, as shares of body weight; NaN where unknown.
        model_versions: what computed the parts.
        revision: how many times holds were corrected.
    """

    video: Mapping[str, Any]
    poses: Poses
    model_versions: Mapping[str, str]
    camera: CameraTrack | None = None
    wall: Wall | None = None
    holds: Sequence[Hold] | None = None
    contacts: Sequence[Contact] | None = None
    moves: Sequence[Move] | None = None
    loads: Array | None = None
    ghost: "Ghost | None" = None
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    revision: int = 0


def video_facts(clip: Clip, poses: Poses) -> dict[str, Any]:
    """``video`` of the result."""
    return {
        "width": clip.width,
        "height": clip.height,
        "fps": round(clip.fps, 3),
        "source_fps": round(clip.source_fps, 3),
        "frame_count": len(poses.t),
        "duration_s": round(max(clip.announced_seconds or 0.0, float(poses.t[-1]) + 1 / clip.fps), 3),
    }


def compact(found: Findings) -> dict[str, Any]:
    """The result as it is stored and sent, ``ascension.analysis.compact/3``."""
    frame = _Frame(found.poses.width, found.poses.height)
    holds = found.holds
    return {
        "schema": decode.COMPACT_SCHEMA,
        "revision": found.revision,
        "video": dict(found.video),
        "poses": _poses(found.poses, frame),
        "camera": None if found.camera is None else _camera(found.camera, frame),
        "wall": None if found.wall is None else _wall(found.wall, frame),
        "holds": None if holds is None else [_hold(hold, frame, _used(hold, found)) for hold in holds],
        "contacts": None if found.contacts is None else [_contact(contact, frame) for contact in found.contacts],
        "moves": None if found.moves is None else [_move(move) for move in found.moves],
        "loads": None if found.loads is None else _series(found.loads, 3, round(1000 * _LOAD)),
        "ghost": None if found.ghost is None else _ghost(found.ghost),
        "absent": dict(found.absent),
        "metrics": {name: _significant(metric.value, 5) for name, metric in found.metrics.items()},
        "metrics_info": {name: _metric_info(metric) for name, metric in found.metrics.items()},
        "quality": {
            "frames_with_climber": int(found.poses.seen.sum()),
            "warnings": list(found.warnings),
            "model_versions": dict(found.model_versions),
        },
    }


@dataclass(frozen=True)
class _Frame:
    """The analysed frame, whose pixels become 0 to 1."""

    width: int
    height: int

    @property
    def size(self) -> Array:
        return np.array([self.width, self.height], dtype=np.float64)

    def steps(self, pixels: float, decimals: int) -> tuple[int, int]:
        """``pixels`` of a frame whose short side has 1080, across and down, in units of the last decimal."""
        share = pixels / _SHORT_SIDE * min(self.width, self.height) * 10**decimals
        return round(share / self.width), round(share / self.height)

    def homography(self, pixels: Array) -> Array:
        """``(..., 3, 3)`` from and to pixels, as from and to 0 … 1."""
        scale = np.array([self.width, self.height, 1.0])
        shares: Array = pixels * scale / scale[:, None]
        return shares

    def outline(self, polygon: Array) -> npt.NDArray[np.int64]:
        """``(n, 2)`` pixels, in 1/10000 and without points that hardly matter."""
        error = _OUTLINE_PIXELS / _SHORT_SIDE * min(self.width, self.height)
        kept: npt.NDArray[Any] = np.asarray(polygon, dtype=np.float32).reshape(-1, 1, 2)
        if len(kept) > 4:
            kept = cv2.approxPolyDP(kept, error, closed=True)
        return np.rint(kept.reshape(-1, 2) / self.size * 10_000).astype(np.int64)

    def point(self, pixels: Sequence[float]) -> list[float]:
        """Pairs of pixels in 0 … 1."""
        sides = (self.width, self.height)
        return [round(float(value) / sides[i % 2], 4) for i, value in enumerate(pixels)]


def _poses(poses: Poses, frame: _Frame) -> dict[str, Any]:
    seen = poses.seen
    image = poses.points[seen] / np.array([frame.width, frame.height, frame.width])  # z shares x's unit
    world = poses.world[seen]
    coded: dict[str, Any] = {
        "t": encode.times(np.rint(poses.t * 1000).astype(np.int64)),
        "seen": encode.runs(seen),
        "phases": list(phases(poses.t, poses.points)),
    }
    step = round(_WORLD_M * 10**4)
    for axis, pixels in enumerate(frame.steps(_LANDMARK_PIXELS, 5)):
        coded["xy"[axis]], read = encode.plane(image[..., axis], 5, pixels, decode.TREE)
        links = 2 * read - read[:, 23:24] - read[:, 24:25]
        coded[f"world_{'xy'[axis]}"], _ = encode.plane(world[..., axis], 4, step, decode.TREE, links)
    coded["world_z"], read = encode.plane(world[..., 2], 4, step, decode.TREE)
    coded["z"], _ = encode.plane(image[..., 2], 4, round(_DEPTH_WIDTHS * 10**4), decode.TREE, 2 * read)
    coded["visibility"], _ = encode.plane(poses.visibility[seen], 2, round(_VISIBILITY * 10**2), decode.ALONE)
    return coded


def _camera(camera: CameraTrack, frame: _Frame) -> dict[str, Any]:
    if camera.still:
        return {"still": True, "known": encode.runs(camera.known)}
    corners = np.array([[0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]], dtype=np.float64)
    mapped = corners @ frame.homography(camera.to_reference).transpose(0, 2, 1)
    # A corner behind the camera or far outside is no corner: then the movement counts as unknown.
    before: npt.NDArray[np.bool_] = np.asarray((mapped[..., 2] > _NEAREST).all(axis=1), dtype=bool)
    places = mapped[before, :, :2] / mapped[before, :, 2:]
    coded: dict[str, Any] = {"still": False, "known": encode.runs(before)}
    for axis, step in enumerate(frame.steps(_CORNER_PIXELS, 6)):
        coded["xy"[axis]], _ = encode.plane(places[..., axis], 6, step, decode.CORNERS)
    return coded


def _wall(wall: Wall, frame: _Frame) -> dict[str, Any]:
    projection = wall.projection / np.array([frame.width, frame.height, 1.0])[:, None]
    projection = projection / np.linalg.norm(projection)
    return {
        "angle_deg": _rounded(wall.angle_deg, 1),
        "angle_source": wall.angle_source,
        "scale_source": wall.scale_source,
        "scale_error": _rounded(wall.scale_error, 4),
        "projection": [[_significant(value, 8) for value in row] for row in projection.tolist()],
        "planes": 1,
    }


def _used(hold: Hold, found: Findings) -> bool:
    return any(contact.hold_id == hold.id for contact in found.contacts or ())


def _hold(hold: Hold, frame: _Frame, used: bool) -> dict[str, Any]:
    return {
        "id": hold.id,
        "kind": hold.kind,
        "type": hold.type,
        "type_confidence": _rounded(hold.type_confidence, 2),
        "confidence": _rounded(hold.confidence, 2),
        "box": frame.point(hold.box),
        "color": hold.color,
        "route": hold.route,
        "wall_m": None if hold.wall_m is None else [round(float(value), 3) for value in hold.wall_m],
        "wall_error_cm": _rounded(hold.wall_error_cm, 1),
        "outline": encode.outline(frame.outline(hold.outline)),
        "used": used,
        "by": hold.by,
    }


def _contact(contact: Contact, frame: _Frame) -> dict[str, Any]:
    return {
        "limb": contact.limb,
        "hold_id": contact.hold_id,
        "start": _rounded(contact.start, 4),
        "end": _rounded(contact.end, 4),
        "confidence": _rounded(contact.confidence, 2),
        "point": frame.point(contact.point),
    }


def _move(move: Move) -> dict[str, Any]:
    return {
        "limb": move.limb,
        "from_hold_id": move.from_hold_id,
        "to_hold_id": move.to_hold_id,
        "start": _rounded(move.start, 3),
        "end": _rounded(move.end, 3),
    }


def _series(values: Array, decimals: int, step: int) -> dict[str, Any]:
    """``(frames, n)`` numbers ≥ 0, NaN where unknown."""
    known: npt.NDArray[np.bool_] = np.asarray(np.isfinite(values).all(axis=1), dtype=bool)
    coded, _ = encode.plane(values[known], decimals, step, dict.fromkeys(range(values.shape[1])))
    return {"known": encode.runs(known), **coded}


def _ghost(ghost: "Ghost") -> dict[str, Any]:
    count = len(ghost.t)
    step = round(_BONE_M * 10**5)
    body = {axis: encode.plane(ghost.landmarks[..., k], 5, step, decode.TREE)[0] for k, axis in enumerate("xyz")}
    return {
        "count": count,
        "rate": round((count - 1) / float(ghost.t[-1]), 6) if count > 1 else 30.0,
        "climber_t": encode.times(np.rint(ghost.climber_t * 1000).astype(np.int64)),
        **body,
        "loads": _series(ghost.loads, 3, round(1000 * _LOAD)),
        "contacts": [
            {
                "limb": contact.limb,
                "hold_id": contact.hold_id,
                "start": _rounded(contact.start, 4),
                "end": _rounded(contact.end, 4),
                "point_m": [round(float(value), 4) for value in contact.point],
            }
            for contact in ghost.contacts
        ],
        "certificate": _certificate(ghost.certificate),
        "cues": [
            {
                "at": _rounded(cue.at, 3),
                "text_key": cue.key,
                "values": _plain(cue.values),
                "text": cue.text,
                "metric": cue.metric,
                "change": _significant(cue.change, 4),
                "gate_checked": cue.possible,
            }
            for cue in ghost.cues
        ],
    }


def _certificate(certificate: Mapping[str, Any]) -> dict[str, Any]:
    """As the Ghost's maker wrote it, with its measures of each frame as curves."""
    told: dict[str, Any] = _plain({key: value for key, value in certificate.items() if key != "frames"})
    told["frames"] = {}
    for name, values in certificate.get("frames", {}).items():
        column = np.array([[np.nan if value is None else value] for value in values], dtype=np.float64).reshape(-1, 1)
        gate = certificate.get("gates", {}).get(name.removesuffix("_cm"), {})
        span = gate.get("limit") or float(np.nanmax(column, initial=0.0)) or 1.0
        step = _GATE_SHARE * float(span)
        decimals = max(0, int(np.ceil(-np.log10(step))) + 1)
        told["frames"][name] = _series(column, decimals, round(step * 10**decimals))
    return told


def _metric_info(metric: Metric) -> dict[str, object]:
    return {key: _significant(value, 3) if key == "uncertainty" else value for key, value in metric.info().items()}


def _plain(value: Any) -> Any:
    """What JSON knows, with numbers to four significant digits."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(inner) for inner in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    return _significant(float(value), 4) if isinstance(value, float | np.floating) else value


def _significant(value: Any, digits: int) -> Any:
    """A number to so many significant digits; whole numbers and None as they are; null where it is not finite."""
    if value is None or isinstance(value, int):
        return value
    return float(f"{float(value):.{digits}g}") if np.isfinite(value) else None


def _rounded(value: float | None, decimals: int) -> float | None:
    return None if value is None else round(float(value), decimals)
