"""How a record reads in a list."""

import pytest

from cases.models import Item
from cases.review.showing import Shown, _marked


@pytest.mark.parametrize(
    ("data", "glance"),
    [
        (
            {"id": 7, "customer_id": 1, "note": "Called about the bill.", "rating": 4},
            "Called about the bill. · 4",
        ),
        ({"id": 7, "Customer_ID": 1}, "7 · 1"),
        ({"id": 7, "note": "", "paid": "yes"}, "yes"),
        ({}, ""),
    ],
)
def test_glance_leaves_keys_out_where_there_is_more(data, glance):
    shown = Shown(Item(), tuple(_marked(data, {})), "calls/7", "")

    assert shown.glance == glance
