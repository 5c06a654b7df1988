"""A Maccor tester's MacNet: the JSON listener (JSON-RPC 2.0 over TCP) and the binary one beside it.

One tester stands behind both. The functions are in maccor_functions.py, the tester in
maccor_tester.py, a channel in maccor_channel.py, framing in maccor_json.py and maccor_binary.py.

Simulator's choices, where the sheet is silent: the numeric error codes are those of JSON-RPC; an
action that fails says so by its number.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from enum import IntEnum

from simulators.fronts import maccor_json
from simulators.fronts.maccor_binary import MacNetBinaryFront
from simulators.fronts.maccor_call import Call, MacNetError
from simulators.fronts.maccor_functions import Fields, perform
from simulators.fronts.maccor_listener import Listener
from simulators.fronts.maccor_tester import MaccorSetup, MaccorTester
from simulators.interfaces import Cell

_PARSE_ERROR, _INVALID_PARAMS = -32700, -32602
_ECHO = (0, 0)
_ENVELOPE = "Method MacNet, jsonrpc 2.0 or id not found"


class MacNetFront(Listener):
    """The JSON listener as a Front; ``cell`` is on ``channel`` (0-based), the others are empty.

    ``json_rest_defect``: ChMode "R" by JSON is answered with OK and does nothing, as one release
    did. ``failures_as_text``: an action that fails spells its code as text, not as a number.
    """

    def __init__(
        self,
        name: str,
        cell: Cell,
        *,
        seed: int,
        channel: int = 0,
        setup: MaccorSetup | None = None,
        json_rest_defect: bool = False,
        failures_as_text: bool = False,
    ) -> None:
        super().__init__(
            name, MaccorTester(name, {channel: cell}, setup or MaccorSetup(), seed=seed)
        )
        self._reader = maccor_json.ObjectReader()
        self._json_rest_defect = json_rest_defect
        self._failures_as_text = failures_as_text

    def binary(self) -> MacNetBinaryFront:
        """Return another listener on the same tester, which speaks the binary protocol."""
        return MacNetBinaryFront(self._name, self.tester)

    def replies(self, data: bytes) -> Iterator[bytes]:
        """Answer each JSON object, in order."""
        for text in self._reader.feed(data):
            yield maccor_json.write(self._answer(text))

    def forget(self) -> None:
        """Lose what has come of an unfinished object."""
        self._reader.clear()

    def _answer(self, text: bytes) -> Mapping[str, object]:
        try:
            request = json.loads(text)
        except (ValueError, RecursionError):  # the second: braces nested a thousand deep
            return _error(None, _PARSE_ERROR, "Parse error")
        number = request.get("id") if isinstance(request, dict) else None
        try:
            return self._result(request, number)
        except MacNetError as error:
            return _error(number, _INVALID_PARAMS, str(error))

    def _result(self, request: object, number: object) -> Mapping[str, object]:
        if not isinstance(request, dict) or not _is_macnet(request):
            raise MacNetError(_ENVELOPE)
        params = request.get("params")
        if not isinstance(params, dict):
            raise MacNetError("Invalid params")
        f_class, f_num = _code(params, "FClass"), _code(params, "FNum")
        if (f_class, f_num) == _ECHO:
            return request
        call = Call(self.tester, params, loses_rest=self._json_rest_defect)
        fields = self._spelled(perform(f_class, f_num, call))
        echoed = {key: params[key] for key in ("FClass", "FNum", "Chan") if key in params}
        return {"jsonrpc": "2.0", "result": echoed | fields, "id": number}

    def _spelled(self, fields: Fields) -> Fields:
        """Return ``fields`` with the result code as JSON has it."""
        result = fields.get("Result")
        if not isinstance(result, IntEnum):
            return fields
        failure = str(result.value) if self._failures_as_text else result.value
        return fields | {"Result": failure if result else "OK"}


def _is_macnet(request: Mapping[str, object]) -> bool:
    versioned = request.get("jsonrpc") == "2.0" and request.get("method") == "MacNet"
    return versioned and type(request.get("id")) is int


def _code(params: Mapping[str, object], key: str) -> int:
    value = params.get(key)
    if type(value) is not int:
        raise MacNetError(f'"{key}" key does not exist or value syntax error')
    return value


def _error(number: object, code: int, text: str) -> Mapping[str, object]:
    return {"jsonrpc": "2.0", "error": {"code": code, "message": text}, "id": number}
