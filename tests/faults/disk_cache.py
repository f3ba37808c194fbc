"""A power cut for the files of one process: what it had not synced is lost, kept, or torn.

A library put before libc (disk_cache.c) notes what is written below a folder, and what of it was synced.
After the process was killed, cut() makes the files what a disk could hold: of each sector what was synced
last, or anything newer. A sync that failed loses what it should have written, as with a kernel that drops
the pages. A name is on the disk when its file was synced once; deleting and renaming take effect at once,
and so does what others write. For dynamically linked programs.
"""

import os
import struct
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512
RECORD = struct.Struct("<cxxxIQQqqq")  # as in disk_cache.c


@dataclass
class Sector:
    """What the disk has, and what was written since, the newest last. Clean: nothing of that will come
    to the disk any more."""

    durable: bytes
    newer: list = field(default_factory=list)
    clean: bool = False


@dataclass
class File:
    is_new: bool = False  # it never came to the disk, nor did its name
    durable_size: int = 0
    size: int = 0
    sectors: dict = field(default_factory=dict)

    def write(self, at, before, after, size):
        self.size = size
        for n in range(0, len(after), SECTOR):
            sector = self.sectors.setdefault(at + n, Sector(before[n:n + SECTOR]))
            if sector.clean:  # with what could not be synced, since it is in the same page
                sector.newer, sector.clean = [], False
            sector.newer.append(after[n:n + SECTOR])

    def truncate(self, size):
        self.size, self.durable_size = size, min(self.durable_size, size)
        self.sectors = {at: sector for at, sector in self.sectors.items() if at < size}

    def sync(self, worked):
        for sector in self.sectors.values():
            if not sector.newer or sector.clean:
                continue
            if worked:
                sector.durable, sector.newer = sector.newer[-1], []
            else:
                sector.clean = True
        if worked:
            self.is_new, self.durable_size = False, self.size


class DiskCache:
    """Of the processes started with `env`, one after the other, for the files below `folder`.

        disk = DiskCache(tmp_path)
        agent.start(env=disk.env())
        agent.kill()
        disk.cut(random)
    """

    def __init__(self, folder, work):
        self.folder, self.log = Path(folder), Path(work) / "disk-cache.log"
        self.library = Path(work) / "disk_cache.so"
        self.lost = 0  # sectors
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", self.library,
                        Path(__file__).with_suffix(".c"), "-ldl", "-lpthread"], check=True)

    def env(self, env=None):
        """An environment, that of a FailingFsync, too, with the library in it."""
        env = dict(os.environ if env is None else env)
        sanitizer = env.get("ASAN_OPTIONS", "")
        return {**env, "DISK_CACHE_OF": f"{self.folder}/", "DISK_CACHE_LOG": str(self.log),
                "LD_PRELOAD": " ".join(filter(None, [str(self.library), env.get("LD_PRELOAD", "")])),
                "ASAN_OPTIONS": ":".join(filter(None, [sanitizer, "verify_asan_link_order=0"]))}

    def cut(self, random, journal):
        """The process is dead. `journal`: its note of the boot will tell of another one."""
        files = self._replay()
        odds = random.choice((0, 0.5, 0.9))
        paths = {self._key(path): path for path in sorted(self.folder.rglob("*"))
                 if path.is_file() and not path.is_symlink()}
        for key, file in files.items():
            if key not in paths:
                continue  # it was deleted
            if file.is_new and random.random() >= odds:
                paths[key].unlink()
                continue
            self._tear(paths[key], file, lambda: random.random() < odds)
        self.log.unlink(missing_ok=True)
        for name in ("journal.db-wal", "journal.db"):  # where nothing notes the boot, clocks must do
            if (journal.parent / name).exists():
                os.utime(journal.parent / name, (1, 1))
        note = Path(f"{journal}.boot")
        if random.random() < 0.5:
            note.unlink(missing_ok=True)
        elif note.exists():
            note.write_text("another boot")

    @staticmethod
    def _key(path):
        info = path.stat()
        return info.st_dev, info.st_ino

    def _tear(self, path, file, survives):
        size = file.durable_size
        with open(path, "r+b") as out:
            for at, sector in file.sectors.items():
                if not sector.newer:
                    continue
                versions = [sector.durable] if sector.clean else [sector.durable, *sector.newer]
                chosen = versions[-1]
                while len(versions) > 1 and not survives():
                    versions.pop()
                    chosen = versions[-1]
                self.lost += chosen is not sector.newer[-1]
                out.seek(at)
                out.write(chosen)
                if chosen is not sector.durable:
                    size = max(size, min(at + SECTOR, file.size))
            out.truncate(size)

    def _replay(self):
        """The files that were written, by device and inode."""
        files = {}
        data = self.log.read_bytes() if self.log.exists() else b""
        at = 0
        while at + RECORD.size <= len(data):
            kind, length, device, inode, offset, before, after = RECORD.unpack_from(data, at)
            at += RECORD.size + 2 * length
            if at > len(data):
                break  # it was killed while it noted this
            key = device, inode
            if kind == b"N":
                files[key] = File(is_new=True)
            file = files.setdefault(key, File(durable_size=before, size=before))
            if kind == b"W":
                old, new = data[at - 2 * length:at - length], data[at - length:at]
                file.write(offset, old, new, after)
            elif kind == b"T":
                file.truncate(after)
            elif kind in b"SF":
                file.sync(kind == b"S")
        return files
