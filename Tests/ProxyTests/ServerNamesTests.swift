import NIOCore
import Policy
import Synchronization
import Testing

@testable import Proxy

/// Names of servers: looked up rarely, and never forgotten for a failure. The clock is the test's own (seconds).
@Suite("names of servers") struct ServerNamesTests {
    /// What a name server would say.
    private final class Book: Sendable {
        let addresses = Mutex<[SocketAddress]>([])
        let asked = Mutex(0)

        func look(_ host: String, _ port: Int, _ completion: NameResolver.Completion) {
            asked.withLock { $0 += 1 }
            completion(addresses.withLock { $0 })
        }
    }

    private let book = Book()
    private let names: ServerNames

    init() {
        names = ServerNames { [book] in book.look($0, $1, $2) }
    }

    private func ask(at time: Int64) -> [SocketAddress] {
        let found = Mutex<[SocketAddress]>([])
        names.addresses(of: "users.test", port: 1, now: time * 1_000_000_000) { addresses in found.withLock { $0 = addresses } }
        return found.withLock { $0 }
    }

    private func refresh(at time: Int64) { names.refresh(now: time * 1_000_000_000) }
    private var count: Int { book.asked.withLock { $0 } }

    @Test("a name is looked up once, then again when its time has come; what fails changes nothing")
    func refreshing() throws {
        let (first, second) = (try SocketAddress(ipAddress: "127.0.0.1", port: 1), try SocketAddress(ipAddress: "127.0.0.2", port: 1))
        #expect(ask(at: 0).isEmpty && ask(at: 1).isEmpty && count == 2, "what isn't known is asked for each time")
        book.addresses.withLock { $0 = [first] }
        #expect(ask(at: 2) == [first])
        for time: Int64 in 3...20 {
            #expect(ask(at: time) == [first])
            refresh(at: time)
        }
        #expect(count == 3)
        book.addresses.withLock { $0 = [second] }
        #expect(ask(at: 31) == [first])
        refresh(at: 2 + Limits.nameSeconds)
        #expect(count == 4 && ask(at: 33) == [second])
        book.addresses.withLock { $0 = [] }
        for time: Int64 in 34...400 {
            refresh(at: time)
            #expect(ask(at: time) == [second])
        }
        #expect(count < 4 + 400 / Int(Limits.nameSeconds))
    }

    @Test("a name that nobody uses is looked up no more")
    func unused() throws {
        book.addresses.withLock { $0 = [try! SocketAddress(ipAddress: "127.0.0.1", port: 1)] }
        _ = ask(at: 0)
        refresh(at: Limits.unusedNameSeconds)
        #expect(count == 1)
        _ = ask(at: Limits.unusedNameSeconds)
        #expect(count == 2)
    }

    @Test("addresses of the first one's family take turns, the others come last")
    func turns() throws {
        let six = try ["::1", "::2", "::3"].map { try SocketAddress(ipAddress: $0, port: 1) }
        let four = try ["127.0.0.1", "127.0.0.2"].map { try SocketAddress(ipAddress: $0, port: 1) }
        #expect(ServerNames.rotated(six + four, by: 0) == six + four)
        #expect(ServerNames.rotated(six + four, by: 1) == [six[1], six[2], six[0]] + four)
        #expect(ServerNames.rotated(six + four, by: 5) == [six[2], six[0], six[1]] + four)
        #expect(ServerNames.rotated([six[0]] + four, by: 7) == [six[0]] + four)
        #expect(ServerNames.rotated([], by: 3).isEmpty)
    }
}
