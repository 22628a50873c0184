"""The brands' customer databases: what they hold of whom, as rows that a journey's answer is compared with.

Ada and Ben are customers of both brands, under the same addresses, with other rows at each: whatever crossed over
would show.
"""

from dataclasses import dataclass
from typing import Any

import psycopg

ADVISERS = ((1, "Carla Adviser"), (2, "Colin Adviser"))


@dataclass(frozen=True)
class Customer:
    """A person of the customer databases."""

    number: int
    name: str
    email: str


ADA = Customer(1, "Ada Example", "ada@example.com")
BEN = Customer(2, "Ben Beispiel", "ben@example.com")
CUSTOMERS = (ADA, BEN, Customer(3, "Stranger Person", "stranger@example.com"))


def rows(brand: str, customer: Customer) -> dict[str, list[dict[str, Any]]]:
    """Everything that is a customer's own, by table."""
    first = customer.number * 10
    number = {"customer_id": customer.number}
    return {
        "customers": [{"id": customer.number, "email": customer.email, "name": customer.name}],
        "orders": [{"id": first + n, **number, "item": f"{brand} parcel {first + n}"} for n in range(3)],
        "calls": [
            {"id": first + n, **number, "adviser_id": n + 1, "note": f"{customer.name} rang {brand}"}
            for n in range(2)
        ],
    }


TABLES = """
CREATE TABLE customers (id int PRIMARY KEY, email text, name text);
CREATE TABLE orders (id int PRIMARY KEY, customer_id int, item text);
CREATE TABLE advisers (id int PRIMARY KEY, name text);
CREATE TABLE calls (id int PRIMARY KEY, customer_id int, adviser_id int, note text);
GRANT SELECT ON ALL TABLES IN SCHEMA public TO crm_reader;
"""


def fill(database: psycopg.Connection[Any], brand: str) -> None:
    """Make a brand's tables, with every customer's rows."""
    database.execute(TABLES)
    for customer in CUSTOMERS:
        for table, found in rows(brand, customer).items():
            for row in found:
                names, marks = ", ".join(row), ", ".join(["%s"] * len(row))
                database.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))
    for adviser in ADVISERS:
        database.execute("INSERT INTO advisers (id, name) VALUES (%s, %s)", adviser)
