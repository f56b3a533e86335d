"""The image's recipe: linted, and what it copies and installs is there. `deploy/check_image.py` tries it, built."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy/Dockerfile"
HADOLINT = ROOT / ".venv-deploy/bin/hadolint"
LINES = re.sub(r"\\\n\s*", "", DOCKERFILE.read_text()).splitlines()


def pins(file: str) -> set[str]:
    """The exact versions of a lock."""
    return {line.split(" \\")[0].strip() for line in (ROOT / "locks" / file).read_text().splitlines() if "==" in line}


def said(instruction: str) -> list[str]:
    """What stands after each of these instructions, in the last stage."""
    last = max(place for place, line in enumerate(LINES) if line.startswith("FROM "))
    return [line.split(" ", 1)[1] for line in LINES[last:] if line.startswith(f"{instruction} ")]


def test_hadolint() -> None:
    """hadolint has nothing to say."""
    if not HADOLINT.exists():
        pytest.fail("hadolint is missing: make .venv-deploy/done")
    done = subprocess.run([HADOLINT, DOCKERFILE], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_how_it_runs() -> None:
    """As a number that is not root's, without a shell, ended by SIGTERM; both stages stand on the same base."""
    assert said("USER") == ["10001:10001"]
    assert said("ENTRYPOINT") == ['["/opt/gateway/bin/rerank-gateway"]']
    assert said("CMD") == ['["serve"]']
    assert said("STOPSIGNAL") == ["SIGTERM"]
    assert said("RUN") == []
    assert [line.split()[1] for line in LINES if line.startswith("FROM ")] == ["${BASE_IMAGE}"] * 2


def test_bytecode_is_found_where_it_was_written() -> None:
    """The build compiles into the directory that Python looks into at run time, and that directory is copied."""
    (written,) = re.findall(r"&& PYTHONPYCACHEPREFIX=(\S+) \S+python -m compileall", DOCKERFILE.read_text())
    assert f"PYTHONPYCACHEPREFIX={written} " in f"{said('ENV')[0]} "
    assert f"--from=build {Path(written).parent} {Path(written).parent}" in said("COPY")


def test_what_it_copies_reaches_the_builder() -> None:
    """Every file that is copied exists, and .dockerignore lets it through; nothing else is let through."""
    copied = [line.split()[1:-1] for line in LINES if line.startswith("COPY ") and "--from" not in line]
    sources = {source.removeprefix("./") for line in copied for source in line}
    assert all((ROOT / source).exists() for source in sources)
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    assert {line[1:] for line in ignored if line.startswith("!")} == sources


def test_what_it_installs_was_tested() -> None:
    """Every version in the image is one that the tests ran with, the packages of both extras among them."""
    image = pins("image.txt")
    assert image <= pins("dev.txt")
    names = {pin.split("==")[0] for pin in image}
    assert {"aiohttp", "scipy", "lark", "opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http"} <= names
    assert not names & {"pytest", "hatchling", "ruff"}
    assert "--require-hashes" in DOCKERFILE.read_text()
