"""The examples of the README's section "Use": as they stand there, run against what `make demo` leaves running.

Nothing is changed in them but the port, and `.venv/bin/rerank-gateway`, which becomes the program under test. Each runs
in a folder of its own, and has to end with exit code 0 and without a word on standard error. What it promises to print
stands behind `=>`.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.process.parts import ROOT, environment, line_of, running
from tests.sdk.clients import BOTO3, CLI, JAVASCRIPT, WITHIN_S

SECTION = re.compile(r"^## Use\n(.*?)^## ", re.MULTILINE | re.DOTALL)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROMISED = re.compile(r"(?:#|//) => (.*)$", re.MULTILINE)
ADDRESS = "http://127.0.0.1:8080"
GATEWAY = ".venv/bin/rerank-gateway"
SERVES_ON = "The gateway serves on at "

Prepared = tuple[list[str], dict[str, str]]
"""A command, and variables for it."""


@dataclass(frozen=True)
class Example:
    """One fenced block of the README."""

    language: str
    text: str

    @property
    def kind(self) -> str:
        """Who runs it: its language, or `aws` for commands of the CLI."""
        return "aws" if self.language == "sh" and re.search(r"^aws ", self.text, re.MULTILINE) else self.language

    @property
    def promised(self) -> list[str]:
        """The lines that it says it prints."""
        return PROMISED.findall(self.text)

    def __str__(self) -> str:
        return f"{self.kind}: {self.text.splitlines()[0]}"


def examples(*kinds: str) -> list[Example]:
    """The examples of these kinds; all of them, if none is named."""
    section = SECTION.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert section is not None
    every = [Example(*fence) for fence in FENCE.findall(section[1])]
    return [one for one in every if not kinds or one.kind in kinds]


@contextmanager
def demo() -> Iterator[str]:
    """What `make demo` leaves running, on free ports, with time for a busy machine; the gateway's address."""
    env = environment(PYTHONUNBUFFERED="1", GATEWAY_SERVER__DEADLINE_MS="20000")
    with running("demo", "--port", "0", env=env) as process:
        line = process.line
        while SERVES_ON not in line:
            line = line_of(process.process)
        yield line.strip().removeprefix(SERVES_ON).partition(",")[0]


def _shell(text: str, folder: Path) -> Prepared:
    """curl ends with an error where the status is one."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    (folder / ".curlrc").write_text("fail-with-body\nshow-error\n", encoding="ascii")
    return ["sh", "-euc", text], {"CURL_HOME": str(folder)}


def _aws(text: str, folder: Path) -> Prepared:
    CLI.check()
    return ["sh", "-euc", text], {"PATH": f"{CLI.runner.parent}:{environment()['PATH']}"}


def _python(text: str, folder: Path) -> Prepared:
    BOTO3.check()
    return [str(BOTO3.runner), "-c", text], {}


def _javascript(text: str, folder: Path) -> Prepared:
    """Node.js warns that it is old, not that the example is wrong."""
    JAVASCRIPT.check()
    (folder / "node_modules").symlink_to(JAVASCRIPT.needs.parent)
    (folder / "example.mjs").write_text(text, encoding="utf-8")
    return [str(JAVASCRIPT.runner), "example.mjs"], {"NODE_NO_WARNINGS": "1"}


RUNNERS = {"sh": _shell, "aws": _aws, "python": _python, "js": _javascript}


def run(example: Example, address: str, folder: Path) -> str:
    """Run an example; what it prints."""
    text = example.text.replace(ADDRESS, address).replace(GATEWAY, f"{sys.executable} -m gateway")
    command, variables = RUNNERS[example.kind](text, folder)
    env = environment(PYTHONPATH=str(ROOT)) | variables
    done = subprocess.run(command, env=env, cwd=folder, capture_output=True, timeout=WITHIN_S, check=False)
    assert (done.returncode, done.stderr.decode()) == (0, ""), done.stdout.decode()
    return done.stdout.decode()


def answers(printed: str) -> list[dict[str, object]]:
    """The lines that are answers of the gateway."""
    return [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
