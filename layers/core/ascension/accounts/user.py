"""A user as the rest of the code sees one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

Tier = Literal["free", "pro", "enterprise"]
TIERS: tuple[Tier, ...] = ("free", "pro", "enterprise")


@dataclass(frozen=True)
class User:
    """An account, without its password."""

    id: UUID
    email: str
    subscription_tier: Tier
    created_at: datetime

    @property
    def is_paying(self) -> bool:
        """Pro or Enterprise: no monthly quota, Ghost, saved videos."""
        return self.subscription_tier != "free"
