"""The script commands of MethodSCRIPT and what each expects, as one table; knows nothing else."""

from __future__ import annotations

from enum import Enum, auto


class Kind(Enum):
    """What a command expects in one place."""

    OUT = auto()  # a declared variable that is written
    IN = auto()  # a number or a declared variable
    TYPE = auto()  # a variable type such as ``ab``
    TEXT = auto()  # "text" or f"text {variable}"
    COMPARISON = auto()
    NEW = auto()  # a name that is declared here
    ARRAY = auto()  # a declared array


_OUT, _IN, _TYPE, _NEW = Kind.OUT, Kind.IN, Kind.TYPE, Kind.NEW
_CONDITION = (_IN, Kind.COMPARISON, _IN)
MEASUREMENT_LOOPS: dict[str, tuple[Kind, ...]] = {
    "meas_loop_ca": (_OUT, _OUT, _IN, _IN, _IN),
    "meas_loop_cp": (_OUT, _OUT, _IN, _IN, _IN),
    "meas_loop_ocp": (_OUT, _IN, _IN),
    "meas_loop_lsv": (_OUT, _OUT, _IN, _IN, _IN, _IN),
    "meas_loop_lsp": (_OUT, _OUT, _IN, _IN, _IN, _IN),
    "meas_loop_cv": (_OUT, _OUT, _IN, _IN, _IN, _IN, _IN),
    "meas_loop_eis": (_OUT, _OUT, _OUT, _IN, _IN, _IN, _IN, _IN),
    "meas_loop_geis": (_OUT, _OUT, _OUT, _IN, _IN, _IN, _IN, _IN),
}
SIGNATURES: dict[str, tuple[Kind, ...]] = {
    "var": (_NEW,),
    "array": (_NEW, _IN),
    "store_var": (_OUT, _IN, _TYPE),
    "copy_var": (_IN, _OUT),
    "add_var": (_OUT, _IN),
    "sub_var": (_OUT, _IN),
    "mul_var": (_OUT, _IN),
    "div_var": (_OUT, _IN),
    "alter_vartype": (_OUT, _TYPE),
    "mean": (Kind.ARRAY, _OUT),
    "loop": _CONDITION,
    "endloop": (),
    "breakloop": (),
    "if": _CONDITION,
    "elseif": _CONDITION,
    "else": (),
    "endif": (),
    "on_finished:": (),
    "abort": (),
    "wait": (_IN,),
    "set_int": (_IN,),
    "await_int": (),
    "timer_start": (),
    "timer_get": (_OUT,),
    "send_string": (Kind.TEXT,),
    "set_script_output": (_IN,),
    "set_pgstat_chan": (_IN,),
    "set_pgstat_mode": (_IN,),
    "set_max_bandwidth": (_IN,),
    "set_acquisition_frac_autoadjust": (_IN,),
    "set_range": (_TYPE, _IN),
    "set_autoranging": (_TYPE, _IN, _IN),
    "set_range_minmax": (_TYPE, _IN, _IN),
    "set_e": (_IN,),
    "set_i": (_IN,),
    "cell_on": (),
    "cell_off": (),
    "meas": (_IN, _OUT, _TYPE),
    "pck_start": (),
    "pck_add": (_IN,),
    "pck_end": (),
    **MEASUREMENT_LOOPS,
}
# command -> its optional argument, written as ``word(operand)`` and appended to the others
OPTIONS = {"cell_on": "ocp", "meas_loop_cv": "nscans"}
