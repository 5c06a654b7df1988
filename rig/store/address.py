"""What a database URL is, and how it may be shown. Standard library only: a bench file is read with it."""

from __future__ import annotations

import re

_SERVERS = ("postgresql", "postgres")
# A password may hold anything but an at-sign, which a question mark before it would hide from us.
_SECRETS = re.compile(
    r"(?P<before>://[^:/@?]*:)(?:[^?]*|[^@]*)(?=@)|(?P<key>[?&](?:ssl)?password=)[^&]*"
)


def is_server(url: str) -> bool:
    """Say whether this database is a server, that may be away, and not a file of ours."""
    return url.partition(":")[0].partition("+")[0] in _SERVERS


def without_password(url: str) -> str:
    """Return a URL as it may be shown, whether or not it can be understood.

    >>> without_password("postgresql://maria:secret@labpc3/cells?password=secret")
    'postgresql://maria:***@labpc3/cells?password=***'
    """
    return _SECRETS.sub(r"\g<before>\g<key>***", url)
