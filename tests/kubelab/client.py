"""The few requests that tests make of a Kubernetes API themselves: JSON over TLS, one connection a request."""

import http.client
import json
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_CONTENT_TYPES = {"PATCH": "application/merge-patch+json"}


class ApiError(Exception):
    """The API server said no; `status` is HTTP's, `body` what it answered."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body


class ApiClient:
    """One user of one API server."""

    def __init__(self, url: str, ca: Path, token: str) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port
        self._tls = ssl.create_default_context(cafile=ca)
        self._token = token

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """The decoded answer, or its text where that is not JSON.

        ApiError for a refusal, OSError when the server is not there (yet).
        """
        connection = http.client.HTTPSConnection(self._host, self._port, timeout=30, context=self._tls)
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Content-Type": _CONTENT_TYPES.get(method, "application/json"),
        }
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status >= 400:
            raise ApiError(answer.status, text)
        return json.loads(text) if "json" in answer.headers.get_content_type() else text
