"""What tests of a gateway that is to end share: an endpoint that answers when it is let go, and what a caller sees."""

import http.client
import socket
import subprocess
import threading

import orjson

from tests.process.parts import WITHIN_S
from tests.support.canaries import USER

ASKED = orjson.dumps({"campaign": "demo", "userId": USER, "inputList": ["p00001", "p00002"]})
JSON = {"Content-Type": "application/json"}


class Hanging:
    """An endpoint that takes one call, and answers it when it is let go."""

    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.server.getsockname()[1]}"
        self.arrived, self.let_go = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.answer, daemon=True)
        self.thread.start()

    def answer(self) -> None:
        """Take the call, wait, answer."""
        connection, _ = self.server.accept()
        with connection:
            while b"inputList" not in connection.recv(65536):
                pass
            self.arrived.set()
            self.let_go.wait(WITHIN_S)
            ranking = [{"itemId": "p00002", "score": 0.6}, {"itemId": "p00001", "score": 0.4}]
            body = orjson.dumps({"personalizedRanking": ranking, "recommendationId": "RID-1"})
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    def close(self) -> None:
        """End the endpoint."""
        self.let_go.set()
        self.thread.join(WITHIN_S)
        self.server.close()


def get(port: int, path: str) -> tuple[int, str | None]:
    """Status and Connection header of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WITHIN_S)
    connection.request("GET", path)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status, response.getheader("Connection")


def post(port: int) -> http.client.HTTPConnection:
    """A ranking asked for, its answer still to come."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WITHIN_S)
    connection.request("POST", "/v1/rerank", ASKED, JSON)
    return connection


def end(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a process that ends by itself."""
    out, err = process.communicate(timeout=WITHIN_S)
    return process.returncode, out, err
