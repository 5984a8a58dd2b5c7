"""What a video says about where a body is in space: landmarks in the picture, a weak idea of depth, contacts."""

from collections.abc import Sequence
from dataclasses import dataclass

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
TIP_OFF_WALL = np.array([0.06, 0.06, 0.04, 0.04])


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
        sight: ``(n, 3)`` unit vectors in the wall frame, away from the camera.
        anchors: ``(n, 4, 3)`` metres where limbs touch, and ``(n, 4)`` ``anchored`` 0 … 1: how surely they do.
        projection: ``(3, 4)`` from wall metres to reference pixels.
    """

    t: Array
    pixels: Array
    trust: Array
    torso_px: float
    world: Array
    sight: Array
    anchors: Array
    anchored: Array
    projection: Array


def gather(
    poses: Poses, track: CameraTrack, wall: Wall, contacts: Sequence[Contact], frames: npt.NDArray[np.intp]
) -> Evidence:
    """The evidence of these frames, in all of which the climber is seen and the camera's movement is known."""
    t = poses.t[frames]
    pixels = CameraTrack(track.to_reference[frames], 0, track.still).place(poses.points[frames, :, :2])
    torso = np.linalg.norm(pixels[:, SHOULDERS].mean(axis=1) - pixels[:, HIPS].mean(axis=1), axis=1)
    axes = _camera_axes(wall, track.to_reference[frames])
    anchors, anchored = _anchors(wall, contacts, t)
    return Evidence(
        t=t,
        pixels=pixels,
        trust=np.clip(np.nan_to_num(poses.visibility[frames]), 0.0, 1.0),
        torso_px=float(np.median(torso)),
        world=poses.world[frames] @ axes,
        sight=axes[:, 2],
        anchors=anchors,
        anchored=anchored,
        projection=wall.projection,
    )


def stature(world: Array, trust: Array) -> float:
    """The height of the average person whose bones are as long as these in the world landmarks, metres."""
    return Lengths.from_landmarks(world, trust).height


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
        anchors[on, limb] = on_plane(wall.projection, np.array([contact.point]), TIP_OFF_WALL[limb : limb + 1])[0]
        anchored[on, limb] = contact.confidence
    return anchors, anchored


def on_plane(projection: Array, pixels: Array, off: Array) -> Array:
    """``(n, 3)`` metres: the points seen at ``pixels`` ``(n, 2)`` that are ``off`` ``(n,)`` from the wall."""
    rows = projection[None, :2] - pixels[:, :, None] * projection[None, 2]
    known = rows[:, :, 2] * off[:, None] + rows[:, :, 3]
    place = np.linalg.solve(rows[:, :, :2], -known[..., None])[..., 0]
    return np.column_stack([place, off])
