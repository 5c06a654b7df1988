"""MacNet's functions as a table: from the parameters of a request to the fields of its reply.

Names are those of the JSON listener; the binary one packs the same fields. Functions that the sheet
names but does not describe well enough to be imitated answer "MacNet error".

Simulator's choices: which of the error texts fits which mistake; no auxiliary inputs; values of
3,1 beyond the current ranges.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from simulators.fronts.maccor_call import Call, MacNetError
from simulators.fronts.maccor_channel import Channel
from simulators.fronts.maccor_codes import DirectSet, Outcome, Safeties, Status
from simulators.fronts.maccor_json import single
from simulators.fronts.maccor_output import ChMode
from simulators.fronts.maccor_tester import ALL_SELECTED, MaccorTester

Fields = dict[str, object]

_FIRST_DATE = datetime(2026, 1, 1, tzinfo=UTC)
_TICK_SECOND = 0.005
_FLAG_BITS = 32


# -- the tester ------------------------------------------------------------------------------------


def _version(_call: Call) -> Fields:
    return {
        "APIVersion": 1,
        "MacTest32EXEversionMajor": 3,
        "MacTest32EXEversionMinor": 2,
        "MacTest32EXEversionBuild": 18,
        "MacTest32DLLversionMajor": 3,
        "MacTest32DLLversionMinor": 2,
        "MacTest32DLLversionBuild": 18,
        "MacTest32ExeDT": "2016-11-08T15:02:58",
        "MacTest32DLLDT": "2016-11-13T11:29:48",
    }


def _system(call: Call) -> Fields:
    return {
        "SystemID": "SIMULATED",
        "SystemType": call.tester.setup.system_type,
        "ControllerBoards": 1,
        "TestChannels": len(call.tester.channels),
        "AuxBoards": 0,
        "AuxChannels": 0,
        "SMB1Pos": 0,
        "SMB3Pos": 0,
    }


def _specification(call: Call) -> Fields:
    """3,1: the hardware's limits, and the safeties in force."""
    spec, safeties = call.tester.setup.spec, call.channel().safeties
    ranges = range(len(spec.ranges_ampere), 0, -1)
    fields: Fields = {"TickSpeed": single(_TICK_SECOND)}
    fields |= {"Vmax": single(spec.v_max_volt), "Vmin": single(spec.v_min_volt)}
    safe = _safeties(safeties)
    fields |= {key: safe[key] for key in ("VSafeMax", "VSafeMin")}
    for way in ("Chg", "Dis"):
        fields |= {f"IR{number}{way}": single(spec.ranges_ampere[number - 1]) for number in ranges}
    fields |= {key: safe[key] for key in ("ISafeChg", "ISafeDis", "PBatSafeChg", "PBatSafeDis")}
    power = single(spec.p_max_watt)
    return fields | dict.fromkeys(("PChanSafeChg", "PChanSafeDis", "PSVChg", "PSVDis"), power)


# -- readings --------------------------------------------------------------------------------------


def _status(channel: Channel) -> dict[str, int]:
    return {"RF1": channel.doing, "RF2": channel.reason, "Stat": channel.status}


def _many(key: str, read: Callable[[MaccorTester, Channel], object]) -> Callable[[Call], Fields]:
    """A list of one value for each of ``Len`` channels."""

    def answer(call: Call) -> Fields:
        channels = call.span()
        return {"Len": len(channels), key: [read(call.tester, one) for one in channels]}

    return answer


def _no_auxiliaries(key: str) -> Callable[[Call], Fields]:
    def answer(call: Call) -> Fields:
        call.channel()
        return {"Len": 0, key: []}

    return answer


def _reading(call: Call) -> Fields:
    """4,7: everything about one channel."""
    channel, tester = call.channel(), call.tester
    measured, progress = tester.measure(channel), channel.progress
    return {
        **_status(channel),
        "LastRecNum": progress.records,
        "Cycle": 0,
        "Step": progress.step,
        "TestTime": single(progress.test_second),
        "StepTime": single(progress.step_second),
        "Capacity": single(progress.capacity_ah),
        "Energy": single(progress.energy_wh),
        "Current": single(measured.current_ampere),
        "Voltage": single(measured.voltage_volt),
        "TesterTime": f"{tester_time(tester):%Y-%m-%dT%H:%M:%S}",
    }


def tester_time(tester: MaccorTester) -> datetime:
    """Return the tester PC's clock."""
    return _FIRST_DATE + timedelta(seconds=tester.now)


def _names(call: Call) -> Fields:
    channel = call.channel()
    return {"TestName": channel.test_name, "ProcName": channel.procedure_name}


def _flags(call: Call) -> Fields:
    channel = call.channel()
    return {
        "GlobFlags": f"0x{channel.flags:08X}",
        "VARs": [single(value) for value in channel.variables],
    }


# -- settings and actions --------------------------------------------------------------------------


def _set_flags(call: Call) -> Fields:
    channel = call.channel()
    try:
        flags = int(call.text("GlobFlags"), 16)
    except ValueError:
        raise MacNetError("Illegal value") from None
    if not 0 <= flags < 1 << _FLAG_BITS:
        raise MacNetError("Illegal value")
    channel.flags = flags
    return {"New GlobFlags": f"0x{flags:08X}"}


