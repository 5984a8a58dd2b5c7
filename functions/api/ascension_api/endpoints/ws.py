"""Tickets for the WebSocket."""

from ascension.settings import settings
from ascension.sockets import tickets
from fastapi import APIRouter

from ascension_api.fields import Answer
from ascension_api.identity import CurrentUser

router = APIRouter(prefix="/ws", tags=["events"])


class Ticket(Answer):
    ticket: str
    url: str
    expires_in: int


@router.post("/ticket", summary="A ticket that opens one WebSocket connection")
def issue_ticket(user: CurrentUser) -> Ticket:
    ticket = tickets.issue(user)
    return Ticket(ticket=ticket, url=f"{settings().ws_url}?ticket={ticket}", expires_in=tickets.LIFETIME_SECONDS)
