import NIOCore
import TLS
import Testing

/// A client's and a server's connection of ours, without a socket between them.
final class ClientPair {
    let client: TLSConnection
    let clientLog = EventLog()
    let serverLog = EventLog()

    private let server: TLSConnection
    private let clientRecords = TLSRecords()
    private let serverRecords = TLSRecords()

    init(_ client: TLSClientContext, to identity: TLSServerIdentity, server: TLSContext) throws {
        self.client = try #require(TLSConnection(client: client, to: identity, records: clientRecords))
        self.server = TLSConnection(context: server, records: serverRecords)
    }

    /// Shakes hands until nobody has anything to say; the client's error, if there is one.
    func shakeHands() -> TLSError? {
        clientLog.note(client.begin(), ByteBuffer())
        pump()
        return clientLog.errors.first
    }

    /// Carries bytes to and fro until there are none.
    func pump() {
        while true {
            let up = Self.take(clientRecords)
            Self.give(up, to: server, serverLog)
            let down = Self.take(serverRecords)
            Self.give(down, to: client, clientLog)
            if up.isEmpty, down.isEmpty { return }
        }
    }

    func clientSends(_ text: String) { Self.write(text, client) }
    func serverSends(_ text: String) { Self.write(text, server) }
    func serverCloses() { server.close(all: true) }

    private static func write(_ text: String, _ connection: TLSConnection) {
        #expect(connection.write(ByteBuffer(string: text)) == nil)
        #expect(connection.flush() == nil)
    }

    private static func take(_ records: TLSRecords) -> [UInt8] {
        defer { records.output.clear() }
        return Array(records.output.readableBytesView)
    }

    private static func give(_ bytes: [UInt8], to connection: TLSConnection, _ log: EventLog) {
        guard !bytes.isEmpty else { return }
        var plaintext = ByteBuffer()
        let news = unsafe bytes.withUnsafeBytes { unsafe connection.receive($0, into: &plaintext, isWritable: true) }
        log.note(news, plaintext)
    }
}
