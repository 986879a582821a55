import Policy

/// One word about a subject as the shared log has it: directories by name, ids as text.
struct FleetEntry: Sendable, Equatable {
    var head: FleetHead
    let directory: String
    /// Nil means all tenants.
    let tenant: [UInt8]?
    let user: [UInt8]
    let source: BlockSource
    let learned: Learned
    let actor: String
    let requestID: String
    let reason: String
    /// Milliseconds since 1970, by the clock of the gateway that learned it.
    let at: Int64
    let since: Int64?
}

/// What an entry of the shared log has changed here.
struct FleetEffect: Sendable, Equatable {
    let subject: Subject
    let source: BlockSource
    let state: UserState
    /// When it was heard: milliseconds since 1970 by this machine's clock.
    let at: Int64
    /// Calls overlapped: suspended until it is settled.
    let isContested: Bool
    /// The call for the subject that is unconfirmed in the ledger then, of this gateway or one that overlapped.
    let open: OpenCall?

    struct OpenCall: Sendable, Equatable {
        let wanted: UserState
        /// The user is blocked, and by nothing but that call's unknown outcome.
        let isBlocking: Bool
    }
}

extension [FleetEffect] {
    /// The last one for each subject and source, by which they stand: one that is suspended again in the same batch must not be lifted.
    var lasting: [FleetEffect] {
        var seen: Set<Subject> = []
        var seenByHand: Set<Subject> = []
        return reversed().filter { $0.source == .upstream ? seen.insert($0.subject).inserted : seenByHand.insert($0.subject).inserted }
    }
}

extension FleetEntry {
    /// Says that a call was lost, and of nobody anything: no directory has an empty name. Passed over by the others; its number is in force
    /// there like any other.
    static func loss(_ writer: String, _ local: Int64, base: Int64, at time: Int64) -> FleetEntry {
        FleetEntry(
            head: FleetHead(writer: writer, local: local, number: nil, base: base, state: .active), directory: "", tenant: nil,
            user: Array("a lost call".utf8), source: .upstream, learned: .unconfirmed, actor: "", requestID: "", reason: "", at: time,
            since: nil)
    }

    var isLoss: Bool { directory.isEmpty }

    /// As the table `entries` has them, but for the number, in whose place the entry's place among those that are written with it stands.
    func columns(at index: Int) -> [(value: String?, type: String)] {
        [
            ("\(index + 1)", "::bigint"), (head.writer, "::uuid"), ("\(head.local)", "::bigint"), ("\(head.base)", "::bigint"),
            (directory, "::text"), (tenant.map { String(decoding: $0, as: UTF8.self) }, "::text"),
            (String(decoding: user, as: UTF8.self), "::text"), ("\(source.rawValue)", "::smallint"),
            ("\(head.state.rawValue)", "::smallint"), ("\(learned.rawValue)", "::smallint"), (actor, "::text"), (requestID, "::text"),
            (reason, "::text"), ("\(at)", "::bigint"), (since.map { "\($0)" }, "::bigint"),
        ]
    }

    /// Reads a row of the table's columns in their order. Nil where it can't be said whom it is about, or who says so.
    init?(_ row: [String?]) {
        guard row.count >= 15, let number = Int64(row[0] ?? ""), let writer = row[1], let local = Int64(row[2] ?? ""),
            let base = Int64(row[3] ?? ""), let directory = row[4], let user = row[6],
            let source = UInt8(row[7] ?? "").flatMap(BlockSource.init), let at = Int64(row[13] ?? "")
        else { return nil }
        // Only a word that is known lifts anybody.
        let state = UInt8(row[8] ?? "").flatMap(UserState.init) ?? .suspended
        head = FleetHead(writer: writer, local: local, number: number, base: base, state: state)
        self.directory = directory
        tenant = row[5].map { Array($0.utf8) }
        self.user = Array(user.utf8)
        self.source = source
        // A later version may learn in other ways; what it learned is all the same.
        learned = UInt8(row[9] ?? "").flatMap(Learned.init) ?? .fleet
        (actor, requestID, reason) = (row[10] ?? "", row[11] ?? "", row[12] ?? "")
        self.at = Self.time(at)
        since = row[14].flatMap { Int64($0) }.map(Self.time)
    }

    /// Milliseconds since 1970, up to the year 9999: the table's columns take anything, and times are reckoned with.
    private static func time(_ value: Int64) -> Int64 { min(max(0, value), 253_402_300_799_999) }
}
