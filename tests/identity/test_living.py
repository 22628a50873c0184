"""The living sessions of a person: seen, recognised, and ended from afar."""

import pytest
from django.test import Client, RequestFactory

from identity.models import Session
from identity.whereabouts import browser_of, network_of
from tests.identity.signing_in import at, give_password, is_inside, member, sign_in, trail

pytestmark = pytest.mark.django_db
ACCOUNT = "/staff/account/"
END, END_OTHERS = "/staff/account/sessions/end/", "/staff/account/sessions/end-others/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0"


def enter(person, **later):
    browser = Client(headers={"user-agent": FIREFOX}, REMOTE_ADDR="203.0.113.77")
    with at(**later):
        sign_in(browser, person)
    return browser


def shown(browser):
    return browser.get(ACCOUNT).context["sessions"]


def test_account_lists_ones_sessions_coarsely():
    person = member()
    here = enter(person)
    enter(person, minutes=1)
    enter(member(), minutes=1)

    with at(minutes=2):
        listed = shown(here)

    assert [(one.browser, one.system, one.network, one.is_here) for one in listed] == [
        ("Firefox", "Linux", "203.0.113.0/24", True),
        ("Firefox", "Linux", "203.0.113.0/24", False),
    ]
    assert [one.began_at.strftime("%H:%M") for one in listed] == ["12:00", "12:01"]


def test_no_whole_address_is_kept():
    enter(member())

    kept = str([row.get_decoded() for row in Session.objects.all()])

    assert ("203.0.113.0/24" in kept, "203.0.113.77" in kept, "141.0" in kept) == (True, False, False)


def test_keys_of_sessions_are_not_in_the_page():
    person = member()
    here, other = enter(person), enter(person, minutes=1)

    with at(minutes=2):
        page = here.get(ACCOUNT).content.decode()

    assert [other.session.session_key in page, here.session.session_key in page] == [False, False]


def test_session_that_lacks_the_second_factor_is_not_listed():
    person = member()
    here = enter(person)
    give_password(Client(), person.email)

    assert len(shown(here)) == 1


def test_idle_session_is_not_listed():
    person = member()
    enter(person)
    here = enter(person, minutes=31)

    with at(minutes=32):
        listed = shown(here)

    assert [one.is_here for one in listed] == [True]


def test_one_session_is_ended_at_once():
    person = member()
    here, second, third = enter(person), enter(person, minutes=1), enter(person, minutes=2)

    with at(minutes=3):
        newest_elsewhere = next(one for one in shown(here) if not one.is_here)
        here.post(END, {"session": newest_elsewhere.handle})
        inside = [is_inside(browser) for browser in (here, second, third)]

    assert inside == [True, True, False]
    assert trail()[-1] == ("staff.sessions_ended", person.pk, {"of": str(person.pk), "count": 1})


def test_session_of_somebody_else_is_not_ended():
    stranger = enter(member())
    theirs = shown(stranger)[0].handle
    here = enter(member())

    here.post(END, {"session": theirs})

    assert is_inside(stranger)
    assert "staff.sessions_ended" not in [action for action, _, _ in trail()]


@pytest.mark.parametrize("sent", [{}, {"session": ""}, {"session": "x" * 500}])
def test_ending_what_is_no_session_changes_nothing(sent):
    here = enter(member())

    here.post(END, sent)

    assert (Session.objects.count(), is_inside(here)) == (1, True)


def test_all_others_are_ended_half_open_ones_included():
    person = member()
    here, other = enter(person), enter(person, minutes=1)
    half = Client()
    with at(minutes=2):
        give_password(half, person.email)

        here.post(END_OTHERS)

        inside = [is_inside(here), is_inside(other)]
        asked_again = half.get("/staff/second-factor/").url
    assert (inside, Session.objects.filter(user=person).count()) == ([True, False], 1)
    assert asked_again.startswith("/staff/sign-in/")


def test_session_that_was_ended_meanwhile_is_not_brought_back():
    """A request that was under way when its session ended must not save it again."""
    here = enter(member())
    store = here.session
    Session.objects.all().delete()

    from django.contrib.sessions.backends.base import UpdateError

    with pytest.raises(UpdateError):
        store.save()

    assert Session.objects.count() == 0


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (FIREFOX, ("Firefox", "Linux")),
        (
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0"
                " Safari/537.36 Edg/141.0.0.0"
            ),
            ("Edge", "Windows"),
        ),
        (
            "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Mobile Safari/537.36",
            ("Chrome", "Android"),
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18 Mobile Safari/604.1",
            ("Safari", "iPhone"),
        ),
        ("curl/8.0", ("", "")),
        ("", ("", "")),
    ],
)
def test_browser_is_told_by_family_and_system(said, told):
    assert browser_of(RequestFactory().get("/", headers={"user-agent": said})) == told


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("", ""),
    ],
)
def test_network_is_a_prefix(address, network):
    assert network_of(RequestFactory().get("/", REMOTE_ADDR=address)) == network
