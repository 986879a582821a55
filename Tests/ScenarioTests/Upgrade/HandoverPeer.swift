import Foundation
import Glibc
import enum Policy.IDFormat
import class Proxy.PacketSocket
import struct Suspensions.HandoverCoder
import enum Suspensions.HandoverMessage
import struct Suspensions.LedgerDirectory
import TestSupport

/// A process that asks a gateway to hand over, as far as a test wants it to go.
final class HandoverPeer {
    private let socket: PacketSocket
    private let coder = HandoverCoder(directories: ["jitsudo", "rinne"])

    /// The gateway opens its door when it serves.
    init(_ world: World) throws {
        let end = Date(timeIntervalSinceNow: 10)
        while true {
            do {
                socket = try PacketSocket.connect(to: world.folder.path("var/tenantgate.db.upgrade"))
                return
            } catch {
                guard Date.now < end else { throw error }
                Thread.sleep(forTimeInterval: 0.005)
            }
        }
    }

    /// Goes without a word, as a process does that is killed.
    func end() { socket.end() }

    func send(_ message: HandoverMessage) { _ = socket.send(coder.bytes(message), milliseconds: 1000) }
    func send(bytes: [UInt8]) { _ = socket.send(bytes, milliseconds: 1000) }

    /// What the gateway says next, its descriptors closed; nil at the end, or after 20 seconds.
    func next() -> HandoverMessage? {
        guard case .message(let bytes, let descriptors) = socket.receive(milliseconds: 20_000) else { return nil }
        for descriptor in descriptors { close(descriptor) }
        return coder.message(bytes)
    }

    /// Says the messages up to one of these steps, each after the answer to the one before. The last answer.
    func go(to step: Step) -> HandoverMessage? {
        var answer: HandoverMessage?
        let words: [HandoverMessage] = [
            .hello([
                LedgerDirectory(name: "jitsudo", idFormat: .uuid, tenantFormat: .uuid),
                LedgerDirectory(name: "rinne", idFormat: .string, tenantFormat: .string),
            ]), .yield, .ready(sockets: []),
        ]
        for word in words.prefix(step.rawValue) {
            send(word)
            answer = next()
        }
        return answer
    }

    enum Step: Int, CaseIterable {
        case connected, greeted, hasLedger, isFollowed
    }
}
