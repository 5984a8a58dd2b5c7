"""What was seen in a video. Everything else in a result is computed from it, again after each correction.

It is kept beside the result, so that a correction of the holds needs neither the video nor the networks.
"""

import io
import json
from dataclasses import dataclass, fields, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ascension_vision.camera.track import CameraTrack, ReferenceView
from ascension_vision.holds.hold import Hold
from ascension_vision.pose.following import Poses

_FORMAT = 1
_JPEG_QUALITY = 92
_POSES = ("t", "points", "visibility", "world", "peak", "shots")


@dataclass(frozen=True)
class Observations:
    """What was seen in a video.

    Attributes:
        video: ``video`` of the result.
        warnings: sentences for the user about the video.
        poses: the climber, cleaned.
        models: which models saw it, by what they look for.
        track: the camera's movement; None where holds were not asked for.
        view: the wall without the climber; None where holds were not asked for or the wall was not seen.
        holds: in reference pixels, not yet placed on the wall; None where they were not looked for.
        next_hold_id: no hold has had this id.
        revision: how many corrections led here.
        thumbnail: JPEG.
    """

    video: dict[str, Any]
    warnings: tuple[str, ...]
    poses: Poses
    models: dict[str, str]
    track: CameraTrack | None
    view: ReferenceView | None
    holds: list[Hold] | None
    next_hold_id: int
    revision: int
    thumbnail: bytes

    def pack(self) -> bytes:
        """As one NumPy archive, without pickled objects."""
        arrays: dict[str, npt.NDArray[Any]] = {"thumbnail": np.frombuffer(self.thumbnail, np.uint8)}
        for name in _POSES:
            values = getattr(self.poses, name)
            if values is not None:
                # Times decide about contacts to the millisecond; of the rest single precision is plenty.
                arrays[f"poses_{name}"] = values if name in ("t", "shots") else values.astype(np.float32)
        told: dict[str, Any] = {
            "format": _FORMAT, "video": self.video, "warnings": list(self.warnings), "models": self.models,
            "frame": [self.poses.width, self.poses.height],
            "next_hold_id": self.next_hold_id, "revision": self.revision,
            "holds": None if self.holds is None else [_hold_told(hold) for hold in self.holds],
        }  # fmt: skip
        if self.track is not None:
            arrays["to_reference"] = self.track.to_reference
            told["track"] = {"reference": self.track.reference, "still": self.track.still}
        if self.view is not None:
            arrays["view"] = _encoded(".jpg", self.view.image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
            arrays["view_seen"] = _encoded(".png", self.view.seen.astype(np.uint8) * 255, [])
            told["view_origin"] = list(self.view.origin)
        arrays["told"] = np.frombuffer(json.dumps(told).encode(), np.uint8)
        packed = io.BytesIO()
        np.savez_compressed(packed, **arrays)  # type: ignore[arg-type]
        return packed.getvalue()

    @classmethod
    def unpack(cls, packed: bytes) -> "Observations":
        """What ``pack`` made. Raises ``ValueError`` for what an incompatible version packed."""
        with np.load(io.BytesIO(packed), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        told = json.loads(arrays["told"].tobytes())
        if told["format"] != _FORMAT:
            raise ValueError(f"observations of format {told['format']}, not {_FORMAT}")
        kept = {name: arrays.get(f"poses_{name}") for name in _POSES}
        as_doubles = {name: kept[name].astype(np.float64) for name in ("t", "points", "visibility", "world")}  # type: ignore[union-attr]
        peak = kept["peak"]
        width, height = told["frame"]
        track = told.get("track")
        return cls(
            video=told["video"],
            warnings=tuple(told["warnings"]),
            poses=Poses(
                **as_doubles,
                width=width,
                height=height,
                peak=None if peak is None else peak.astype(np.float64),
                shots=kept["shots"],
            ),
            models=told["models"],
            track=CameraTrack(arrays["to_reference"], track["reference"], track["still"]) if track else None,
            view=_view(arrays, told["view_origin"]) if "view" in arrays else None,
            holds=None if told["holds"] is None else [_hold(entry) for entry in told["holds"]],
            next_hold_id=told["next_hold_id"],
            revision=told["revision"],
            thumbnail=arrays["thumbnail"].tobytes(),
        )

    def corrected(self, holds: list[Hold], next_hold_id: int) -> "Observations":
        """The same video with other holds: the next revision."""
        return replace(self, holds=holds, next_hold_id=next_hold_id, revision=self.revision + 1)


def _hold_told(hold: Hold) -> dict[str, Any]:
    told = {field.name: getattr(hold, field.name) for field in fields(hold)}
    return {**told, "outline": np.round(hold.outline, 2).tolist()}


def _hold(told: dict[str, Any]) -> Hold:
    wall_m = told["wall_m"]
    return Hold(
        **{
            **told,
            "box": tuple(told["box"]),
            "outline": np.array(told["outline"], dtype=np.float64),
            "wall_m": None if wall_m is None else tuple(wall_m),
        }
    )


def _view(arrays: dict[str, npt.NDArray[Any]], origin: list[float]) -> ReferenceView:
    image = cv2.imdecode(arrays["view"], cv2.IMREAD_COLOR_RGB)
    seen = cv2.imdecode(arrays["view_seen"], cv2.IMREAD_GRAYSCALE)
    if image is None or seen is None:
        raise ValueError("the kept view of the wall is no picture")
    return ReferenceView(image.astype(np.uint8, copy=False), (origin[0], origin[1]), seen > 0)


def _encoded(kind: str, picture: npt.NDArray[Any], settings: list[int]) -> npt.NDArray[np.uint8]:
    ok, encoded = cv2.imencode(kind, picture, settings)
    assert ok
    return encoded.astype(np.uint8, copy=False)
