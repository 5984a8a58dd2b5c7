"""When the Ghost does what: one limb moves at a time, and no pause is longer than a weight shift needs.

The climber's own pace is kept where it is neither hurried nor idle. A limb leaves a hold only when it is about to
arrive at the next one, unless the body would have to span more than the climber ever did; so the Ghost never waits with
a limb in the air.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ascension_vision.contacts.contact import LIMBS
from ascension_vision.ghost.beta import ABOUT, FEET, HANDS, Beta, Stay
from ascension_vision.ghost.ghost import GhostContact

Array = npt.NDArray[np.float64]

# Seconds between an arrival and the next departure: to take the load, and longest without it being a pause.
SHORTEST_SHIFT, LONGEST_SHIFT = 0.25, 1.3
# And between a limb that lets go because the next move goes too far for it and that move, seconds.
_EASED = 0.45
_LEAD = (0.3, 0.8)
# A limb that swings d metres needs at least 0.3 s + 0.35 s/m and at most 0.5 s + 0.6 s/m.
_QUICKEST, _SLOWEST = (0.3, 0.35), (0.6, 0.6)
# Whoever lets go in the first part of a move, as a share, lets go before it.
_BARELY = 0.15
# So many limbs hold a waiting body: with fewer, one that cannot stay for the next move stays until that begins.
_STEADY = 3
# A foot on nothing known that the climber had left for so long is not kept, seconds.
_LONG = 1.0
# Nobody flies for longer; and of a jump the climber's own time counts from so long before the flight on, and limbs that
# arrive so soon after it belong to it. Seconds.
_LONGEST_FLIGHT, _RUN_UP, _LANDING = 0.8, 0.5, 0.4
# A limb bears until the last frame before a flight and from the first one after it: it leaves and arrives so much later
# and earlier, frames. At its very beginning and end a contact bears nothing, and a flight would last two frames more.
_BEARS = 1 / 3
# Of the arms' span, how far apart hands may hold on without the climber having shown it.
_HANDS_APART = 0.65


@dataclass(frozen=True)
class Swing:
    """A limb on its way. ``lift`` and ``land`` are indices of frames in which it still or already is on a hold;
    ``origin`` is None where the limb comes from no hold."""

    limb: int
    lift: int
    land: int
    origin: Stay | None
    target: Stay


@dataclass(frozen=True)
class Timeline:
    """The Ghost's plan in its own time.

    Attributes:
        t: ``(n,)`` seconds, uniform, from 0.
        climber_t: ``(n,)`` seconds of the video when the climber is at the same point of the same move.
        on: ``(n, 4)`` which limbs are on a hold.
        points: ``(n, 4, 3)`` where, wall metres; NaN where not on.
        swings: in order of landing.
        contacts: for the result.
    """

    t: Array
    climber_t: Array
    on: npt.NDArray[np.bool_]
    points: Array
    swings: list[Swing]
    contacts: list[GhostContact]


@dataclass(frozen=True)
class _Move:
    """A limb's way to ``target``. ``leaves``, ``arrives``: seconds of the video; ``origin`` None: from no hold."""

    limb: int
    origin: Stay | None
    target: Stay
    leaves: float
    arrives: float


@dataclass(frozen=True)
class Flight:
    """Seconds of the video in which nothing is held."""

    start: float
    end: float


def lay_out(
    beta: Beta, start: float, end: float, rate: float, arm_span: float, patient: bool = True,
    jumps: Sequence[Flight] = (), earlier: Sequence[Stay] = (),
) -> Timeline | None:  # fmt: skip
    """Plan the Ghost between two moments of the video, ``rate`` frames a second; None where no limb is on a hold.

    ``arm_span``: of the climber, metres. ``patient`` limbs stay on a hold until their next move; others leave it when
    the climber's did. In ``jumps`` the Ghost jumps as fast as the climber did: how long a flight lasts is physics.
    To a place in ``earlier`` a foot goes right before the hand that the climber moved right before it, while the
    climber gets ready for that hand's move; ways and waits take as long as they do otherwise.
    """
    stays = [[stay for stay in of_limb if stay.end > start and stay.start < end] for of_limb in beta.stays]
    if not any(stays):
        return None
    plan = _Plan(stays, start, rate, arm_span)
    moves = _moves(stays, start)
    arrived, first = start, True
    while moves:
        landing = _landing(moves, jumps)
        begins = max(arrived, landing[0].start - _RUN_UP) if landing else moves[0].leaves
        shift = _shift(beta, arrived, begins, _LEAD if first else (SHORTEST_SHIFT, LONGEST_SHIFT))
        if landing:
            flight, together = landing
            plan.wait(shift)
            plan.leap(together, flight, begins)
            arrived = together[-1].arrives
            moves = [move for move in moves if all(move is not other for other in together)]
        else:
            move = moves.pop(0)
            leaves = max(move.leaves, arrived)
            if moves and any(moves[0].target is place for place in earlier):
                foot = moves.pop(0)
                plan.wait(shift)
                plan.step(foot)
                shift = _shift(beta, move.arrives, foot.leaves)
                arrived = foot.arrives
            plan.get_ready(move, leaves, patient, shift)
            plan.swing(move, leaves)
            arrived = max(arrived, move.arrives)
        plan.step_down(arrived)
        first = False
    plan.wait(float(np.clip(end - arrived, *_LEAD)))
    return plan.timeline(end)


