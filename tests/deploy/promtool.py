"""Prometheus' own tool for the alert rules: the machine's, else out of Debian's package, for this checkout alone.

`python tests/deploy/promtool.py` provides it where none is found, as `make test` does; where apt is missing it says so
and ends well, and the tests that need it say that they are skipped. Nothing is installed.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

UNPACKED = Path(__file__).parents[2] / ".venv-deploy" / "tools" / "promtool"
PACKAGE = "prometheus"


def found() -> Path | None:
    """Where it is."""
    on_path = shutil.which("promtool")
    return Path(on_path) if on_path else UNPACKED if UNPACKED.exists() else None


def provide() -> None:
    """Take it out of the package."""
    with tempfile.TemporaryDirectory() as folder:
        if os.geteuid() == 0:
            _run("apt-get", "-qq", "update")
            _run("chmod", "a+rwx", folder)  # apt downloads as a user of its own
        _run("apt-get", "-qq", "download", PACKAGE, within=folder)
        _run("dpkg", "--extract", *(str(deb) for deb in Path(folder).glob("*.deb")), f"{folder}/root")
        UNPACKED.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(f"{folder}/root/usr/bin/promtool", UNPACKED)


def _run(*command: str, within: str | None = None) -> None:
    subprocess.run(command, cwd=within, check=True, capture_output=True, text=True)


if __name__ == "__main__" and found() is None:
    try:
        provide()
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"no promtool: {getattr(error, 'stderr', '') or error}", file=sys.stderr)