def _safeties(safeties: Safeties) -> dict[str, float]:
    return {
        "VSafeMax": single(safeties.v_max_volt),
        "VSafeMin": single(safeties.v_min_volt),
        "ISafeChg": single(safeties.charge_ampere),
        "ISafeDis": single(safeties.discharge_ampere),
        "PBatSafeChg": single(safeties.charge_watt),
        "PBatSafeDis": single(safeties.discharge_watt),
    }


def _set_safeties(call: Call) -> Fields:
    channel = call.channel()
    keys = ("VSafeMax", "VSafeMin", "ISafeChg", "ISafeDis", "PBatSafeChg", "PBatSafeDis")
    channel.safeties = Safeties(*(call.number(key) for key in keys))
    return dict(_safeties(channel.safeties))


def _set_variable(call: Call) -> Fields:
    channel = call.channel()
    number = call.whole("VarNum", 1, len(channel.variables))
    channel.variables[number - 1] = call.number("Value")
    return {"Result": Outcome.OK}


def _act(action: Callable[[MaccorTester, Channel], Outcome]) -> Callable[[Call], Fields]:
    return lambda call: {"Result": action(call.tester, call.channel())}


def _select(call: Call) -> Fields:
    numbers = call.params.get("Chans")
    known = range(len(call.tester.channels))
    if not isinstance(numbers, list):
        raise MacNetError("Missing object")
    if not all(type(number) is int and number in known for number in numbers):
        raise MacNetError("Illegal value")
    return {"Result": call.tester.select(numbers)}


def _start(call: Call) -> Fields:
    if call.params.get("Chan") == ALL_SELECTED:
        channels = [one for one in call.tester.channels if one.status is Status.SELECTED]
    else:
        channels = [call.channel()]
    name, procedure = call.text("TestName"), call.text("ProcName")
    return {"Result": call.tester.start(channels, name, procedure)}


def _check_start(call: Call) -> Fields:
    name, procedure = call.text("TestName"), call.text("ProcName")
    return {"Result": call.tester.check_start(call.channel(), name, procedure)}


def _start_direct(call: Call) -> Fields:
    channel, output = call.channel(), call.output()
    for increment in ("DataV", "DataI"):
        call.number(increment)
    name, record_second = call.text("TestName"), call.number("DataTime")
    return {"Result": call.tester.start_direct(channel, name, output, record_second)}


def _set_direct(call: Call) -> Fields:
    channel, output = call.channel(), call.output()
    if call.loses_rest and output.mode is ChMode.REST:
        return {"Result": DirectSet.OK}  # the defect: it says OK and goes on as before
    return {"Result": call.tester.set_direct(channel, output)}


def _exists(
    key: str, name: str, find: Callable[[MaccorTester, str], bool]
) -> Callable[[Call], Fields]:
    return lambda call: {key: "TRUE" if find(call.tester, call.text(name)) else "FALSE"}


FUNCTIONS: dict[tuple[int, int], Callable[[Call], Fields]] = {
    (1, 1): _version,
    (1, 2): _system,
    (1, 3): _exists("ProcedurExists", "ProcName", lambda tester, name: name in tester.procedures),
    (1, 4): _exists("TestNameExists", "TestName", lambda tester, name: name in tester.test_names),
    (3, 1): _specification,
    (4, 1): _many("Status", lambda _tester, channel: _status(channel)),
    (4, 2): _many("Voltage", lambda tester, one: single(tester.measure(one).voltage_volt)),
    (4, 3): _many("Current", lambda tester, one: single(tester.measure(one).current_ampere)),
    (4, 4): _no_auxiliaries("AuxValues"),
    (4, 5): _no_auxiliaries("AuxUnit"),
    (4, 6): _names,
    (4, 7): _reading,
    (4, 8): _flags,
    (4, 9): _many("TestTimes", lambda _tester, one: single(one.progress.test_second)),
    (5, 1): _set_flags,
    (6, 1): _select,
    (6, 2): _start,
    (6, 3): _act(MaccorTester.suspend),
    (6, 4): _act(MaccorTester.resume),
    (6, 5): _act(MaccorTester.reset),
    (6, 6): _act(MaccorTester.archive),
    (6, 7): _start_direct,
    (6, 8): _set_direct,
    (6, 9): _set_variable,
    (6, 10): _set_safeties,
    (6, 11): _check_start,
}

# Real functions that are not simulated: file lists and transfer, calibration dates, end conditions,
# compile errors, the advanced start, and all of the smart-battery class.
_NOT_SIMULATED = {(1, 5), (1, 6), (1, 7), (3, 2), (4, 10), (6, 12), (6, 13)}
_SMART_BATTERY = 7
_CLASSES = {0, _SMART_BATTERY, *(f_class for f_class, _ in FUNCTIONS)}


def perform(f_class: int, f_num: int, call: Call) -> Fields:
    """Do what a request asks and return the reply's own fields; raises MacNetError."""
    function = FUNCTIONS.get((f_class, f_num))
    if function is not None:
        return function(call)
    if f_class not in _CLASSES:
        raise MacNetError("Invalid FClass")
    if (f_class, f_num) in _NOT_SIMULATED or f_class == _SMART_BATTERY:
        raise MacNetError("MacNet error")
    raise MacNetError("Invalid FNum")
