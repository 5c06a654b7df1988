"""A certificate and its key, looked at before anything begins. Knows no server and no address."""

from __future__ import annotations

import ssl

from rig.core.errors import BadInput, Problem

_EXAMPLE = "--certificate rig.pem --key rig.key"
_LOCKED = "the key wants a password, which nobody can type when the rig begins by itself"


def require_key_pair(certificate: str, key: str) -> None:
    """Check that these PEM files can serve https; raises BadInput where they cannot.

    ``certificate`` holds the server's own certificate first, then those of its issuers. A key
    that wants a password is refused: at night nobody is there to type it.
    """
    asked: list[bool] = []

    def nobody_is_there() -> str:
        asked.append(True)
        return ""

    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key, password=nobody_is_there)
    except OSError as error:  # ssl.SSLError is one
        reason = _LOCKED if asked else _reason(error)
        message = f"cannot serve https with {certificate} and {key}: {reason}"
        raise BadInput(Problem("rig serve --certificate, --key", message, _EXAMPLE)) from error


def _reason(error: OSError) -> str:
    if not isinstance(error, ssl.SSLError):
        return error.strerror or str(error)
    if error.reason == "KEY_VALUES_MISMATCH":
        return "the key is another certificate's"
    words = (error.reason or "no PEM in it").replace("_", " ").lower()
    return f"expected a certificate and a private key, each in PEM ({words})"
