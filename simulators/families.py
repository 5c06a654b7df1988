"""Which simulated instrument stands for which driver, how it is reached, and what one may choose of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from simulators.fronts.espec_p300 import EspecP300Front
from simulators.fronts.hioki_bt3562 import MODELS as BT3562_MODELS
from simulators.fronts.hioki_bt3562 import HiokiBT3562Front
from simulators.fronts.hioki_bt4560 import MODELS as BT4560_MODELS
from simulators.fronts.hioki_bt4560 import RANGE_SETS, HiokiBT4560Front
from simulators.fronts.keithley_2400 import TERMINATORS, Keithley2400Front
from simulators.fronts.keithley_2400_settings import MODELS as K2400_MODELS
from simulators.fronts.keithley_2450 import Keithley2450Front
from simulators.fronts.keithley_settings import OffState
from simulators.fronts.keysight_e4980a import KeysightE4980AFront
from simulators.fronts.maccor_macnet import MacNetFront
from simulators.fronts.maccor_tester import MaccorSetup
from simulators.fronts.methodscript import MethodScriptFront
from simulators.fronts.methodscript_models import MODELS as PALMSENS_MODELS
from simulators.fronts.rodeostat import RodeostatFront
from simulators.fronts.rohde_schwarz_ng import RohdeSchwarzNgFront
from simulators.fronts.scpi_matrix import ScpiMatrixFront
from simulators.fronts.watlow_f4t import WatlowF4TFront
from simulators.fronts.watlow_f4t_scpi import WatlowF4TScpiFront
from simulators.interfaces import Cell, ChamberAir, Front
from simulators.models.switchboard import Switchboard
from simulators.sensing import SENSORS, PressureFamily, ScannerFamily
from simulators.server import Transport


@dataclass(frozen=True, slots=True)
class CellFamily:
    """A driver's instruments that drive a cell; ``build`` takes name, cell, choices and seed.

    ``choices`` is what a ``simulate:`` block may choose, the default first.
    """

    transport: Transport
    choices: Mapping[str, tuple[str, ...]]
    build: Callable[[str, Cell, Mapping[str, str], int], Front]


@dataclass(frozen=True, slots=True)
class ChamberFamily:
    """A driver's temperature chambers; ``build`` takes name, air and seed."""

    transport: Transport
    build: Callable[[str, ChamberAir, int], Front]


@dataclass(frozen=True, slots=True)
class SwitchFamily:
    """A driver's multiplexers; ``build`` takes name, switchboard and seed."""

    transport: Transport
    build: Callable[[str, Switchboard, int], Front]


Family = CellFamily | ChamberFamily | SwitchFamily | PressureFamily | ScannerFamily

FAMILIES: dict[str, Family] = {
    "keithley.smu2450": CellFamily(
        Transport.TCP,
        {"model": ("2450",), "saved_off_state": ("normal", "high_impedance")},
        lambda name, cell, chosen, seed: Keithley2450Front(
            name,
            cell,
            model=chosen["model"],
            saved_off_state=OffState[chosen["saved_off_state"].upper()],
            seed=seed,
        ),
    ),
    "keithley.smu2400": CellFamily(
        Transport.PTY,
        {
            "model": tuple(K2400_MODELS),
            "terminator": tuple(TERMINATORS),
            "saved_off_state": ("normal", "high_impedance"),
        },
        lambda name, cell, chosen, seed: Keithley2400Front(
            name,
            cell,
            model=chosen["model"],
            terminator=chosen["terminator"],
            saved_off_state=OffState[chosen["saved_off_state"].upper()],
            seed=seed,
        ),
    ),
    "palmsens.methodscript": CellFamily(
        Transport.PTY,
        {"model": ("nexus1", *(name for name in PALMSENS_MODELS if name != "nexus1"))},
        lambda name, cell, chosen, seed: MethodScriptFront(
            name, cell, model=chosen["model"], seed=seed
        ),
    ),
    "rohde_schwarz.ngu401": CellFamily(
        Transport.TCP,
        {"model": ("NGU401",)},
        lambda name, cell, chosen, seed: RohdeSchwarzNgFront(
            name, cell, model=chosen["model"], seed=seed
        ),
    ),
    "rohde_schwarz.ngm202": CellFamily(
        Transport.TCP,
        {"model": ("NGM202",)},
        lambda name, cell, chosen, seed: RohdeSchwarzNgFront(
            name, cell, model=chosen["model"], seed=seed
        ),
    ),
    "maccor.macnet": CellFamily(
        Transport.TCP,
        {"json_rest": ("works", "ignored"), "watchdog": ("off", "60 s")},
        lambda name, cell, chosen, seed: MacNetFront(
            name,
            cell,
            setup=MaccorSetup(watchdog_second=60.0 if chosen["watchdog"] == "60 s" else 0.0),
            json_rest_defect=chosen["json_rest"] == "ignored",
            seed=seed,
        ),
    ),
    "rodeostat.json": CellFamily(
        Transport.PTY,
        {"hardware": ("V0.2", "V0.1")},
        lambda name, cell, chosen, seed: RodeostatFront(
            name, cell, hardware=chosen["hardware"], seed=seed
        ),
    ),
    "keysight.e4980a": CellFamily(
        Transport.TCP,
        {
            "model": ("E4980A", "E4980AL"),
            "option_001": ("yes", "no"),
            "dc_block": ("no", "yes"),
        },
        lambda name, cell, chosen, seed: KeysightE4980AFront(
            name,
            cell,
            model=chosen["model"],
            option_001=chosen["option_001"] == "yes",
            dc_blocked=chosen["dc_block"] == "yes",
            seed=seed,
        ),
    ),
    "hioki.bt4560": CellFamily(
        Transport.PTY,
        {"model": BT4560_MODELS, "ranges": tuple(RANGE_SETS)},
        lambda name, cell, chosen, seed: HiokiBT4560Front(
            name, cell, model=chosen["model"], ranges=chosen["ranges"], seed=seed
        ),
    ),
    "hioki.bt3562": CellFamily(
        Transport.PTY,
        {"model": BT3562_MODELS},
        lambda name, cell, chosen, seed: HiokiBT3562Front(
            name, cell, model=chosen["model"], seed=seed
        ),
    ),
    "espec.p300": ChamberFamily(
        Transport.PTY, lambda name, air, seed: EspecP300Front(name, air, seed=seed)
    ),
    "watlow.f4t": ChamberFamily(
        Transport.TCP, lambda name, air, seed: WatlowF4TFront(name, air, seed=seed)
    ),
    "watlow.f4t_scpi": ChamberFamily(
        Transport.TCP, lambda name, air, seed: WatlowF4TScpiFront(name, air, seed=seed)
    ),
    "scpi.matrix": SwitchFamily(
        Transport.TCP, lambda name, board, seed: ScpiMatrixFront(name, board, seed=seed)
    ),
    **SENSORS,
}
