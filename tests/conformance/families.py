"""What a conformance test has to know of each family: its cell, its words, its accuracy, its gaps.

Everything else comes from the driver's own sheet. Knows no link and no test.
"""

from __future__ import annotations

from dataclasses import dataclass

from rig.core.instruments import (
    ConstantCurrent,
    ConstantVoltage,
    Limits,
    OpenCircuit,
    Setpoint,
    Sweep,
)
from rig.core.sheet import Role

# NMC811 | Li6PS5Cl | Li at half charge: 5 mAh, 3.84 V, about 33 ohm.
CELL = "simulate: {cell: full_cell, area: 1 cm^2, state_of_charge: 50 %}"
# A pouch of a hundred such layers, for the meters of milliohms.
LARGE_CELL = (
    "simulate: {cell: full_cell, area: 1000 cm^2, state_of_charge: 50 %, lead_resistance: 5 mohm}"
)
LIMITS = Limits(2.5, 4.3, 0.1, longest_second=600.0)
SETPOINTS: dict[str, Setpoint] = {
    "charge": ConstantCurrent(1e-3, 4.2),
    "discharge": ConstantCurrent(-1e-3, 2.8),
    "hold": ConstantVoltage(3.85, 1e-3),
    "rest": OpenCircuit(),
}


@dataclass(frozen=True, slots=True)
class Family:
    """One family in one role.

    ``imposter``: what is replaced by what in every reply, to make it another instrument.
    ``simulate`` and ``channel`` go into the bench file. ``usual`` names the set point it is driven
    with where any will do. Accuracies are five standard deviations of what the simulator adds,
    for where the reference gives a number it is no data sheet: see each row.
    """

    name: str
    role: Role
    imposter: tuple[bytes, bytes]
    simulate: str = ""
    channel: str = CELL
    usual: str = "charge"
    volt: float = 0.0
    ampere: float = 0.0
    impedance_relative: float = 0.0
    impedance_ohm: float = 0.0
    window: tuple[float, float, float] | None = None  # V, V, A where the sheet leaves them open
    amplitude_volt: float | None = 0.01
    amplitude_ampere: float | None = None
    paths: tuple[tuple[Role, str], ...] = ()  # of a scanner, what it reads at which
    kelvin: float = 0.0
    pressure_relative: float = 0.0

    @property
    def path(self) -> str:
        """Where a sensor is read in this role."""
        return dict(self.paths).get(self.role, "")

    @property
    def row(self) -> str:
        """What the tests call it: the family and the role it is tested in."""
        return f"{self.name} as {self.role.value}"

    @property
    def sweep(self) -> Sweep:
        return Sweep(
            1000.0,
            100.0,
            4,
            amplitude_volt=self.amplitude_volt,
            amplitude_ampere=self.amplitude_ampere,
        )


