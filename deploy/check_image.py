"""Tries a built image for real: python deploy/check_image.py localhost/rerank-gateway:1 [--json]

Starts it as a container with everything taken away that can be: its own user, a read-only root file system without any
tmpfs, no capabilities, no new privileges, the engine's default seccomp profile, /dev/null in place of every shell.
Then, over real sockets: `serve` in front of `emulate` ranks 10,000 candidates; `demo --once` (which wants a /tmp) finds
the ideal top 100. Tells from starting the process to `/readyz`, the resident memory when idle, and the sizes.

ENGINE is the command of the engine (default podman; see podman-nested.sh), ENGINE_RUN more options of its `run`. The
machine's network and process ids must be the engine's. Exit code 1 if anything is not as it says.
"""

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

import orjson

ENGINE = shlex.split(os.environ.get("ENGINE", "podman"))  # noqa: TID251 - a program, not the gateway
MORE = shlex.split(os.environ.get("ENGINE_RUN", ""))  # noqa: TID251
SHELLS = ("/bin/sh", "/bin/dash", "/bin/bash", "/usr/bin/sh", "/usr/bin/dash", "/usr/bin/bash")
HARDENED = ("--read-only", "--cap-drop=all", "--security-opt=no-new-privileges", "--network=host")
UID = 10001
READY_MAX_S = 2.0
TICKS = os.sysconf("SC_CLK_TCK")
WITHIN_S = 120.0
ARN = "arn:aws:personalize:us-east-1:000000000000:campaign/demo"

Figures = dict[str, float | int | str]


class NotAsSaid(Exception):
    """The image does not do what it should; the message says what."""


def need(condition: object, what: str) -> None:
    """Raise unless it is so."""
    if not condition:
        raise NotAsSaid(what)


def engine(*arguments: str) -> str:
    """One command of the engine, run to its end; what it printed."""
    done = subprocess.run([*ENGINE, *arguments], capture_output=True, text=True, timeout=WITHIN_S, check=False)
    need(done.returncode == 0, f"{arguments[0]} ended with {done.returncode}: {done.stderr[-500:]}")
    return done.stdout


def options(image: str, *, tmp: bool, variables: dict[str, str]) -> list[str]:
    """How a container is run. `tmp`: with a /tmp."""
    tmpfs = ["--read-only-tmpfs=false", *(["--tmpfs=/tmp"] if tmp else [])]
    shells = [f"--volume=/dev/null:{path}:ro" for path in SHELLS]
    given = [f"--env={name}={value}" for name, value in variables.items()]
    return [*HARDENED, *tmpfs, *shells, *given, *MORE, image]


@dataclass
class Started:
    """A container that serves: where, the id of its process on this machine, when it said so, and its CPU by then."""

    url: str
    pid: int
    ready_s: float
    cpu_s: float


@contextmanager
def serving(image: str, *command: str, variables: dict[str, str], probe: str) -> Iterator[Started]:
    """A container, ended with the block. It is ready when it has said its address and answers the probe."""
    name = f"check-{command[0]}-{os.getpid()}"
    arguments = [*ENGINE, "run", "--rm", f"--name={name}", *options(image, tmp=False, variables=variables), *command]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        line = process.stdout.readline()
        need("http://" in line, f"{command[0]} did not start: {line!r}")
        url = line.split()[-1]
        ask(f"{url}{probe}")
        ready_s = time.clock_gettime(time.CLOCK_BOOTTIME)
        pid = int(engine("inspect", "--format", "{{.State.Pid}}", name))
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        cpu_s, began_s = (int(stat[11]) + int(stat[12])) / TICKS, int(stat[19]) / TICKS
        yield Started(url, pid, ready_s - began_s, cpu_s)
    finally:
        engine("stop", "--time=30", name)
        process.wait(WITHIN_S)


def ask(url: str, members: dict[str, object] | None = None) -> bytes:
    """The body of an answer that is a 200."""
    body = None if members is None else orjson.dumps(members)
    with urlopen(Request(url, body, {"Content-Type": "application/json"}), timeout=WITHIN_S) as answer:  # noqa: S310
        read: bytes = answer.read()
    return read


