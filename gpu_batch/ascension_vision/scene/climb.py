"""The route and what is done on it: which limb goes to which hold, and when."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ascension_vision.scene.body import LIMBS
from ascension_vision.scene.holds import Hold, size_of
from ascension_vision.scene.options import SceneOptions

COLORS: dict[str, tuple[float, float, float]] = {
    "red": (0.78, 0.10, 0.10),
    "yellow": (0.93, 0.70, 0.08),
    "green": (0.12, 0.55, 0.22),
    "blue": (0.10, 0.30, 0.72),
    "purple": (0.42, 0.18, 0.60),
    "orange": (0.92, 0.42, 0.07),
    "pink": (0.90, 0.36, 0.55),
    "black": (0.09, 0.09, 0.10),
}
_SECONDS_A_MOVE = 1.3
_FLIGHT_S = 0.45  # of the hands in a dyno whose feet stay
_FEET_LATER_S = 0.4  # than the hands they land after a dyno in which they do not


@dataclass(frozen=True)
class Contact:
    """One limb on one hold from ``start`` to ``end``, seconds.

    ``purpose`` says why the limb came: it made a ``move``, or it came back to the hold that it had left for nothing, a
    hand's ``regrip`` or a foot's ``fidget``; then ``excursion`` is how far it strayed on the way, metres.
    """

    limb: str
    hold_id: int
    start: float
    end: float
    purpose: Literal["move", "regrip", "fidget"] = "move"
    excursion: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Climb:
    """Every hold on the wall and the contacts in order of time."""

    holds: tuple[Hold, ...]
    contacts: tuple[Contact, ...]
    route_color: str

    def of_limb(self, limb: str) -> list[Contact]:
        return [contact for contact in self.contacts if contact.limb == limb]

    @property
    def flight(self) -> tuple[float, float] | None:
        """When nothing touches a hold; None where something always does."""
        lands = max(contact.start for contact in self.contacts if contact.limb.endswith("hand"))
        last = max((contact.end for contact in self.contacts if contact.end < lands), default=lands)
        flies = not any(contact.start < lands and contact.end > last for contact in self.contacts)
        return (last, lands) if flies and last < lands else None

    def hold(self, hold_id: int) -> Hold:
        return self.holds[hold_id]


def plan_climb(options: SceneOptions, rng: np.random.Generator) -> Climb:
    """A static climb: one limb moves at a time, hands and feet alternate, the body shifts between moves.

    Only a dyno takes both hands off at once, and if the body is to fly both feet too.

    The style changes neither the route nor the order of the moves.
    """
    names = list(COLORS)
    route_color = names[int(rng.choice(len(names) - 1))]  # the last, black, is hard to see and never the route
    route = _Route(options, route_color, rng)
    moves = _choose_moves(route, options, rng)
    contacts = _falter(_time_moves(route.start, moves, options, rng), options)
    holds = _fill_wall(route.holds, route_color, options, rng)
    return Climb(tuple(holds), tuple(sorted(contacts, key=lambda c: (c.start, c.limb))), route_color)


class _Route:
    """The holds of the route, grown upward as the moves ask for them."""

    def __init__(self, options: SceneOptions, color: str, rng: np.random.Generator) -> None:
        self.holds: list[Hold] = []
        self.rng, self.color, self.options = rng, color, options
        self.sway = rng.uniform(0.12, 0.30), rng.uniform(0, 2 * np.pi)
        height = options.body.height_m
        low, high = (0.18, 0.32) if rng.random() < 0.5 else (0.32, 0.18)
        first = 1.03 * height
        self.start = {
            "left_hand": self.add("left_hand", first + rng.uniform(0.0, 0.1), "jug"),
            "right_hand": self.add("right_hand", first + rng.uniform(0.0, 0.1), "jug"),
            "left_foot": self.add("left_foot", low * height / 1.74 + 0.10, "foothold"),
            "right_foot": self.add("right_foot", high * height / 1.74 + 0.10, "foothold"),
        }

    def center_line(self, y: float) -> float:
        """Where the route runs, metres right of the wall's middle; hands and feet share it, so bodies stay upright."""
        amplitude, phase = self.sway
        return float(amplitude * np.sin(0.75 * y + phase))

    def add(self, limb: str, y: float, kind: str | None = None) -> Hold:
        side = -1.0 if limb.startswith("left") else 1.0
        scale = self.options.body.height_m / 1.74
        spread = self.rng.uniform(0.15, 0.27) if limb.endswith("hand") else self.rng.uniform(0.13, 0.25)
        if kind is None:
            if limb.endswith("foot"):
                kind = str(self.rng.choice(["foothold", "foothold", "edge", "crimp", "jug"]))
            else:
                kind = str(self.rng.choice(["jug", "crimp", "sloper", "pinch", "pocket", "edge", "jug"]))
        width, height, depth = size_of(kind, self.rng)
        hold = Hold(
            id=len(self.holds),
            type=kind,
            color_name=self.color,
            color=COLORS[self.color],
            center=np.array([self.center_line(y) + side * spread * scale, y, 0.0]),
            half_width=width,
            half_height=height,
            depth=depth,
            turn=float(self.rng.normal(0, 0.10)),
            shape_seed=int(self.rng.integers(2**31)),
            on_route=True,
        )
        self.holds.append(hold)
        return hold


