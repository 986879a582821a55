import CPQ
import Glibc
import Policy

/// Why the database can't be used. Never holds the password: libpq's messages don't.
struct PostgresError: Error, CustomStringConvertible {
    let description: String
    /// Five characters of the SQL standard where the server has spoken; nil for a lost or hanging connection.
    var state: String?
}

/// One connection to PostgreSQL, used by one thread, which it may keep waiting for as long as `patience` says, and no longer.
///
/// libpq's non-blocking calls and poll(2): a server that hangs is given up like one that is gone. The unsafe pointers here are libpq's
/// connection and results, and the text of parameters for the length of one call.
@safe final class PostgresLink {
    /// A row's columns as text; nil for null.
    typealias Row = [String?]

    private let connection: OpaquePointer
    private let patience: Int32

    /// Connects, with one of the hosts that `database` names.
    ///
    /// - Parameters:
    ///   - database: a connection string or URI of libpq.
    ///   - password: goes before one that `database` has.
    ///   - patience: milliseconds for connecting, and for each answer.
    init(database: String, password: String?, patience: Int32) throws(PostgresError) {
        var settings = [
            ("dbname", database), ("fallback_application_name", "tenantgate"), ("client_encoding", "UTF8"),
            ("target_session_attrs", "read-write"),
        ]
        if let password { settings.append(("password", password)) }
        self.patience = patience
        guard let connection = unsafe Self.start(settings) else { throw PostgresError(description: "out of memory") }
        unsafe self.connection = connection
        // What the server remarks on is nobody's error: libpq would write it to standard error.
        _ = unsafe PQsetNoticeProcessor(connection, { _, _ in }, nil)
        try finishConnecting()
        guard unsafe PQsetnonblocking(connection, 1) == 0 else { throw error("can't be set up") }
    }

    deinit { unsafe PQfinish(connection) }

    /// libpq reads `dbname` as a whole connection string, and what follows it goes before what it says.
    private static func start(_ settings: [(String, String)]) -> OpaquePointer? {
        let names = unsafe settings.map { unsafe strdup($0.0) }
        let values = unsafe settings.map { unsafe strdup($0.1) }
        defer { unsafe (names + values).forEach { unsafe free($0) } }
        let keywords = unsafe names.map { unsafe UnsafePointer<CChar>($0) } + [nil]
        let texts = unsafe values.map { unsafe UnsafePointer<CChar>($0) } + [nil]
        return unsafe keywords.withUnsafeBufferPointer { keywords in
            unsafe texts.withUnsafeBufferPointer { texts in unsafe PQconnectStartParams(keywords.baseAddress!, texts.baseAddress!, 1) }
        }
    }

    private func finishConnecting() throws(PostgresError) {
        let deadline = Self.now() + Int64(patience)
        guard unsafe PQstatus(connection) != CONNECTION_BAD else { throw error("can't be connected to") }
        var step = PGRES_POLLING_WRITING
        while step != PGRES_POLLING_OK {
            guard step != PGRES_POLLING_FAILED else { throw error("can't be connected to") }
            let events = step == PGRES_POLLING_READING ? POLLIN : POLLOUT
            guard wait(for: Int16(events), until: deadline) else { throw PostgresError(description: "no connection within \(patience) ms") }
            step = unsafe PQconnectPoll(connection)
        }
    }

    // MARK: asking

    /// One statement with parameters, or several without; the rows of the last.
    @discardableResult
    func ask(_ statement: String, _ parameters: [String?] = []) throws(PostgresError) -> [Row] {
        let isSent: Bool
        if parameters.isEmpty {
            isSent = unsafe PQsendQuery(connection, statement) == 1
        } else {
            isSent = send(statement, parameters)
        }
        guard isSent else { throw error("takes no statements") }
        let deadline = Self.now() + Int64(patience)
        try flush(until: deadline)
        var rows: [Row] = []
        while let result = try unsafe nextResult(until: deadline) {
            defer { unsafe PQclear(result) }
            switch unsafe PQresultStatus(result) {
            case PGRES_TUPLES_OK: rows = unsafe Self.rows(result)
            case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: rows = []
            default:
                let refusal = unsafe error(of: result)
                while let rest = try unsafe nextResult(until: deadline) { unsafe PQclear(rest) }
                throw refusal
            }
        }
        return rows
    }

