"""Solid electrolytes of the simulators: conductivity, its law, and dielectric numbers, at 25 degC.

Measured values of others, each with its source; nothing here is fitted to a result of ours.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulators.models.laws import Hopping, Law, MeltingPolymer


@dataclass(frozen=True, slots=True)
class Conductor:
    """One part of the path: conductivity in S/cm at 25 degC over the pellet's geometry."""

    conductivity_siemens_per_centimetre: float
    law: Law


@dataclass(frozen=True, slots=True)
class Material:
    """Bulk and, where it has grains, boundaries in series (macroscopic conductivity, not specific).

    ``boundary_capacitance_ratio`` is the capacitance of the boundaries over that of the bulk,
    grain size over boundary thickness in the brick-layer picture.
    """

    name: str
    bulk: Conductor
    relative_permittivity: float
    boundary: Conductor | None = None
    boundary_capacitance_ratio: float = 100.0


def _grains(
    name: str,
    bulk: Conductor,
    total_siemens_per_centimetre: float,
    boundary_law: Law,
    **rest: float,
) -> Material:
    """Make a material whose boundary is what bulk lacks to the total: 1/s_t = 1/s_b + 1/s_gb."""
    lacking = 1.0 / total_siemens_per_centimetre - 1.0 / bulk.conductivity_siemens_per_centimetre
    return Material(name, bulk, boundary=Conductor(1.0 / lacking, boundary_law), **rest)


# PEO(4200)-LiTFSI 2.06 mol/kg, VTF with T0 fixed (compiled with Bradford et al., ACS Cent. Sci. 9,
# 206 (2023), 10.1021/acscentsci.2c01123): 5.2e-4 S/cm at 60 degC, 1.8e-3 at 90. Below melting it
# falls to 1e-5 at 27.5 degC, which fixes the energy there.
_PEO = MeltingPolymer(
    prefactor=10.244,
    pseudo_energy_electronvolt=0.07827,
    ideal_glass_kelvin=203.15,
    melting_celsius=60.0,
    energy_below_melting_electronvolt=1.049,
)

MATERIALS: dict[str, Material] = {
    material.name: material
    for material in (
        # Total 2.0e-3 and 0.35 eV: Singh et al. 2022, commercial, cold pressed. Only the total is
        # known: the quarter given to the boundaries has the same law and is our assumption.
        _grains(
            "Li6PS5Cl",
            Conductor(2.0e-3 / 0.75, Hopping(0.35)),
            2.0e-3,
            Hopping(0.35),
            relative_permittivity=30.0,
        ),
        # Bulk 4.6e-4 and both energies: Eckhardt et al., Adv. Mater. Interfaces 10, 2202354 (2023);
        # total 3e-4 of dense Al-doped pellets: Rettie, review.
        _grains(
            "LLZO",
            Conductor(4.6e-4, Hopping(0.34)),
            3.0e-4,
            Hopping(0.43),
            relative_permittivity=60.0,
        ),
        # n(P2S5) = 0.17: Song et al., Nature 637, 846 (2025), 10.1038/s41586-024-08298-9; a glass,
        # so no boundaries; permittivity of a sulfide glass.
        Material("LBPSI", Conductor(2.4e-3, Hopping(0.31)), relative_permittivity=15.0),
        # The permittivity is that of the molten polymer, 5-10 (our assumption).
        Material(
            "PEO-LiTFSI",
            Conductor(_PEO.conductivity_siemens_per_centimetre(25.0), _PEO),
            relative_permittivity=8.0,
        ),
    )
}
