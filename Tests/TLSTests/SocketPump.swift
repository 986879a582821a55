import Glibc
import TestSupport

/// Joins a `ClientSession` to a socket.
final class SocketPump {
    let client: ClientSession
    let socket: PlainStream

    /// Connects and shakes hands.
    init(port: Int) throws {
        client = ClientSession()
        socket = try PlainStream(port: port)
        client.shakeHands()
        while !client.isReady {
            try socket.send(client.takeOutput())
            guard case .bytes(let bytes) = try socket.receive(seconds: 10) else { throw StreamError.timedOut }
            client.receive(bytes)
        }
        try socket.send(client.takeOutput())
    }

    /// Sends `message` as fast as the server takes it and reads the echo `readingAtMost` bytes at a time: a client that is slow to
    /// read holds the server up in both directions.
    func roundTrip(_ message: [UInt8], readingAtMost: Int) throws -> [UInt8] {
        var echo: [UInt8] = []
        var unsent = message[...]
        var ciphertext: ArraySlice<UInt8> = []
        var block = [UInt8](repeating: 0, count: readingAtMost)
        while echo.count < message.count {
            if ciphertext.isEmpty, !unsent.isEmpty {
                client.send(Array(unsent.prefix(100_000)))
                unsent = unsent.dropFirst(100_000)
                ciphertext = client.takeOutput()[...]
            }
            var request = pollfd(fd: socket.descriptor, events: Int16(ciphertext.isEmpty ? POLLIN : POLLIN | POLLOUT), revents: 0)
            guard unsafe poll(&request, 1, 20_000) == 1 else { throw StreamError.timedOut }
            if request.revents & Int16(POLLOUT) != 0 {
                let sent = unsafe ciphertext.withUnsafeBytes {
                    unsafe send(socket.descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
                }
                ciphertext = ciphertext.dropFirst(max(0, sent))
            }
            if request.revents & Int16(POLLIN) != 0 {
                let count = unsafe recv(socket.descriptor, &block, block.count, 0)
                guard count > 0 else { throw StreamError.closed }
                echo += client.receive(Array(block[..<count]))
            }
        }
        return echo
    }
}