# A thermocouple on the cell, and the transmitter of a press.
SCANNED = ", options: {channels: {101: thermocouple K, 104: {pressure: {1 V: 0 MPa, 5 V: 10 MPa}}}}"
SCANNED_PATHS = ((Role.TEMPERATURE, "101"), (Role.PRESSURE, "104"))
HIGH_IMPEDANCE = ", simulate: {saved_off_state: high_impedance}"
FAMILIES = {
    family.row: family
    for family in (
        # Two counts of 6 1/2 digits in the 20 V and 1 mA ranges at 1 NPLC: 40 uV, 2 nA.
        Family(
            "keithley.smu2450",
            Role.CELL,
            (b"2450", b"2002"),
            HIGH_IMPEDANCE,
            volt=200e-6,
            ampere=10e-9,
        ),
        Family(
            "keithley.smu2400",
            Role.CELL,
            (b"2400", b"2002"),
            HIGH_IMPEDANCE,
            volt=200e-6,
            ampere=10e-9,
        ),
        # 20 uV and 1e-5 of the 10 mA range. A point a second: the cell's voltage
        # has moved on by some 100 uV when the newest is read.
        Family(
            "palmsens.methodscript",
            Role.CELL,
            (b"nexus1", b"other1"),
            volt=300e-6,
            ampere=1e-6,
        ),
        # 0.3 % of |Z|.
        Family(
            "palmsens.methodscript",
            Role.IMPEDANCE,
            (b"nexus1", b"other1"),
            impedance_relative=0.015,
        ),
        Family("rohde_schwarz.ngu401", Role.CELL, (b"NGU401", b"HMP404"), volt=500e-6, ampere=2e-6),
        Family(
            "rohde_schwarz.ngm202", Role.CELL, (b"NGM202", b"HMP404"), volt=500e-6, ampere=20e-6
        ),
        # 50 uV, 1e-4 of the current. The window: the channel's own specification (3,1).
        Family(
            "maccor.macnet",
            Role.CELL,
            (b'"SystemType": 0', b'"SystemType": 1'),
            volt=250e-6,
            ampere=1e-6,
            window=(0.0, 5.0, 5.0),
        ),
        # The voltage is the one that is set; 1e-4 of the range of 1 mA.
        Family("rodeostat.json", Role.CELL, (b"microAmp", b"otherAmp"), usual="hold", ampere=1e-6),
        # 0.05 % and 50 uohm at MEDIUM, half of that at LONG.
        Family(
            "keysight.e4980a",
            Role.IMPEDANCE,
            (b"E4980A", b"E4285A"),
            ", simulate: {dc_block: yes}",
            f"dc_blocking: true, {CELL}",
            impedance_relative=1.3e-3,
            impedance_ohm=130e-6,
        ),
        # 0.1 % of |Z| and 1e-5 of the range of 100 mohm.
        Family(
            "hioki.bt4560",
            Role.IMPEDANCE,
            (b"BT4560", b"BT3554"),
            channel=LARGE_CELL,
            impedance_relative=5e-3,
            impedance_ohm=5e-6,
            amplitude_volt=None,
            amplitude_ampere=0.05,
        ),
        # 0.05 % and 10 uV; three digits after the point in the range of 30 mohm.
        Family(
            "hioki.bt3562",
            Role.RESISTANCE,
            (b"BT3562", b"BT3554"),
            channel=LARGE_CELL,
            volt=60e-6,
            impedance_relative=2.5e-3,
            impedance_ohm=1e-6,
        ),
        Family("espec.p300", Role.CHAMBER, (b"P3F", b"SCP"), channel=""),
        Family("watlow.f4t", Role.CHAMBER, (b"\x46", b"\x47"), channel=""),
        Family("watlow.f4t_scpi", Role.CHAMBER, (b"F4T", b"F4S"), channel=""),
        # 20 mK, and a sample that goes on warming between the scan and the look.
        Family(
            "keithley.daq6510",
            Role.TEMPERATURE,
            (b"DAQ6510", b"DMM6500"),
            SCANNED,
            paths=SCANNED_PATHS,
            kelvin=0.15,
        ),
        # 5 uV of 3 V.
        Family(
            "keithley.daq6510",
            Role.PRESSURE,
            (b"DAQ6510", b"DMM6500"),
            SCANNED,
            paths=SCANNED_PATHS,
            pressure_relative=1e-3,
        ),
        # 1e-4 of the value, and a press that goes on relaxing.
        Family(
            "mark10.series5",
            Role.PRESSURE,
            (b"AOFF", b"OFF"),
            ", options: {area: 78.5 mm^2}",
            pressure_relative=1e-3,
        ),
        Family("omega.usbh", Role.PRESSURE, (b"serial", b"number"), pressure_relative=1e-3),
        Family(
            "serial.load_cell",
            Role.PRESSURE,
            (b"\r", b" g\r"),
            ", options: {scale: {8412: 0 N, 152034: 100 N}, area: 78.5 mm^2}",
            pressure_relative=1e-3,
        ),
        Family("scpi.matrix", Role.MULTIPLEXER, (b",", b";"), channel=CELL),
    )
}
