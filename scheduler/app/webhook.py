"""Tell another program, by one short HTTP POST, that a new revision stands."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from scheduler.errors import CannotRunError

TIMEOUT_S = 10.0


def check_webhook(url: str) -> None:
    """Refuse an address that no POST can go to.

    Raises
    ------
    CannotRunError
        When it is not http or https with a host.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise CannotRunError(
            "Expected --webhook with an http:// or https:// address",
            hint="Write, for example, http://127.0.0.1:8000/new-revision.",
        )


def post_json(url: str, body: bytes) -> None:
    """Post JSON to an address.

    Raises
    ------
    CannotRunError
        When nobody answers, or with an error: the revision stands all the same.
    """
    check_webhook(url)
    request = urllib.request.Request(  # noqa: S310  # http and https only, checked above
        url, data=body, headers={"Content-Type": "application/json; charset=utf-8"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S):  # noqa: S310  # as above
            return
    except (OSError, http.client.HTTPException, urllib.error.URLError) as error:
        where = urlsplit(url).hostname
        raise CannotRunError(
            f"The new revision stands, but the webhook at {where} did not take the news: {error}"
        ) from None