def status_of(pid: int) -> dict[str, str]:
    """What the kernel says of a process."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return {name: value.strip() for name, value in (line.split(":", 1) for line in lines)}


def check_rights(pid: int) -> Figures:
    """Nobody's user, no capability in any set, no new privileges, a seccomp filter."""
    status = status_of(pid)
    need(status["Uid"].split() == [str(UID)] * 4, f"uid {status['Uid']}")
    capabilities = {status[f"Cap{one}"] for one in ("Inh", "Prm", "Eff", "Bnd", "Amb")}
    need(capabilities == {"0" * 16}, f"capabilities {capabilities}")
    need(status["NoNewPrivs"] == "1", "new privileges")
    need(status["Seccomp"] == "2", "no seccomp filter")
    mounts = Path(f"/proc/{pid}/mounts").read_text(encoding="utf-8").splitlines()
    root = next(line.split()[3].split(",") for line in mounts if line.split()[1] == "/")
    need("ro" in root, "a root file system that can be written")
    return {"uid": UID, "capabilities": 0, "seccomp": status["Seccomp"]}


def memory_mib(pid: int) -> float:
    """Resident memory, in MiB."""
    return int(status_of(pid)["VmRSS"].split()[0]) / 1024


def check_serving(image: str) -> Figures:
    """`serve` in front of `emulate`, both hardened, ranks 10,000 candidates."""
    with serving(image, "emulate", "--port", "0", variables={}, probe="/_emulator/stats") as emulator:
        variables = {
            "AWS_ENDPOINT_URL_PERSONALIZE_RUNTIME": emulator.url,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "GATEWAY_CAMPAIGNS__DEMO__ARN": ARN,
            "GATEWAY_LOG__LEVEL": "warning",
        }
        with serving(image, "serve", "--port", "0", variables=variables, probe="/readyz") as gateway:
            figures = check_rights(gateway.pid)
            idle_mib = memory_mib(gateway.pid)
            items = [f"p{number:05}" for number in range(1, 10_001)]
            asked = {"campaign": "demo", "userId": "u", "inputList": items, "deadlineMs": 20_000}
            answer = orjson.loads(ask(f"{gateway.url}/v1/rerank", asked))
            need(sorted(one["itemId"] for one in answer["personalizedRanking"]) == items, "not what was asked for")
            need(answer["degraded"] is None, f"degraded: {answer['degraded']}")
            figures |= {"calls": answer["usage"]["upstreamCalls"], "ready_s": round(gateway.ready_s, 2)}
            figures |= {"ready_cpu_s": round(gateway.cpu_s, 2), "idle_mib": round(idle_mib, 1)}
            return figures | {"after_10000_mib": round(memory_mib(gateway.pid), 1)}


def check_demo(image: str) -> Figures:
    """`demo --once` shows the ideal top 100."""
    printed = engine("run", "--rm", *options(image, tmp=True, variables={}), "demo", "--once", "--port", "0")
    need("top-100 100.0%" in printed, printed[-500:])
    return {"demo": "top-100 100.0%"}


def check_sizes(image: str) -> Figures:
    """The layers as a registry would have them, compressed; and the SBOM, taken out of the image."""
    with tempfile.TemporaryDirectory() as folder:
        name = engine("create", image).strip()
        engine("cp", f"{name}:/opt/gateway/sbom.cdx.json", f"{folder}/sbom.json")
        engine("rm", name)
        bom = orjson.loads(Path(folder, "sbom.json").read_bytes())
        need(bom["bomFormat"] == "CycloneDX", "no SBOM")
        engine("save", "--format=oci-dir", f"--output={folder}/oci", image)
        (manifest,) = orjson.loads(Path(folder, "oci/index.json").read_bytes())["manifests"]
        layers = orjson.loads(Path(folder, "oci/blobs/sha256", manifest["digest"][7:]).read_bytes())["layers"]
        sizes = [round(one["size"] / 1e6, 1) for one in layers]
    return {"sbom_components": len(bom["components"]), "compressed_mb": sum(sizes), "layers_mb": str(sizes)}


def main() -> None:
    """Check, print the figures, and end with the verdict."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("image")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    figures: Figures = {}
    try:
        for check in (check_serving, check_demo, check_sizes):
            figures |= check(given.image)
    except NotAsSaid as why:
        sys.exit(f"error: {why}")
    print(orjson.dumps(figures).decode() if given.json else "\n".join(f"{k:<18}{v}" for k, v in figures.items()))
    if float(figures["ready_s"]) >= READY_MAX_S:
        sys.exit(f"error: ready after {figures['ready_s']} s, of which {figures['ready_cpu_s']} s at work")


if __name__ == "__main__":
    main()
