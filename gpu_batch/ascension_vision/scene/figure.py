"""The climber's surface: tubes of changing girth around the bones, dressed, lit, rebuilt for every frame."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ascension_vision.scene.body import INDEX, Array, proportions
from ascension_vision.scene.gym import Mesh
from ascension_vision.scene.light import shade
from ascension_vision.scene.motion import SIDES, Motion
from ascension_vision.scene.options import SceneOptions

_SKINS = ((0.86, 0.64, 0.52), (0.74, 0.52, 0.40), (0.56, 0.37, 0.26), (0.40, 0.26, 0.19))
_HAIRS = ((0.12, 0.08, 0.06), (0.26, 0.16, 0.09), (0.52, 0.36, 0.18), (0.07, 0.06, 0.06))
_SHIRTS = ((0.10, 0.52, 0.55), (0.90, 0.42, 0.30), (0.18, 0.30, 0.62), (0.36, 0.62, 0.36), (0.55, 0.34, 0.62))
_TROUSERS = ((0.15, 0.17, 0.22), (0.22, 0.24, 0.34), (0.38, 0.35, 0.28), (0.25, 0.27, 0.26))
_SHOES = ((0.80, 0.66, 0.12), (0.12, 0.36, 0.62), (0.70, 0.18, 0.16))
_RUBBER = np.array([0.09, 0.09, 0.10])


@dataclass(frozen=True)
class Outfit:
    """Colours (linear RGB) and cut of what the climber wears."""

    skin: Array
    hair: Array
    shirt: Array
    trousers: Array
    shoes: Array
    sleeve: float  # share of the upper arm that the sleeve covers
    shorts: bool
    long_hair: bool


def choose_outfit(options: SceneOptions) -> Outfit:
    """An outfit for the seed; the shirt keeps clear of the trousers' tone."""
    rng = np.random.default_rng([options.seed, 20])

    def pick(palette: tuple[tuple[float, float, float], ...]) -> Array:
        return np.array(palette[int(rng.integers(len(palette)))])

    return Outfit(
        skin=pick(_SKINS), hair=pick(_HAIRS), shirt=pick(_SHIRTS), trousers=pick(_TROUSERS), shoes=pick(_SHOES),
        sleeve=float(rng.choice([0.0, 0.42, 0.55])), shorts=bool(rng.random() < 0.35),
        long_hair=options.body.sex == "female" or bool(rng.random() < 0.2),
    )  # fmt: skip


