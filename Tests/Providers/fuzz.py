"""Fuzzes the admin API from its own OpenAPI document with schemathesis, for a bounded time.

    fuzz.py DOCUMENT URL TOKEN SECONDS

Ends with 1 where an answer is a 5xx, or isn't one that the document describes (status, content type, fields, shape), where something
wrong is taken; says then how to repeat it. (Wrong tokens are limited, 429, so that they are not tried out here.)
"""
import os
import sys
import tempfile

import schemathesis
from schemathesis.cli import schemathesis as command

CHECKS = [
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "negative_data_rejection", "unsupported_method", "allow_header_conformance",
]


@schemathesis.serializer("application/x-ndjson")
def lines(context, value):
    return value if isinstance(value, bytes) else str(value).encode()


@schemathesis.hook
def before_call(context, case, kwargs):
    """Nobody waits for an answer that never ends; and a directory that exists is asked about more often than chance would have it."""
    query, body = case.query, case.body
    if hasattr(query, "get") and str(query.get("follow")).lower() == "true":
        case.query = {name: value for name, value in query.items() if name != "follow"}
    if isinstance(body, dict) and isinstance(body.get("directory"), str) and len(body["directory"]) % 3:
        case.body = {**body, "directory": "rinne"}


def main():
    document, url, token, seconds = sys.argv[1:]
    # Its notes of earlier runs stay out of the repository.
    os.chdir(tempfile.mkdtemp())
    command([
        "run", document, "--url", url, "--header", f"Authorization: Bearer {token}", "--checks", ",".join(CHECKS), "--max-time", seconds, "--max-examples", "8",
        "--phases", "examples,coverage,fuzzing", "--request-timeout", "10", "--seed", "7", "--workers", "2", "--continue-on-failure",
        "--suppress-health-check", "all", "--warnings", "off",
    ])


main()
