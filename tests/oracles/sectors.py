"""Sectors from the formulas alone: one byte at a time, one sector at a time, no numpy.

Slow on purpose, and written without a look at the codec: what both agree on is what the formulas
say. EDC, parity and scrambler after ECMA-130 clause 14, annex A and annex B; the XA forms after
the Green Book.
"""

from __future__ import annotations

SYNC = bytes([0] + [255] * 10 + [0])


def _double(value: int) -> int:
    value <<= 1
    return value ^ 0x11D if value > 255 else value


_DOUBLED = [_double(value) for value in range(256)]


def _crc_byte(value: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ (0xD8018001 if value & 1 else 0)
    return value


_CRC = [_crc_byte(value) for value in range(256)]
# 1 / (1 + alpha): the number that 3 takes to 1
_INVERSE_OF_3 = next(v for v in range(256) if _DOUBLED[v] ^ v == 1)


def multiply(a: int, b: int) -> int:
    """Multiply in GF(2^8) modulo 0x11D by shift and add."""
    result = 0
    while b:
        if b & 1:
            result ^= a
        a, b = _DOUBLED[a], b >> 1
    return result


_DIVIDED_BY_3 = [multiply(value, _INVERSE_OF_3) for value in range(256)]


def edc(data: bytes) -> bytes:
    """Four bytes, lowest first."""
    value = 0
    for byte in data:
        value = value >> 8 ^ _CRC[(value ^ byte) & 255]
    return value.to_bytes(4, "little")


def parity(symbols: list[int]) -> tuple[int, int]:
    """Solve sum(c[i]) = 0 and sum(c[i] * alpha^(n-1-i)) = 0 for the last two symbols."""
    plain = weighted = 0
    for symbol in symbols:
        plain ^= symbol
        weighted = _DOUBLED[weighted] ^ symbol
    weighted = _DOUBLED[_DOUBLED[weighted]]
    first = _DIVIDED_BY_3[plain ^ weighted]
    return first, plain ^ first


def p_places() -> list[list[int]]:
    """Byte offsets of each P codeword, parity last."""
    return [[12 + c + 86 * m for m in range(26)] for c in range(86)]


def q_places() -> list[list[int]]:
    """Byte offsets of each Q codeword, parity last."""
    return [
        [12 + 2 * ((43 * n + 44 * m) % 1118) + b for m in range(43)]
        + [2248 + 2 * n + b, 2300 + 2 * n + b]
        for n in range(26)
        for b in range(2)
    ]


_P_PLACES, _Q_PLACES = p_places(), q_places()


def add_parity(sector: bytearray) -> None:
    for places in (_P_PLACES, _Q_PLACES):
        for *data, first, second in places:
            sector[first], sector[second] = parity([sector[i] for i in data])


def header(lba: int, mode: int) -> bytes:
    time = (lba + 150) % 450_000
    parts = time // 4500, time // 75 % 60, time % 75
    return bytes([int(f"{part:02}", 16) for part in parts] + [mode])


def mode_0(lba: int) -> bytes:
    return SYNC + header(lba, 0) + bytes(2336)


def mode_1(user: bytes, lba: int) -> bytes:
    start = SYNC + header(lba, 1) + user
    sector = bytearray(start + edc(start) + bytes(284))
    add_parity(sector)
    return bytes(sector)


def formless(user: bytes, lba: int) -> bytes:
    return SYNC + header(lba, 2) + user


def form_1(user: bytes, lba: int, subheader: bytes) -> bytes:
    covered = subheader + user
    sector = bytearray(SYNC + bytes(4) + covered + edc(covered) + bytes(276))
    add_parity(sector)
    sector[12:16] = header(lba, 2)
    return bytes(sector)


def form_2(user: bytes, lba: int, subheader: bytes, *, with_edc: bool = True) -> bytes:
    covered = subheader + user
    return SYNC + header(lba, 2) + covered + (edc(covered) if with_edc else bytes(4))


def sequence() -> bytes:
    """The scrambler's 2,340 bytes, bit by bit."""
    register, result = 1, bytearray()
    for _ in range(2340):
        byte = 0
        for bit in range(8):
            byte |= (register & 1) << bit
            new = (register ^ register >> 1) & 1
            register = register >> 1 | new << 14
        result.append(byte)
    return bytes(result)


def scrambled(sector: bytes) -> bytes:
    return sector[:12] + bytes(a ^ b for a, b in zip(sector[12:], sequence(), strict=True))
