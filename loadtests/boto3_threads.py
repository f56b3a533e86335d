"""What one would write without asyncio: an HTTP service whose threads call the campaign by boto3.

Runs in the environment of the SDKs, so with the standard library and boto3 alone. A request is no more than a user's
id, and the answer no more than a count; the endpoint and the credentials are what the SDK's variables say.
"""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3

ARN = "arn:aws:personalize:us-east-1:000000000000:campaign/demo"


def handler(count: int) -> type[BaseHTTPRequestHandler]:
    """Ranks the same items for every user; one client for all threads, as the SDK allows."""
    client = boto3.client("personalize-runtime", region_name="us-east-1")
    items = [f"item-{number:09}" for number in range(count)]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # one packet an answer

        def do_POST(self) -> None:
            user = self.rfile.read(int(self.headers["Content-Length"])).decode()
            ranked = client.get_personalized_ranking(campaignArn=ARN, userId=user, inputList=items)
            body = b"%d" % len(ranked["personalizedRanking"])
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


if __name__ == "__main__":
    with ThreadingHTTPServer(("127.0.0.1", 0), handler(int(sys.argv[1]))) as server:
        print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()