def _choose_moves(route: _Route, options: SceneOptions, rng: np.random.Generator) -> list[dict[str, Hold]]:
    """New holds by limb, move by move; as many as the duration has room for and the wall is high."""
    budget = max(0, int((options.duration_s - options.LEAD_IN_S - options.LEAD_OUT_S) / _SECONDS_A_MOVE))
    scale = options.body.height_m / 1.74
    gap = 0.76 * options.body.height_m
    on = dict(route.start)
    order = ("right_hand", "left_foot", "left_hand", "right_foot")
    if on["left_hand"].center[1] < on["right_hand"].center[1]:
        order = ("left_hand", "right_foot", "right_hand", "left_foot")
    moves: list[dict[str, Hold]] = []
    for index in range(budget - 3 if options.dyno else budget):
        limb = order[index % 4]
        side, part = limb.split("_")
        other = ("right" if side == "left" else "left") + "_" + part
        if part == "hand":
            y = on[other].center[1] + rng.uniform(0.24, 0.40) * scale
            # a static move: the whole body must be able to span from the lowest foot to the new hold
            lowest = min(on["left_foot"].center[1], on["right_foot"].center[1])
            y = min(y, lowest + 1.01 * options.body.height_m)
            if y > options.wall_height_m - 0.35:
                break
        else:
            hands = (on["left_hand"].center[1] + on["right_hand"].center[1]) / 2
            y = 2 * (hands - gap + rng.uniform(-0.05, 0.05)) - on[other].center[1]
            y = float(np.clip(y, on[limb].center[1] + 0.12, on[other].center[1] + 0.42 * scale))
        hold = route.add(limb, float(y))
        on[limb] = hold
        moves.append({limb: hold})
    if options.dyno and budget >= 3:
        # crouch first: the feet come up until the hands can go far without being pulled off them
        crouch = min(on["left_hand"].center[1], on["right_hand"].center[1]) - 0.68 * options.body.height_m
        for foot in sorted(LIMBS[2:], key=lambda limb: float(on[limb].center[1])):
            on[foot] = route.add(foot, float(max(crouch, on[foot].center[1] + 0.05) + rng.uniform(-0.02, 0.02)), "edge")
            moves.append({foot: on[foot]})
        lowest = min(on["left_foot"].center[1], on["right_foot"].center[1])
        highest = max(on["left_hand"].center[1], on["right_hand"].center[1])
        y = min(
            highest + rng.uniform(0.30, 0.45) * scale,
            lowest + (1.01 if not options.flight_s else 1.2) * options.body.height_m,
            options.wall_height_m - 0.35,
        )
        leap = {hand: route.add(hand, float(y + rng.uniform(-0.04, 0.0)), "jug") for hand in LIMBS[:2]}
        if options.flight_s:
            y = max(y - options.body.height_m, highest - 0.62 * options.body.height_m)
            leap |= {foot: route.add(foot, float(y + rng.uniform(-0.05, 0.05)), "edge") for foot in LIMBS[2:]}
        moves.append(leap)
    return moves


def _time_moves(
    start: dict[str, Hold], moves: list[dict[str, Hold]], options: SceneOptions, rng: np.random.Generator
) -> list[Contact]:
    """Contacts of every limb: each move carries a limb over, the next begins after a shift of weight."""
    contacts: list[Contact] = []
    since = {limb: (start[limb], 0.0) for limb in LIMBS}
    if moves:
        slots = rng.uniform(0.85, 1.15, len(moves))
        slots *= (options.duration_s - options.LEAD_IN_S - options.LEAD_OUT_S) / slots.sum()
        begin = options.LEAD_IN_S
        for move, slot in zip(moves, slots, strict=True):
            if len(move) == 1:
                travel = float(min(slot * 0.62, rng.uniform(0.62, 0.80)))
            else:
                travel = options.flight_s or _FLIGHT_S
            for limb, hold in move.items():
                held, started = since[limb]
                contacts.append(Contact(limb, held.id, started, round(float(begin), 4)))
                later = _FEET_LATER_S if len(move) > 1 and limb.endswith("foot") else 0.0
                since[limb] = (hold, round(float(begin + travel + later), 4))
            begin += slot
    contacts.extend(Contact(limb, hold.id, started, options.duration_s) for limb, (hold, started) in since.items())
    return contacts


