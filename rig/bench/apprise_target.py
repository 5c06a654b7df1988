"""Apprise, the library that delivers: a URL becomes one who can be told. Nothing else knows it.

Slow to load, so it is imported only where a bench has a ``notify:``. What it and urllib3 log quotes
URLs (at the level DEBUG whole, with their passwords): their logs go nowhere but here, and are masked
where a part is shown.
"""

from __future__ import annotations

import logging
import re
import warnings
from urllib.parse import unquote

from apprise import (
    Apprise,
    AppriseAsset,
    LogCapture,
    NotificationManager,
    NotifyBase,
    NotifyFormat,
    NotifyType,
)

from rig.core.alarms import Severity

_KINDS = {Severity.NOTICE: NotifyType.INFO, Severity.WARNING: NotifyType.WARNING}
_MASK = "****"

# In the thread that asks, without the pool that Apprise would leave behind for its own time limit:
# a process that wants to end waits for such a pool. Its services give up on a silent server.
_ASSET = AppriseAsset(async_mode=False, service_timeout=0)

for _name in ("apprise", "urllib3"):
    logging.getLogger(_name).propagate = False
with warnings.catch_warnings():
    # Its services are loaded at first use, and warn of what their own libraries still import.
    warnings.simplefilter("ignore")
    KNOWN_SCHEMES = frozenset(NotificationManager().schemas())  # what may stand before ``://``


def open_service(url: str) -> NotifyBase | None:
    """Return the service of a URL, or None where it is none that works here; sends nothing."""
    return Apprise.instantiate(url, asset=_ASSET)


class AppriseTarget:
    """A mailbox, a chat or a webhook. Fulfils rig.bench.targets.Target."""

    def __init__(self, url: str, label: str, lowest: Severity) -> None:
        self.label, self.lowest = label, lowest
        self._apprise = Apprise(asset=_ASSET)
        service = open_service(url)
        if service is not None:
            self._apprise.add(service)
        self._secrets = _pieces(url)

    def send(self, title: str, body: str, severity: Severity) -> str:
        """Deliver now; returns the reason of a failure, with no word of the URL in it, or ''."""
        kind = _KINDS.get(severity, NotifyType.FAILURE)
        with LogCapture(level=logging.WARNING, fmt="%(message)s") as log:
            try:
                # By way of Apprise itself, which makes of the text what the service takes: lines of
                # a mail in HTML must not run into one.
                sent = self._apprise.notify(body, title, kind, body_format=NotifyFormat.TEXT)
            except Exception as bug:  # a service is a plug-in: its bug must not silence the others
                return self._masked(f"{type(bug).__name__}: {bug}")
            return "" if sent else self._masked(" ".join(log.getvalue().split()) or "not sent")

    def _masked(self, reason: str) -> str:
        for secret in self._secrets:
            reason = reason.replace(secret, _MASK)
        return reason


def _pieces(url: str) -> list[str]:
    """Return every word of a URL as it may be quoted, the longest first: any may be a token."""
    after = url.partition("://")[2]
    runs = re.split(r"[/?&=@:,#]+", after)  # a password may hold any other character
    words = [
        *runs,
        *map(unquote, runs),
        *re.split(r"\W+", after),
        *re.split(r"\W+", unquote(after)),
    ]
    return sorted({word for word in words if len(word) > 2}, key=len, reverse=True)