def _moves(stays: list[list[Stay]], start: float) -> list[_Move]:
    moves = []
    for of_limb in stays:
        for before, after in pairwise([None, *of_limb]):
            if after is not None and after.start > start:
                # where the climber's limb came from no hold, as long a way as limbs usually take
                leaves = before.end if before is not None else max(start, after.start - 0.7)
                moves.append(_Move(after.limb, before, after, leaves, after.start))
    return sorted(moves, key=lambda move: move.arrives)


def flights(beta: Beta, start: float, end: float) -> list[Flight]:
    """Times between two moments of the video in which no limb is on, short enough for a jump."""
    found, until = [], start
    for stay in sorted((stay for of_limb in beta.stays for stay in of_limb), key=lambda stay: stay.start):
        if until > start and 0 < stay.start - until <= _LONGEST_FLIGHT and stay.start < end:
            found.append(Flight(until, stay.start))
        until = max(until, stay.end)
    return found


def _landing(moves: list[_Move], jumps: Sequence[Flight]) -> tuple[Flight, list[_Move]] | None:
    """The flight that the next limb to arrive ends, and all moves that it carries over."""
    for flight in jumps:
        together = [move for move in moves if flight.end - 1e-6 <= move.arrives <= flight.end + _LANDING]
        if together and together[0] is moves[0]:
            return flight, together
    return None


def _shift(
    beta: Beta, arrived: float, leaves: float, within: tuple[float, float] = (SHORTEST_SHIFT, LONGEST_SHIFT)
) -> float:
    """Seconds that the Ghost waits between two moments of the video, without what was spent on what it leaves out."""
    wasted = sum(max(0.0, min(leaves, drop.end) - max(arrived, drop.start)) for drop in beta.dropped)
    return float(np.clip(leaves - arrived - wasted, *within))


