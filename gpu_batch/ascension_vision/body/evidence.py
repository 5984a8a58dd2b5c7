"""What a video says about where a body is in space: landmarks in the picture, a weak idea of depth, contacts."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from ascension_vision.body.lengths import Lengths
from ascension_vision.body.skeleton import HIPS, SHOULDERS
from ascension_vision.camera.track import CameraTrack
from ascension_vision.contacts.contact import LIMBS, Contact
from ascension_vision.pose.following import Poses
from ascension_vision.wall.wall import Wall

Array = npt.NDArray[np.float64]

# Off the wall, metres: knuckles that grip a hold, and toes that stand on one.
TIP_OFF_WALL = (0.06, 0.06, 0.04, 0.04)


@dataclass(frozen=True)
class Evidence:
    """Of ``n`` frames.

    Attributes:
        t: ``(n,)`` seconds.
        pixels: ``(n, 33, 2)`` reference pixels.
        trust: ``(n, 33)`` 0 … 1, the chance that a landmark is about right.
        torso_px: a usual distance from hips to shoulders, reference pixels.
        world: ``(n, 33, 3)`` metres from the middle of the hips, in the axes of the wall frame; only its component
            along ``sight`` adds to what the pixels say.
        stature: the height of the average person whose bones are as long as in ``world``, metres.
        sight: ``(n, 3)`` unit vectors in the wall frame, away from the camera.
        hips: ``(n, 3)`` their middle, metres, if it is ``hips_out`` before the wall.
        anchors: ``(n, 4, 3)`` metres where limbs touch, and ``(n, 4)`` ``anchored`` 0 … 1: how surely they do.
        projection: ``(3, 4)`` from wall metres to reference pixels.
    """

    t: Array
    pixels: Array
    trust: Array
    torso_px: float
    world: Array
    stature: float
    sight: Array
    hips: Array
    anchors: Array
    anchored: Array
    projection: Array

    def at(self, chosen: npt.NDArray[np.intp]) -> "Evidence":
        """That of some of the frames."""
        names = [field.name for field in fields(self) if field.name not in ("torso_px", "stature", "projection")]
        return replace(self, **{name: getattr(self, name)[chosen] for name in names})


def gather(
    poses: Poses,
    track: CameraTrack,
    wall: Wall,
    contacts: Sequence[Contact],
    frames: npt.NDArray[np.intp],
    hips_out: float,
) -> Evidence:
    """The evidence of these frames, in all of which the climber is seen and the camera's movement is known."""
    t = poses.t[frames]
    pixels = CameraTrack(track.to_reference[frames], 0, track.still).place(poses.points[frames, :, :2])
    torso = np.linalg.norm(pixels[:, SHOULDERS].mean(axis=1) - pixels[:, HIPS].mean(axis=1), axis=1)
    axes = _camera_axes(wall, track.to_reference[frames])
    anchors, anchored = _anchors(wall, contacts, t)
    world = poses.world[frames] @ axes
    return Evidence(
        t=t,
        pixels=pixels,
        trust=np.clip(np.nan_to_num(poses.visibility[frames]), 0.0, 1.0),
        torso_px=float(np.median(torso)),
        world=world,
        stature=Lengths.from_landmarks(world).height,
        sight=axes[:, 2],
        hips=wall.on_surface(pixels[:, HIPS].mean(axis=1), hips_out),
        anchors=anchors,
        anchored=anchored,
        projection=wall.projection,
    )


def camera(projection: Array) -> tuple[Array, Array]:
    """``(3, 3)`` intrinsics and ``(3, 3)`` rotation, wall to camera (right, down, ahead), of a projection matrix."""
    matrix = projection[:, :3]
    # An RQ factorisation from the QR of the rows in reverse.
    q, r = np.linalg.qr(matrix[::-1].T)
    intrinsics, rotation = r.T[::-1, ::-1], q.T[::-1]
    signs = np.sign(np.diag(intrinsics))
    intrinsics, rotation = intrinsics * signs, signs[:, None] * rotation
    # A projection matrix means the same times any number: of the two signs, that of a rotation.
    return intrinsics / intrinsics[2, 2], rotation * np.sign(np.linalg.det(rotation))


def _camera_axes(wall: Wall, to_reference: Array) -> Array:
    """``(n, 3, 3)``: the right, down and ahead of every frame's camera as unit vectors of the wall frame.

    Cameras that follow a climber turn rather than travel: what is no rotation in a homography is left out."""
    intrinsics, rotation = camera(wall.projection)
    turned = np.linalg.inv(intrinsics) @ np.linalg.inv(to_reference) @ intrinsics @ rotation
    turned /= np.cbrt(np.linalg.det(turned))[:, None, None]
    u, _, v = np.linalg.svd(turned)
    axes: Array = u @ v
    return axes


def _anchors(wall: Wall, contacts: Sequence[Contact], t: Array) -> tuple[Array, Array]:
    anchors, anchored = np.zeros((len(t), 4, 3)), np.zeros((len(t), 4))
    for contact in contacts:
        limb = LIMBS.index(contact.limb)
        on = (t >= contact.start) & (t <= contact.end) & (anchored[:, limb] < contact.confidence)
        anchors[on, limb] = wall.on_surface(np.array(contact.point), TIP_OFF_WALL[limb])
        anchored[on, limb] = contact.confidence
    return anchors, anchored
