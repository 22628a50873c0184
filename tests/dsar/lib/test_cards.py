import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from dsar.lib.cards import mask_cards


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("4111111111111111", "************1111"),
        ("my card is 4111 1111 1111 1111, ok?", "my card is **** **** **** 1111, ok?"),
        ("4111-1111-1111-1111.", "****-****-****-1111."),
        ("4111 - 1111 - 1111 - 1111", "**** - **** - **** - 1111"),
        ("4111.1111.1111.1111", "****.****.****.1111"),
        ("4111\u00a01111\u00a01111\u00a01111", "****\u00a0****\u00a0****\u00a01111"),
        ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "* * * * * * * * * * * * 1 1 1 1"),
        ("41 11 11 11 11 11 11 11", "** ** ** ** ** ** 11 11"),
        ("Amex 3782 822463 10005", "Amex **** ****** *0005"),
        ("Diners 3056 930902 5904", "Diners **** ****** 5904"),
        ("MC 5555555555554444", "MC ************4444"),
        ("MC 2223003122003222", "MC ************3222"),
        ("6011000990139424", "************9424"),
        ("JCB 3530111333300000", "JCB ************0000"),
        ("UnionPay 6240008631401148", "UnionPay ************1148"),
        ("Maestro 6759649826438453", "Maestro ************8453"),
        ("Visa 4222222222222", "Visa *********2222"),
        ("pay 4111 1111 1111 1111 12/26", "pay **** **** **** 1111 12/26"),
        ("(4111111111111111)", "(************1111)"),
    ],
)
def test_mask_cards_keeps_the_last_four(text: str, masked: str) -> None:
    assert mask_cards(text) == (masked, 1)


def test_mask_cards_finds_several() -> None:
    text = "4111 1111 1111 1111 5555 5555 5555 4444; 378282246310005"

    assert mask_cards(text) == ("**** **** **** 1111 **** **** **** 4444; ***********0005", 3)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no digits here",
        "4111 1111 1111 1112",  # The check digit is wrong.
        "1234567812345670",  # The check digit is right, but no scheme begins with 1.
        "call +44 7700 900123 or +4111111111111111",
        "call 0044 7700 900123 or 020 7946 0958",
        "IBAN DE89 3704 0044 0532 0130 00",
        "IBAN GB29 NWBK 6016 1331 9268 19 AND MORE",
        "IBAN FR14 2004 1010 0505 0001 3M02 606",
        "order number 4111111111111111",
        "Bestellnummer: 4111111111111111",
        "Rechnung Nr. 4111111111111111",
        "tracking id #4111111111111111",
        "INV4111111111111111",
        "4111111111111111x",
        "41111111111111111111111",
        "2024-05-17 12:30 and 20-33-53 41111111",
        "sums 4 111 11 11 11 11 11 1 1",
        "41111111-1-11-11111",
        "4111111111111111@example.org",
        "CVV 123 without a card",
    ],
)
def test_mask_cards_leaves_other_numbers_alone(text: str) -> None:
    assert mask_cards(text) == (text, 0)


def test_mask_cards_masks_a_card_that_pretends_to_be_an_iban() -> None:
    text = "XX00 4111 1111 1111 1111"

    assert mask_cards(text) == ("XX00 **** **** **** 1111", 1)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("4111111111111111 cvv 123", "************1111 cvv ***"),
        ("4111111111111111, CVC: 123.", "************1111, CVC: ***."),
        ("4111111111111111, the security code is 123", "************1111, the security code is ***"),
        ("CVV2 987 for 4111111111111111", "CVV2 *** for ************1111"),
        ("4111111111111111 (123 CVV)", "************1111 (*** CVV)"),
        ("378282246310005 CID 1234", "***********0005 CID ****"),
        ("4111111111111111 12/26 123", "************1111 12/26 ***"),
        ("4111111111111111 exp. 12/2026, 123", "************1111 exp. 12/2026, ***"),
        ("4111111111111111 Prüfziffer ist 123", "************1111 Prüfziffer ist ***"),
        ("4111111111111111 cryptogramme visuel : 123", "************1111 cryptogramme visuel : ***"),
        ("4111111111111111 for 120 pounds", "************1111 for 120 pounds"),
        ("4111111111111111 cvv 12345", "************1111 cvv 12345"),
        ("4111111111111111 " + "x" * 100 + " cvv 123", "************1111 " + "x" * 100 + " cvv 123"),
    ],
)
def test_mask_cards_masks_the_code_beside(text: str, masked: str) -> None:
    assert mask_cards(text) == (masked, 1)


@given(st.text(alphabet="0123456789 -+.cv", max_size=60))
def test_mask_cards_is_idempotent_and_keeps_the_length(text: str) -> None:
    masked, _ = mask_cards(text)

    assert (mask_cards(masked), len(masked)) == ((masked, 0), len(text))


@given(st.integers(min_value=10**14, max_value=10**15 - 1))
def test_mask_cards_masks_every_visa_number(body: int) -> None:
    digits = f"4{body:014}"[:15]
    number = digits + luhn.calc_check_digit(digits)

    assert mask_cards(f"card {number}") == (f"card {'*' * 12}{number[-4:]}", 1)


@given(st.integers(min_value=0, max_value=9), st.integers(min_value=0, max_value=15))
def test_mask_cards_needs_the_right_check_digit(digit: int, place: int) -> None:
    number = "4111111111111111"
    changed = number[:place] + str(digit) + number[place + 1 :]

    assert mask_cards(changed)[1] == int(changed == number)
