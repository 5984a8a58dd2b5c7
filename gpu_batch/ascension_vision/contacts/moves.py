"""The way from one contact of a limb to its next."""

from itertools import pairwise

from ascension_vision.contacts.contact import LIMBS, Contact, Move


def moves(contacts: list[Contact]) -> list[Move]:
    """In order of time. A limb that leaves a hold and comes back to it has made a move, too."""
    found = []
    for limb in LIMBS:
        own = sorted((contact for contact in contacts if contact.limb == limb), key=lambda contact: contact.start)
        for before, after in pairwise(own):
            found.append(Move(limb, before.hold_id, after.hold_id, before.end, after.start))
    return sorted(found, key=lambda move: (move.start, LIMBS.index(move.limb)))
