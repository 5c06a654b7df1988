"""The header's rules about limits over time: read, checked, with usual values that fit the protocol."""

from __future__ import annotations

import pytest

from rig.core.errors import BadInput
from rig.protocol import loads_protocol
from rig.protocol.program import OnGap, Program

HEAD = """protocol: 1
name: one
cell: {capacity: 2 mAh}
"""
STEPS = """steps:
  - set_temperature: {to: 25 degC, within: $within}
  - charge: {at: C/2, until: 4.2 V, for: 3 h}
variables: {within: 0.3 K}
"""


def program(header: str, within: str = "0.3 K") -> Program:
    return loads_protocol(HEAD + header + STEPS, file_name="p.yaml", variables={"within": within})


SAFETY = "safety: {voltage: [2.5 V, 4.3 V], current: 5 mA"


def test_everything_is_read_in_base_units() -> None:
    header = (
        f"{SAFETY}, heating: 2 K/min, lasting: 3 s, soft: {{voltage: [2.6 V, 4.25 V]}}}}\n"
        "suspend: {temperature: {beyond: 3 K, resume: 0.5 K, settle: 5 min, timeout: 1 h}}\n"
        "on_gap: pause\n"
    )
    read = program(header)
    assert read.safety.heating_max_kelvin_per_minute == 2.0
    assert read.safety.lasting_second == 3.0
    assert read.soft is not None
    assert (read.soft.voltage_min_volt, read.soft.voltage_max_volt) == (2.6, 4.25)
    assert read.soft.current_max_ampere is None
    band = read.suspend
    assert band is not None
    assert (band.beyond_kelvin, band.resume_kelvin) == (3.0, 0.5)
    assert (band.settle_second, band.timeout_second) == (300.0, 3600.0)
    assert read.on_gap is OnGap.PAUSE


def test_without_a_word_there_are_no_soft_limits() -> None:
    assert program(f"{SAFETY}}}\n").soft is None


@pytest.mark.parametrize(
    ("within", "beyond", "resume"), [("0.3 K", 2.0, 1.0), ("1.5 K", 3.0, 1.5), ("5 K", 10.0, 5.0)]
)
def test_without_a_word_the_band_is_wider_than_that_of_any_soak(
    within: str, beyond: float, resume: float
) -> None:
    band = program(f"{SAFETY}}}\n", within).suspend
    assert band is not None
    assert (band.beyond_kelvin, band.resume_kelvin) == (beyond, resume)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (f"{SAFETY}, soft: {{voltage: [2.4 V, 4.25 V]}}}}\n", "beyond the hard one"),
        (f"{SAFETY}, soft: {{current: 6 mA}}}}\n", "beyond the hard one"),
        (f"{SAFETY}, soft: {{check_every: 1 s}}}}\n", "unknown key 'check_every'"),
        (f"{SAFETY}, heating: 2 K}}\n", "expected a temperature rate"),
        (f"{SAFETY}, lasting: 0 s}}\n", "expected more than 0"),
        (f"{SAFETY}}}\nsuspend: {{temperature: {{beyond: 0.2 K}}}}\n", "has to be more than"),
        (
            f"{SAFETY}}}\nsuspend: {{temperature: {{beyond: 2 K, resume: 2 K}}}}\n",
            "has to be more than",
        ),
        (f"{SAFETY}}}\nsuspend: {{}}\n", "names nothing to wait for"),
        (f"{SAFETY}}}\non_gap: wait\n", "expected 'continue'"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(header: str, words: str) -> None:
    with pytest.raises(BadInput) as caught:
        program(header)
    assert any(words in str(problem) for problem in caught.value.problems)
    assert all("p.yaml:" in problem.where for problem in caught.value.problems)
