"""From an address to an open port. The only place that chooses between the kinds of port.

Each kind is imported when it is opened: pyvisa and pyserial take longer to load than the command
line may take to answer.
"""

from __future__ import annotations

from rig.core.link import Link
from rig.wire.address import SerialAddress, SocketAddress, parse_address


def open_link(address: str, sheet_terminator: bytes, baudrate: int | None) -> Link:
    """Open the port that ``address`` names (grammar in ``rig.wire.address``).

    ``sheet_terminator`` and ``baudrate`` are the sheet's. A baud rate in the address wins; the
    terminator is armed nowhere, because every kind of port here is cut into replies by
    BufferedLink. Raises BadInput for an address that cannot be read, LinkClosed for a port that
    does not open.
    """
    parsed = parse_address(address, baudrate)
    if isinstance(parsed, SocketAddress):
        from rig.wire.socket_link import SocketLink  # noqa: PLC0415

        return SocketLink(parsed.name, parsed.host, parsed.port)
    if isinstance(parsed, SerialAddress):
        from rig.wire.serial_link import SerialLink  # noqa: PLC0415

        return SerialLink(parsed)
    from rig.wire.visa_link import VisaLink  # noqa: PLC0415

    return VisaLink(parsed.name, baudrate)
