"""The page that says why a page without script cannot be shown: old browsers save a problem document as a file."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from worker.api.http.problem_response import problem_response
from worker.api.pages.plain_template import plain_response
from worker.errors import AstegniError
from worker.player.player_files import words_of

# Of a ticket or a share that has expired, and of what does not exist any more.
_GONE = frozenset({401, 404})


class PlainRoute(APIRoute):
    """A route whose expected errors are pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of the route."""
        handle = super().get_route_handler()

        async def handle_page(request: Request) -> Response:
            try:
                return await handle(request)
            except AstegniError as error:
                return _error_page(request, error)

        return handle_page


def _error_page(request: Request, error: AstegniError) -> Response:
    language = "am" if request.query_params.get("language") == "am" else "en"
    words = words_of(language)
    values = {"title": words["title"], "language": language, "message": _message(error, words)}
    page = plain_response(request, values, bucket="", status=error.status)
    # Counts the error, and has its headers.
    problem = problem_response(request.scope, error)
    if "Retry-After" in problem.headers:
        page.headers["Retry-After"] = problem.headers["Retry-After"]
    return page


def _message(error: AstegniError, words: dict[str, str]) -> str:
    if error.status in _GONE:
        return words["shareGone"]
    return words["makingNow"].format(note="") if error.members.get("is_processing") else error.detail