class _Plan:
    """The Ghost's plan while it is made; its clock counts frames."""

    def __init__(self, stays: list[list[Stay]], start: float, rate: float, arm_span: float) -> None:
        self._rate = rate
        self._clock = 0
        self._held = [next((stay for stay in of_limb if stay.start <= start), None) for of_limb in stays]
        self._since = [0] * len(LIMBS)
        self._arrived = [0.0] * len(LIMBS)
        self._left = [0] * len(LIMBS)
        self._knots = [(0, start)]
        self._spans: list[tuple[Stay, int, int, float, float]] = []
        self._swings: list[Swing] = []
        self._reach = _reaches(stays)
        self._reach[_pair(*HANDS)] = max(self._reach.get(_pair(*HANDS), 0.0), _HANDS_APART * arm_span)

    def wait(self, seconds: float) -> None:
        self._clock += max(1, round(seconds * self._rate))

    def get_ready(self, move: _Move, leaves: float, patient: bool, shift: float) -> None:
        """For at least ``shift`` seconds: what has just arrived takes its load, then limbs let go that cannot stay for
        this move, and the body comes to hang from the others."""
        ready = self._clock + round(shift * self._rate)
        self.wait(SHORTEST_SHIFT)
        if self._let_go(move, leaves, patient, _STEADY):
            ready = max(ready, self._clock + round(_EASED * self._rate))
        self._clock = max(self._clock, ready)
        self._let_go(move, leaves, patient)

    def _let_go(self, move: _Move, leaves: float, patient: bool, least: int = 0) -> bool:
        """Of what is too far from where a limb goes now, unless the climber let go of it on the way, and of what the
        climber had let go of unless ``patient``; but of nothing that would leave fewer than ``least`` limbs on.
        Returns whether any limb let go."""
        before = list(self._held)
        for limb, held in enumerate(self._held):
            if held is not None and limb != move.limb and sum(one is not None for one in self._held) > least:
                on_the_way = leaves + _BARELY * (move.arrives - leaves) < held.end < move.arrives
                too_far = self._too_far(limb, held, move) and not on_the_way
                if too_far or (not patient and held.end < move.arrives):
                    self._leave(limb)
        return self._held != before

    def step_down(self, arrived: float) -> None:
        """From what no hold is known of and the climber had left long before, if a hand and another limb hold on."""
        for limb, held in enumerate(self._held):
            others = sum(one is not None for one in self._held) - 1
            if held is not None and held.hold_id is None and held.end < arrived - _LONG and others >= _STEADY - 1:
                self._leave(limb)

    def swing(self, move: _Move, leaves: float) -> None:
        """``leaves`` is the moment of the video when the way to this place is free to begin."""
        begins = self._clock
        self._knots.append((begins, leaves))
        self._travel(move)
        lands = self._clock
        for limb, held in enumerate(self._held):
            if held is not None and self._too_far(limb, held, move):
                share = (held.end - leaves) / max(move.arrives - leaves, 1e-6)
                self._clock = begins + round(float(np.clip(share, 0, 1)) * (lands - begins - 1))
                self._leave(limb)
        self._clock = lands
        self._knots.append((self._clock, max(move.arrives, leaves)))
        self._arrive(move)

    def step(self, move: _Move) -> None:
        """A move at another time than the climber's: nothing ties both clocks together."""
        self._travel(move)
        self._arrive(move)

    def _travel(self, move: _Move) -> None:
        origin = self._held[move.limb]
        self._leave(move.limb)
        way = 0.4 if origin is None else float(np.linalg.norm(move.target.point - origin.point))
        quickest, slowest = (rest + per_metre * way for rest, per_metre in (_QUICKEST, _SLOWEST))
        self.wait(float(np.clip(move.arrives - move.leaves, quickest, slowest)))

    def _arrive(self, move: _Move, earlier: float = 0.0) -> None:
        """``earlier``: by so many frames the contact begins before this one."""
        self._swings.append(Swing(move.limb, self._left[move.limb], self._clock, move.origin, move.target))
        self._held[move.limb], self._since[move.limb] = move.target, self._clock
        self._arrived[move.limb] = self._clock - earlier

    def _too_far(self, limb: int, held: Stay, move: _Move) -> bool:
        apart = _apart(held, move.target)
        return apart > self._reach.get(_pair(limb, move.limb), np.inf) + 1e-6

    def leap(self, moves: list[_Move], flight: Flight, begins: float) -> None:
        """All limbs let go, when the climber's did but no later than the flight begins, and those of ``moves`` arrive,
        all in the climber's own time from ``begins`` on."""
        self._knots.append((self._clock, begins))
        ground = self._clock

        def at(moment: float) -> int:
            return ground + max(1, round((moment - begins) * self._rate))

        # one that is a little too long is gentler than one too short
        lands = at(flight.start) + max(2, int((flight.end - flight.start) * self._rate + 0.6))
        held = [(limb, stay) for limb, stay in enumerate(self._held) if stay is not None]
        for limb, stay in sorted(held, key=lambda one: one[1].end):
            self._clock = at(float(np.clip(stay.end, begins, flight.start)))
            self._leave(limb, later=_BEARS)
        for move in moves:
            self._clock = max(self._clock, lands, at(move.arrives))
            self._arrive(move, earlier=_BEARS)
        self._knots.append((self._clock, moves[-1].arrives))

    def timeline(self, end: float) -> Timeline:
        for limb in range(len(LIMBS)):
            self._leave(limb)
        frames = np.arange(self._clock + 1)
        on = np.zeros((len(frames), len(LIMBS)), dtype=np.bool_)
        points = np.full((len(frames), len(LIMBS), 3), np.nan)
        contacts = []
        for stay, first, last, start, stop in sorted(self._spans, key=lambda span: (span[1], span[0].limb)):
            on[first : last + 1, stay.limb] = True
            points[first : last + 1, stay.limb] = stay.point
            x, y, z = (float(value) for value in stay.point)
            contacts.append(
                GhostContact(LIMBS[stay.limb], stay.hold_id, start / self._rate, stop / self._rate, (x, y, z))
            )
        own, climber = zip(*self._knots, (self._clock, end), strict=True)
        climber_t = np.maximum.accumulate(np.interp(frames, own, np.maximum.accumulate(climber)))
        return Timeline(frames / self._rate, climber_t, on, points, self._swings, contacts)

    def _leave(self, limb: int, later: float = 0.0) -> None:
        """``later``: by so many frames the contact ends after this one."""
        held = self._held[limb]
        if held is not None:
            if self._clock > self._since[limb]:
                self._spans.append((held, self._since[limb], self._clock, self._arrived[limb], self._clock + later))
            self._left[limb] = self._clock
        self._held[limb] = None


def _pair(limb: int, other: int) -> frozenset[bool] | int:
    """The same for a hand and a foot, whichever, else for two hands and for two feet."""
    return frozenset((True, False)) if (limb in HANDS) != (other in HANDS) else int(limb in FEET)


def _apart(one: Stay, other: Stay) -> float:
    """Metres along the wall, as the certificate has it."""
    return float(np.linalg.norm((one.point - other.point)[:2]))


def _reaches(stays: list[list[Stay]]) -> dict[frozenset[bool] | int, float]:
    """How far apart the climber ever held on with a hand and a foot, two hands, two feet; metres. When limbs come and
    go is seen to within ``ABOUT``: a foot that left so shortly before a hand arrived was on."""
    reaches: dict[frozenset[bool] | int, float] = {}
    everything = [stay for of_limb in stays for stay in of_limb]
    for index, one in enumerate(everything):
        for other in everything[index + 1 :]:
            # hands come first
            last = other.end + (ABOUT if one.limb in HANDS and other.limb in FEET else 0.0)
            if one.limb != other.limb and one.start < last and other.start < one.end:
                pair = _pair(one.limb, other.limb)
                reaches[pair] = max(reaches.get(pair, 0.0), _apart(one, other))
    return reaches
