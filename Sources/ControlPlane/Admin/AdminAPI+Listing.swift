import Policy
import StrictJSON
import Suspensions
import Synchronization

/// Who is blocked, and the log of how that came to be.
extension AdminAPI {
    private static let page = 100

    func list(_ request: AdminRequest, _ reply: @escaping AdminEndpoint.Reply) {
        attempt(reply) {
            let parameters = request.parameters
            let position = try parameters.text("cursor").map { text throws(AdminProblem) in
                guard let position = BlockPosition(text) else { throw AdminProblem("cursor is none that was given out here.") }
                return position
            }
            let source = try parameters.text("source").map { text throws(AdminProblem) in
                guard let source = BlockSource.allCases.first(where: { $0.name == text }) else {
                    throw AdminProblem("source must be operator or upstream.")
                }
                return source
            }
            let query = try sources.desk.query(
                directory: parameters.text("directory"), tenant: parameters["tenant"], user: parameters["user"], source: source,
                after: position, limit: try limit(parameters))
            let unconfirmed = position == nil ? sources.suspensions.status.unconfirmedUsers : nil
            sources.desk.blocks(query) { result in
                reply(
                    Self.answer(result) { page in
                        var json = JSONWriter()
                        json.beginObject()
                        if let unconfirmed { json.member("unconfirmed_users", unconfirmed) }
                        json.name("suspensions")
                        json.beginArray()
                        for block in page.blocks { json.raw(block.line) }
                        json.endArray()
                        json.name("next")
                        if let next = page.next { json.string(next.text) } else { json.null() }
                        json.endObject()
                        return AdminAnswer(json)
                    })
            }
        }
    }

    func unconfirmed(_ request: AdminRequest, _ reply: @escaping AdminEndpoint.Reply) {
        attempt(reply) {
            let (count, limit) = (sources.suspensions.status.unconfirmedUsers, try limit(request.parameters))
            // One more than is told, to see whether there is one.
            sources.desk.unconfirmed(limit: limit + 1) { result in
                reply(
                    Self.answer(result) { calls in
                        var json = JSONWriter()
                        json.beginObject()
                        json.member("unconfirmed_users", count)
                        json.name("calls")
                        json.beginArray()
                        for call in calls.prefix(limit) { json.raw(call.line) }
                        json.endArray()
                        json.member("more", calls.count > limit)
                        json.endObject()
                        return AdminAnswer(json)
                    })
            }
        }
    }

    func export(_ request: AdminRequest, _ reply: @escaping AdminEndpoint.Reply) {
        let walk = ExportWalk(sources.desk)
        reply(AdminAnswer(lines: AdminStream(follows: false) { walk.next($0) }))
    }

    func log(_ request: AdminRequest, _ reply: @escaping AdminEndpoint.Reply) {
        attempt(reply) {
            let after = try request.parameters.number("after", in: 0...Int64.max >> 11)
            let before = try request.parameters.number("before", in: 0...Int64.max >> 11)
            let limit = try limit(request.parameters)
            if after != nil, before != nil { throw AdminProblem("Give after or before, not both.") }
            if try request.parameters.flag("follow") {
                if before != nil { throw AdminProblem("The log is followed forwards: give after, not before.") }
                let walk = LogWalk(sources.desk, sources.suspensions, after: after)
                return reply(AdminAnswer(lines: AdminStream(follows: true) { walk.next($0) }))
            }
            sources.desk.log(after.map { .after($0) } ?? .before(before), limit: limit) { result in
                reply(
                    Self.answer(result) { page in
                        var json = JSONWriter()
                        json.beginObject()
                        json.member("last", page.last)
                        json.name("entries")
                        json.beginArray()
                        for entry in page.entries { json.raw(entry.line) }
                        json.endArray()
                        json.endObject()
                        return AdminAnswer(json)
                    })
            }
        }
    }

    private func limit(_ parameters: AdminParameters) throws(AdminProblem) -> Int {
        try parameters.number("limit", in: 1...Int64(Limits.adminPage)).map { Int($0) } ?? Self.page
    }

    private static func answer<Value>(_ result: Result<Value, LedgerError>, _ make: (Value) -> AdminAnswer) -> AdminAnswer {
        switch result {
        case .success(let value): make(value)
        case .failure(let error): AdminRefusal.overloaded.answer("\(error)")
        }
    }
}

/// Everybody who is blocked, a page at a time; a user with two sources once.
private final class ExportWalk: Sendable {
    private struct State {
        var after: BlockPosition?
        var last: NamedUser?
        var isOver = false

        mutating func lines(of page: BlockPage) -> [UInt8] {
            (after, isOver) = (page.next, page.next == nil)
            var lines: [UInt8] = []
            for block in page.blocks where block.user != last {
                last = block.user
                lines += block.exportedLine + [UInt8(ascii: "\n")]
            }
            return lines
        }
    }

    private let desk: LiveDesk
    private let state = Mutex(State())

    init(_ desk: LiveDesk) { self.desk = desk }

    func next(_ answer: @escaping @Sendable (AdminStream.Piece) -> Void) {
        let (after, isOver) = state.withLock { ($0.after, $0.isOver) }
        guard !isOver else { return answer(.end) }
        var query = BlockQuery(limit: Limits.adminPage)
        query.after = after
        desk.blocks(query) { [self] result in
            guard case .success(let page) = result else { return answer(.broken) }
            answer(.bytes(state.withLock { $0.lines(of: page) }))
        }
    }
}

/// The log from an entry on, for as long as somebody follows it.
private final class LogWalk: Sendable {
    private struct State {
        /// Nil: from the end that is found first.
        var after: Int64?
        /// The ledger's count of transactions when it was last read to its end.
        var seen = -1
    }

    private let desk: LiveDesk
    private let suspensions: SuspensionAuthority
    private let state: Mutex<State>

    init(_ desk: LiveDesk, _ suspensions: SuspensionAuthority, after: Int64?) {
        self.desk = desk
        self.suspensions = suspensions
        state = Mutex(State(after: after))
    }

    func next(_ answer: @escaping @Sendable (AdminStream.Piece) -> Void) {
        let commits = suspensions.ledgerCommits
        let state = state.withLock { $0 }
        guard commits != state.seen else { return answer(.nothingYet) }
        desk.log(state.after.map { .after($0) } ?? .before(0), limit: Limits.adminPage) { [self] result in
            guard case .success(let page) = result else { return answer(.broken) }
            self.state.withLock { state in
                if page.entries.count < Limits.adminPage { state.seen = commits }
                state.after = page.entries.last?.number ?? state.after ?? page.last
            }
            guard !page.entries.isEmpty else { return answer(.nothingYet) }
            answer(.bytes(page.entries.flatMap { $0.line + [UInt8(ascii: "\n")] }))
        }
    }
}
