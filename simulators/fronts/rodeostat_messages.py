"""What a Rodeostat reads from a message, and how it refuses; knows no command and no cell.

Each function raises Refusal, whose text names the key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

Message = Mapping[str, Any]


class Refusal(Exception):
    """A command answered with ``"success":false`` and this message."""


def parsed(line: bytes) -> Message:
    """Read one line."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        raise Refusal("cannot parse the message as JSON") from None
    if not isinstance(message, dict):
        raise Refusal("the message is no JSON object")
    return message


def member(message: Message, key: str, known: Mapping[str, object]) -> str:
    """Return the string at ``key``, one of ``known``."""
    value = message.get(key)
    if not isinstance(value, str):
        raise Refusal(f"{key} is missing or no string")
    if value not in known:
        raise Refusal(f"{key} {value} is unknown")
    return value


def number(message: Message, key: str) -> float:
    """Return the number at ``key``."""
    value = message.get(key)
    # JSON as Python reads it also knows true, NaN and Infinity, which are no voltages.
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e9:
        raise Refusal(f"{key} is missing or no number")
    return value


def integer(message: Message, key: str, lowest: int, highest: int) -> int:
    """Return the whole number at ``key``, within bounds."""
    value = number(message, key)
    if value != int(value) or not lowest <= value <= highest:
        raise Refusal(f"{key} is no whole number from {lowest} to {highest}")
    return int(value)


def boolean(message: Message, key: str) -> bool:
    """Return true or false at ``key``; 0 and 1 are neither."""
    value = message.get(key)
    if not isinstance(value, bool):
        raise Refusal(f"unable to convert '{key}' to bool")
    return value
