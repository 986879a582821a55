import Foundation
import Glibc
import Synchronization

/// A request as it reached an upstream, byte for byte.
package struct RecordedRequest: Sendable {
    /// Counts connections from 0.
    package let connection: Int
    package let method: String
    package let target: String
    /// Names in lower case.
    package let fields: [(name: String, value: String)]
    package let head: [UInt8]
    /// The body as it stands on the wire, chunk lines and trailers and all.
    package let body: [UInt8]

    package func values(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }
    package func field(_ name: String) -> String? { values(name).first }
    package var bytes: [UInt8] { head + body }
    /// The body without its chunks' framing.
    package var content: [UInt8] {
        guard field("transfer-encoding") != nil else { return body }
        var (content, rest) = ([UInt8](), body[...])
        while let end = rest.firstIndex(of: UInt8(ascii: "\r")),
            let size = Int(String(decoding: rest[..<end], as: UTF8.self), radix: 16), size > 0
        {
            content += rest.dropFirst(end - rest.startIndex + 2).prefix(size)
            rest = rest.dropFirst(end - rest.startIndex + size + 4)
        }
        return content
    }
    package var text: String { String(decoding: bytes, as: UTF8.self) }
    package var bodyText: String { String(decoding: body, as: UTF8.self) }
}

/// What the upstream does with a request.
package enum UpstreamStep: Sendable {
    case send([UInt8])
    case wait(seconds: Double)
    /// Waits until the test opens the gate.
    case hold(TestGate)
    /// Ends the connection, by FIN.
    case close
    /// Ends it by RST.
    case reset
    /// Ends it by FIN, without TLS's close_notify.
    case cut
    /// TLS 1.3: so many records that only announce new keys.
    case keyUpdates(Int)
    /// TLS: sends these bytes and, with them, the beginning of a record that never ends.
    case torn([UInt8])
    /// TLS 1.2: asks the other side to begin anew.
    case renegotiate
    /// Says nothing more until the other side closes.
    case hang

    package static func text(_ text: String) -> UpstreamStep { .send(Array(text.utf8)) }

    /// A whole good answer.
    package static func json(_ text: String, status: String = "200 OK", fields: String = "") -> UpstreamStep {
        .text("HTTP/1.1 \(status)\r\nContent-Type: application/json\r\n\(fields)Content-Length: \(text.utf8.count)\r\n\r\n\(text)")
    }
}

