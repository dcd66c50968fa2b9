"""The page of a watch, served to this machine alone, and to who has its token."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from bokeh.application import Application
from bokeh.application.handlers.function import FunctionHandler
from bokeh.document import Document
from bokeh.server.auth_provider import AuthProvider
from bokeh.server.server import BaseServer
from bokeh.server.tornado import BokehTornado
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop, PeriodicCallback
from tornado.web import HTTPError, RequestHandler

from ...live.serve import ADDRESS, listening
from ..watch import Watch
from .page import Page

__all__ = ["ADDRESS", "Served"]

_LEFT_MS, _LOOKS_MS = 5_000, 500  # that a page may be gone, as when it is loaded again
_TOKEN = 24  # bytes


class _Token(AuthProvider):
    """Lets in who has the token, before anything is said, on every path that says something."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()
        super().__init__()

    @property
    def get_user_async(self) -> Callable[[Any], Awaitable[Any]]:
        async def user(handler: RequestHandler) -> str:
            given = handler.get_argument("token", "").encode()
            if not secrets.compare_digest(given, self._token):
                raise HTTPError(403, reason="the address has no token, or another one")
            return "viewer"

        return user

    @property
    def get_login_url(self) -> Callable[[Any], str]:
        return lambda handler: "/"  # whoever is nobody was refused before


class Served:
    """A page that is served until it is stopped, its watch ends, or its last viewer has gone.

    Parameters
    ----------
    watch : Watch
    where : str
        Of the chip: its board and its port.
    port : int
        0 for any that is free.
    stays : bool
        Whether it stays when its last viewer has gone.

    Attributes
    ----------
    url : str
        With the token.
    token : str
    port : int
    socket : socket
        Where it listens.
    viewers : int
        Pages that are open.

    Raises
    ------
    ScneuroError
        The port is taken.
    """

    def __init__(self, watch: Watch, where: str, *, port: int = 0, stays: bool = False) -> None:
        self._watch, self._stays = watch, stays
        self.viewers, self._seen = 0, False
        self.token = secrets.token_urlsafe(_TOKEN)
        self.socket = listening(port, "serve a page at")
        self.socket.setblocking(False)
        self.port: int = self.socket.getsockname()[1]
        self._loop: Any = IOLoop(make_current=False)
        asyncio.set_event_loop(self._loop.asyncio_loop)
        for name in ("bokeh.server.views.ws", "tornado.access"):  # who has left, who was refused
            logging.getLogger(name).setLevel(logging.CRITICAL)

        def show(document: Document) -> None:
            self.viewers += 1
            self._seen = True
            document.on_session_destroyed(self._gone)
            Page(document, watch, where)

        application = BokehTornado(
            Application(FunctionHandler(show)),
            auth_provider=_Token(self.token),
            extra_websocket_origins=[f"{ADDRESS}:{self.port}", f"localhost:{self.port}"],
            check_unused_sessions_milliseconds=_LOOKS_MS,
            unused_session_lifetime_milliseconds=_LEFT_MS,
        )
        http = HTTPServer(application)
        http.add_sockets([self.socket])
        self._server = BaseServer(self._loop, application, http)
        self._server.start()
        self.url = f"http://{ADDRESS}:{self.port}/?token={self.token}"
        self._looks = PeriodicCallback(self._look, _LOOKS_MS)
        self._looks.start()

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _gone(self, session: Any) -> None:
        self.viewers -= 1

    def _look(self) -> None:
        left = self._seen and not self.viewers and not self._stays
        if left or self._watch.ended:
            self._loop.stop()

    def run(self) -> None:
        """Serve it until there is a reason to end."""
        self._loop.start()

    def stop(self) -> None:
        """End it, from any thread."""
        self._loop.add_callback(self._loop.stop)

    def close(self) -> None:
        """Let go of the port; after :meth:`run`."""
        self._looks.stop()
        self._server.stop()
        self._loop.close(all_fds=True)
