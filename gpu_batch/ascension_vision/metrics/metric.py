"""A number with its error, or the reason why there is none."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """One metric of a climb.

    Attributes:
        value: None where it cannot be known; then ``reason`` says why.
        unit: ``cm``, ``s``, ``holds``, ``ratio`` (0 to 1), ``1`` for a bare number.
        meaning: in a sentence.
        uncertainty: half width of the interval that holds the true value in nine of ten cases, same unit; None where
            unknown.
        computed_from: what it was computed from, such as ``contacts``.
        source: who defined it.
        assumes: what has to be so for it to be right.
    """

    value: float | int | None
    unit: str
    meaning: str
    uncertainty: float | None = None
    computed_from: tuple[str, ...] = ()
    source: str | None = None
    assumes: str | None = None
    reason: str | None = None

    def info(self) -> dict[str, object]:
        """The metric without its value, as ``metrics_info`` carries it; what does not apply is left out."""
        told = {
            "unit": self.unit, "meaning": self.meaning, "uncertainty": self.uncertainty,
            "from": list(self.computed_from), "source": self.source, "assumes": self.assumes, "reason": self.reason,
        }  # fmt: skip
        return {key: value for key, value in told.items() if value not in (None, [])}
