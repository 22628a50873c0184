"""Who is looking at a page of their own."""

from django.http import HttpRequest

from identity.models import User


def person_of(request: HttpRequest) -> User:
    """The signed-in person; the middleware has let nobody else come here."""
    if not isinstance(request.user, User):
        raise TypeError("this page is for somebody who is signed in")
    return request.user
