import Policy
import Testing

@testable import Suspensions

/// What two processes say to each other, byte for byte.
@Suite("handover messages")
struct HandoverCoderTests {
    private static let coder = HandoverCoder(directories: ["jitsudo", "rinne"])
    private static let call = IntentCall(
        subject: bob, wanted: .suspended, caller: Caller("jitsudo:ana"), requestID: [0, 255], suspendsOnUnknown: true)

    static let messages: [HandoverMessage] = [
        .hello(bothDirectories), .hello([]), .yield, .ready(sockets: ["listener [::]:8443", ""]), .serving,
        .change(7, .block([anna, bob, uuidUser], .upstream)), .change(.max, .block([], .operator)),
        .change(8, .lift(uuidUser, .operator, at: -1)), .lease(at: 52_341_920_054_775), .beginning(1, .proceed(Ticket(number: 9))),
        .beginning(2, .tooMany(retryAfter: 60, .perMinute)), .beginning(6, .tooMany(retryAfter: 1, .open)),
        .beginning(3, .busy), .beginning(4, .notDurable), .beginning(5, .draining),
        .conclusion(1, .settled), .conclusion(2, .unchanged), .conclusion(3, .unconfirmed(blocked: true)),
        .conclusion(4, .unconfirmed(blocked: false)), .conclusion(5, .notDurable), .sockets([]), .sockets(["probes 127.0.0.1:0"]), .yielded,
        .following, .refused("no: ü"), .applied(3), .begin(1, call), .finish(1, Ticket(number: 2), .confirmed),
        .finish(1, Ticket(number: 2), .refused(status: 404)), .finish(1, Ticket(number: 2), .notSent),
        .finish(1, Ticket(number: 2), .unconfirmed(cause: "timeout")), .change(9, .aliases(word)), .learned(word),
        .learned(AliasWord(asked: -1, rows: [])),
    ]

    private static let word = AliasWord(
        asked: 52_341_920_054_775,
        rows: [
            AliasRow(directory: 0, tenant: anna.tenant, kind: emailRule.kind, user: anna.user, value: Array("a@x".utf8)),
            AliasRow(directory: 1, tenant: nil, kind: emailRule.kind, user: uuidUser.user, value: nil),
        ])

    @Test("every message is read as it was written, and no part of one is a message", arguments: messages)
    func roundTrip(_ message: HandoverMessage) {
        let bytes = Self.coder.bytes(message)
        #expect(Self.coder.message(bytes) == message)
        #expect(Self.coder.message(bytes + [0]) == nil)
        for end in bytes.indices { #expect(Self.coder.message(Array(bytes[..<end])) == nil, "\(end) bytes of \(bytes.count)") }
    }

    @Test("bytes that are none are refused, whatever they are")
    func noise() {
        var random = SystemRandomNumberGenerator()
        for message in Self.messages {
            for _ in 0..<200 {
                var bytes = Self.coder.bytes(message)
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                _ = Self.coder.message(bytes)
            }
        }
    }

    @Test("directories are told by name: another file may number them otherwise, or not have them")
    func directories() {
        let turned = HandoverCoder(directories: ["rinne"])
        let here = Subject(directory: 0, tenant: nil, user: anna.user)
        #expect(turned.message(Self.coder.bytes(.change(1, .block([uuidUser, anna], .upstream)))) == .change(1, .block([here], .upstream)))
        #expect(turned.message(Self.coder.bytes(.change(2, .lift(anna, .upstream, at: 3)))) == .change(2, .lift(here, .upstream, at: 3)))
        #expect(turned.message(Self.coder.bytes(.change(2, .lift(uuidUser, .upstream, at: 3)))) == .change(2, .block([], .upstream)))
        let rows = [AliasRow(directory: 0, tenant: nil, kind: emailRule.kind, user: uuidUser.user, value: nil)]
        #expect(turned.message(Self.coder.bytes(.learned(Self.word))) == .learned(AliasWord(asked: Self.word.asked, rows: rows)))
        let other = IntentCall(subject: uuidUser, wanted: .active, caller: Caller("a"), requestID: [])
        #expect(turned.message(Self.coder.bytes(.begin(4, other))) == .begin(4, nil))
    }

    @Test("another version of the protocol is none of ours")
    func version() {
        var bytes = Self.coder.bytes(.hello(bothDirectories))
        bytes[1] += 1
        #expect(Self.coder.message(bytes) == nil)
    }

    @Test("as many subjects as one change may have fit in a message, however long their ids are")
    func size() {
        let long = FormattedID.string(Array(repeating: UInt8(ascii: "x"), count: Limits.idBytes))
        let subjects = (0..<HandoverMessage.subjectsPerChange).map { _ in Subject(directory: 1, tenant: long, user: UserID(long)) }
        #expect(Self.coder.bytes(.change(1, .block(subjects, .upstream))).count <= 48 * 1024)
        let path = JSONPointer("/" + String(repeating: "f", count: 255))!
        let rule = AliasRule(name: String(repeating: "n", count: 64), field: path, condition: .field(path), foldsCase: true)
        let rows = (0..<AliasWord.rows).map { _ in
            AliasRow(
                directory: 1, tenant: long, kind: rule.kind, user: UserID(long),
                value: Array(repeating: UInt8(ascii: "x"), count: Limits.idBytes))
        }
        #expect(Self.coder.bytes(.learned(AliasWord(asked: 1, rows: rows))).count <= 48 * 1024)
    }
}