class Figure:
    """Builds the lit surface of one frame's body."""

    def __init__(self, options: SceneOptions, motion: Motion) -> None:
        self.body = proportions(options.body)
        self.sex = options.body.sex
        self.motion = motion
        self.outfit = choose_outfit(options)
        self.down = np.array(
            [0.0, -np.cos(np.radians(options.wall_angle_deg)), np.sin(np.radians(options.wall_angle_deg))]
        )

    def mesh(self, frame: int) -> Mesh:
        """The surface in wall metres, coloured as lit."""
        tubes: list[_Tube] = [*self._trunk(frame), *self._head(frame)]
        for side in range(2):
            tubes += [
                *self._arm(frame, side),
                *self._hand(frame, side),
                *self._leg(frame, side),
                self._shoe(frame, side),
            ]
        return _join(tubes)

    # --- parts --------------------------------------------------------------------------------------------------

    def _at(self, frame: int, name: str) -> Array:
        return np.asarray(self.motion.landmarks[frame, INDEX[name]])

    def _trunk(self, frame: int) -> list["_Tube"]:
        girth, wear = self.body.girth, self.outfit
        pelvis, chest = self.motion.pelvis[frame], self.motion.chest[frame]
        hips = (self._at(frame, "left_hip") + self._at(frame, "right_hip")) / 2
        neck = (self._at(frame, "left_shoulder") + self._at(frame, "right_shoulder")) / 2
        male = self.sex == "male"
        # share of the way from hips to shoulders, half width, half depth (m at average build), backward shift
        rows = np.array(
            [
                (-0.21, 0.050, 0.060, 0.000), (-0.18, 0.110, 0.090, 0.010), (-0.08, 0.158, 0.112, 0.018),
                (0.02, 0.170 if male else 0.180, 0.124, 0.022), (0.14, 0.160, 0.114, 0.012),
                (0.28, 0.140 if male else 0.134, 0.096, 0.000), (0.40, 0.138 if male else 0.126, 0.092, -0.004),
                (0.55, 0.152 if male else 0.138, 0.102, 0.000), (0.72, 0.170 if male else 0.152, 0.110, 0.004),
                (0.86, 0.180 if male else 0.160, 0.104, 0.004), (0.95, 0.172 if male else 0.152, 0.088, 0.002),
                (1.02, 0.130 if male else 0.116, 0.070, 0.000),
                (1.07, 0.078, 0.056, -0.002), (1.10, 0.050, 0.048, -0.004),
            ]
        )  # fmt: skip
        share = np.linspace(rows[0, 0], rows[-1, 0], 46)
        wide, deep, back = (np.interp(share, rows[:, 0], rows[:, column]) * girth for column in (1, 2, 3))
        blend = np.clip(share, 0, 1)[:, None]
        right = _unit((1 - blend) * pelvis[:, 0] + blend * chest[:, 0])
        behind = _unit((1 - blend) * pelvis[:, 2] + blend * chest[:, 2])
        up = pelvis[:, 1]
        center = hips + share[:, None] * (neck - hips) + back[:, None] * behind
        # spine: a hollow between the shoulder blades and in the small of the back
        tube = _Tube.around(center, right, -behind, wide, deep, sectors=40, square=2.5)
        turn = tube.turn
        spine = np.exp(-(((turn[None, :] - 1.5 * np.pi) / 0.28) ** 2))
        blades = sum(np.exp(-(((turn[None, :] - 1.5 * np.pi - aside) / 0.35) ** 2)) for aside in (-0.75, 0.75))
        level = share[:, None]
        carve = -0.016 * spine * np.exp(-(((level - 0.45) / 0.42) ** 2))
        carve = carve + 0.009 * blades * np.exp(-(((level - 0.78) / 0.14) ** 2))
        folds = (
            0.0055 * np.sin(9 * level * 3.1 + 2.0 * np.sin(turn[None, :] * 2)) * np.exp(-(((level - 0.2) / 0.22) ** 2))
        )
        glutes = sum(np.exp(-(((turn[None, :] - 1.5 * np.pi - aside) / 0.42) ** 2)) for aside in (-0.55, 0.55))
        carve = carve + folds + 0.012 * glutes * np.exp(-(((level + 0.04) / 0.11) ** 2))
        hem = 0.0  # the shirt hangs over the trousers down to here
        carve = carve + 0.006 * (level > hem) * np.exp(-(((level - hem) / 0.30) ** 2))
        tube.push(carve * girth)
        tube.paint(np.where(share[:, None] < hem, wear.trousers, wear.shirt))
        tube.paint_rows(share > 1.045, wear.skin)
        # chalk bag at the small of the back, on a belt below the hem
        hang = hips + 0.055 * (neck - hips) + (0.155 * girth) * pelvis[:, 2]
        rings = np.linspace(0, 1, 12)
        width = 0.050 * np.interp(rings, [0, 0.06, 0.25, 0.85, 1], [0.05, 0.72, 0.95, 1.0, 1.06])
        bag_center = hang + (rings[:, None] - 0.75) * 0.13 * _unit(0.5 * up - 0.5 * self.down)
        bag = _Tube.around(bag_center, pelvis[:, 0], pelvis[:, 2], width, 0.8 * width, sectors=16)
        bag.paint(np.array([0.20, 0.20, 0.23]))
        bag.paint_rows(rings > 0.80, np.array([0.85, 0.30, 0.16]))
        # neck
        top = self.motion.head_center[frame]
        reach = np.linspace(-0.12, 0.72, 12)[:, None]
        center = neck + reach * (top - neck) + 0.010 * (1 - reach) * chest[:, 2]
        radius = np.interp(reach[:, 0], [-0.12, 0.1, 0.5, 0.72], [0.050, 0.056, 0.052, 0.050]) * girth
        throat = _Tube.around(center, chest[:, 0], -chest[:, 2], radius, radius, sectors=20)
        throat.paint(wear.skin)
        return [tube, bag, throat]

    def _head(self, frame: int) -> list["_Tube"]:
        head, center, length = self.motion.head[frame], self.motion.head_center[frame], self.body.head
        wear = self.outfit
        tubes = []
        rise = np.linspace(-1, 1, 30)
        profile = np.sqrt(np.clip(1 - np.abs(rise) ** 2.2, 0, 1))
        jaw = np.where(rise < 0, 1 - 0.22 * np.abs(rise) ** 1.5, 1.0)
        middle = center + (rise[:, None] * 0.54 * length) * head[:, 1] + (0.04 * length * rise[:, None]) * head[:, 2]
        skull = _Tube.around(
            middle, head[:, 0], -head[:, 2], 0.365 * length * profile * jaw, 0.46 * length * profile, sectors=32
        )
        skull.paint(wear.skin)
        turn, level = skull.turn[None, :], rise[:, None]
        backward = -np.sin(turn)  # sector 1.5 pi is the back of the head
        nose = np.exp(-(((turn - 0.5 * np.pi) / 0.16) ** 2)) * np.exp(-(((level + 0.12) / 0.14) ** 2))
        covered = (level > 0.52) | (backward > 0.10 + 0.0 * level) & (level > -0.55 + 0.1 * backward)
        strand = 0.010 * np.sin(turn * 17 + 3 * level) * 0.25
        skull.push(np.where(covered, 0.055 * length + strand * length, 0.0) + 0.09 * length * nose)
        shade_of_hair = wear.hair * (1 + 0.25 * np.sin(turn * 23 + 4 * level))[..., None]
        skull.paint(np.where(covered[..., None], shade_of_hair, skull.albedo))
        tubes.append(skull)
        for _, sign in SIDES:
            ear = center + sign * 0.375 * length * head[:, 0] - 0.02 * length * head[:, 1]
            steps = np.linspace(-1, 1, 8)
            size = 0.15 * length * np.sqrt(np.clip(1 - steps**2, 0, 1))
            shell = _Tube.around(
                ear + steps[:, None] * 0.14 * length * head[:, 1], head[:, 0], -head[:, 2], 0.35 * size, size, 10
            )
            shell.paint(wear.skin * 0.95)
            tubes.append(shell)
        if wear.long_hair:
            root = center + 0.12 * length * head[:, 1] + 0.50 * length * head[:, 2]
            steps = np.linspace(0, 1, 20)[:, None]
            fall = _unit(self.down + 0.25 * head[:, 2])
            path = (
                root
                + 0.16 * length * np.sin(np.pi * np.minimum(steps * 1.3, 1)) * head[:, 2]
                + 1.15 * length * steps * fall
            )
            thick = length * np.interp(
                steps[:, 0], [0, 0.06, 0.12, 0.3, 0.7, 0.95, 1], [0.02, 0.12, 0.09, 0.14, 0.11, 0.05, 0.01]
            )
            tail = _Tube.around(path, head[:, 0], head[:, 2], thick, thick, sectors=16)
            tail.paint(wear.hair * (1 + 0.22 * np.sin(tail.turn[None, :] * 7 + 2 * steps))[..., None])
            tubes.append(tail)
        return tubes

    def _arm(self, frame: int, side: int) -> list["_Tube"]:
        name = SIDES[side][0]
        shoulder, elbow, wrist = (self._at(frame, f"{name}_{joint}") for joint in ("shoulder", "elbow", "wrist"))
        path, along = _bent(shoulder, elbow, wrist, 0.045, 42)
        path, along = _capped(path, along, shoulder - elbow, 0.055 * self.body.girth)
        hinge = _unit(np.cross(elbow - shoulder, wrist - elbow) + 1e-6 * self.motion.chest[frame][:, 0])
        bulk = self.body.girth * (1.0 if self.sex == "male" else 0.84)
        radius = bulk * np.interp(
            along,
            [0.0, 0.15, 0.45, 0.70, 0.95, 1.05, 1.25, 1.50, 1.85, 2.0],
            [0.061, 0.061, 0.053, 0.047, 0.041, 0.043, 0.047, 0.040, 0.029, 0.027],
        )
        radius *= _cap(along)
        tube = _Tube.along(path, hinge, radius, 0.94 * radius, sectors=22)
        biceps = np.exp(-(((along[:, None] - 0.5) / 0.22) ** 2)) * np.cos(tube.turn[None, :] - 0.5 * np.pi)
        tube.push(0.004 * biceps)
        tube.paint(self.outfit.skin)
        sleeve = self.outfit.sleeve if self.outfit.sleeve else 0.06
        covered = along < sleeve
        looseness = 0.009 if self.outfit.sleeve else 0.002
        tube.push(np.where(covered, looseness * np.clip((along + 0.1) / 0.4, 0, 1), 0.0)[:, None])
        tube.paint_rows(covered, self.outfit.shirt)
        # the shoulder itself: between chest and arm whichever way the arm points
        chest = self.motion.chest[frame]
        inward = -SIDES[side][1] * chest[:, 0]
        cap = _ball(
            shoulder + 0.030 * inward - 0.012 * chest[:, 1], chest, np.array([0.075, 0.066, 0.066]) * self.body.girth
        )
        cap.paint(self.outfit.shirt)
        return [tube, cap]

    def _hand(self, frame: int, side: int) -> list["_Tube"]:
        name = SIDES[side][0]
        across, along, back = self.motion.hands[frame, side].T
        wrist, size, skin = self._at(frame, f"{name}_wrist"), self.body.hand, self.outfit.skin
        chalky = 0.55 * skin + 0.45 * np.array([0.93, 0.92, 0.90])
        steps = np.linspace(-0.10, 1.06, 12)
        wide = size * np.interp(steps, [-0.1, 0.1, 0.5, 0.9, 1.06], [0.30, 0.34, 0.46, 0.47, 0.40])
        thick = size * np.interp(steps, [-0.1, 0.2, 0.8, 1.06], [0.23, 0.20, 0.16, 0.11])
        palm = _Tube.around(wrist + steps[:, None] * size * along, across, back, wide, thick, sectors=16, square=2.6)
        palm.paint(skin + np.clip(steps, 0, 1)[:, None, None] * (chalky - skin))
        tubes = [palm]
        curl = np.linspace(0, 1, 10)[:, None]
        for finger, (offset, length) in enumerate(((0.34, 0.92), (0.12, 1.0), (-0.11, 0.94), (-0.33, 0.76))):
            base = wrist + size * (0.98 * along + offset * across) + 0.004 * back
            # over the lip of the hold: on, then into the wall
            bend = 1.75 * curl
            path = base + 0.86 * size * length * (np.sin(bend) / 1.75 * along - (1 - np.cos(bend)) / 1.75 * back)
            radius = size * 0.105 * np.sqrt(np.clip(1.02 - curl[:, 0] ** 6, 0, 1)) * (0.9 if finger == 3 else 1.0)
            tube = _Tube.along(path, across, radius, radius, sectors=9)
            tube.paint(chalky)
            tubes.append(tube)
        tip = wrist + size * (0.95 * along + 0.72 * across) - 0.022 * back
        root = wrist + size * (0.18 * along + 0.30 * across)
        steps = np.linspace(0, 1, 9)[:, None]
        path = root + steps * (tip - root) + 0.012 * np.sin(np.pi * steps) * back
        radius = size * 0.13 * np.sqrt(np.clip(1.02 - steps[:, 0] ** 6, 0, 1))
        thumb = _Tube.along(path, back, radius, radius, sectors=9)
        thumb.paint(chalky)
        return [*tubes, thumb]

    def _leg(self, frame: int, side: int) -> list["_Tube"]:
        name = SIDES[side][0]
        hip, knee, ankle = (self._at(frame, f"{name}_{joint}") for joint in ("hip", "knee", "ankle"))
        pelvis = self.motion.pelvis[frame]
        path, along = _bent(hip, knee, ankle, 0.075, 54)
        path, along = _capped(path, along, hip - knee, 0.085 * self.body.girth)
        hinge = _unit(np.cross(knee - hip, ankle - knee) + 1e-6 * pelvis[:, 0])
        bulk = self.body.girth * (1.0 if self.sex == "male" else 0.97)
        radius = bulk * np.interp(
            along,
            [0.0, 0.15, 0.45, 0.75, 0.95, 1.08, 1.30, 1.60, 1.88, 2.0],
            [0.094, 0.095, 0.082, 0.067, 0.060, 0.055, 0.059, 0.047, 0.037, 0.036],
        )
        radius *= _cap(along)
        tube = _Tube.along(path, hinge, radius, radius, sectors=26)
        wear = self.outfit
        end = 0.86 if wear.shorts else 1.90
        covered = along < end
        loose = np.interp(along, [0, 0.4, 0.86, 1.3, 1.9], [0.003, 0.010, 0.013, 0.012, 0.012])
        turn = tube.turn[None, :]
        bend = np.exp(-(((along[:, None] - 1.0) / 0.30) ** 2))
        folds = 0.0050 * bend * np.sin(30 * along[:, None] + 1.5 * np.cos(turn)) + 0.0028 * np.sin(
            17 * along[:, None] + 2.5 * np.sin(2 * turn + side)
        )
        tube.push(np.where(covered, loose, 0.0)[:, None] + np.where(covered[:, None], folds, 0.0))
        calf = np.exp(-(((along[:, None] - 1.28) / 0.20) ** 2)) * np.clip(np.cos(turn + 0.5 * np.pi), 0, 1)
        tube.push(0.010 * calf * bulk)
        tube.paint(wear.skin)
        tube.paint_rows(covered, wear.trousers)
        if not wear.shorts:
            tube.paint_rows((along > 1.845) & covered, wear.trousers * 0.72)
        inward = -SIDES[side][1] * pelvis[:, 0]
        seat = _ball(
            hip + 0.040 * inward + 0.016 * pelvis[:, 2] - 0.022 * pelvis[:, 1],
            pelvis,
            np.array([0.094, 0.088, 0.098]) * self.body.girth,
        )
        seat.paint(wear.trousers)
        return [tube, seat]

    def _shoe(self, frame: int, side: int) -> "_Tube":
        name = SIDES[side][0]
        outward, up, forward = self.motion.feet[frame, side].T
        ankle, size = self._at(frame, f"{name}_ankle"), self.body.foot
        heel, toe = -0.22, 0.70
        steps = 0.5 - 0.5 * np.cos(np.linspace(0, np.pi, 34))
        reach = (heel + steps * (toe - heel)) * size
        # sole at -0.27 foot lengths below the ankle; height of the upper falls towards the toe
        height = size * np.interp(
            steps,
            [0, 0.012, 0.04, 0.12, 0.28, 0.45, 0.75, 0.93, 0.98, 1],
            [0.05, 0.20, 0.28, 0.34, 0.35, 0.26, 0.15, 0.10, 0.06, 0.01],
        )
        width = size * np.interp(
            steps,
            [0, 0.012, 0.05, 0.15, 0.45, 0.72, 0.90, 0.97, 1],
            [0.02, 0.085, 0.125, 0.142, 0.14, 0.175, 0.13, 0.07, 0.01],
        )
        sole = -0.25 * size
        center = ankle + reach[:, None] * forward + (sole + height / 2)[:, None] * up
        tube = _Tube.around(center, outward, up, width, height / 2, sectors=20, square=2.7)
        below = np.sin(tube.turn)[None, :] < -0.45
        rubber = below | (steps[:, None] > 0.84) | (steps[:, None] < 0.05) & (np.sin(tube.turn)[None, :] < 0.2)
        tube.paint(np.where(rubber[..., None], _RUBBER, self.outfit.shoes))
        tube.gloss = 0.10
        return tube


