"""Makes the hostile xz files of this folder; needs nothing but Python's standard library."""

import lzma
import struct
import zlib

HEAD = bytes([0, 0, 8, 1]) + struct.pack(">I", 10)

# Says that it holds 10 bytes, and unpacks to 64 MiB.
with open("bomb.xz", "wb") as file:
    file.write(lzma.compress(HEAD + bytes(64 << 20), preset=9))

# A sound file, but for the dictionary of 4 GiB that it asks for.
sound = bytearray(lzma.compress(HEAD + bytes(range(10)), check=lzma.CHECK_CRC32))
size = (sound[12] + 1) * 4  # of the block's header, whose last four bytes are its checksum
assert sound[12 + 2 : 12 + 4] == b"\x21\x01"  # the filter LZMA2 with one byte of properties
sound[12 + 4] = 40
sound[12 + size - 4 : 12 + size] = struct.pack("<I", zlib.crc32(sound[12 : 12 + size - 4]))
with open("greedy.xz", "wb") as file:
    file.write(sound)

# The same without that: the number 0 to 9.
with open("digits.xz", "wb") as file:
    file.write(lzma.compress(HEAD + bytes(range(10)), check=lzma.CHECK_CRC32))
