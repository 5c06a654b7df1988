"""What went wrong, as ``application/problem+json`` (RFC 9457), in the words of the command line.

Bad input is 422 with every problem at once, what is not there 404, a database that is away 503.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from rig.core.errors import (
    AnalysisError,
    BadInput,
    InstrumentError,
    LinkError,
    Problem,
    RigError,
    StoreError,
)

MEDIA_TYPE = "application/problem+json"
_LOG = logging.getLogger("rig.web")
_TITLES = {
    400: "bad request",
    401: "sign in first",
    403: "not allowed",
    404: "not there",
    405: "not done this way",
    409: "not possible now",
    413: "too large",
    415: "not JSON",
    422: "bad input",
    429: "too many tries",
    500: "internal error",
    502: "an instrument does not answer",
    503: "the database cannot be reached",
}


class Refusal(Exception):
    """An answer that is no success, raised by a route; ``members`` go into the answer as they are."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        remedy: str = "",
        headers: dict[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.remedy = status, detail, remedy
        self.headers, self.members = headers, members


def answer(
    status: int,
    detail: str,
    *,
    problems: Sequence[Problem] = (),
    remedy: str = "",
    headers: dict[str, str] | None = None,
    **members: Any,
) -> JSONResponse:
    """Return a problem as an answer."""
    body = {"type": "about:blank", "title": _TITLES.get(status, "error"), "status": status}
    body |= {"detail": detail, "remedy": remedy, "problems": [asdict(one) for one in problems]}
    return JSONResponse(body | members, status, headers, media_type=MEDIA_TYPE)


def explain_errors(app: FastAPI) -> None:
    """Let every error of this application be answered as a problem, and none with a traceback."""
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RigError, _failed)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _bug)


async def _refused(_request: Request, refusal: Exception) -> JSONResponse:
    assert isinstance(refusal, Refusal)
    return answer(
        refusal.status,
        refusal.detail,
        remedy=refusal.remedy,
        headers=refusal.headers,
        **refusal.members,
    )


_STATUS: tuple[tuple[type[RigError], int], ...] = (
    (BadInput, 422),
    (AnalysisError, 422),
    (StoreError, 503),
    (LinkError, 502),
    (InstrumentError, 502),
)


async def _failed(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RigError)
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 409)
    problems = error.problems if isinstance(error, BadInput) else ()
    return answer(status, str(error), problems=problems, remedy=error.remedy)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    """What does not fit the route's own description; the value itself may be a secret and is not repeated."""
    assert isinstance(error, RequestValidationError)
    problems = [Problem(" ".join(map(str, one["loc"])), str(one["msg"])) for one in error.errors()]
    detail = "\n".join(str(problem) for problem in problems)
    return answer(422, detail, problems=problems, remedy="see /api/docs")


async def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers) if error.headers else None
    return answer(error.status_code, str(error.detail), headers=headers)


async def _bug(request: Request, error: Exception) -> JSONResponse:
    _LOG.error("%s %s failed", request.method, request.url.path, exc_info=error)
    remedy = "this should not happen; the log of rig serve says where it did"
    return answer(500, f"internal error: {type(error).__name__}", remedy=remedy)
