"""How much a file can list: a few bytes of lists can point to the same packets for ever."""

from __future__ import annotations

from av.container import Container, InputContainer

from matting.errors import MediaError

# A packet takes more in any file, its place in the list of packets included.
LEAST_PACKET_BYTES = 8
MORE_PACKETS, MORE_BYTES, MOST_REPEATS = 200_000, 1 << 30, 32


class PacketLimits:
    """How many packets, and bytes in them, a file can hold, some of them repeated by edits."""

    def __init__(self, container: Container) -> None:
        self._name = container.name
        size_bytes = max(0, container.size) if isinstance(container, InputContainer) else 0
        self._packets = MORE_PACKETS + size_bytes // LEAST_PACKET_BYTES
        self._bytes = MORE_BYTES + size_bytes * MOST_REPEATS

    def take(self, size_bytes: int) -> None:
        """Count a packet of that size.

        Raises:
            MediaError: there have been more than the file can hold.
        """
        self._packets -= 1
        self._bytes -= size_bytes
        if self._packets < 0 or self._bytes < 0:
            raise MediaError(
                f"{self._name} lists more frames than a file of its size can hold.",
                "It is damaged, or made to do harm. Make or download it again.",
            )
