"""A stub of S3 on another port, which accepts forms from any page."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from multipart import MultipartParser, parse_options_header

from tests.support.upload_bucket import BUCKET, UploadBucket


@contextmanager
def upload_bucket() -> Iterator[UploadBucket]:
    """Serve a bucket on a free port."""
    bucket = UploadBucket()

    class Connection(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            boundary = parse_options_header(self.headers["Content-Type"])[1]["boundary"]
            limit = len(body)
            parts = list(
                MultipartParser(io.BytesIO(body), boundary, spool_limit=limit, memory_limit=limit)
            )
            # S3 needs the file after all other fields.
            assert [part.name for part in parts] == ["Content-Type", "key", "policy", "file"]
            assert parts[-1].content_type == parts[0].value
            bucket.objects[f"s3://{BUCKET}/{parts[1].value}"] = parts[-1].raw
            self.send_response(204)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Connection)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    bucket.origin = f"http://127.0.0.1:{server.server_port}"
    try:
        yield bucket
    finally:
        server.shutdown()
        server.server_close()
