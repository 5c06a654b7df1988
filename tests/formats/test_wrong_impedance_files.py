"""Every reader, every kind of wrong file: one clear message, and never a spectrum of something else."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rig.core.errors import BadInput
from rig.formats.eis import MeasuredSpectrum, load_spectra
from tests.formats.test_impedance_files import DATA, HERTZ, OHM, PUBLIC, ec_lab, ec_lab_rows

_NUMBER = re.compile(r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?")


class Cells:
    """The numbers of one line of a file, to be replaced where they stand."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.found = list(_NUMBER.finditer(text))

    def at(self, value: float) -> int | None:
        near = [abs(abs(float(one[0])) - abs(value)) <= 1e-4 * abs(value) for one in self.found]
        return near.index(True) if True in near else None

    def with_number(self, at: int, new: str) -> str:
        one = self.found[at]
        return self.text[: one.start()] + new + self.text[one.end() :]

    def turned(self, at: int) -> str:
        old = self.found[at][0]
        return self.with_number(at, old[1:] if old.startswith("-") else "-" + old.lstrip("+"))


class PublicFile:
    """A public file taken apart: its lines, and the lines of its points with real, imaginary part."""

    def __init__(self, name: str) -> None:
        path = DATA / "eis" / name
        if not path.is_file():
            pytest.skip(f"no public data at {DATA}; set RIG_TEST_DATA")
        self.lines = path.read_bytes().decode("cp1252", "replace").splitlines()
        (spectrum,) = load_spectra(path)
        self.points = list(self._points(spectrum))
        assert len(self.points) == len(spectrum)

    def _points(self, one: MeasuredSpectrum):
        at = 0
        for hertz, ohm in zip(one.frequency_hertz, one.impedance_ohm, strict=True):
            while True:
                cells = Cells(self.lines[at])
                places = [cells.at(value) for value in (hertz, ohm.real, ohm.imag)]
                at += 1
                if None not in places:
                    yield at - 1, places[1], places[2]
                    break

    def with_line(self, at: int, *new: str) -> str:
        return "\n".join([*self.lines[:at], *new, *self.lines[at + 1 :]])


def cut_in_the_middle_of_a_row(file: PublicFile) -> str:
    line, _, imaginary = file.points[len(file.points) // 2]
    cut = Cells(file.lines[line]).found[imaginary].start()
    return "\n".join([*file.lines[:line], file.lines[line][:cut].rstrip(", \t")])


def without_a_number(file: PublicFile) -> str:
    line, real, _ = file.points[len(file.points) // 2]
    return file.with_line(line, Cells(file.lines[line]).with_number(real, "NaN"))


def of_one_point(file: PublicFile) -> str:
    gone = {line for line, _, _ in file.points[1:]}
    return "\n".join(text for at, text in enumerate(file.lines) if at not in gone)


def with_a_point_twice(file: PublicFile) -> str:
    line, _, _ = file.points[len(file.points) // 2]
    return file.with_line(line, file.lines[line], file.lines[line])


def upside_down(file: PublicFile) -> str:
    lines = list(file.lines)
    for line, _, imaginary in file.points:
        lines[line] = Cells(lines[line]).turned(imaginary)
    return "\n".join(lines)


WRONG: list[tuple[Callable[[PublicFile], str], tuple[str, ...]]] = [
    (cut_in_the_middle_of_a_row, ("cut off",)),
    (without_a_number, ("'NaN', expected a number",)),
    (of_one_point, ("of 1 points, expected at least 4", "41 points announced, 1 found")),
    (with_a_point_twice, ("measured more than once at",)),
    (upside_down, ("the imaginary part is upside down",)),
]


def refusal(folder: Path, content: str | bytes, name: str = "wrong.txt") -> str:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("cp1252", "replace"))
    with pytest.raises(BadInput) as caught:
        load_spectra(path)
    message = str(caught.value)
    assert str(path) in message
    assert len(message.splitlines()) == len(caught.value.problems)
    return message


@pytest.mark.parametrize("name", [row[0] for row in PUBLIC])
def test_each_makers_file_spoilt_in_each_way_is_refused_in_words(name: str, tmp_path: Path) -> None:
    file = PublicFile(name)
    for spoil, words in WRONG:
        message = refusal(tmp_path, spoil(file))
        assert any(one in message for one in words), (spoil.__name__, message)


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("exampleDataBioLogic.mpt", "/Ohm"),
        ("exampleDataCHInstruments.txt", "/ohm"),
        ("exampleDataGamry.DTA", "\tohm"),
        ("exampleDataParstat.txt", "(ohms)"),
    ],
)
def test_kiloohm_columns_of_a_maker_are_converted_and_said(
    name: str, unit: str, tmp_path: Path
) -> None:
    file = PublicFile(name)
    head = file.points[0][0]
    kilo = unit.replace("ohm", "kOhm").replace("/Ohm", "/kOhm").replace("kOhms", "kOhm")
    lines = [text.replace(unit, kilo) if at < head else text for at, text in enumerate(file.lines)]
    path = tmp_path / "kilo.txt"
    path.write_bytes("\n".join(lines).encode("cp1252", "replace"))
    (kiloohm,), (ohm,) = load_spectra(path), load_spectra(DATA / "eis" / name)
    np.testing.assert_allclose(kiloohm.impedance_ohm, 1000 * ohm.impedance_ohm, rtol=1e-12)
    assert sum("converted to ohm (x 1000)" in one for one in kiloohm.statements) >= 2


