"""What a process wrote, kept within bounds and made harmless to show."""

from __future__ import annotations

_HALF = 32 * 1024
_SENTENCE = 300
_SHOWN = frozenset("\n\t")


class Kept:
    """The beginning and the end of a stream; what lies between is counted, not kept."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._tail = bytearray()
        self._left_out = 0

    def add(self, data: bytes) -> None:
        """Take more of it in, at most 64 KiB being held after each call."""
        room = _HALF - len(self._head)
        self._head += data[:room]
        self._tail += data[room:]
        if (over := len(self._tail) - _HALF) > 0:
            del self._tail[:over]
            self._left_out += over

    def text(self) -> str:
        """Give it as text without control characters."""
        if not self._left_out:
            return harmless(bytes(self._head + self._tail))
        gap = f"\n… {self._left_out} bytes left out …\n"
        return harmless(bytes(self._head)) + gap + harmless(bytes(self._tail))


def harmless(data: bytes) -> str:
    """Give text that cannot move a cursor or change a colour; line ends and tabs stay."""
    text = data.decode("utf-8", errors="replace")
    return "".join(each for each in text if each.isprintable() or each in _SHOWN)


def last_line(text: str) -> str:
    """Give the last line that holds anything, stripped and cut to a sentence's length, or ''."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:_SENTENCE] if lines else ""