# --- tubes ------------------------------------------------------------------------------------------------------


class _Tube:
    """A closed surface of rings: ``points`` and ``albedo`` (rings, sectors, 3), ``turn`` (sectors,) radians.

    Sector angle 0 lies along the first cross axis, pi/2 along the second.
    """

    def __init__(self, center: Array, points: Array, turn: Array) -> None:
        self.center, self.points, self.turn = center, points, turn
        self.albedo = np.full(points.shape, 0.5)
        self.gloss = 0.02

    @classmethod
    def around(
        cls, center: Array, first: Array, second: Array, a: Array, b: Array, sectors: int, square: float = 2.0
    ) -> "_Tube":
        """Rings about ``center`` (rings, 3) with half axes ``a`` and ``b`` along two directions, (3,) or (rings, 3)."""
        turn = np.linspace(0, 2 * np.pi, sectors, endpoint=False)
        cosine, sine = np.cos(turn), np.sin(turn)
        bulge = (np.abs(cosine) ** square + np.abs(sine) ** square) ** (-1 / square)
        first, second = (np.broadcast_to(axis, center.shape)[:, None, :] for axis in (first, second))
        points = (
            center[:, None, :]
            + (a[:, None] * bulge * cosine)[..., None] * first
            + (b[:, None] * bulge * sine)[..., None] * second
        )
        return cls(center, points, turn)

    @classmethod
    def along(cls, path: Array, hinge: Array, a: Array, b: Array, sectors: int) -> "_Tube":
        """Rings square to a path that bends about ``hinge``; pi/2 is the inside of the bend."""
        tangent = _unit(np.gradient(path, axis=0))
        first = _unit(hinge - tangent * (tangent @ hinge)[:, None])
        return cls.around(path, first, np.cross(first, tangent), a, b, sectors)

    def push(self, distance: Array) -> None:
        """Move the surface out from the centre line by metres, (rings, sectors) or what broadcasts to it."""
        ray = self.points - self.center[:, None, :]
        self.points = self.points + np.broadcast_to(distance, ray.shape[:2])[..., None] * _unit(ray)

    def paint(self, albedo: Array) -> None:
        shape = self.albedo.shape
        self.albedo = np.array(np.broadcast_to(albedo if albedo.ndim != 2 else albedo[:, None, :], shape))

    def paint_rows(self, rows: NDArray[np.bool_], albedo: Array) -> None:
        self.albedo[rows] = albedo


