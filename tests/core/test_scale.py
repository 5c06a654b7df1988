"""Two points of a straight line: as data sheets of transmitters and calibrations of load cells say it."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rig.core.errors import BadInput
from rig.core.scale import Scale, read_scale

NUMBERS = st.floats(-1e6, 1e6)


@given(st.tuples(NUMBERS, NUMBERS), st.tuples(NUMBERS, NUMBERS), st.floats(0.0, 1.0))
def test_what_a_value_is_sent_as_means_that_value(one, other, part):
    assume(abs(one[0] - other[0]) > 1e-3 and abs(one[1] - other[1]) > 1e-3)
    scale = Scale(one[0], one[1], other[0], other[1])
    value = one[1] + part * (other[1] - one[1])
    assert scale.value(scale.raw(value)) == pytest.approx(value, abs=1e-5 * abs(other[1] - one[1]))


def test_a_transmitter_is_read_with_its_units_in_whatever_order():
    points = {"10 V": "20 degC", "0 mV": "-100 degC"}
    scale = read_scale(points, "voltage", "temperature", "daq-1", "")
    assert scale == Scale(0.0, -100.0, 10.0, 20.0)
    assert scale.value(4.0) == pytest.approx(-52.0)


def test_a_falling_line_falls():
    scale = read_scale({"8412": "100 N", "152034": "0 N"}, "", "force", "load-1", "")
    assert scale.value(152034.0) == 0.0
    assert scale.value(8412.0) == 100.0


@pytest.mark.parametrize(
    ("points", "said"),
    [
        (None, "expected two points"),
        ({"0 V": "0 Pa"}, "expected two points"),
        ([1, 2], "expected two points"),
        ({"0 V": "0 Pa", "0 mV": "1 Pa"}, "differ in both"),
        ({"0 V": "1 Pa", "1 V": "1 Pa"}, "differ in both"),
        ({"0": "0 Pa", "10 V": "1 Pa"}, "without a unit"),
        ({"0 V": "0 Pa", "10 V": "1 N"}, "expected a pressure"),
    ],
)
def test_what_is_no_line_is_refused(points, said):
    with pytest.raises(BadInput, match=said):
        read_scale(points, "voltage", "pressure", "daq-1", "{0 V: 0 Pa, 10 V: 1 MPa}")


def test_everything_wrong_is_said_at_once_and_where():
    with pytest.raises(BadInput) as caught:
        read_scale({"many": "0", "nan": "3 V"}, "", "force", "load-1, scale", "")
    text = str(caught.value)
    assert text.count("load-1, scale: ") == 4
    assert "expected a plain number" in text