/// An HTTP/1.1 server on a port of its own that keeps every byte it receives and answers what the test says. One thread per connection.
package final class RecordingUpstream: Sendable {
    package typealias Script = @Sendable (RecordedRequest) -> [UpstreamStep]

    package let port: Int
    private let listener: Int32
    private let state: Mutex<State>

    private struct State {
        var script: Script
        var tls: TLSServerSettings?
        var requests: [RecordedRequest] = []
        var received = 0
        /// Bytes that never became a whole request, by connection.
        var leftovers: [[UInt8]] = []
        var connections: [Int32] = []
        var isStopped = false
    }

    /// Listens at once, with TLS where a certificate is given. `script` answers until another one is set.
    package init(
        certificate: TestCertificate? = nil, tls options: TLSServerOptions = TLSServerOptions(), at endpoint: TestEndpoint = .ipv4(port: 0),
        _ script: @escaping Script = { _ in [.json("{}")] }
    ) throws {
        let tls = try certificate.map { try TLSServerSettings($0, options) }
        (listener, port) = try endpoint.listen()
        state = Mutex(State(script: script, tls: tls))
        Thread.detachNewThread { [weak self, listener] in
            // Closed here and nowhere else: after a close its number may be another socket's, which this thread would then accept from.
            defer { _ = close(listener) }
            while true {
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0 else { return }
                guard let self else {
                    _ = close(descriptor)
                    return
                }
                _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
                self.serve(descriptor)
            }
        }
    }

    deinit { stop() }

    package func answer(_ script: @escaping Script) { state.withLock { $0.script = script } }

    /// Shows another certificate, from the next connection on.
    package func present(_ certificate: TestCertificate) throws {
        let tls = try TLSServerSettings(certificate, TLSServerOptions())
        state.withLock { $0.tls = tls }
    }

    /// How many whole requests have come since the start.
    package var received: Int { state.withLock { $0.received } }

    /// Connections accepted since the start, and those of them that are open.
    package var connections: (accepted: Int, open: Int) {
        state.withLock { state in (state.connections.count, state.connections.count { $0 >= 0 }) }
    }

    /// Waits until `condition` holds of it; false after 20 seconds.
    package func wait(until condition: (RecordingUpstream) -> Bool) -> Bool {
        let deadline = Date(timeIntervalSinceNow: 20)
        while !condition(self) {
            if Date() > deadline { return false }
            Thread.sleep(forTimeInterval: 0.002)
        }
        return true
    }

    /// What has come since this was asked last.
    package func takeRequests() -> [RecordedRequest] {
        state.withLock { state in
            defer { state.requests = [] }
            return state.requests
        }
    }

    /// Bytes of requests that were never completed.
    package func takeLeftovers() -> [[UInt8]] {
        state.withLock { state in
            defer { state.leftovers = [] }
            return state.leftovers
        }
    }

    /// Closes the port and every connection.
    package func stop() {
        state.withLock { state in
            guard !state.isStopped else { return }
            state.isStopped = true
            _ = shutdown(listener, Int32(SHUT_RDWR))
            // Under the lock: each is noted as gone before it is closed.
            for descriptor in state.connections where descriptor >= 0 { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }
}

extension RecordingUpstream {
    private func serve(_ descriptor: Int32) {
        let (number, tls) = state.withLock { state in
            // One whose handshake fails is closed, and its number another's: it is noted only when it stands.
            state.connections.append(state.tls == nil ? descriptor : -1)
            return (state.connections.count - 1, state.tls)
        }
        Thread.detachNewThread { [weak self] in
            guard let stream: any ByteStream = Self.stream(on: descriptor, tls) else { return }
            self?.state.withLock { state in
                state.connections[number] = descriptor
                if state.isStopped { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }
            }
            var reader = RequestReader(connection: number)
            while let request = reader.next(from: stream) {
                guard let self, self.perform(self.record(request), on: stream) else { break }
            }
            self?.state.withLock { state in
                state.connections[number] = -1
                if !reader.buffer.isEmpty { state.leftovers.append(reader.buffer) }
            }
            stream.close()
        }
    }

    /// Nil, and the socket closed, where the TLS handshake fails.
    private static func stream(on descriptor: Int32, _ tls: TLSServerSettings?) -> (any ByteStream)? {
        guard let tls else { return PlainStream(descriptor: descriptor) }
        return TLSServerStream(descriptor, tls)
    }

    private func record(_ request: RecordedRequest) -> [UpstreamStep] {
        let script = state.withLock { state in
            state.requests.append(request)
            state.received += 1
            return state.script
        }
        return script(request)
    }

    /// False where the connection is not to go on.
    private func perform(_ steps: [UpstreamStep], on stream: any ByteStream) -> Bool {
        for step in steps {
            switch step {
            case .send(let bytes): guard (try? stream.send(bytes)) != nil else { return false }
            case .wait(seconds: let seconds): Thread.sleep(forTimeInterval: seconds)
            case .hold(let gate): gate.wait()
            case .close: return false
            case .reset:
                (stream as? PlainStream)?.resetOnClose()
                return false
            case .cut:
                (stream as? TLSServerStream)?.cutOnClose()
                return false
            case .keyUpdates(let count): for _ in 0..<count { (stream as? TLSServerStream)?.updateKeys() }
            case .torn(let bytes): (stream as? TLSServerStream)?.sendTorn(bytes)
            case .renegotiate: (stream as? TLSServerStream)?.renegotiate()
            case .hang:
                while case .bytes = (try? stream.receive(seconds: 120)) ?? .nothingYet {}
                return false
            }
        }
        return true
    }
}

/// Splits what a connection sends into requests, as a plain reader of RFC 9112 would.
private struct RequestReader {
    let connection: Int
    var buffer: [UInt8] = []
    private var isInvited = false

    init(connection: Int) { self.connection = connection }

    /// The next whole request; nil at the end of the connection.
    mutating func next(from stream: any ByteStream) -> RecordedRequest? {
        while true {
            if let request = takeRequest() { return request }
            inviteBody(stream)
            guard case .bytes(let bytes) = (try? stream.receive(seconds: 300)) ?? .nothingYet else { return nil }
            buffer += bytes
        }
    }

    /// What every server says to `Expect: 100-continue` while it waits for the body.
    private mutating func inviteBody(_ stream: any ByteStream) {
        guard let end = headEnd(buffer), !isInvited, splitHead(buffer[..<(end - 4)]).fields.contains(where: { $0.name == "expect" })
        else { return }
        isInvited = true
        try? stream.send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
    }

    private mutating func takeRequest() -> RecordedRequest? {
        guard let end = headEnd(buffer) else { return nil }
        let (start, fields) = splitHead(buffer[..<(end - 4)])
        guard let length = bodyLength(fields, from: end), buffer.count >= end + length else { return nil }
        let words = start.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        defer {
            buffer.removeFirst(end + length)
            isInvited = false
        }
        return RecordedRequest(
            connection: connection, method: words[0], target: words.count > 1 ? words[1] : "", fields: fields,
            head: Array(buffer[..<end]), body: Array(buffer[end..<(end + length)]))
    }

    /// Bytes of the body on the wire; nil while a chunked one is not complete.
    private func bodyLength(_ fields: [(name: String, value: String)], from start: Int) -> Int? {
        guard fields.contains(where: { $0.name == "transfer-encoding" }) else {
            return fields.first { $0.name == "content-length" }.flatMap { Int($0.value) } ?? 0
        }
        var at = start
        while let lineEnd = buffer[at...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = String(decoding: buffer[at..<lineEnd], as: UTF8.self)
            guard let size = Int(line.prefix { $0.isHexDigit }, radix: 16) else { return nil }
            at = lineEnd + 1
            if size == 0 { return trailersEnd(from: at).map { $0 - start } }
            at += size + 2
            guard at <= buffer.count else { return nil }
        }
        return nil
    }

    private func trailersEnd(from start: Int) -> Int? {
        if buffer.count >= start + 2, buffer[start] == 13, buffer[start + 1] == 10 { return start + 2 }
        return headEnd(buffer, from: start)
    }
}

/// A socket that listens on a free loopback port.
package func listeningSocket() throws -> (Int32, Int) {
    let (descriptor, port) = try TestEndpoint.ipv4(port: 0).listen()
    return (descriptor, port)
}
