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
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, half an IPv6 address
        good = False
    if not good:
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
        with urllib.request.build_opener(_NoDetour).open(request, timeout=TIMEOUT_S):
            return
    except urllib.error.HTTPError as error:
        error.close()  # it is the answer too, and holds its socket
        why = f"it answered {error.code} {error.reason}".rstrip()
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = str(getattr(error, "reason", error)) or type(error).__name__
    where = urlsplit(url).netloc.rpartition("@")[2]
    raise CannotRunError(
        f"The new revision stands, but the webhook at {where} did not take the news: {why}"
    )


class _NoDetour(urllib.request.HTTPRedirectHandler):
    """Follow no redirect: the library would go there with a GET and without the news."""

    def redirect_request(self, *_arguments: object) -> None:
        """Leave the answer as it is, an error."""
