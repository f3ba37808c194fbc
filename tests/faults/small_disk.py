"""A file system of a few hundred kilobytes, to be full on request. Needs root and mount()."""

import errno
import os
import subprocess
from pathlib import Path


class SmallDisk:
    """A tmpfs in `folder`. fill() takes what is left of it, free() gives that back.

        with SmallDisk(tmp_path / "disk", "1m") as disk:
            disk.fill()
    """

    def __init__(self, folder, size):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True)
        self.ballast = self.folder / "ballast"
        self.size = size

    def __enter__(self):
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.size}", "tmpfs", self.folder],
                       check=True, capture_output=True)
        return self

    def __exit__(self, *_):
        # Lazily: a failed test may leave an agent that has files open there.
        subprocess.run(["umount", "--lazy", self.folder], check=True)

    def fill(self):
        with open(self.ballast, "ab", buffering=0) as file:
            for piece in (65536, 4096, 1):
                try:
                    while True:
                        file.write(b"\0" * piece)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise

    def free(self):
        self.ballast.unlink()


def can_mount(folder):
    """Whether this process may mount: root has not always the right, in a container."""
    if os.geteuid() != 0:
        return False
    try:
        with SmallDisk(Path(folder) / "probe", "64k"):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False
