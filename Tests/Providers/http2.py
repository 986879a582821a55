"""h2, the HTTP/2 state machine of Python's clients (httpx, hypercorn): the main job on one connection, its streams side by side.

Arguments: port, certificate, a file with a JSON list of {"fields", "body", "times"}. Sends all requests at once and prints what came of each
as one JSON list.
"""

import json
import socket
import ssl
import sys

import h2.config
import h2.connection
import h2.events

port, certificate = int(sys.argv[1]), sys.argv[2]
requests = json.loads(open(sys.argv[3]).read())

context = ssl.create_default_context(cafile=certificate)
context.set_alpn_protocols(["h2"])
sock = context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=20), server_hostname="localhost")
assert sock.selected_alpn_protocol() == "h2"
connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
connection.initiate_connection()

answers, unsent = {}, {}
for request in requests:
    stream = connection.get_next_available_stream_id()
    body = request.get("body", "").encode() * request.get("times", 1)
    connection.send_headers(stream, [tuple(field) for field in request["fields"]], end_stream=not body)
    answers[stream] = {"fields": {}, "trailers": {}, "length": 0, "text": "", "sum": 0}
    if body:
        unsent[stream] = body


def send_bodies():
    for stream in list(unsent):
        while unsent.get(stream):
            room = min(connection.local_flow_control_window(stream), connection.max_outbound_frame_size, len(unsent[stream]))
            if room <= 0:
                break
            piece, unsent[stream] = unsent[stream][:room], unsent[stream][room:]
            connection.send_data(stream, piece, end_stream=not unsent[stream])
        if not unsent[stream]:
            del unsent[stream]


open_streams = set(answers)
while open_streams:
    send_bodies()
    sock.sendall(connection.data_to_send())
    data = sock.recv(65536)
    if not data:
        break
    for event in connection.receive_data(data):
        stream = getattr(event, "stream_id", None)
        if isinstance(event, h2.events.ResponseReceived):
            answers[stream]["fields"] = dict(event.headers)
        elif isinstance(event, h2.events.TrailersReceived):
            answers[stream]["trailers"] = dict(event.headers)
        elif isinstance(event, h2.events.DataReceived):
            answer = answers[stream]
            answer["length"] += len(event.data)
            answer["sum"] = (answer["sum"] + sum(event.data)) % (1 << 32)
            if answer["length"] < 10_000:
                answer["text"] += event.data.decode()
            connection.acknowledge_received_data(event.flow_controlled_length, stream)
        elif isinstance(event, h2.events.StreamEnded):
            answers[stream]["whole"] = True
            open_streams.discard(stream)
        elif isinstance(event, h2.events.StreamReset):
            answers[stream]["reset"] = event.error_code
            open_streams.discard(stream)
            unsent.pop(stream, None)
        elif isinstance(event, h2.events.ConnectionTerminated):
            answers["goaway"] = event.error_code
connection.close_connection()
sock.sendall(connection.data_to_send())
print(json.dumps(list(answers.values())))
