"""Which file systems tell nobody about changes: those of other machines, and those a virtual machine shares.

The watcher asks before it relies on the kernel's notices. Reads /proc/self/mountinfo, proc(5).
"""

import os
import re

__all__ = ["is_remote"]

MOUNTS = "/proc/self/mountinfo"
# A write by the other side gives no notice here. 9p is WSL's view of Windows drives, the last four are
# folders that hypervisors share; virtiofs and fakeowner serve containers on a Mac.
REMOTE = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "ceph", "glusterfs", "lustre", "beegfs"}
REMOTE |= {"9p", "drvfs", "virtiofs", "fakeowner", "vboxsf", "vmhgfs", "prl_fs", "prl_fs_freeze"}
OCTAL = re.compile(r"\\([0-7]{3})")


def is_remote(folder: str, mounts: str = MOUNTS) -> bool:
    """Say whether changes below `folder` can come from elsewhere, unnoticed by this kernel."""
    try:
        with open(mounts, encoding="utf-8", errors="surrogateescape") as lines:
            kind = file_system(os.path.realpath(folder), lines.read())
    except OSError:  # not Linux
        return False
    return kind in REMOTE or kind.startswith("fuse.")


def file_system(path: str, table: str) -> str:
    """Return the type of the file system that holds an absolute `path`, by a table of mounts."""
    best, kind = -1, ""
    for line in table.splitlines():
        left, separator, right = line.partition(" - ")
        fields, names = left.split(" "), right.split(" ")
        if not separator or len(fields) < 5:
            continue
        point = OCTAL.sub(lambda match: chr(int(match[1], 8) & 0xFF), fields[4]).rstrip("/")
        # A later mount on the same point hides the earlier one.
        if len(point) >= best and (path == point or path.startswith(point + "/")):
            best, kind = len(point), names[0]
    return kind
