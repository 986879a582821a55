"""websockets: a WebSocket server that says what it hears, one frame after the other, whatever way the bytes come in.

What is heard in pieces is said as one message; messages of more than a MiB are refused. Prints its port, then serves on.
"""

import codecs
import json
import socket
import threading

from websockets.exceptions import InvalidState
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol


def choose(protocol, offered):
    return next((name for name in offered if name.startswith("chat.")), None)


class Echo:
    def __init__(self, connection):
        self.connection = connection
        self.protocol = ServerProtocol(
            extensions=[ServerPerMessageDeflateFactory()], select_subprotocol=choose, max_size=1 << 20
        )
        self.message = bytearray()
        self.is_text = False
        self.decoder = None

    def serve(self):
        with self.connection:
            while data := self.connection.recv(1 << 16):
                # A Close at the end of what came must not be heard before what stands in front of it is answered.
                cut = max(0, len(data) - 64)
                for piece in [data[:cut]] + [data[at : at + 1] for at in range(cut, len(data))]:
                    if piece:
                        self.protocol.receive_data(piece)
                        self.answer()
                if self.protocol.state is State.CLOSED or self.protocol.close_expected():
                    return

    def answer(self):
        for event in self.protocol.events_received():
            if not isinstance(event, Frame):
                self.protocol.send_response(self.protocol.accept(event))
            elif event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                self.hear(event)
        for data in self.protocol.data_to_send():
            if data:
                self.connection.sendall(data)
            else:
                self.connection.shutdown(socket.SHUT_WR)

    def hear(self, frame):
        if frame.opcode is not Opcode.CONT:
            self.message = bytearray()
            self.is_text = frame.opcode is Opcode.TEXT
            self.decoder = codecs.getincrementaldecoder("utf-8")() if self.is_text else None
        self.message += frame.data
        try:
            if self.is_text:
                self.decoder.decode(bytes(frame.data), frame.fin)
        except UnicodeDecodeError:
            self.protocol.fail(CloseCode.INVALID_DATA)
            return
        if frame.fin:
            try:
                (self.protocol.send_text if self.is_text else self.protocol.send_binary)(bytes(self.message))
            except InvalidState:
                pass  # It has closed already.


def serve(connection):
    try:
        Echo(connection).serve()
    except OSError:
        pass  # The client has gone.


with socket.create_server(("127.0.0.1", 0)) as server:
    print(json.dumps({"port": server.getsockname()[1]}), flush=True)
    while True:
        connection, _ = server.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()