@pytest.mark.parametrize("name", ["ici_charge.csv", "sample_data_maccor.csv", "sample.bdf.csv"])
def test_a_cyclers_file_holds_no_spectrum(name: str, tmp_path: Path) -> None:
    path = DATA / "cycling" / name
    if not path.is_file():
        pytest.skip(f"no public data at {DATA}; set RIG_TEST_DATA")
    assert "no impedance spectrum found" in refusal(tmp_path, path.read_bytes())


def test_a_row_that_lacks_its_loop_is_cut_off_and_no_spectrum_of_its_own(tmp_path: Path) -> None:
    whole = ec_lab(ec_lab_rows(1)).rstrip("\n")
    cut = whole[: whole.rindex("\t")]
    assert "has 4 of 6 values: is the file cut off here?" in refusal(tmp_path, cut)


def test_a_loop_column_that_is_empty_divides_nothing(tmp_path: Path) -> None:
    rows = "".join(f"{f},{z.real},{z.imag},\n" for f, z in zip(HERTZ, OHM, strict=True))
    path = tmp_path / "a.csv"
    path.write_text("Freq/Hz,Z'/ohm,Z''/ohm,scan\n" + rows)
    assert [len(one) for one in load_spectra(path)] == [len(HERTZ)]


# --- BioLogic's binary file, written by hand in the layout that galvani documents ------------------

FREQUENCY, REAL, MINUS_IMAGINARY = 32, 37, 38  # column numbers, each a 4-byte float


def module(short: bytes, content: bytes, version: int = 0) -> bytes:
    head = struct.pack("<10s25sII8s", short, short, len(content), version, b"11/27/26")
    return b"MODULE" + head + content


def mpr(columns: dict[int, np.ndarray]) -> bytes:
    points = len(next(iter(columns.values())))
    head = struct.pack("<IB", points, len(columns)) + bytes(columns)
    table = np.stack(list(columns.values()), axis=1).astype("<f4").tobytes()
    magic = b"BIO-LOGIC MODULAR FILE\x1a".ljust(48) + bytes(4)
    settings = module(b"VMP Set   ", bytes(16))
    return magic + settings + module(b"VMP data  ", head.ljust(100, b"\0") + table)


def of_ohm(ohm: np.ndarray) -> bytes:
    return mpr({FREQUENCY: HERTZ, REAL: ohm.real, MINUS_IMAGINARY: -ohm.imag})


def test_a_binary_biologic_file_gives_its_spectrum(tmp_path: Path) -> None:
    pytest.importorskip("galvani")
    path = tmp_path / "a.mpr"
    path.write_bytes(of_ohm(OHM))
    (one,) = load_spectra(path)
    assert (one.vendor, one.statements) == ("BioLogic", ())
    np.testing.assert_allclose(one.frequency_hertz, HERTZ, rtol=1e-6)
    np.testing.assert_allclose(one.impedance_ohm, OHM, rtol=1e-6)


def test_a_wrong_binary_biologic_file_is_refused_in_words(tmp_path: Path) -> None:
    pytest.importorskip("galvani")
    whole, nan = of_ohm(OHM), OHM.copy()
    nan[7] = np.nan
    twice = mpr({FREQUENCY: np.r_[HERTZ, HERTZ[-1]], REAL: np.r_[OHM, 1].real,
                 MINUS_IMAGINARY: -np.r_[OHM, 1j].imag})  # fmt: skip
    for content, words in (
        (whole[:-10], "damaged or cut off: Unexpected end of file while reading data"),
        (whole[:60], "damaged or cut off"),
        (of_ohm(nan), "line 8: Re(Z)/Ohm is 'nan'"),
        (mpr({FREQUENCY: HERTZ[:1], REAL: OHM.real[:1], MINUS_IMAGINARY: -OHM.imag[:1]}),
         "expected at least 4"),
        (twice, "measured more than once"),
        (of_ohm(OHM.conj()), "upside down"),
        (mpr({REAL: OHM.real, MINUS_IMAGINARY: -OHM.imag}), "no columns of an impedance"),
    ):  # fmt: skip
        assert words in refusal(tmp_path, content, "a.mpr")


def test_a_name_that_contradicts_the_content_is_said_and_the_content_is_read(
    tmp_path: Path,
) -> None:
    path = tmp_path / "cell.DTA"
    path.write_text(ec_lab(ec_lab_rows(1)))
    (one,) = load_spectra(path)
    assert one.vendor == "BioLogic"
    assert one.statements == (
        "the name ends in .dta as Gamry's files do, but the content is BioLogic's: "
        "read as BioLogic",
    )
