import hashlib
import json
import tempfile
import threading
import unittest
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from gpu_video_models.download import Downloads
from gpu_video_models.errors import ExportError
from gpu_video_models.sources import AGE_GENDER, ORIENTATION

CONTENT = bytes(range(256)) * 40
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves CONTENT; `behaviour` says how, one entry an answer, the last one for all that follow."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.behaviour = ["whole"]
        self.ranges = []


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        kind = server.behaviour.pop(0) if len(server.behaviour) > 1 else server.behaviour[0]
        asked = self.headers.get("Range")
        server.ranges.append(asked)
        if kind in ("404", "503"):
            return self.send_error(int(kind))
        if kind == "page":
            return self.answer(200, b"<html>sign in</html>", "text/html; charset=utf-8")
        start = int(asked[len("bytes=") : -1]) if asked and kind != "no ranges" else 0
        if start >= len(CONTENT):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(CONTENT)}")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        body = CONTENT[start:]
        self.answer(206 if start else 200, body, "application/octet-stream", body[:3000] if kind == "cut" else body)

    def answer(self, status, body, kind, sent=None):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if sent is None else sent)
        self.close_connection = True

    def log_message(self, *_):
        pass


class DownloadTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.server = Server()
        thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        self.addCleanup(lambda: (self.server.shutdown(), thread.join(), self.server.server_close()))
        self.source = replace(AGE_GENDER, url=f"http://127.0.0.1:{self.server.server_port}/file")
        self.pauses = []
        self.downloads = Downloads(
            cache=self.root / "cache", record=self.root / "record.json", say=lambda text: None, pause=self.pauses.append
        )

    def obtain(self, given=None):
        return self.downloads.obtain(self.source, given)

    def refused(self, *words, given=None):
        with self.assertRaises(ExportError) as caught:
            self.obtain(given)
        for word in words:
            self.assertIn(word, str(caught.exception))

    def test_the_hash_is_recorded_after_first_use_and_compared_later(self):
        path = self.obtain()
        self.assertEqual(path.read_bytes(), CONTENT)
        self.assertFalse(self.downloads.record.exists())
        self.downloads.remember(self.source, path)
        self.assertEqual(json.loads(self.downloads.record.read_text()), {"age-gender": SHA256})
        self.assertEqual(self.obtain(), path)
        self.assertEqual(len(self.server.ranges), 1)
        path.write_bytes(b"another file")
        self.refused("expected", SHA256, "recorded in")

    def test_a_published_hash_is_compared_at_once(self):
        self.source = replace(self.source, sha256="0" * 64)
        self.refused("0" * 64, "published")
        self.assertFalse(self.downloads.record.exists())

    def test_a_connection_that_ends_early_goes_on_from_there(self):
        self.server.behaviour = ["cut", "503", "whole"]
        self.assertEqual(self.obtain().read_bytes(), CONTENT)
        self.assertEqual(self.server.ranges, [None, "bytes=3000-", "bytes=3000-"])
        self.assertEqual(self.pauses, [2.0, 4.0])

    def test_a_server_without_ranges_starts_again(self):
        self.server.behaviour = ["cut", "no ranges"]
        self.assertEqual(self.obtain().read_bytes(), CONTENT)

    def test_an_interrupted_download_is_continued_by_the_next_export(self):
        self.server.behaviour = ["cut", "503"]
        self.refused("could not be downloaded", ".part", "503")
        self.server.behaviour = ["whole"]
        self.assertEqual(self.obtain().read_bytes(), CONTENT)
        self.assertEqual(self.server.ranges[-1], "bytes=3000-")

    def test_a_part_that_is_complete_is_taken(self):
        self.downloads.cache.mkdir()
        (self.downloads.cache / f"{self.source.file_name}.part").write_bytes(CONTENT)
        self.assertEqual(self.obtain().read_bytes(), CONTENT)

    def test_what_is_no_file_is_refused_at_once(self):
        self.server.behaviour = ["page"]
        self.refused("a web page", "--age-gender FILE")
        self.server.behaviour = ["404"]
        self.refused("404")
        self.assertEqual(self.pauses, [])

    def test_a_local_file_is_used_where_it_is(self):
        local = self.root / "mine.pt"
        local.write_bytes(CONTENT)
        self.assertEqual(self.obtain(str(local)), local)
        self.assertEqual(self.server.ranges, [])
        self.refused("no such file", given=str(self.root / "absent.pt"))

    def test_a_source_without_an_address_says_what_to_do(self):
        self.source = ORIENTATION
        self.refused("by hand", "model_hboe.pth", "--orientation FILE")


if __name__ == "__main__":
    unittest.main()
