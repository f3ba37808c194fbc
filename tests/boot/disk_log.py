"""What a disk holds after a power cut: all that was flushed, and any part of what was not.

Killing QEMU takes only what the machine had not written yet; a disk loses what is in its own cache,
too, and not in the order in which it came. So each request is logged by QEMU's block driver
blklogwrites, in the format of the kernel's dm-log-writes (drivers/md/dm-log-writes.c; numbers are
little-endian): a sector with the header, then for each request a sector that says what it is, and
its data.
"""

import struct

SECTOR = 512
MAGIC = 0x6A736677736872
HEADER = struct.Struct("<QQQI")  # magic, version, requests up to the last flush, size of a sector
REQUEST = struct.Struct("<QQQQ")  # first sector, sectors, flags, bytes of other data
DISCARD = 4


def replay(log_path, disk_path, survives):
    """Does to a copy of the disk as it was before what the log says. survives() is asked for each
    write after the last flush. Returns how many there were, and how many of them were lost."""
    unflushed = lost = 0
    with open(log_path, "rb") as log, open(disk_path, "r+b") as disk:
        header = log.read(SECTOR)[:HEADER.size]
        flushed = 0
        if any(header):  # it is first written with the first flush
            magic, version, flushed, sector = HEADER.unpack(header)
            assert (magic, version, sector) == (MAGIC, 1, SECTOR), f"{log_path} is no log"
        number = 0
        while len(entry := log.read(SECTOR)) == SECTOR:
            first, sectors, flags, _ = REQUEST.unpack_from(entry)
            if not sectors and not flags:
                break  # QEMU ended before it was written
            number += 1
            assert not flags & DISCARD, "nothing here discards"
            if number > flushed and sectors:
                unflushed += 1
                if not survives():
                    lost += 1
                    log.seek(sectors * SECTOR, 1)
                    continue
            disk.seek(first * SECTOR)
            disk.write(log.read(sectors * SECTOR))
    return unflushed, lost
