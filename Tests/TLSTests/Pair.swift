import COpenSSL
import NIOCore
import TLS
import Testing

/// A client and a server's connection without a socket between them: what one sends is handed to the other in pieces of any size.
final class Pair {
    let client: ClientSession
    let server: TLSConnection
    let log = EventLog()
    /// Bytes that arrive at the server at a time.
    var piece = Int.max
    /// Whether the server's socket takes what is sent.
    var isWritable = true
    /// What each write of the server to its socket was.
    private(set) var serverWrites: [[UInt8]] = []
    /// What has arrived at the client.
    private(set) var received: [UInt8] = []
    /// Whether the server has not been told to close.
    private(set) var isActive = true

    private let records = TLSRecords()
    private var unsent: [UInt8] = []

    init(_ context: TLSContext, _ offer: ClientSession.Offer = .init()) throws {
        client = ClientSession(offer)
        server = TLSConnection(context: context, records: records)
    }

    /// A pair after its handshake.
    static func connected(_ context: TLSContext, _ offer: ClientSession.Offer = .init()) throws -> Pair {
        let pair = try Pair(context, offer)
        pair.client.shakeHands()
        pair.pump()
        return pair
    }

    /// Carries bytes to and fro until there are none.
    func pump() {
        while true {
            let up = client.takeOutput()
            deliver(up)
            let down = takeServerOutput()
            if !down.isEmpty { received += client.receive(down) }
            if up.isEmpty, down.isEmpty { return }
        }
    }

    /// Hands bytes to the server, in pieces.
    func deliver(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = rest.prefix(piece)
            rest = rest.dropFirst(part.count)
            var plaintext = ByteBuffer()
            let news = unsafe part.withUnsafeBytes { unsafe server.receive($0, into: &plaintext, isWritable: isWritable) }
            sendRecords()
            log.note(news, plaintext)
            if news.error != nil { isActive = false }
        }
    }

    /// The client's TCP stream ends.
    func endStream() {
        switch server.streamEnded() {
        case .expected: break
        case .unused: isActive = false
        case .failure(let error):
            log.errors.append(error)
            isActive = false
        }
    }

    /// Writes at the server without a flush.
    func write(_ bytes: [UInt8]) {
        #expect(server.write(ByteBuffer(bytes: bytes)) == nil)
        sendRecords()
    }

    func flush() {
        #expect(server.flush() == nil)
        sendRecords()
    }

    func close(all: Bool = true) {
        server.close(all: all)
        sendRecords()
    }

    /// What the server has sent since the last time.
    func takeServerOutput() -> [UInt8] {
        defer { unsent = [] }
        return unsent
    }

    /// Sends from the client, returns what the server got.
    func serverHears(_ bytes: [UInt8]) -> [UInt8] {
        let before = log.data.count
        client.send(bytes)
        pump()
        return Array(log.data[before...])
    }

    /// Sends from the server, returns what the client got.
    func clientHears(_ bytes: [UInt8]) -> [UInt8] {
        let before = received.count
        write(bytes)
        flush()
        pump()
        return Array(received[before...])
    }

    /// As the owner of a socket does after each call.
    private func sendRecords() {
        guard records.output.readableBytes > 0 else { return }
        let bytes = Array(records.output.readableBytesView)
        records.output.clear()
        serverWrites.append(bytes)
        unsent += bytes
    }
}

/// All that has come out of a connection.
final class EventLog {
    private(set) var data: [UInt8] = []
    private(set) var reads = 0
    private(set) var handshake: TLSHandshakeCompleted?
    private(set) var inputClosed = 0
    var errors: [TLSError] = []

    func note(_ news: TLSConnection.News, _ plaintext: ByteBuffer) {
        if let completed = news.completed { handshake = completed }
        if plaintext.readableBytes > 0 { reads += 1 }
        data += plaintext.readableBytesView
        if news.closed { inputClosed += 1 }
        if let error = news.error { errors.append(error) }
    }
}
