"""What is wrong with a protocol is said with its place, its reason and what to write instead."""

import pytest

from rig.core.errors import BadInput, Problem
from rig.protocol import load_protocol, loads_protocol

STEP_PROBLEMS = [
    # the words of the language
    ("dischrage: {at: C/2, until: 2.8 V}", "6:3", "unknown step 'dischrage'"),
    ("charge: {at: C/2, unitl: 4.2 V, for: 1 h}", "6:21", "unknown key 'unitl'"),
    ("{rest: {for: 1 s}, charge: {at: C/2, until: 4 V}}", "6:3", "two steps in one"),
    ("{rest: {for: 1 s}, fase: check}", "6:22", "unknown key 'fase'"),
    ("{rest: {for: 1 s}, phase: aging}", "6:29", "expected 'formation', 'ageing' or 'check'"),
    ("rest", "6:3", "expected a step"),
    ("{}", "6:3", "expected a step"),
    ("rest: 10 min", "6:9", "got '10 min', expected a mapping"),
    # what the language will have
    ("pulse: {at: 1C}", "6:3", "'pulse' is not supported yet in this version"),
    ("Discharge at C/2 until 2.8 V", "6:3", "a sentence as a step is not supported yet"),
    ("charge: {at: 20 mW, until: 4 V}", "6:16", "a power set point is not supported yet"),
    ("charge: {at: 1 mA, until: soc > 5 %}", "6:29", "an end on 'soc' is not supported yet"),
    (
        "charge: {at: 1 mA, until: {voltage: 4 V, then: fail}}",
        "6:50",
        "'fail' is not supported yet",
    ),
    # units
    ("charge: {at: 1, until: 4 V}", "6:16", "at: got '1' without a unit"),
    ("charge: {at: 1 V, until: 4 V}", "6:16", "which is a voltage, expected a current"),
    ("charge: {at: 1 mA, until: 4.2}", "6:29", "got '4.2' without a unit, expected an end"),
    ("charge: {at: -1 mA, until: 4 V}", "6:16", "the step's name gives the sign"),
    ("charge: {at: -C/5, until: 4 V}", "6:16", "the step's name gives the sign"),
    ("rest: {for: 0 s}", "6:15", "expected more than 0"),
    ("set_temperature: {to: 25 degC, within: 1 degC}", "6:42", "which is a temperature"),
    # ends that are missing or cannot be
    ("charge: {at: C/2}", "6:11", "never ends: needs 'until' or 'for'"),
    ("charge: {until: 4 V}", "6:11", "'at' is missing"),
    ("charge: {at: C/2, until: {then: stop}}", "6:28", "names no quantity"),
    ("charge: {at: C/2, until: []}", "6:28", "until: is empty"),
    ("charge: {at: C/2, until: C/20}", "6:28", "the current is held in this step"),
    ("charge: {at: C/2, until: 5.1 V}", "6:28", "can never be reached: it lies above 5 V"),
    ("discharge: {at: C/2, until: -2 V}", "6:31", "can never be reached: it lies below -1 V"),
    ("charge: {at: C/2, until: 4 mAh}", "6:28", "can never be reached: it lies above 3 mAh"),
    ("charge: {at: C/2, until: {temperature: 50 degC}}", "6:42", "needs an explicit operator"),
    ("charge: {at: C/2, until: time < 3 h}", "6:28", "is true at once: time only grows"),
    ("charge: {at: C/2, until: 1 h, for: 2 h}", "6:38", "the time is given twice"),
    ("charge: {at: C/2, until: {voltage: 4 V, then: break}}", "6:28", "there is no repeat here"),
    ("rest: {until: 3 V}", "6:17", "needs an explicit operator"),
    ("rest: {until: 1 mAh}", "6:17", "no current flows in a rest"),
    ("hold: {at: 4 V, until: voltage > 4 V}", "6:26", "the voltage is held in this step"),
    ("hold: {at: 4 V, until: 20C}", "6:26", "is true at once"),
    ("cccv: {at: C/2, to: 4 V, until: 1C}", "6:35", "is true at once"),
    ("cccv: {at: C/2, to: 4 V, until: 4.1 V}", "6:35", "'to' is the voltage of this step"),
    # beyond the limits
    ("charge: {at: 20C, until: 4 V}", "6:16", "40 mA lies above 20 mA, the safety limit"),
    ("hold: {at: 5.5 V, for: 1 h}", "6:14", "lies above 5 V, the safety limit"),
    ("cccv: {at: 1C, to: 6 V, for: 1 h}", "6:22", "lies above 5 V, the safety limit"),
    ("set_temperature: {to: 120 degC}", "6:25", "lies above 100 degC, the safety limit"),
    ("eis: {from: 1 Hz, to: 1 kHz, amplitude: 15 mA}", "6:43", "peak 21.21 mA lies above"),
    ("eis: {from: 1 Hz, to: 9 Hz, amplitude: 9 mV, bias: 5 V}", "6:54", "reach above 5 V"),
    # spectra and temperatures
    ("eis: {from: 1 kHz, to: 1 kHz, amplitude: 10 mV}", "6:26", "the same frequency"),
    ("set_temperature: {to: 25 degC, soak: 3 h, timeout: 2 h}", "6:54", "is over before soak"),
    (
        "{eis: {from: 1 Hz, to: 9 Hz, amplitude: 9 mV}, on_resume: continue}",
        "6:61",
        "half a spectrum",
    ),
    # blocks
    ("repeat: 0\n  steps: [{rest: {for: 1 s}}]", "6:11", "got 0, expected a whole number"),
    ("repeat:\n  steps: [{rest: {for: 1 s}}]", "6:3", "needs a count or 'until'"),
    ("repeat: 3\n  steps: []", "7:10", "expected at least one step"),
    ("repeat: 3", "6:3", "'steps' is missing"),
    ("repeat: 3\n  steps: [{rest: {}}]", "7:18", "never ends"),
    ("repeat: 3\n  stops: []\n  steps: [{rest: {}}]", "8:18", "never ends"),
    ("for_each: {a: [1], b: [2]}\n  steps: [{rest: {for: 1 s}}]", "6:3", "got 2 variables"),
    ("if: {when: cycel == 1, then: [{rest: {for: 1 s}}]}", "6:14", "unknown name 'cycel'"),
    ("if: {when: pass == 1, then: [{rest: {for: 1 s}}]}", "6:14", "outside a repeat"),
    # recording
    ("{rest: {for: 1 s}, record: {every: 0 s}}", "6:38", "expected more than 0"),
    ("{rest: {for: 1 s}, record: []}", "6:30", "record: is empty"),
    ("{rest: {for: 1 s}, record: [{every: 1 s}, {every: 2 s}]}", "6:31", "only the last rule"),
    ("{rest: {for: 1 s}, record: [{every: 1 s, for: 9 s}]}", "6:31", "the last rule has no end"),
]


