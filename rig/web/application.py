"""The web application: REST under /api, /metrics and /healthz, and the pages of rig.web.pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import FastAPI

from rig import __version__
from rig.web import document
from rig.web.api import api
from rig.web.guard import Guard
from rig.web.house import House
from rig.web.pages.routes import router as pages
from rig.web.problems import explain_errors
from rig.web.routes.health import outside

# Orders wait for their answer in a thread each; forty, the default, would let a group fill the house.
MOST_THREADS = 200
_WORDS = (
    "Everything that rig serve can do. Times ending in _us are UTC microseconds, other units are the "
    "last word of a name; positive current charges, imaginary impedance is as measured. Errors are "
    "application/problem+json."
)


def create_app(house: House) -> FastAPI:
    """Return the application that serves this house; closing the house is its opener's business."""
    app = FastAPI(
        title="cellrig",
        version=__version__,
        description=_WORDS,
        openapi_url="/api/openapi.json",
        docs_url=None,  # Swagger UI and ReDoc would be loaded from elsewhere: see document.py
        redoc_url=None,
        lifespan=_lifespan,
        separate_input_output_schemas=False,
    )
    app.state.house = house
    app.add_middleware(Guard, is_loopback=house.address.is_loopback, is_open=house.is_open)
    explain_errors(app)
    app.include_router(api())
    app.include_router(outside)
    app.include_router(document.router)
    app.include_router(pages)
    return app


@asynccontextmanager
async def _lifespan(_app: FastAPI) -> AsyncIterator[None]:
    anyio.to_thread.current_default_thread_limiter().total_tokens = MOST_THREADS
    yield
