"""A program for an environment of its own: the AWS CLI, as it comes, against the emulator given as its argument.

The second argument is a JSON object of calls by name, as boto3's: [client, method, members]. Prints one JSON object by
the same names: exit code, statuses, and what was printed where. A call of the client `emulator` is a plain
request to the routes that are not part of the service. The CLI runs in this process: it is the same program, and half
a hundred processes would each take a second to start.
"""

import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from http.client import HTTPConnection
from io import BytesIO, TextIOWrapper
from urllib.parse import urlsplit

from awscli.clidriver import create_clidriver


def told(url, client, method, members):
    """What one command gives."""
    command = [client, method.replace("_", "-"), "--endpoint-url", url, "--cli-input-json", json.dumps(members)]
    statuses = []
    driver = create_clidriver()
    driver.session.register("after-call", lambda http_response, **_: statuses.append(http_response.status_code))
    out, err = (TextIOWrapper(BytesIO(), write_through=True) for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err):
        code = driver.main([*command, "--output", "json"])
    printed, said = (pipe.buffer.getvalue().decode() for pipe in (out, err))
    return {"exit": code, "statuses": statuses, "answer": json.loads(printed) if printed else None, "said": said}


def asked(url, method, members):
    """A request to the emulator itself."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=10)
    connection.request(method, "/_emulator/faults", json.dumps(members) if members else None)
    with connection.getresponse() as response:
        return json.load(response)


def main(url, calls):
    """Make the calls in their order and print."""
    results = {}
    for name, (client, method, members) in calls.items():
        results[name] = asked(url, method, members) if client == "emulator" else told(url, client, method, members)
    print(json.dumps(results))


main(sys.argv[1], json.loads(sys.argv[2]))
