"""Circuits: reading them, their impedance, and their derivatives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.analysis.circuit import Circuit, Element, Parallel, Series
from rig.analysis.circuit_elements import KINDS, ElementKind, register_element
from rig.analysis.circuit_text import parse_circuit
from rig.core.errors import BadInput

FREQUENCIES = np.logspace(-2, 6, 17)
TYPICAL = {
    "resistance": (0.01, 1e5),
    "capacitance": (1e-12, 1.0),
    "inductance": (1e-9, 1e-4),
    "time": (1e-7, 1e3),
    "warburg": (0.1, 1e3),
    "alpha": (0.4, 1.0),
}

ROOT_J = (1 + 1j) / np.sqrt(2)
AT_Y = 1 + ROOT_J
# One element of each kind at omega = 1 rad/s with every parameter 1 (alpha 0.5), by hand:
# coth(sqrt j)/sqrt j and tanh(sqrt j)/sqrt j from their series.
AT_ONE_RADIAN = {
    "R": 1.0,
    "C": -1j,
    "L": 1j,
    "W": 1 - 1j,
    "CPE": (1 - 1j) / np.sqrt(2),
    "Wo": -1j + 1 / 3 - 1j / 45 - 2 / 945 + 1j / 4725,
    "G": 1 / np.sqrt(1 + 1j),
    "ZARC": 1 / (1 + (1 + 1j) / np.sqrt(2)),
    # Rion = Rct = Q = 1: x^2 = Y = 1 + sqrt(j), or sqrt(j); coth(x)/x = 1/x^2 + 1/3 - x^2/45 + ...
    "TLM": 1 / AT_Y + 1 / 3 - AT_Y / 45 + 2 * AT_Y**2 / 945 - AT_Y**3 / 4725 + 2 * AT_Y**4 / 93555,
    "TLMQ": 1 / ROOT_J + 1 / 3 - ROOT_J / 45 + 2 * ROOT_J**2 / 945 - ROOT_J**3 / 4725,
    "Ws": 1 - 1j / 3 - 2 / 15 + 17j / 315 + 62 / 2835 - 1382j / 155925 - 21844 / 6081075,
}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_element_has_its_textbook_impedance(kind: str) -> None:
    circuit = parse_circuit(f"{kind}1")
    values = [0.5 if parameter.exponent else 1.0 for parameter in circuit.parameters]
    impedance = circuit.impedance([1 / (2 * np.pi)], values)[0]
    assert impedance == pytest.approx(AT_ONE_RADIAN[kind], rel=2e-3)


def test_series_adds_impedances_and_parallel_adds_admittances() -> None:
    # S5: three ZARCs in series, check values to 1e-5
    circuit = parse_circuit("p(R1,CPE1)-p(R2,CPE2)-p(R3,CPE3)")
    values = [276.8, 6e-11, 0.98, 106.1, 2e-8, 0.90, 50, 3e-6, 0.85]
    expected = [
        290.49138 - 51.72535j,
        368.67268 - 35.69539j,
        395.97117 - 22.02651j,
        427.57595 - 11.03826j,
        432.41402 - 1.78821j,
        432.83827 - 0.25515j,
    ]
    impedance = circuit.impedance([1e6, 1e5, 1e4, 1e3, 1e2, 10], values)
    np.testing.assert_allclose(impedance, expected, rtol=1e-5)


def test_a_branch_may_be_a_chain() -> None:
    circuit = parse_circuit("R0-p(R2-Wo1,C2)")
    assert circuit.names == ("R0", "R2", "Wo1_Z0", "Wo1_tau", "C2")
    branch = parse_circuit("R2-Wo1").impedance(FREQUENCIES, [2.0, 3.0, 0.1])
    capacitor = parse_circuit("C2").impedance(FREQUENCIES, [1e-4])
    expected = 1.0 + 1 / (1 / branch + 1 / capacitor)
    np.testing.assert_allclose(
        circuit.impedance(FREQUENCIES, [1.0, 2.0, 3.0, 0.1, 1e-4]), expected, rtol=1e-12
    )


def test_impedance_py_spells_the_second_parameter_with_an_index() -> None:
    circuit = parse_circuit("R0-p(R1,CPE1)")
    assert circuit.position("CPE1_1") == circuit.position("CPE1_alpha")


def test_an_unknown_parameter_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(BadInput, match="did you mean 'CPE1_alpha'"):
        parse_circuit("R0-p(R1,CPE1)").position("CPE1_alfa")


def test_the_wrong_number_of_values_is_refused_with_the_names() -> None:
    with pytest.raises(BadInput, match=r"got 1, expected 2 values \(R1, C1\)"):
        parse_circuit("p(R1,C1)").impedance([1.0], [5.0])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "column 1: got the end, expected an element"),
        ("R0-", "column 4: got the end"),
        ("R0-p(R1)", "expected ',' and another branch"),
        ("R0-p(R1,C1", "column 11: got the end, expected ',' or ')'"),
        ("R0)R1", "column 3: got ')'"),
        ("R0 R1", "column 4: got 'R1'"),
        ("R0-R0", "R0 stands 2 times"),
        ("R0-Q1-X2", "column 4: got 'Q1'"),
        ("R0-__import__('os')", "got '_'"),
    ],
)
def test_bad_circuit_text_is_refused_with_its_column(text: str, complaint: str) -> None:
    with pytest.raises(BadInput) as refusal:
        parse_circuit(text)
    assert complaint in str(refusal.value)


def test_all_unknown_elements_come_in_one_message() -> None:
    with pytest.raises(BadInput) as refusal:
        parse_circuit("Q1-R0-p(X2,C2)-R0")
    assert len(refusal.value.problems) == 3


@st.composite
def circuits(draw: st.DrawFn) -> Circuit:
    numbers = iter(range(1000))

    def element() -> Element:
        kind = draw(st.sampled_from(sorted(KINDS)))
        return Element(kind, f"{kind}{next(numbers)}")

    def chain(depth: int) -> Series:
        count = draw(st.integers(1, 3))
        return Series(tuple(part(depth) for _ in range(count)))

    def part(depth: int) -> Element | Parallel:
        if depth == 0 or draw(st.booleans()):
            return element()
        return Parallel(tuple(chain(depth - 1) for _ in range(draw(st.integers(2, 3)))))

    return Circuit(chain(2))


@given(circuits())
def test_a_written_circuit_reads_back_as_itself(circuit: Circuit) -> None:
    assert parse_circuit(str(circuit)) == circuit


@given(circuits())
def test_blanks_mean_nothing(circuit: Circuit) -> None:
    spaced = str(circuit).replace("-", " - ").replace(",", " , ").replace("p(", "p ( ")
    assert parse_circuit(spaced) == circuit


@given(circuits(), st.integers(0, 2**32 - 1))
def test_derivatives_agree_with_finite_differences(circuit: Circuit, seed: int) -> None:
    low, high = np.array([TYPICAL[parameter.kind] for parameter in circuit.parameters]).T
    share = np.random.default_rng(seed).uniform(0.1, 0.9, size=len(low))
    values = np.exp(np.log(low) + share * np.log(high / low))
    impedance, jacobian = circuit.impedance_and_jacobian(FREQUENCIES, values)
    for position, value in enumerate(values):
        step = 1e-5 * value
        up, down = values.copy(), values.copy()
        up[position] += step
        down[position] -= step
        numeric = circuit.impedance(FREQUENCIES, up) - circuit.impedance(FREQUENCIES, down)
        # both sides as change of impedance per relative change of the value
        np.testing.assert_allclose(
            jacobian[:, position] * value,
            numeric / 2e-5,
            rtol=1e-4,
            atol=1e-8 * np.abs(impedance).max(),
        )


@given(circuits(), st.integers(0, 2**32 - 1))
def test_many_sets_of_values_at_once_are_each_by_itself(circuit: Circuit, seed: int) -> None:
    low, high = np.array([TYPICAL[parameter.kind] for parameter in circuit.parameters]).T
    shares = np.random.default_rng(seed).uniform(0.1, 0.9, size=(3, len(low)))
    values = np.exp(np.log(low) + shares * np.log(high / low))
    own = FREQUENCIES * np.array([[1.0], [1.5], [2.0]])
    impedance, jacobian = circuit.impedance_and_jacobian(own, values)
    for row in range(3):
        alone = circuit.impedance_and_jacobian(own[row], values[row])
        np.testing.assert_allclose(impedance[row], alone[0], rtol=1e-12)
        np.testing.assert_allclose(jacobian[row], alone[1], rtol=1e-9)


def test_like_parts_are_evaluated_together_and_each_keeps_its_place() -> None:
    circuit = parse_circuit("p(R1,CPE1)-R0-p(CPE2,R2)-p(R3,CPE3)-L0-p(R4-Wo1,CPE4)-R5")
    values = np.array([TYPICAL[parameter.kind][0] for parameter in circuit.parameters])
    values = values * np.linspace(1.0, 1.7, len(values))
    s = 2j * np.pi * FREQUENCIES
    impedance, by_value = circuit.sensitivities(s, np.stack([values, 1.1 * values]))
    alone = circuit.impedance_and_jacobian(FREQUENCIES, values)
    np.testing.assert_allclose(impedance[0], alone[0], rtol=1e-12)
    np.testing.assert_allclose(by_value[0].T, alone[1], rtol=1e-9)


def test_a_porous_electrode_ends_in_a_third_of_its_ions_resistance_and_its_transfer() -> None:
    # Direct current through a pore of even conduction: Rion/3 + Rct for Rct >> Rion.
    slow = parse_circuit("TLM1").impedance([1e-9], [30.0, 3000.0, 1e-3, 0.9])[0]
    assert slow.real == pytest.approx(3010.0, rel=1e-3)
    blocking = parse_circuit("TLMQ1").impedance([1e-5], [30.0, 1e-3, 1.0])[0]
    assert blocking.real == pytest.approx(10.0, rel=1e-5)


def havriliak_negami(s, v):  # type: ignore[no-untyped-def]
    inner = 1.0 + (s * v[1]) ** 0.8
    shape = inner ** -v[2]
    by_tau = -v[0] * v[2] * shape / inner * 0.8 * (s * v[1]) ** 0.8 / v[1]
    return v[0] * shape, [shape, by_tau, -v[0] * shape * np.log(inner)]


SKEWED = (("R", "ohm", "resistance"), ("tau", "s", "time"), ("beta", "1", "alpha"))


def test_an_element_of_ones_own_is_a_word_of_circuits_and_is_never_evaluated_text() -> None:
    kind = ElementKind("Skewed", "R / (1 + (s tau)^0.8)^beta", SKEWED, havriliak_negami)
    register_element(kind)
    try:
        circuit = parse_circuit("R0-Skewed1")
        assert circuit.names == ("R0", "Skewed1_R", "Skewed1_tau", "Skewed1_beta")
        slow = circuit.impedance([1e-9], [5.0, 40.0, 1e-3, 0.7])[0]
        assert slow == pytest.approx(45.0, rel=1e-4)
        register_element(kind)  # the same once more changes nothing
    finally:
        del KINDS["Skewed"]


@pytest.mark.parametrize(
    ("symbol", "parameters", "complaint"),
    [
        ("R", SKEWED, "is taken"),
        ("S2", SKEWED, "letters only"),
        ("Skewed", (("R", "ohm", "resistence"), *SKEWED[1:]), "got kind 'resistence'"),
        ("Skewed", SKEWED[:2], "got shapes"),
        ("Skewed", (SKEWED[0], SKEWED[1], ("beta", "1", "time")), None),
    ],
)
def test_an_element_that_cannot_be_one_is_refused(
    symbol: str, parameters: tuple[tuple[str, str, str], ...], complaint: str | None
) -> None:
    def formula(s, v):  # type: ignore[no-untyped-def]
        impedance, (by_r, by_tau, by_beta) = havriliak_negami(s, v if len(v) > 2 else [*v, 0.7])
        return impedance, [by_r, by_tau, 2.0 * by_beta]

    with pytest.raises(BadInput, match=complaint or "derivative by beta is not"):
        register_element(ElementKind(symbol, "", parameters, formula))
    assert "Skewed" not in KINDS
