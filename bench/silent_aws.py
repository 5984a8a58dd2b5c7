"""AWS as the API needs it, answering at once and always the same: what is measured is our side of each call.

``python -m bench.silent_aws VERBOSE_RESULT`` serves until it is killed; its first line of output is its address.
"""

import json
import secrets
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SIGNING_KEYS = json.dumps({"current": "k1", "keys": {"k1": secrets.token_hex(32)}})
VERBOSE_RESULT = Path(sys.argv[1]).read_bytes() if len(sys.argv) > 1 else b""
_ARN = "arn:aws:states:eu-central-1:000000000000:execution:analysis:x"
_BY_TARGET = {
    "secretsmanager.GetSecretValue": {"ARN": "auth", "Name": "auth", "SecretString": SIGNING_KEYS},
    "AWSStepFunctions.StartExecution": {"executionArn": _ARN, "startDate": 1.0},
    "AWSStepFunctions.StopExecution": {"stopDate": 1.0},
}


class SilentAws(BaseHTTPRequestHandler):
    """Secrets Manager and Step Functions by their target header; everything else is S3."""

    protocol_version = "HTTP/1.1"
    # The answer's head and body in one packet, or Nagle's algorithm makes the client wait for the second.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """A call by target, or S3's DeleteObjects."""
        target = self.headers.get("X-Amz-Target")
        if target is None:
            self._answer(b"<DeleteResult/>", "application/xml")
        else:
            self._answer(json.dumps(_BY_TARGET[target]).encode(), "application/x-amz-json-1.1")

    def do_GET(self) -> None:
        """ListObjectsV2 of nothing, GetObject of the verbose result; no model has been uploaded."""
        if "list-type=2" in self.path:
            self._answer(b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>", "application/xml")
        elif "/models/" in self.path:
            self._answer(b"<Error><Code>NoSuchKey</Code></Error>", "application/xml", status=404)
        else:
            self._answer(VERBOSE_RESULT, "binary/octet-stream")

    def do_PUT(self) -> None:
        """CopyObject or PutObject."""
        self._answer(b"<CopyObjectResult><ETag>x</ETag></CopyObjectResult>", "application/xml")

    def _answer(self, body: bytes, content_type: str, status: int = 200) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), SilentAws)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
