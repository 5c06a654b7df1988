"""``/api/docs``: the REST API as a page, made from its OpenAPI document; nothing is loaded from elsewhere."""

from __future__ import annotations

import html
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse
from fastapi.routing import iter_route_contexts

from rig.core.roles import Role

router = APIRouter()

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code { font-size: 0.95em; } h2 { margin-top: 2rem; text-transform: capitalize; }
dt { margin-top: 1rem; } dd { margin-left: 1.5rem; } .role { font-size: 0.85em; opacity: 0.8; }
:root { color-scheme: light dark; }
"""


@router.get("/api/docs", response_class=HTMLResponse, include_in_schema=False)
def page(request: Request) -> HTMLResponse:
    """Return the page."""
    return HTMLResponse(render(request.app))


def render(app: FastAPI) -> str:
    """Return the OpenAPI document of an application as HTML, route by route."""
    document, roles = app.openapi(), roles_of(app)
    sections: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            role = roles.get((method.upper(), path))
            entry = _entry(method.upper(), path, operation, role)
            sections.setdefault(operation.get("tags", ["other"])[0], []).append(entry)
    body = "".join(
        f"<h2>{html.escape(tag)}</h2><dl>{''.join(entries)}</dl>"
        for tag, entries in sections.items()
    )
    info = document["info"]
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{html.escape(info['title'])}"
        f"</title><style>{_STYLE}</style><h1>{html.escape(info['title'])}</h1>"
        f"<p>{html.escape(info['description'])} The document itself: <a href=openapi.json>"
        f"openapi.json</a>.</p>{body}</html>"
    )


def roles_of(app: FastAPI) -> dict[tuple[str, str], Role | None]:
    """Return the role that each method and path needs, None for everybody: what ``needs`` was told."""
    roles: dict[tuple[str, str], Role | None] = {}
    for route in iter_route_contexts(app.routes):
        dependant = getattr(route, "dependant", None)
        asked = [] if dependant is None else dependant.dependencies
        needed = [getattr(one.call, "role", None) for one in asked]
        role = max((one for one in needed if one is not None), default=None)
        for method in route.methods or ():
            roles[method, route.path or ""] = role
    return roles


def _entry(method: str, path: str, operation: dict[str, Any], role: Role | None) -> str:
    words = html.escape(operation.get("description") or operation.get("summary", ""))
    who = "everybody" if role is None else role.value
    parameters = "".join(_parameter(one) for one in operation.get("parameters", ()))
    body = _body(operation)
    return (
        f"<dt><code>{method} {html.escape(path)}</code> <span class=role>{who}</span></dt>"
        f"<dd>{words}{body}{f'<ul>{parameters}</ul>' if parameters else ''}</dd>"
    )


def _parameter(one: dict[str, Any]) -> str:
    words = html.escape(one.get("description", ""))
    default = one.get("schema", {}).get("default")
    shown = "" if default in (None, "") else f" = {html.escape(str(default))}"
    return f"<li><code>{html.escape(one['name'])}{shown}</code> {words}</li>"


def _body(operation: dict[str, Any]) -> str:
    content = operation.get("requestBody", {}).get("content", {})
    reference = content.get("application/json", {}).get("schema", {}).get("$ref", "")
    name = reference.rpartition("/")[2]
    return f" Body: <code>{html.escape(name)}</code>." if name else ""