    private func send(_ statement: String, _ parameters: [String?]) -> Bool {
        let values = unsafe parameters.map { text in unsafe text.flatMap { unsafe strdup($0) } }
        defer { unsafe values.forEach { unsafe free($0) } }
        let texts = unsafe values.map { unsafe UnsafePointer<CChar>($0) }
        return unsafe texts.withUnsafeBufferPointer { texts in
            unsafe PQsendQueryParams(connection, statement, Int32(texts.count), nil, texts.baseAddress, nil, nil, 0) == 1
        }
    }

    private func flush(until deadline: Int64) throws(PostgresError) {
        while true {
            let left = unsafe PQflush(connection)
            if left == 0 { return }
            guard left == 1, wait(for: Int16(POLLIN | POLLOUT), until: deadline) else { throw error("takes no statements") }
            guard unsafe PQconsumeInput(connection) == 1 else { throw error("is lost") }
        }
    }

    private func nextResult(until deadline: Int64) throws(PostgresError) -> OpaquePointer? {
        while unsafe PQisBusy(connection) == 1 {
            guard wait(for: Int16(POLLIN), until: deadline) else { throw PostgresError(description: "no answer within \(patience) ms") }
            guard unsafe PQconsumeInput(connection) == 1 else { throw error("is lost") }
        }
        return unsafe PQgetResult(connection)
    }

    private static func rows(_ result: OpaquePointer) -> [Row] {
        let columns = unsafe PQnfields(result)
        return unsafe (0..<PQntuples(result)).map { row in
            (0..<columns).map { column in
                unsafe PQgetisnull(result, row, column) == 1 ? nil : String(cString: PQgetvalue(result, row, column))
            }
        }
    }

    // MARK: notifications

    /// Waits until something comes, `stirrer` can be read, or the time is over. Returns the names and payloads of what came.
    func notifications(within milliseconds: Int64, stirredBy stirrer: CInt) throws(PostgresError) -> [(channel: String, payload: String)] {
        let got = taken()
        if !got.isEmpty { return got }
        var events = [
            pollfd(fd: unsafe PQsocket(connection), events: Int16(POLLIN), revents: 0),
            pollfd(fd: stirrer, events: Int16(POLLIN), revents: 0),
        ]
        guard unsafe poll(&events, 2, Int32(clamping: milliseconds)) > 0, events[0].revents != 0 else { return [] }
        guard unsafe PQconsumeInput(connection) == 1 else { throw error("is lost") }
        return taken()
    }

    private func taken() -> [(channel: String, payload: String)] {
        var taken: [(channel: String, payload: String)] = []
        while let note = unsafe PQnotifies(connection) {
            unsafe taken.append((String(cString: note.pointee.relname), String(cString: note.pointee.extra)))
            unsafe PQfreemem(note)
        }
        return taken
    }

    // MARK: waiting and failing

    private func wait(for events: Int16, until deadline: Int64) -> Bool {
        while true {
            let left = deadline - Self.now()
            guard left > 0 else { return false }
            var event = pollfd(fd: unsafe PQsocket(connection), events: events, revents: 0)
            let count = unsafe poll(&event, 1, Int32(clamping: left))
            if count > 0 { return true }
            if count < 0, errno != EINTR { return false }
        }
    }

    private func error(_ what: String) -> PostgresError {
        let words = unsafe String(cString: PQerrorMessage(connection)).split(whereSeparator: \.isNewline).joined(separator: " ")
        return PostgresError(description: words.isEmpty ? what : words)
    }

    private func error(of result: OpaquePointer) -> PostgresError {
        let words = unsafe PQresultErrorField(result, Int32(UInt8(ascii: "M"))).map { unsafe String(cString: $0) } ?? "refused"
        let state = unsafe PQresultErrorField(result, Int32(UInt8(ascii: "C"))).map { unsafe String(cString: $0) }
        return PostgresError(description: words, state: state)
    }

    /// Milliseconds that only go forward.
    static func now() -> Int64 { FleetGate.now() / 1_000_000 }
}
