"""What pages are made of, read once: each file with its type, its mark and its compressed form."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
_PLOTTING = "plotly.min.js"  # comes with the Python package plotly


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is sent; ``mark`` changes with its content (HTTP's ETag)."""

    content: bytes
    compressed: bytes
    media_type: str
    mark: str


@lru_cache(maxsize=64)
def file_of(name: str) -> File | None:
    """Return the file of this name, None for none. Names are looked up in a list, never on the disk."""
    read = _known().get(name)
    return None if read is None else _file(read(), name)


def _known() -> dict[str, Callable[[], bytes]]:
    folder = resources.files("rig.web.pages").joinpath("assets")
    own = {one.name: one.read_bytes for one in folder.iterdir()}
    plotting = resources.files("plotly").joinpath("package_data", _PLOTTING)
    return {
        name: read
        for name, read in (own | {_PLOTTING: plotting.read_bytes}).items()
        if _suffix(name) in _TYPES
    }


def _file(content: bytes, name: str) -> File:
    mark = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
    return File(content, gzip.compress(content, 6, mtime=0), _TYPES[_suffix(name)], mark)


def _suffix(name: str) -> str:
    return name[name.rfind(".") :]


@lru_cache(maxsize=1)
def frame() -> str:
    """Return the HTML that every page begins as, with ``$title`` and ``$script`` to be put in."""
    page = resources.files("rig.web.pages").joinpath("page.html")
    return page.read_text(encoding="utf-8")