def _join(tubes: list[_Tube]) -> Mesh:
    vertices, colors, triangles = [], [], []
    count = 0
    for tube in tubes:
        rings, sectors, _ = tube.points.shape
        # normals by central differences along and around the tube, made to point away from the centre line
        around = np.roll(tube.points, -1, axis=1) - np.roll(tube.points, 1, axis=1)
        along = np.gradient(tube.points, axis=0)
        normals = _unit(np.cross(around, along))
        flip = np.sum(normals * (tube.points - tube.center[:, None, :])) < 0
        if flip:
            normals = -normals
        points, normals = tube.points.reshape(-1, 3), normals.reshape(-1, 3)
        # what faces the wall from close by gets less light
        shelter = 1 - 0.35 * np.clip(-normals[:, 2], 0, 1) * np.exp(-points[:, 2] / 0.3)
        colors.append(shade(tube.albedo.reshape(-1, 3) * shelter[:, None], normals, tube.gloss))
        vertices.append(points)
        ring, sector = np.meshgrid(np.arange(rings - 1) * sectors, np.arange(sectors), indexing="ij")
        following = (sector + 1) % sectors
        corner, beside = ring + sector, ring + following
        above, across = corner + sectors, beside + sectors
        faces = np.concatenate(
            [
                np.stack([corner, beside, across], -1).reshape(-1, 3),
                np.stack([corner, across, above], -1).reshape(-1, 3),
            ]
        )
        triangles.append((faces[:, ::-1] if flip else faces) + count)
        count += len(points)
    return Mesh(np.concatenate(vertices), np.concatenate(colors), np.concatenate(triangles).astype(np.int32))


