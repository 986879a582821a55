"""A client of server-sent events that can send a token: what a page does by `fetch`, written down from the HTML standard (9.2).

    events.py PORT CA TOKEN TENANT PATH

Prints one line for each thing that happens, as JSON: `open`, `event`, `lost` (the stream ended or broke; it connects again with
Last-Event-ID after the time that the server has said) and `failed` (a status that is not 200, which ends it, as an EventSource ends).
"""

import http.client
import json
import socket
import ssl
import sys
import time


def say(what, **facts):
    print(json.dumps({"what": what, **facts}), flush=True)


class Source:
    def __init__(self, port, context, token, tenant, path):
        self.port, self.context, self.path = port, context, path
        self.fields = {"Authorization": f"Bearer {token}", "X-Tenant-ID": tenant, "Accept": "text/event-stream", "Cache-Control": "no-store"}
        self.last_id = ""
        self.wait = 0.05

    def connect(self):
        """One connection: True where it is to be made again."""
        connection = http.client.HTTPSConnection("localhost", self.port, context=self.context, timeout=30)
        fields = dict(self.fields)
        if self.last_id:
            fields["Last-Event-ID"] = self.last_id
        connection.request("GET", self.path, headers=fields)
        answer = connection.getresponse()
        if answer.status != 200 or not answer.headers.get("Content-Type", "").startswith("text/event-stream"):
            body = answer.read().decode(errors="replace")
            say("failed", status=answer.status, body=body)
            return False
        say("open", last=self.last_id)
        try:
            self.listen(answer)
        except (http.client.IncompleteRead, ConnectionError, ssl.SSLError, socket.timeout):
            pass
        say("lost")
        return True

    def listen(self, answer):
        event = {"data": []}
        while True:
            line = answer.readline()
            if not line:
                return
            line = line.decode().rstrip("\r\n")
            if not line:
                if event["data"]:
                    say("event", data="\n".join(event["data"]), id=self.last_id, type=event.get("event", "message"))
                event = {"data": []}
                continue
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "data":
                event["data"].append(value)
            elif name == "event":
                event["event"] = value
            elif name == "id":
                self.last_id = value
            elif name == "retry" and value.isdigit():
                self.wait = int(value) / 1000


port, authority, token, tenant, path = sys.argv[1:]
source = Source(int(port), ssl.create_default_context(cafile=authority), token, tenant, path)
while source.connect():
    time.sleep(source.wait)
