"""A program for an environment of its own: the AWS CLI, as it comes, makes calls. The protocol is that of `clients`.

The CLI runs in this process: it is the same program, and half a hundred processes would each take a second to start.
Members come from a file, as lists of ten thousand must. A command that ends with an error has its exit code for an
exception, and the code and message that it prints.
"""

import json
import os
import re
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import BytesIO, TextIOWrapper
from pathlib import Path
from tempfile import TemporaryDirectory

from awscli.clidriver import create_clidriver

VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def run(arguments):
    """Run a command: its exit code, what it printed where, and the response."""
    driver, responses = create_clidriver(), []
    driver.session.register("after-call", lambda http_response, **_: responses.append(http_response))
    out, err = (TextIOWrapper(BytesIO(), write_through=True) for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err):
        code = driver.main([*arguments, "--output", "json"])
    printed, said = (pipe.buffer.getvalue().decode() for pipe in (out, err))
    return code, printed, said, responses


def told(url, members_file, service, method, keys):
    """What became of one call."""
    for name, value in zip(VARIABLES, [*keys, ""][:3], strict=True):
        os.environ[name] = value
    command = method.replace("_", "-")
    code, printed, said, responses = run([service, command, "--endpoint-url", url, "--cli-input-json", members_file])
    if len(responses) != 1:
        raise SystemExit(f"{command}: {len(responses)} responses, exit code {code}: {said}")
    headers = {name.lower(): value for name, value in responses[0].headers.items()}
    outcome = {
        "status": responses[0].status_code,
        "requestId": headers.get("x-amzn-requestid"),
        "headers": {name: value for name, value in headers.items() if name.startswith("gateway-")},
    }
    if code == 0:
        return outcome | {"answer": json.loads(printed or "{}"), "faults": said}
    operation = "".join(word.capitalize() for word in method.split("_"))
    found = re.search(rf"An error occurred \((\w+)\) when calling the {operation} operation(?: \(.+?\))?: (.+)", said)
    reason, message = found.groups() if found and not printed else (said + printed, "")
    return outcome | {"exception": f"exit {code}", "code": reason, "message": message}


def main(url):
    """Make the calls in their order and print."""
    os.environ |= {"AWS_DEFAULT_REGION": "us-east-1", "AWS_MAX_ATTEMPTS": "1"}
    results = {}
    with TemporaryDirectory() as folder:
        file = Path(folder, "members.json")
        for name, (service, method, members, keys) in json.load(sys.stdin).items():
            file.write_text(json.dumps(members), encoding="utf-8")
            results[name] = told(url, f"file://{file}", service, method, keys)
    print(json.dumps(results))


main(sys.argv[1])
