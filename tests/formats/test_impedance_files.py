"""Files of potentiostats: public ones to the digit, our own writing of each layout, and broken ones."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.core.errors import BadInput
from rig.formats.eis import holds_spectra, load_spectra
from rig.formats.eis.assemble import spectra
from rig.formats.eis.labelled import read_table
from rig.formats.eis.labels import column

DATA = Path(os.environ.get("RIG_TEST_DATA", Path(__file__).parents[2] / "../shared/data"))
HERTZ = np.geomspace(1e5, 1.0, 26)
OHM = 12.0 + 100.0 / (1.0 + (2j * np.pi * HERTZ * 1e-3) ** 0.9)

# file, maker, points, first frequency and impedance, last ones (the data folder's README)
PUBLIC = [
    ("exampleData.csv", "table", 66, 0.0031623, 0.0494999 - 0.0204387j, 1e4, 0.0157715 + 0.0101575j),
    ("exampleDataAutolab.txt", "Autolab (Z60W)", 41, 1e4, 0.0137859 + 0.00719195j, 0.1,
     0.0345698 - 0.00390293j),
    ("exampleDataBioLogic.mpt", "BioLogic", 43, 1000.32, 65.4709 - 0.38999j, 0.0168955,
     110.97 - 2.34586j),
    ("exampleDataCHInstruments.txt", "CH Instruments", 73, 99610, 98.91 - 2.748j, 0.1,
     5685 - 15860j),
    ("exampleDataGamry.DTA", "Gamry", 72, 200016, 825.858 - 1367.24j, 0.0158898,
     17007.5 - 6635.56j),
    ("exampleDataParstat.txt", "PARSTAT", 31, 1e4, -0.000498163 + 0.0175143j, 10,
     0.0270946 - 0.00399791j),
    ("exampleDataPowersuite.txt", "PowerSuite", 30, 0.1, 423929 - 49014.1j, 2e6,
     -470.541 - 1397.74j),
    ("exampleDataVersaStudio.par", "VersaStudio", 61, 1e5, 55.3157 + 4.57543j, 0.0215444,
     1516.31 - 122.828j),
    ("exampleDataZPlot.z", "ZPlot", 21, 3e5, 147.77 - 11.335j, 3000, 613.68 - 137.13j),
    ("PEIS_LPSCl_IonBlocking_-25C_RelaxIS.txt", "RelaxIS", 79, 0.10002181,
     1799427.6 - 8093785.5j, 7.0000185e6, 359.24145 - 290.92038j),
]  # fmt: skip


def refusal(path: Path) -> str:
    with pytest.raises(BadInput) as caught:
        load_spectra(path)
    return f"{caught.value} / {caught.value.remedy}"


def written(folder: Path, text: str, name: str = "a.txt", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def rows(separator: str = ",", comma: bool = False, sign: float = 1.0) -> str:
    lines = [
        separator.join(f"{value:.8e}" for value in (hertz, ohm.real, sign * ohm.imag))
        for hertz, ohm in zip(HERTZ, OHM, strict=True)
    ]
    text = "\n".join(lines) + "\n"
    return text.replace(".", ",") if comma else text


@pytest.mark.parametrize(
    ("name", "vendor", "points", "first_hertz", "first_ohm", "last_hertz", "last_ohm"),
    PUBLIC,
    ids=[row[1] for row in PUBLIC],
)
def test_a_public_file_gives_its_known_points(  # noqa: PLR0917
    name: str,
    vendor: str,
    points: int,
    first_hertz: float,
    first_ohm: complex,
    last_hertz: float,
    last_ohm: complex,
    tmp_path: Path,
) -> None:
    path = DATA / "eis" / name
    if not path.is_file():
        pytest.skip(f"no public data at {DATA}; set RIG_TEST_DATA")
    disguised = tmp_path / "spectrum.dat"  # content decides, not the name
    disguised.write_bytes(path.read_bytes())
    (one,) = load_spectra(disguised)
    assert (one.vendor, len(one)) == (vendor, points)
    assert one.frequency_hertz[[0, -1]] == pytest.approx([first_hertz, last_hertz], rel=1e-5)
    assert one.impedance_ohm[[0, -1]] == pytest.approx([first_ohm, last_ohm], rel=1e-5)


@pytest.mark.parametrize("name", [row[0] for row in PUBLIC])
def test_a_public_file_cut_off_in_its_last_row_is_refused_with_the_line(
    name: str, tmp_path: Path
) -> None:
    path = DATA / "eis" / name
    if not path.is_file():
        pytest.skip(f"no public data at {DATA}; set RIG_TEST_DATA")
    lines = path.read_bytes().rstrip().splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if b"</Segment1>" in line) if ".par" in name else -1
    kept = lines[: at - 1] if at > 0 else lines[:-1]
    last = lines[at - 1 if at > 0 else -1]
    cut = tmp_path / name
    cut.write_bytes(b"".join(kept) + last[:14].rstrip(b",\t ").rsplit(b",", 1)[0])
    assert "cut off" in refusal(cut)


@pytest.mark.parametrize(
    ("header", "separator", "comma", "sign"),
    [
        ("frequency_hertz,real_impedance_ohm,imaginary_impedance_ohm\n", ",", False, 1),
        ("\ufeffFrequency (Hz);Z' (Ω);-Z'' (Ω)\n", ";", True, -1),
        ("freq/Hz\tRe(Z)/Ohm\t-Im(Z)/Ohm\n", "\t", False, -1),
        ("Frequency / Hz,Real Impedance / ohm,Imaginary Impedance / ohm\n", ",", False, 1),
        ("f\tZre\tZim\nHz\tohm\tohm\n", "\t", True, 1),
        ("", " ", False, 1),
    ],
    ids=["plain", "NOVA, decimal commas", "EC-Lab columns", "BDF", "units below", "headless"],
)
def test_columns_are_known_by_their_labels(
    header: str, separator: str, comma: bool, sign: float, tmp_path: Path
) -> None:
    (one,) = load_spectra(written(tmp_path, header + rows(separator, comma, sign)))
    assert one.frequency_hertz == pytest.approx(HERTZ)
    assert one.impedance_ohm == pytest.approx(OHM)


def test_kiloohm_and_kilohertz_are_converted_and_it_is_said(tmp_path: Path) -> None:
    text = "f (kHz),Z' (kOhm),Z'' (kOhm)\n" + rows()
    (one,) = load_spectra(written(tmp_path, text))
    assert one.impedance_ohm == pytest.approx(1000 * OHM)
    assert one.frequency_hertz == pytest.approx(1000 * HERTZ)
    assert len(one.statements) == 3
    assert "'Z' (kOhm)' converted to ohm (x 1000)" in one.statements[1].replace('"', "'")


def test_modulus_and_phase_will_do(tmp_path: Path) -> None:
    polar = zip(HERTZ, np.abs(OHM), -np.angle(OHM, deg=True), strict=True)
    text = "Frequency(Hz),|Z| (ohm),-Phase (deg)\n" + "\n".join(
        ",".join(f"{value:.9e}" for value in row) for row in polar
    )
    (one,) = load_spectra(written(tmp_path, text))
    assert one.impedance_ohm == pytest.approx(OHM)


def ec_lab(body: str, technique: str = "Potentio Electrochemical Impedance Spectroscopy") -> str:
    labels = "freq/Hz\tRe(Z)/Ohm\t-Im(Z)/Ohm\ttime/s\tcycle number\t\n"
    head = f"EC-Lab ASCII FILE\nNb header lines : 7\n\n{technique}\nDevice : SP-200 µ\n\n"
    return head + labels + body


def ec_lab_rows(cycle: int, comma: bool = False) -> str:
    lines = [
        f"{hertz:.7E}\t{ohm.real:.7E}\t{-ohm.imag:.7E}\t{count + 100 * cycle}\t{cycle}.0"
        for count, (hertz, ohm) in enumerate(zip(HERTZ, OHM, strict=True))
    ]
    text = "\n".join(lines) + "\n"
    return text.replace(".", ",") if comma else text


def test_loops_of_one_file_are_spectra_of_their_own(tmp_path: Path) -> None:
    text = ec_lab(ec_lab_rows(1, comma=True) + ec_lab_rows(2, comma=True))
    found = load_spectra(written(tmp_path, text, "a.mpt", "cp1252"))
    assert [(one.number, len(one), one.vendor) for one in found] == [
        (1, 26, "BioLogic"),
        (2, 26, "BioLogic"),
    ]
    assert found[1].time_second is not None
    assert found[1].time_second[0] == 200.0
    assert found[0].metadata["technique"].startswith("Potentio")


def test_a_sweep_that_begins_anew_is_another_spectrum_without_any_counter(tmp_path: Path) -> None:
    header = "frequency_hertz,real_impedance_ohm,imaginary_impedance_ohm\n"
    assert [len(one) for one in load_spectra(written(tmp_path, header + rows() + rows()))] == [
        26,
        26,
    ]


def test_rows_at_zero_frequency_are_left_out_and_counted(tmp_path: Path) -> None:
    text = ec_lab("0\t0\t0\t1\t1\n0\t0\t0\t2\t1\n" + ec_lab_rows(1))
    (one,) = load_spectra(written(tmp_path, text))
    assert len(one) == 26
    assert one.statements == ("2 rows at zero frequency (direct current) left out",)


def test_repeated_points_of_our_own_export_are_kept_apart(tmp_path: Path) -> None:
    head = "spectrum_count,frequency_hertz,real_impedance_ohm,imaginary_impedance_ohm,repeated\n"
    own = "".join(f"3,{line},False\n" for line in rows().splitlines())
    again = "".join(f"3,{line},True\n" for line in rows().splitlines()[-3:])
    (one,) = load_spectra(written(tmp_path, head + own + again))
    assert (one.vendor, len(one), len(one.repeated_hertz)) == ("cellrig", 26, 3)
    assert one.repeated_ohm == pytest.approx(OHM[-3:])


def test_spectra_beside_one_another_are_taken_apart(tmp_path: Path) -> None:
    label = "Freq/Hz;Z'/ohm;Z''/ohm"
    lines = [f"{line};{line}" for line in rows(";").splitlines()]
    text = (
        f"{label};{label}\n" + "\n".join(lines[:20]) + "\n" + "\n".join(rows(";").splitlines()[20:])
    )
    found = load_spectra(written(tmp_path, text))
    assert [len(one) for one in found] == [26, 20]


def test_a_gamry_loop_has_one_table_a_spectrum(tmp_path: Path) -> None:
    table = "\tPt\tFreq\tZreal\tZimag\n\t#\tHz\tohm\tohm\n" + "".join(
        f"\t{at}\t{line}\n" for at, line in enumerate(rows("\t", comma=True).splitlines())
    )
    text = "EXPLAIN\nTAG\tEISPOT\nZCURVE1\tTABLE\t26\n" + table + "ZCURVE2\tTABLE\t26\n" + table
    found = load_spectra(written(tmp_path, text, "a.DTA"))
    assert [one.vendor for one in found] == ["Gamry", "Gamry"]
    assert found[1].impedance_ohm == pytest.approx(OHM)
    short = text[: text.rindex("\t20\t")]
    assert "26 points announced, 20 found" in refusal(written(tmp_path, short, "b.DTA"))


# --- refused -------------------------------------------------------------------------------------

HEADER = "frequency_hertz,real_impedance_ohm,imaginary_impedance_ohm\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file is empty"),
        (HEADER, "0 rows"),
        (HEADER + "1000,10,-1\n", "a spectrum of 1 points, expected at least 4"),
        (HEADER + rows() + "0.5,nan,-3\n", "line 28: real_impedance_ohm is 'nan'"),
        (HEADER + rows() + "0.5,12,oops\n", "line 28: imaginary_impedance_ohm is 'oops'"),
        (HEADER + rows() + "0.5,12", "line 28: has 2 of 3 values: is the file cut off"),
        (HEADER + rows() + "1.0,112,-0.6\n", "measured more than once at 1 Hz"),
        (HEADER + rows() + "-0.5,112,-0.6\n", "got -0.5 Hz, expected above zero"),
        (HEADER + rows() + "0.5,0,0\n", "exactly zero"),
        ("Freq/Hz,Z' (ohm cm2),Z'' (ohm cm2)\n" + rows(), "divide by the area"),
        (HEADER + rows(sign=-1.0), "upside down"),
        ("test_time_second,voltage_volt\n0,3.7\n", "no impedance spectrum found"),
        (HEADER.replace("frequency_hertz", "frequncy_hertz") + rows(), "is 'frequncy_hertz' the"),
        ("EXPLAIN\nTAG\tCV\nCURVE\tTABLE\t3\n", "a Gamry file (CV) without a ZCURVE"),
        ("EC-Lab ASCII FILE\nNb header lines : 60\n\nPEIS\n", "ends after 4: cut off"),
        ("ZPLOT2 ASCII\n Date: 1-1-2020\n", "without its line 'End Comments'"),
        ("<Application>\nName=VersaStudio\n<Segment1>\nType=2\n", "never ends"),
    ],
    ids=lambda value: value[:28] if " " in value else None,
)
def test_what_is_wrong_is_said_with_its_place(text: str, words: str, tmp_path: Path) -> None:
    assert words in refusal(written(tmp_path, text))


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    spoilt = HEADER + rows() + "0.5,nan,-3\n0.4,x,y\n"
    message = refusal(written(tmp_path, spoilt))
    assert "line 28" in message
    assert "line 29" in message


def test_a_binary_file_and_one_that_is_not_there_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(bytes(range(256)))
    assert "binary" in refusal(path)
    assert "cannot be read" in refusal(tmp_path / "none.csv")


def test_a_binary_file_of_another_technique_is_refused() -> None:
    path = DATA / "cycling" / "navani_gcpl_5cycles.mpr"
    if not path.is_file():
        pytest.skip(f"no public data at {DATA}; set RIG_TEST_DATA")
    pytest.importorskip("galvani")
    assert "no columns of an impedance" in refusal(path)


def test_an_upside_down_file_is_turned_when_asked(tmp_path: Path) -> None:
    (one,) = load_spectra(written(tmp_path, HEADER + rows(sign=-1.0)), negated=True)
    assert one.impedance_ohm == pytest.approx(OHM)
    assert any("turned round" in statement for statement in one.statements)


@pytest.mark.parametrize("ohm", [5.0 + 3e-6j * HERTZ, 5.0 - 3.0 / (1 + 2j * np.pi * HERTZ * 1e-3)])
def test_an_inductor_and_an_inductive_loop_are_not_upside_down(
    ohm: np.ndarray[tuple[int], np.dtype[np.complex128]], tmp_path: Path
) -> None:
    lines = [f"{f},{z.real},{z.imag}" for f, z in zip(HERTZ, ohm, strict=True)]
    assert len(load_spectra(written(tmp_path, HEADER + "\n".join(lines)))) == 1


def test_other_tables_hold_no_spectra(tmp_path: Path) -> None:
    table = "temperature_celsius,resistance_ohm\n25,1\n"
    assert not holds_spectra(written(tmp_path, table))
    assert holds_spectra(written(tmp_path, HEADER + rows()))


# --- properties ----------------------------------------------------------------------------------


@given(
    st.lists(st.floats(-6.0, 8.0), min_size=4, max_size=30, unique_by=lambda x: round(x, 3)),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from([1.0, 1e3, 1e6]),
)
def test_what_is_written_is_read(decades: list[float], separator: str, factor: float) -> None:
    hertz = 10.0 ** np.sort(np.array(decades))
    ohm = 3.0 + 1.0 / (1.0 + 1j * hertz)
    unit = {1.0: "ohm", 1e3: "kOhm", 1e6: "MOhm"}[factor]
    label = separator.join(("Freq/Hz", f"Z'/{unit}", f"Z''/{unit}"))
    body = [separator.join(map(repr, row)) for row in
            zip(hertz.tolist(), ohm.real.tolist(), ohm.imag.tolist(), strict=True)]  # fmt: skip
    lines = list(enumerate([label, *body], start=1))
    (one,) = spectra(read_table(lines, "x"), "x")
    assert one.frequency_hertz == pytest.approx(hertz, rel=1e-14)
    assert one.impedance_ohm == pytest.approx(factor * ohm, rel=1e-12)


@given(st.text(max_size=300))
def test_any_text_gives_spectra_or_a_message(text: str) -> None:
    lines = list(enumerate(text.splitlines() or [""], start=1))
    if not any(line.strip() for _, line in lines):
        return
    with pytest.raises(BadInput):
        spectra(read_table(lines, "x"), "x")


@given(st.text(max_size=40))
def test_any_label_is_a_column_or_none(label: str) -> None:
    found = column(label)
    assert found is None or np.isfinite(found.factor)
