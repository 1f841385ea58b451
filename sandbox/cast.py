"""The invented people of the demo and what they talk about. Any likeness is chance."""

from dataclasses import dataclass
from random import Random
from uuid import UUID

from sandbox.messages import Json

NAMES = (
    "Ada Brandt",
    "Bilal Osei",
    "Carmen Vidal",
    "Dmitri Halloran",
    "Esra Lindqvist",
    "Farid Moreau",
    "Greta Okonjo",
    "Hugo Tanabe",
    "Ines Kowalczyk",
    "Jonas Achterberg",
    "Keiko Fontaine",
    "Liam Petrakis",
    "Mira Castellane",
    "Noor van Dalen",
    "Oskar Whitfield",
    "Priya Sandoval",
    "Quentin Ruiz-Berg",
    "Rosa Eklund",
    "Samuel Adeyemi-Krause",
    "Tove Marchetti",
)
SUBJECTS = (
    "Morning desk call",
    "Order confirmation",
    "Portfolio review",
    "Rates outlook",
    "Client onboarding",
    "Margin call follow-up",
    "Credit committee",
    "Bond syndicate",
    "FX fixing",
    "Quarterly advice talk",
    "Complaint, second call",
    None,
)


@dataclass(frozen=True)
class Part:
    user: Json
    organizer: Json
    subject: str | None


def person(number: int) -> Json:
    """Always the same id for the same name, so that a person is recognised from call to call."""
    return {"id": str(UUID(int=0x0E0E << 112 | number + 1, version=4)), "displayName": NAMES[number]}


def cast(random: Random) -> Part:
    user, organizer = random.sample(range(len(NAMES)), 2)
    return Part(person(user), person(organizer), random.choice(SUBJECTS))
