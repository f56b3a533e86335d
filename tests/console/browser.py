"""A Chromium for the tests of the console: one that is there, else Debian's.

`python -m tests.console.browser` provides one where none is found, as `make test` does: as root by apt, else out of
the archives of Debian, unpacked into `.chromium/`, for this checkout alone. Where neither works it says so and ends
well: the tests, which cannot do without, then fail and say what to do.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parents[2] / ".chromium"
ROOT = HERE / "root"
UNPACKED = ROOT / "usr/lib/chromium/chromium"

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")

REMEDY = "the tests of the console need a Chromium: put one on the PATH, or name it by the variable CHROMIUM"

FLAGS = (
    "--no-sandbox",  # containers and root cannot have it
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def found() -> Path | None:
    """The browser that the machine has, or that was unpacked here."""
    named = os.environ.get("CHROMIUM")
    paths = [named] if named else [*map(shutil.which, NAMES), UNPACKED if UNPACKED.exists() else None]
    return next((Path(path) for path in paths if path), None)


def environment() -> dict[str, str | float | bool]:
    """Its environment: one that was unpacked here finds its libraries beside it."""
    kept: dict[str, str | float | bool] = dict(os.environ)
    if found() == UNPACKED:
        kept["LD_LIBRARY_PATH"] = os.pathsep.join(sorted({str(one.parent) for one in ROOT.rglob("*.so*")}))
        if (fonts := ROOT / "etc/fonts").exists():  # else the machine has its own
            kept["FONTCONFIG_PATH"] = str(fonts)
    return kept


def provide() -> bool:
    """See to it that there is one; False if there is no way that is known here."""
    if found() is not None:
        return True
    if shutil.which("apt-get") is None:
        return False
    try:
        _install() if os.geteuid() == 0 else _unpack()
    except subprocess.CalledProcessError as error:
        print(f"{' '.join(error.cmd[:3])} failed: {error.stderr or error.returncode}", file=sys.stderr)
    return found() is not None


def _install() -> None:
    _apt("update")
    _apt("install", "--yes", "--no-install-recommends", "chromium")


def _unpack() -> None:
    """Take what an installation would bring, and install nothing."""
    planned = _apt("install", "--simulate", "--no-install-recommends", "chromium")
    debs = HERE / "debs"
    debs.mkdir(parents=True, exist_ok=True)
    _apt("download", *re.findall(r"^Inst (\S+)", planned, re.MULTILINE), within=debs)
    for deb in sorted(debs.glob("*.deb")):
        subprocess.run(["dpkg", "--extract", deb, ROOT], check=True, capture_output=True, text=True)
    shutil.rmtree(debs)


def _apt(*arguments: str, within: Path | None = None) -> str:
    print(f"apt-get {' '.join(arguments[:1])}: a Chromium for the tests of the console", file=sys.stderr)
    calm = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    command = ["apt-get", "-qq", *arguments] if "--simulate" not in arguments else ["apt-get", *arguments]
    return subprocess.run(command, cwd=within, env=calm, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    if provide():
        HERE.mkdir(exist_ok=True)
        (HERE / "done").touch()
    else:
        print(REMEDY, file=sys.stderr)
