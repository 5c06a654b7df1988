"""The ``notify:`` of a bench file: who is told of alarms, from which severity on.

A URL here is a secret: it holds passwords and tokens. It is never part of a message, a log or the
snapshot of the bench that is kept with every run; ``$NAME`` keeps it out of the file, too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rig.bench.collecting import Collector
from rig.core.alarms import Severity
from rig.core.errors import BadInput, Problem, did_you_mean
from rig.protocol.source import Node, read_source
from rig.store.address import without_password

_KEYS = ("url", "from", "name")
_SEVERITIES = tuple(severity.value for severity in Severity)
_EXAMPLE = "notify: [{url: $RIG_NOTIFY_URL, from: warning}]"
_VARIABLE = re.compile(r"\$(?:\{(?P<braced>\w+)\}|(?P<bare>\w+))")
_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9]*)://.+", re.DOTALL)
_MASK = "****"


@dataclass(frozen=True, slots=True)
class NotifyEntry:
    """One who is told: an Apprise URL, the least severity that goes there, its place in the file.

    ``name`` is what a rule calls him by, empty where he has none.
    """

    url: str = field(repr=False)
    lowest: Severity
    where: str
    name: str = ""

    @property
    def label(self) -> str:
        """What it is called in messages: its kind and its place, nothing of the URL's secrets."""
        return f"{self.url.partition('://')[0]} ({self.where})"


def read_notify(collector: Collector, root: Node) -> tuple[NotifyEntry, ...]:
    """Read the ``notify:`` of a bench file's root; what is wrong goes to the collector."""
    node = root.get("notify")
    if node is None:
        return ()
    if not isinstance(node.value, list):
        collector.refuse(node, "expected a list of those who are told of alarms", _EXAMPLE)
    entries = [_entry(collector, item) for item in node.items()]
    _require_own_names(collector, node.items())
    return tuple(entry for entry in entries if entry is not None)


def load_notify(name: str) -> tuple[NotifyEntry, ...]:
    """Read a file with nothing but a ``notify:``, for who has no bench. Raises BadInput with every problem."""
    try:
        text = Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        problem = Problem(f"--notify {name}", f"cannot be read: {reason}", "--notify notify.yaml")
        raise BadInput(problem) from error
    collector, root = Collector(), read_source(text, name)
    collector.keys(root, ("notify",), "a file of those who are told")
    if root.get("notify") is None:
        collector.refuse(root, "names nobody who is to be told", _EXAMPLE)
    entries = read_notify(collector, root)
    if collector.problems:
        raise BadInput(collector.problems)
    return entries


def masked(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Return a bench file's content without its secrets, fit to be kept: passwords, ``notify:``."""
    if isinstance(plain.get("database"), str):
        plain = {**plain, "database": without_password(plain["database"])}
    if "notify" not in plain:
        return dict(plain)
    told = [{**entry, "url": _masked_url(entry["url"])} for entry in plain["notify"]]
    return {**plain, "notify": told}


def _entry(collector: Collector, node: Node) -> NotifyEntry | None:
    if not isinstance(node.value, dict):
        collector.refuse(node, "expected a url and a severity", _EXAMPLE)
        return None
    collector.keys(node, _KEYS, "an entry of notify")
    url, lowest = _url(collector, node), _lowest(collector, node)
    if url is None or lowest is None:
        return None
    return NotifyEntry(url, lowest, node.child("url").where, _name(collector, node))


def _name(collector: Collector, entry: Node) -> str:
    node = entry.get("name")
    if node is None:
        return ""
    if not isinstance(node.value, str) or not node.value.strip():
        collector.refuse(node, f"got {node.plain()!r}, expected a name", "name: maria")
        return ""
    return node.value.strip()


def _require_own_names(collector: Collector, entries: Sequence[Node]) -> None:
    """Refuse a name that an entry before has: a rule would mean either."""
    seen: set[str] = set()
    for node in (entry.get("name") for entry in entries if isinstance(entry.value, dict)):
        name = str(node.value).strip() if node is not None else ""
        if node is not None and name in seen:
            collector.refuse(node, f"somebody else is called {name!r}, too", "name: maria")
        seen.add(name)


def _lowest(collector: Collector, entry: Node) -> Severity | None:
    node = entry.get("from")
    if node is None:
        return Severity.WARNING
    if node.value in _SEVERITIES:
        return Severity(node.value)
    suggestion = did_you_mean(str(node.value), _SEVERITIES)
    collector.refuse(node, f"expected one of {', '.join(_SEVERITIES)}", "from: warning", suggestion)
    return None


def _url(collector: Collector, entry: Node) -> str | None:
    node = entry.get("url")
    if node is None or not isinstance(node.value, str):
        collector.refuse(node or entry, "an entry of notify needs a url", _EXAMPLE)
        return None
    url = _from_environment(node.value)
    if url is None:
        message = f"the environment has no variable {node.value}"
        collector.refuse(node, message, f"export {node.value.strip('${}')}=mailto://...")
        return None
    if not _usable(collector, node, url):
        return None
    return url


def _from_environment(text: str) -> str | None:
    """Return what ``$NAME`` stands for, or None where it is not set; any other text is itself."""
    found = _VARIABLE.fullmatch(text)
    if found is None:
        return text
    return os.environ.get(found["braced"] or found["bare"]) or None


def _usable(collector: Collector, node: Node, url: str) -> bool:
    from rig.bench.apprise_target import KNOWN_SCHEMES, open_service  # noqa: PLC0415 - slow

    example = "url: mailto://user:password@mail.example.org?to=lab@example.org"
    found = _SCHEME.fullmatch(url)
    if found is None:
        collector.refuse(node, "this is no URL of the form service://...", example)
        return False
    scheme = found["scheme"].lower()
    if scheme not in KNOWN_SCHEMES:
        suggestion = did_you_mean(scheme, KNOWN_SCHEMES)
        collector.refuse(node, f"there is no service {scheme}://", example, suggestion)
        return False
    if open_service(url) is None:
        message = f"{scheme}:// cannot be used: something is missing in it, or a package for it"
        collector.refuse(node, message, example)
        return False
    return True


def _masked_url(url: str) -> str:
    if _VARIABLE.fullmatch(url):
        return url
    scheme, found, _ = url.partition("://")
    return f"{scheme}://{_MASK}" if found else _MASK