def _falter(contacts: list[Contact], options: SceneOptions) -> list[Contact]:
    """The expert's contacts, done by the style: slower, and with re-grips and fidgets between the moves.

    The first faults of a clumsy climber are all the faults of one a little less clumsy.
    """
    style = options.style
    if options.length_s == options.duration_s:
        return contacts
    # faults happen before the first move and after each landing, once the limb has settled
    gaps = [0.5 * options.LEAD_IN_S, *sorted({contact.start + 0.05 for contact in contacts if contact.start > 0})]
    faults: list[list[Contact]] = [[] for _ in gaps]
    for part, count, stream in (("hand", style.regrips, 0), ("foot", style.fidgets, 1)):
        rng = np.random.default_rng([options.seed, 3, stream])
        order: list[int] = []
        for _ in range(count):
            order = order or [int(gap) for gap in rng.permutation(len(gaps))]
            limb = f"{rng.choice(['left', 'right'])}_{part}"
            reach = 0.06 if part == "hand" else 0.045
            excursion = tuple(float(metres) for metres in rng.uniform((-0.6, -0.3, 0.7), (0.6, 0.6, 1.0)) * reach)
            purpose: Literal["regrip", "fidget"] = "regrip" if part == "hand" else "fidget"
            faults[order.pop()].append(Contact(limb, -1, 0.0, 0.0, purpose, (excursion[0], excursion[1], excursion[2])))
    seconds = {"regrip": style.REGRIP_S, "fidget": style.FIDGET_S}
    pauses = np.array([sum(seconds[fault.purpose] for fault in gap) + options.waiting_s / len(gaps) for gap in faults])

    def later(time: float) -> float:
        """When the expert's moment comes for this climber."""
        return options.length_s if time >= options.duration_s else time + float(pauses[np.array(gaps) < time].sum())

    done = [
        replace(contact, start=round(later(contact.start), 4), end=round(later(contact.end), 4)) for contact in contacts
    ]
    for gap, pending in zip(gaps, faults, strict=True):
        begin = later(gap)
        for fault in pending:
            lasts = seconds[fault.purpose]
            leaves, returns = round(begin + 0.15 * lasts, 4), round(begin + 0.85 * lasts, 4)
            held = next(c for c in done if c.limb == fault.limb and c.start < leaves and c.end > returns)
            done.remove(held)
            done += [replace(held, end=leaves), replace(fault, hold_id=held.hold_id, start=returns, end=held.end)]
            begin += lasts
    return done


def _fill_wall(route: list[Hold], route_color: str, options: SceneOptions, rng: np.random.Generator) -> list[Hold]:
    """The route's holds and, around them, other routes' holds and volumes that nobody touches."""
    holds = list(route)
    others = [name for name in COLORS if name != route_color]

    def free(center: np.ndarray, radius: float, clearance: float) -> bool:
        return all(
            np.linalg.norm(hold.center - center) > hold.radius + radius + (clearance if hold.on_route else 0.05)
            for hold in holds
        )

    def place(kind: str, color_name: str, color: tuple[float, float, float], clearance: float) -> None:
        width, height, depth = size_of(kind, rng)
        center = np.array([rng.uniform(-2.3, 2.3), rng.uniform(0.2, options.wall_height_m - 0.15), 0.0])
        if free(center, max(width, height), clearance):
            holds.append(
                Hold(
                    id=len(holds), type=kind, color_name=color_name, color=color, center=center, half_width=width,
                    half_height=height, depth=depth, turn=float(rng.uniform(-0.5, 0.5)),
                    shape_seed=int(rng.integers(2**31)),
                )
            )  # fmt: skip

    for _ in range(14):
        place("volume", "wood", tuple(np.array([0.60, 0.45, 0.29]) * rng.uniform(0.8, 1.1)), 0.16)
        if sum(hold.type == "volume" for hold in holds) == 4:
            break
    kinds = ["jug", "crimp", "sloper", "pinch", "pocket", "edge", "foothold", "foothold"]
    for _ in range(190):
        name = str(rng.choice(others))
        place(str(rng.choice(kinds)), name, COLORS[name], 0.06)
    return [replace(hold, id=index) for index, hold in enumerate(holds)]
