"""Which metrics there are, and what each means."""

from typing import Final, NamedTuple


class Entry(NamedTuple):
    """``needs``: what it is computed from; see ``Metric`` for the rest."""

    unit: str
    meaning: str
    needs: tuple[str, ...]
    source: str | None = None
    assumes: str | None = None


_LOADS = "contacts that were seen are all there are; hold types and wall angle as given"

CATALOGUE: Final[dict[str, Entry]] = {
    "max_reach_cm": Entry(
        "cm",
        "The longest way along the wall from a hand that arrives to the farthest foot still on, else the other hand.",
        ("contacts", "body", "wall scale"),
    ),
    "avg_tension": Entry(
        "ratio",
        "The load on both hands together as a share of body weight, on average over the climb. An estimate.",
        ("body", "contacts", "hold types", "wall angle"),
        "least squared load over capacity that balances the body in friction cones; Russell et al. 2012",
        _LOADS,
    ),
    "movement_efficiency": Entry(
        "ratio",
        "The Ghost Climber's effort over the climber's own; 1 cannot be bettered.",
        ("ghost", "body", "contacts", "hold types", "wall angle"),
        "cost function of this project, docs/ghost.md",
        _LOADS,
    ),
    "hold_count": Entry("holds", "How many holds were used, each for at least half a second at a time.", ("contacts",)),
    "geometric_entropy": Entry(
        "1",
        "ln(2 L / C) of the hips' path on the wall, C the perimeter of its convex hull: 0 is straight, wandering adds.",
        ("body", "wall"),
        "Watts et al. 2016",
    ),
    "log_dimensionless_jerk": Entry(
        "1",
        "Smoothness of the centre of gravity's movement along the wall: nearer to 0 is smoother.",
        ("body", "wall"),
        "Balasubramanian et al. 2012",
        "movements slower than about 2 Hz",
    ),
    "path_ratio": Entry(
        "1",
        "The length of the centre of gravity's path along the wall over the distance between its ends.",
        ("body", "wall"),
    ),
    "immobility": Entry(
        "ratio",
        "Share of the time with the hips slower than 0.15 torso lengths a second.",
        ("body", "wall"),
        "threshold chosen by this project",
    ),
    "hand_load": Entry(
        "ratio",
        "The hands' share of what hands and feet carry together. An estimate.",
        ("body", "contacts", "hold types", "wall angle"),
        "as avg_tension",
        _LOADS,
    ),
    "climb_duration_s": Entry("s", "From 0.8 s before the first move to 0.8 s after the last.", ("contacts",)),
    "move_count": Entry("1", "How many times a hand or a foot went to another place.", ("contacts",)),
    "regrip_count": Entry(
        "1",
        "How many times a limb was seen to leave a hold and to come back to it for nothing.",
        ("contacts",),
        None,
        "re-grips of 20 cm or more: smaller ones are not seen",
    ),
}
