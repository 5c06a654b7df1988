"""The addresses of the pages. They are the same for everybody: what is on them comes from REST."""

from __future__ import annotations

from string import Template

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from rig.web.pages.files import File, file_of, frame
from rig.web.problems import Refusal

router = APIRouter(include_in_schema=False)

# Nothing from elsewhere, no script in a page; plotly writes styles into its drawings.
_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}


def _page(title: str, script: str) -> HTMLResponse:
    text = Template(frame()).substitute(title=title, script=script)
    return HTMLResponse(text, headers=_HEADERS)


@router.get("/")
def wall() -> HTMLResponse:
    """Every channel at a glance."""
    return _page("Wall", "wall")


@router.get("/channel/{name:path}")
def channel(name: str) -> HTMLResponse:
    """One channel and the run on it; the script reads the name from the address."""
    return _page("Channel", "channel")


@router.get("/run/{run_id}")
def run(run_id: str) -> HTMLResponse:
    """One run, alive or over."""
    return _page("Run", "channel")


@router.get("/start")
def start() -> HTMLResponse:
    """Check a protocol and begin it."""
    return _page("Start", "start")


@router.get("/runs")
def runs() -> HTMLResponse:
    """Find runs, compare and export them."""
    return _page("Runs", "runs")


@router.get("/alerts")
def alerts() -> HTMLResponse:
    """Alarms that stand, and the rules that raise them."""
    return _page("Alerts", "alerts")


@router.get("/health")
def health() -> HTMLResponse:
    """Did we lose anything?"""
    return _page("Data health", "health")


@router.get("/bench")
def bench() -> HTMLResponse:
    """Instruments and how channels are wired."""
    return _page("Bench", "bench")


@router.get("/sign-in")
def sign_in() -> HTMLResponse:
    """Name and password."""
    return _page("Sign in", "sign-in")


@router.get("/assets/{name}")
def asset(request: Request, name: str) -> Response:
    """A style, a script or a picture; asked for again it is sent only where it has changed."""
    found = file_of(name)
    if found is None:
        raise Refusal(404, f"{name}: there is no such file")
    headers = {"ETag": found.mark, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if found.mark in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return _sent(found, headers, zipped="gzip" in request.headers.get("accept-encoding", ""))


def _sent(found: File, headers: dict[str, str], *, zipped: bool) -> Response:
    if not zipped:
        return Response(found.content, headers=headers, media_type=found.media_type)
    return Response(
        found.compressed,
        headers=headers | {"Content-Encoding": "gzip"},
        media_type=found.media_type,
    )
