"""A root directory with Python 3.13 for arm64, and QEMU to run it.

Debian's packages are unpacked, not installed. The root has neither /proc nor /sys, so
/sys/devices/system/cpu is missing, as on Lambda.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

QEMU = "qemu-aarch64-static"
RELEASE = "trixie"
"""A Debian release with Python 3.13."""
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
PACKAGES = ("python3.13", "libstdc++6", "zlib1g")


def why_not() -> str | None:
    """Return what this machine lacks, or None."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "changing the root directory needs Linux and root"
    missing = [tool for tool in (QEMU, "apt-get", "dpkg-deb", "chroot") if not shutil.which(tool)]
    if missing:
        return f"no {', '.join(missing)} here; apt-get install qemu-user-static"
    if not KEYRING.is_file() or debian_mirror() is None:
        return "this machine's apt does not know Debian, whose arm64 Python is used"
    return None


def debian_mirror() -> str | None:
    """Return the address of this machine's Debian mirror."""
    targets = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(ORIGIN) $(LABEL) $(REPO_URI)"],
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    found = [line.split() for line in targets if line.startswith("Debian Debian ")]
    return found[0][2] if found else None


def make_root(work: Path) -> Path:
    """Download and unpack an arm64 Python into a root directory with QEMU."""
    root, apt = work / "root", work / "apt"
    for folder in ("lists/partial", "cache/archives/partial"):
        (apt / folder).mkdir(parents=True)
    (apt / "status").touch()
    sources = apt / "sources.list"
    sources.write_text(f"deb [signed-by={KEYRING}] {debian_mirror()} {RELEASE} main\n")
    settings = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": apt / "lists",
        "Dir::State::status": apt / "status",
        "Dir::Cache": apt / "cache",
        "APT::Architecture": "arm64",
        "APT::Architectures": "arm64",
        # apt's own user cannot read pytest's directories.
        "APT::Sandbox::User": "root",
    }
    options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    download = ["install", "--download-only", "--yes", "--no-install-recommends", *PACKAGES]
    for command in (["update"], download):
        subprocess.run(["apt-get", "-qq", *options, *command], check=True)
    for package in sorted((apt / "cache/archives").glob("*.deb")):
        subprocess.run(["dpkg-deb", "--extract", str(package), str(root)], check=True)
    (root / "lib").symlink_to("usr/lib")
    shutil.copy(shutil.which(QEMU) or QEMU, root / QEMU)
    return root


def command_line(root: Path, *arguments: str) -> list[str]:
    """Return the command that runs the arm64 Python in the root directory."""
    chroot = shutil.which("chroot") or "chroot"
    return [chroot, str(root), f"/{QEMU}", "/usr/bin/python3.13", *arguments]
