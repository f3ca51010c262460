"""The POST that tells of a new revision: what counts as taken, and that nothing is left open."""

from __future__ import annotations

import gc
import http.server
import socket
import threading
import warnings
from collections.abc import Iterator

import pytest

from scheduler.app.webhook import check_webhook, post_json
from scheduler.errors import CannotRunError


class _Handler(http.server.BaseHTTPRequestHandler):
    """Answers with the number that the path names."""

    def do_POST(self) -> None:  # the library's name
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(int(self.path.strip("/")))
        self.send_header("Location", "/200")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Address of an HTTP server that answers with the number of the path."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()


@pytest.mark.parametrize("code", [200, 201, 204])
def test_news_is_taken(server: str, code: int) -> None:
    """Every answer of the 200s is success."""
    post_json(f"{server}/{code}", b"{}")


@pytest.mark.parametrize("code", [301, 302, 303, 307, 404, 500])
def test_news_is_not_taken(server: str, code: int) -> None:
    """An error is told with its number; so is a redirect, which would lose the news on its way."""
    with pytest.raises(CannotRunError, match=rf"stands, but .* it answered {code}"):
        post_json(f"{server}/{code}", b"{}")


def test_nobody_listens() -> None:
    """A closed port is told with host and port, and without a user's password."""
    with socket.socket() as taken:  # bound, not listening: nobody else can have the port
        taken.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(CannotRunError, match=f"webhook at {place} did not") as caught:
            post_json(f"http://me:secret@{place}/new", b"{}")
    assert "secret" not in str(caught.value)


def test_an_error_leaves_no_socket_open(server: str) -> None:
    """The answer that an error holds is closed, also while a traceback keeps the error alive."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        gc.disable()
        try:
            with pytest.raises(CannotRunError) as kept:
                post_json(f"{server}/500", b"{}")
            kept.value.args = (kept,)  # a cycle, as an error and the frame that keeps it make one
            del kept
            gc.collect()
        finally:
            gc.enable()
    assert [str(w.message) for w in caught if w.category is ResourceWarning] == []


@pytest.mark.parametrize("url", ["ftp://a/b", "http://", "nowhere", "http://a:port/", "http://[::"])
def test_addresses_refused(url: str) -> None:
    """Only http and https addresses with a host go."""
    with pytest.raises(CannotRunError, match="Expected --webhook"):
        check_webhook(url)