@pytest.mark.parametrize(("step", "place", "message"), STEP_PROBLEMS)
def test_a_bad_step_is_refused_at_its_place(load_steps, step: str, place: str, message: str):
    header = "protocol: 1\nname: test\ncell: {capacity: 2 mAh}\nsafety: {voltage: [-1 V, 5 V],"
    header += " current: 20 mA, temperature: [-40 degC, 100 degC], capacity: 3 mAh}\n"
    with pytest.raises(BadInput) as refusal:
        load_steps(f"- {step}", header=header)
    found = [(problem.where, problem.message) for problem in refusal.value.problems]
    line, column = place.split(":")
    shifted = f"f.yaml:{line}:{int(column) + 2}"  # the steps are indented by two
    assert any(where == shifted and message in text for where, text in found), found


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("name: x\nsteps: [{rest: {for: 1 s}}]", "f.yaml:1:1", "'protocol' is missing"),
        ("protocol: 2\nname: x\nsteps: [{rest: {for: 1 s}}]", "f.yaml:1:11", "expected 1"),
        ("protocol: 1\nname: x", "f.yaml:1:1", "'steps' is missing"),
        ("protocol: 1\nname: x\nsteps: []", "f.yaml:3:8", "expected at least one step"),
        ("protocol: 1\nname: x\nsteps: 3", "f.yaml:3:8", "steps: got 3, expected a list"),
        ("- protocol", "f.yaml:1:1", "expected a mapping"),
        ("protocol: 1\nname: x\ncell: {area: 5}\nsteps: []", "f.yaml:3:14", "without a unit"),
        ("protocol: 1\nname: x\nsafety: {voltage: [4 V, 2 V]}\nsteps: []", "f.yaml:3:19", "lower"),
        ("protocol: 1\nname: x\nsafety: {voltage: 4 V}\nsteps: []", "f.yaml:3:19", "two values"),
        ("protocol: 1\nname: x\nsteps: []\nfinally: []", "f.yaml:4:1", "not supported yet"),
        ("protocol: 1\nname: x\nstep: []\nsteps: []", "f.yaml:3:1", "unknown key 'step'"),
    ],
)
def test_a_bad_header_is_refused_at_its_place(text: str, where: str, message: str):
    with pytest.raises(BadInput) as refusal:
        loads_protocol(text, file_name="f.yaml")
    found = [(problem.where, problem.message) for problem in refusal.value.problems]
    assert any(where == place and message in words for place, words in found), found