def _capped(path: Array, along: Array, back: Array, length: float) -> tuple[Array, Array]:
    """The path begun ``length`` metres earlier, towards ``back``; ``along`` runs from -1 there to 0 at the joint."""
    steps = np.linspace(1, 0.08, 8)
    start = path[0] + np.sin(steps * np.pi / 2)[:, None] * length * _unit(back)
    return np.concatenate([start, path]), np.concatenate([-steps, along])


def _cap(along: Array) -> Array:
    """Girth of a rounded end, as a share of the girth at the joint."""
    return np.where(along < 0, np.cos(np.clip(-along, 0, 0.995) * np.pi / 2), 1.0)


def _ball(center: Array, axes: Array, half: Array) -> "_Tube":
    """An ellipsoid with half axes (3,) metres along the columns of ``axes``."""
    rise = np.sin(np.linspace(-np.pi / 2, np.pi / 2, 18))
    girth = np.sqrt(np.clip(1 - rise**2, 1e-4, 1))
    middle = center + rise[:, None] * half[1] * axes[:, 1]
    return _Tube.around(middle, axes[:, 0], -axes[:, 2], half[0] * girth, half[2] * girth, sectors=24)


def _bent(root: Array, joint: Array, end: Array, rounding: float, steps: int) -> tuple[Array, Array]:
    """A path root - joint - end with its corner rounded: points (steps, 3) and where each is, from 0 to 2."""
    first, second = np.linalg.norm(joint - root), np.linalg.norm(end - joint)
    along = np.linspace(0, 2, steps)
    distance = np.where(along < 1, (along - 1) * first, (along - 1) * second)
    path = joint + np.where(
        along[:, None] < 1, distance[:, None] * (joint - root) / first, distance[:, None] * (end - joint) / second
    )
    # inside the rounding, a parabola that meets both straights
    inside = np.abs(distance) < rounding
    share = (distance[inside] / rounding + 1)[:, None] / 2
    before, after = joint + rounding * (root - joint) / first, joint + rounding * (end - joint) / second
    path[inside] = (1 - share) ** 2 * before + 2 * share * (1 - share) * joint + share**2 * after
    return path, along


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9))
