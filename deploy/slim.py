"""Takes out of an environment what the gateway never opens: `python slim.py /opt/gateway`.

Each line of the table says why. Packages' own lists of files (RECORD) are left as they are: the SBOM names packages.
Prints what was freed. Only the standard library, since it runs in the image's build.
"""

import shutil
import sys
from pathlib import Path

SERVICES_KEPT = {"personalize-runtime", "personalize-events", "sts", "sso", "sso-oidc", "signin"}
"""What is called: the service, and what credentials may come from."""

SUFFIXES_OF_SOURCES = {".pyx", ".pxd", ".c", ".h", ".hpp", ".f", ".f90", ".a", ".pyi"}
"""For compilers and type checkers."""


def scripts(site: Path) -> list[Path]:
    """Commands of other packages, and those that make a shell use the environment."""
    return [one for one in (site.parents[2] / "bin").iterdir() if one.name != "rerank-gateway" and not one.is_symlink()]


def services(site: Path) -> list[Path]:
    """Models of the other 420 services of AWS: 25 MB."""
    return [one for one in (site / "botocore/data").iterdir() if one.is_dir() and one.name not in SERVICES_KEPT]


def tests(site: Path) -> list[Path]:
    """Tests that packages carry along."""
    return [one for name in ("tests", "test") for one in site.rglob(name) if one.is_dir()]


def sources(site: Path) -> list[Path]:
    """Sources, stubs and static libraries."""
    return [one for one in site.rglob("*") if one.is_file() and one.suffix in SUFFIXES_OF_SOURCES]


def size_bytes(path: Path) -> int:
    """What a file, or everything below a directory, takes."""
    files = [path] if path.is_file() else path.rglob("*")
    return sum(one.stat().st_size for one in files if one.is_file() and not one.is_symlink())


def main(prefix: Path) -> None:
    """Remove it all, and say how much it was."""
    (site,) = (prefix / "lib").glob("python3*/site-packages")
    for rule in (scripts, services, tests, sources):
        freed = 0
        for path in rule(site):
            if path.exists():
                freed += size_bytes(path)
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        print(f"{rule.__name__:<10} {freed / 1e6:6.1f} MB")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