@pytest.mark.parametrize("key", ["steps", "name", "protocol"])
def test_what_is_missing_from_a_file_is_the_example(key: str):
    lines = {"protocol": "protocol: 1", "name": "name: x", "steps": "steps: [{rest: {for: 1 s}}]"}
    text = "\n".join(line for name, line in lines.items() if name != key)
    with pytest.raises(BadInput) as refusal:
        loads_protocol(text, file_name="f.yaml")
    [example] = [one.example for one in refusal.value.problems if "is missing" in one.message]
    assert example.startswith(f"{key}: ")
    loads_protocol("\n".join([text, example]), file_name="f.yaml")


def test_a_c_rate_needs_a_capacity_and_a_current_density_an_area(load_steps):
    header = "protocol: 1\nname: x\nsafety: {voltage: [0 V, 5 V]}\n"
    with pytest.raises(BadInput) as refusal:
        load_steps("- charge: {at: C/2, for: 1 h}\n- charge: {at: 1 mA/cm^2, for: 1 h}", header)
    rate, density = refusal.value.problems
    assert rate.message == "C/2 needs the cell's rated capacity, which nobody gave"
    assert rate.example == "cell: {capacity: 2 mAh}"
    assert density.message == "1 mA/cm^2 needs the cell's area, which nobody gave"


@pytest.mark.parametrize(
    "step",
    [
        "charge: {at: 1 mA, for: 1 h}",
        "eis: {from: 1 kHz, to: 1 Hz, amplitude: 10 mV}",
        "set_temperature: {to: 25 degC, stable: {impedance: 1 %, at: 1 kHz, every: 1 min}}",
    ],
)
def test_a_cell_is_never_driven_without_stated_voltage_limits(load_steps, step):
    header = "protocol: 1\nname: x\n"
    with pytest.raises(
        BadInput, match="the voltage limits are missing, and line 4 drives the cell"
    ):
        load_steps(f"- {step}", header)
    assert load_steps("- rest: {for: 1 h}", header).instructions


def test_a_misspelt_word_brings_the_nearest_one_and_an_example(load_steps):
    with pytest.raises(BadInput) as refusal:
        load_steps("- charge: {at: 1 mA, unitl: 4 V, for: 1 h}")
    (problem,) = refusal.value.problems
    assert problem.suggestion == "until"
    assert problem.example == "charge: {at: C/2, until: 4.2 V}"


def test_all_problems_come_at_once_in_the_order_of_the_file(load_steps):
    with pytest.raises(BadInput) as refusal:
        load_steps("""
            - charge: {at: C/2, until: 9 V}
            - dischrage: {at: C/2, until: 3 V}
            - rest: {for: 10}
            - repeat: 3
              steps: [{hold: {at: 8 V, for: 1 h}}]
            """)
    lines = [problem.where.split(":")[1] for problem in refusal.value.problems]
    assert lines == ["6", "7", "8", "10"]


def test_the_example_of_a_problem_with_a_key_is_itself_valid(load_steps):
    from rig.protocol import models

    shown = [
        model.example
        for model in vars(models).values()
        if isinstance(model, type)
        and issubclass(model, models.Ending | models.Eis | models.SetTemperature)
        and model.example
    ]
    assert len(shown) >= 7
    for example in shown:
        assert load_steps(f"- {example}").instructions


def test_a_file_that_cannot_be_read_is_bad_input(tmp_path):
    with pytest.raises(BadInput, match="cannot be read"):
        load_protocol(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"name: \xe4")
    with pytest.raises(BadInput, match="not UTF-8 text: byte 0xe4 at 6"):
        load_protocol(tmp_path / "latin.yaml")


def test_a_problem_reads_as_file_line_column_reason_and_remedy():
    text = "protocol: 1\nname: x\nsteps: [{rest: {fro: 1 s}}]"
    with pytest.raises(BadInput) as refusal:
        loads_protocol(text, file_name="f.yaml")
    unknown = refusal.value.problems[-1]
    assert unknown == Problem(
        "f.yaml:3:17", "unknown key 'fro', expected one of until, for", "rest: {for: 10 min}", "for"
    )


def test_a_decimal_comma_in_braces_is_named():
    text = "protocol: 1\nname: x\nsteps:\n  - charge: {at: 1 mA, until: 2,8 V}\n"
    with pytest.raises(BadInput) as caught:
        loads_protocol(text, file_name="f.yaml")
    assert "unknown key '8 V': the rest of a decimal comma? write a point" in str(caught.value)
