"""Invented customers with plausible histories. Nobody here exists: names are drawn, addresses are reserved ones."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

PEOPLE = 2000
CONTRACTS_UP_TO = 2
USES_EACH = 6
BILLS_EACH = 4


@dataclass(frozen=True)
class Tongue:
    """What differs between the customers of two countries."""

    seed: int
    first: Sequence[tuple[str, str]]
    last: Sequence[str]
    streets: Sequence[str]
    towns: Sequence[tuple[str, str]]
    mail: str
    phone: str
    phones: int
    account: str
    kinds: Sequence[str]
    tariffs: Sequence[str]
    hows: Sequence[str]
    notes: Sequence[str]
    staff: Sequence[str]
    staff_mail: str
    house_last: bool


@dataclass(frozen=True)
class Customer:
    """One person as the customer system holds them, in the order of its columns."""

    id: int
    account: str
    title: str
    first_name: str
    last_name: str
    email: str
    phone: str
    born_on: date
    street: str
    town: str
    postcode: str
    joined_on: date
    marketing: bool

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"

    @property
    def postal_address(self) -> str:
        return f"{self.street}\n{self.postcode} {self.town}"


ENGLISH = Tongue(
    seed=41,
    first=[
        ("Ms", "Olivia"), ("Mr", "Idris"), ("Ms", "Priya"), ("Mr", "George"), ("Ms", "Agnieszka"), ("Mr", "Callum"),
        ("Ms", "Fatima"), ("Mr", "Kofi"), ("Ms", "Grace"), ("Mr", "Rhodri"), ("Ms", "Niamh"), ("Mr", "Haroon"),
        ("Ms", "Beatrice"), ("Mr", "Dmitri"), ("Ms", "Yasmin"), ("Mr", "Edwin"), ("Ms", "Carys"), ("Mr", "Jonah"),
        ("Ms", "Simone"), ("Mr", "Winston"), ("Ms", "Harriet"), ("Mr", "Leon"), ("Ms", "Zara"), ("Mr", "Arthur"),
    ],
    last=[
        "Ashdown", "Barlow", "Chaudhry", "Dunmore", "Ellery", "Fairweather", "Gadsby", "Hallam", "Ibbotson", "Joshi",
        "Kettleborough", "Lockwood", "Mensah", "Norcliffe", "Oduya", "Pargeter", "Quayle", "Redfern", "Sandhu",
        "Thistlewood", "Underhill", "Vickers", "Wainwright", "Yardley", "Zielinska", "Marchbanks", "O'Rourke", "Pym",
    ],
    streets=["Turbine Row", "Mill Lane", "Station Road", "Orchard Close", "Chapel Street", "Harbour View", "Elm Grove"],
    towns=[("Bristol", "BS"), ("Leeds", "LS"), ("Norwich", "NR"), ("Cardiff", "CF"), ("Derby", "DE"), ("Exeter", "EX")],
    mail="example.com",
    phone="07700 900{:03d}",
    phones=1000,
    account="ME-{:07d}",
    kinds=["electricity", "gas"],
    tariffs=["Meridian Fixed 24", "Meridian Flex", "Night Saver", "Green Promise"],
    hows=["smart meter", "customer", "meter reader"],
    notes=[
        "Asked why the bill went up; explained the new unit rate.",
        "Moved the payment date to the 28th as agreed.",
        "Reported a faulty display on the smart meter; engineer booked.",
        "Complained about a missed appointment; credited £30.",
        "Gave a reading by phone, accepted.",
        "Asked about the warm home discount; sent the form.",
    ],
    staff=["Maya Ellison", "Piotr Nowicki", "Shanice Brown", "Gareth Pugh", "Ivy Chen", "Donal Keane"],
    staff_mail="meridian.example",
    house_last=False,
)  # fmt: skip

GERMAN = Tongue(
    seed=42,
    first=[
        ("Frau", "Annika"), ("Herr", "Jonas"), ("Frau", "Wiebke"), ("Herr", "Cem"), ("Frau", "Jette"),
        ("Herr", "Malte"), ("Frau", "Leyla"), ("Herr", "Sönke"), ("Herr", "Dragan"), ("Frau", "Ute"),
        ("Herr", "Björn"), ("Frau", "Swetlana"), ("Herr", "Henning"), ("Frau", "Mareike"), ("Herr", "Tobias"),
        ("Frau", "Ayşe"), ("Herr", "Gerrit"), ("Frau", "Friederike"), ("Herr", "Nils"),
    ],
    last=[
        "Ahrens", "Brockmann", "Clausen", "Dörfler", "Eggers", "Feddersen", "Grünewald", "Hinrichs", "Iwersen",
        "Jürgensen", "Köhncke", "Lüders", "Möller", "Nagel", "Özdemir", "Petersen", "Quast", "Rathje", "Straßer",
        "Thomsen", "Uhlig", "Voß", "Wulff", "Yıldız", "Zühlke", "Behrens", "Carstensen",
    ],
    streets=["Hafenstraße", "Mühlenweg", "Am Deich", "Lindenallee", "Bahnhofstraße", "Fischmarkt", "Birkenweg"],
    towns=[("Hamburg", "20"), ("Bremen", "28"), ("Kiel", "24"), ("Lübeck", "23"), ("Rostock", "18")],
    mail="example.org",
    phone="0171 39200{:02d}",
    phones=100,
    account="NM{:08d}",
    kinds=["Mobilfunk", "Datentarif"],
    tariffs=["Nordlicht S", "Nordlicht M", "Nordlicht L", "Nordlicht Frei"],
    hows=["4G", "5G", "WLAN"],
    notes=[
        "Fragte nach der Drittanbietersperre; eingerichtet.",
        "Rechnung unklar, Roaming in der Schweiz erklärt.",
        "Neue SIM-Karte bestellt, alte gesperrt.",
        "Beschwerde über schlechten Empfang; Störung gemeldet.",
        "Tarifwechsel zum nächsten Ersten vorgemerkt.",
        "Bat um Rückruf wegen Rufnummernmitnahme.",
    ],
    staff=["Silke Bruhn", "Murat Aydın", "Heike Lorenzen", "Timo Rehder", "Nadja Kruse"],
    staff_mail="nordlicht.example",
    house_last=True,
)  # fmt: skip


def customers(tongue: Tongue, today: date, count: int = PEOPLE) -> list[Customer]:
    """The same people each time for the same tongue, whatever the day; only dates of joining move with it."""
    draw = random.Random(tongue.seed)  # noqa: S311  Nothing here is a secret.
    return [_customer(tongue, draw, number, today) for number in range(1, count + 1)]


def _customer(tongue: Tongue, draw: random.Random, number: int, today: date) -> Customer:
    title, first = draw.choice(tongue.first)
    last, street, house = draw.choice(tongue.last), draw.choice(tongue.streets), draw.randint(1, 140)
    town, area = draw.choice(tongue.towns)
    return Customer(
        id=number,
        account=tongue.account.format(100_000 + 7 * number),
        title=title,
        first_name=first,
        last_name=last,
        email=f"{_plain(first)}.{_plain(last)}.{number}@{tongue.mail}",
        # As many as there are numbers that belong to nobody, and to each their own.
        phone=tongue.phone.format(number - 1) if number <= tongue.phones else "",
        born_on=date(draw.randint(1938, 2004), draw.randint(1, 12), draw.randint(1, 28)),
        street=f"{street} {house}" if tongue.house_last else f"{house} {street}",
        town=town,
        postcode=_postcode(tongue, area, draw),
        joined_on=today - timedelta(days=draw.randint(30, 3000)),
        marketing=draw.random() < 0.4,
    )


def _postcode(tongue: Tongue, area: str, draw: random.Random) -> str:
    if tongue.house_last:
        return f"{area}{draw.randrange(1000):03d}"
    return f"{area}{draw.randint(1, 9)} {draw.randint(1, 9)}XX"


_SPELLED = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ş": "s", "ı": "i", "é": "e", "'": "", " ": ""}
)


def _plain(name: str) -> str:
    return name.lower().translate(_SPELLED).encode("ascii", "ignore").decode()


@dataclass(frozen=True)
class Histories:
    """Rows of the tables that hang on the customers, in the order of their columns."""

    contracts: list[tuple[int, int, str, str, str]]
    uses: list[tuple[int, int, date, int, str]]
    bills: list[tuple[int, int, date, Decimal, date | None]]
    contacts: list[tuple[int, int, int, datetime, str]]
    staff: list[tuple[int, str, str]]


def histories(tongue: Tongue, people: Sequence[Customer], today: date) -> Histories:
    """Contracts, use, bills and conversations of these people."""
    draw = random.Random(tongue.seed + 1000)  # noqa: S311
    made = Histories([], [], [], [], list(_staff(tongue)))
    for person in people:
        _contracts(made, tongue, draw, person, today)
        _bills(made, draw, person, today)
        _contacts(made, tongue, draw, person, today)
    return made


def _staff(tongue: Tongue) -> Iterator[tuple[int, str, str]]:
    for number, name in enumerate(tongue.staff, start=1):
        yield number, name, f"{'.'.join(map(_plain, name.split()))}@{tongue.staff_mail}"


def _contracts(made: Histories, tongue: Tongue, draw: random.Random, person: Customer, today: date) -> None:
    for kind in tongue.kinds[: draw.randint(1, CONTRACTS_UP_TO)]:
        number = len(made.contracts) + 1
        device = f"{draw.randrange(10**10):010d}"
        made.contracts.append((number, person.id, kind, device, draw.choice(tongue.tariffs)))
        for month in range(draw.randint(1, USES_EACH)):
            day = today - timedelta(days=30 * month + draw.randint(1, 28))
            made.uses.append(
                (len(made.uses) + 1, number, day, draw.randint(80, 900), draw.choice(tongue.hows))
            )


def _bills(made: Histories, draw: random.Random, person: Customer, today: date) -> None:
    for quarter in range(draw.randint(0, BILLS_EACH)):
        issued = today - timedelta(days=91 * quarter + draw.randint(3, 30))
        amount = Decimal(draw.randint(1500, 32_000)) / 100
        paid = issued + timedelta(days=draw.randint(1, 25)) if draw.random() < 0.85 else None
        made.bills.append((len(made.bills) + 1, person.id, issued, amount, paid))


def _contacts(made: Histories, tongue: Tongue, draw: random.Random, person: Customer, today: date) -> None:
    for _call in range(draw.choice([0, 1, 1, 2, 3])):
        day = today - timedelta(days=draw.randint(2, 700))
        at = datetime.combine(day, time(draw.randint(8, 18), draw.randint(0, 59)))
        adviser = draw.randint(1, len(tongue.staff))
        made.contacts.append((len(made.contacts) + 1, person.id, adviser, at, draw.choice(tongue.notes)))
