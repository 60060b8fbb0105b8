"""Fetches checkpoints: resumable, and pinned to the sha256 that is published or was recorded the first time."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .errors import ExportError
from .manifest import sha256_of
from .sources import Source

_CHUNK = 1 << 20
_TIMEOUT_SECONDS = 30
_ATTEMPTS = 4


@dataclass(frozen=True)
class Downloads:
    """`cache` keeps the files, `record` the hashes by source; both outlive an export."""

    cache: Path
    record: Path
    say: Callable[[str], None]
    pause: Callable[[float], None] = field(default=time.sleep)

    def obtain(self, source: Source, given: str | None) -> Path:
        """The checkpoint's file: a local path as it is, an address (or the source's own one) by download."""
        if given is not None and urllib.parse.urlparse(given).scheme not in ("http", "https"):
            path = Path(given).expanduser()
            if not path.exists():
                raise ExportError(f"{given}: no such file; expected {source.file_name} from {source.page}")
        else:
            path = self._download(source, given or source.url)
        if path.is_file():
            self._compare(source, path)
        return path

    def _download(self, source: Source, url: str | None) -> Path:
        path = self.cache / source.file_name
        if path.exists():
            return path
        if url is None:
            raise ExportError(
                f"{source.title} has no address to download from: fetch {source.file_name} by hand, starting at {source.page}, "
                f"and give it with --{source.key} FILE"
            )
        self.cache.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.part")
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._fetch(url, part, source)
                break
            except (OSError, http.client.HTTPException) as error:
                if isinstance(error, urllib.error.HTTPError) and error.code < 500 and error.code not in (408, 429):
                    raise ExportError(f"{url} answers {error.code} {error.reason}; see {source.page}") from error
                if attempt == _ATTEMPTS:
                    raise ExportError(
                        f"{url} could not be downloaded ({error}); what is there is kept in {part} and the next try goes on from it"
                    ) from error
                self.say(f"{source.file_name}: {error}; trying again")
                self.pause(2.0**attempt)
        part.replace(path)
        return path

    def _fetch(self, url: str, part: Path, source: Source) -> None:
        """Appends to what an earlier try left; a server that ignores the range starts from the beginning."""
        done = part.stat().st_size if part.exists() else 0
        request = urllib.request.Request(url, headers={"User-Agent": "export-models", "Accept-Encoding": "identity"})
        if done > 0:
            request.add_header("Range", f"bytes={done}-")
        try:
            answer = urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS)
        except urllib.error.HTTPError as error:
            total = (error.headers.get("Content-Range") or "").rpartition("/")[2]
            if error.code == 416 and total == str(done):
                return
            if error.code == 416:
                part.unlink()
                raise OSError("the server holds another file than the one begun") from error
            raise
        with answer:
            if "text/html" in (answer.headers.get("Content-Type") or ""):
                raise ExportError(
                    f"{url} gives a web page, not a file: open {source.page} in a browser and give the file with "
                    f"--{source.key} FILE"
                )
            if answer.status != 206:
                done = 0
            expected = done + int(answer.headers["Content-Length"]) if answer.headers["Content-Length"] else None
            self.say(f"{source.file_name}: downloading{f' {expected / 1e6:.0f} MB' if expected else ''}")
            with part.open("ab" if done > 0 else "wb") as file:
                while chunk := answer.read(_CHUNK):
                    file.write(chunk)
                    done += len(chunk)
        if expected is not None and done < expected:
            raise OSError(f"the connection ended after {done} of {expected} bytes")

    def _compare(self, source: Source, path: Path) -> None:
        expected = source.sha256 or self._recorded().get(source.key)
        if expected is None:
            return
        found = sha256_of(path)
        if found != expected:
            where = "published by its authors" if source.sha256 else f"recorded in {self.record}"
            raise ExportError(
                f"{path} has sha256 {found}, expected {expected} ({where}). Download it again, or remove the record where the "
                "authors published another file"
            )

    def remember(self, source: Source, path: Path) -> None:
        """Records the hash of a file that proved to be a whole checkpoint: that of a damaged one would refuse the right one later."""
        recorded = self._recorded()
        if source.sha256 is not None or source.key in recorded or not path.is_file():
            return
        found = sha256_of(path)
        self.record.parent.mkdir(parents=True, exist_ok=True)
        self.record.write_text(json.dumps({**recorded, source.key: found}, indent=2) + "\n", encoding="utf-8")
        self.say(f"{source.file_name}: sha256 {found} recorded in {self.record}")

    def _recorded(self) -> dict[str, str]:
        if not self.record.exists():
            return {}
        try:
            recorded = json.loads(self.record.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ExportError(f"{self.record} is not JSON: {error}") from error
        if not isinstance(recorded, dict):
            raise ExportError(f"{self.record} is no object of hashes")
        return {str(key): str(value) for key, value in recorded.items()}
