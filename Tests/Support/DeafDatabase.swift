import Foundation
import Glibc

/// Stands between a gateway and PostgreSQL like a pooler that hands connections round: everything passes but notifications, which go to
/// nobody. Speaks the protocol without TLS.
package final class DeafDatabase: Sendable {
    package let port: Int
    private let listening: Int32

    /// Takes connections until it is let go.
    package init(before database: Int) throws {
        let (listening, port) = try TestEndpoint.ipv4(port: 0).listen()
        (self.listening, self.port) = (listening, port)
        Thread.detachNewThread {
            while true {
                let descriptor = accept(listening, nil, nil)
                guard descriptor >= 0 else { return }
                Thread.detachNewThread { Self.serve(descriptor, database) }
            }
        }
    }

    deinit {
        shutdown(listening, Int32(SHUT_RDWR))
        close(listening)
    }

    package var uri: String { "postgresql://postgres@127.0.0.1:\(port)/postgres?sslmode=disable&gssencmode=disable" }

    private static func serve(_ descriptor: Int32, _ database: Int) {
        guard let server = try? TestEndpoint.ipv4(port: database).connected() else {
            close(descriptor)
            return
        }
        Thread.detachNewThread {
            while let bytes = read(descriptor), write(bytes, to: server) {}
            shutdown(server, Int32(SHUT_RDWR))
        }
        var rest: [UInt8] = []
        while let bytes = read(server) {
            rest += bytes
            guard write(heard(&rest), to: descriptor) else { break }
        }
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    /// Takes whole messages out of what has come, a type and a length each, and leaves out notifications.
    private static func heard(_ bytes: inout [UInt8]) -> [UInt8] {
        var (passed, start): ([UInt8], Int) = ([], 0)
        while start + 5 <= bytes.count {
            let length = bytes[start + 1..<start + 5].reduce(0) { $0 << 8 | Int($1) }
            guard start + 1 + length <= bytes.count else { break }
            if bytes[start] != UInt8(ascii: "A") { passed += bytes[start..<start + 1 + length] }
            start += 1 + length
        }
        bytes.removeFirst(start)
        return passed
    }

    private static func read(_ descriptor: Int32) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
        return count > 0 ? Array(buffer[..<count]) : nil
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes[sent...].withUnsafeBytes {
                unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }
}
