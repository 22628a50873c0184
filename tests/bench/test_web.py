"""Reading a form as a browser would send it."""

import pytest

from tests.bench.web import untouched

PAGE = """
<form action="/language/"><input type="hidden" name="next" value="/"></form>
<form method="post">
  <input type="hidden" name="csrfmiddlewaretoken" value="abc"><input type="hidden" name="submission" value="1">
  <input type="checkbox" name="wishes" value="copy"><input type="checkbox" name="agreed" checked>
  <input type="radio" name="for_whom" value="me" checked><input type="radio" name="for_whom" value="other">
  <select name="language"><option value="en">English</option><option value="de" selected>Deutsch</option></select>
  <select name="relation"><option value="">Choose</option><option value="parent">Parent</option></select>
  <textarea name="words"></textarea><input name="name"><input type="file" name="attachments">
  <button type="submit" name="go" value="1">Send</button>
</form>
"""


def test_untouched_holds_what_is_chosen_already():
    assert untouched(PAGE, "submission") == {
        "csrfmiddlewaretoken": "abc",
        "submission": "1",
        "agreed": "on",
        "for_whom": "me",
        "language": "de",
        "relation": "",
        "words": "",
        "name": "",
    }


def test_untouched_without_such_a_form():
    with pytest.raises(LookupError, match="'password'"):
        untouched(PAGE, "password")
