package import Policy

/// A verified alias, or that a user has none any more: what the ledger keeps a row of.
package struct AliasRow: Sendable, Equatable {
    package let directory: DirectoryIndex
    /// Whose users it names one of: nil where a suspension reaches all tenants.
    package let tenant: FormattedID?
    /// `AliasRule.kind`.
    package let kind: [UInt8]
    package let user: UserID
    /// Nil takes the row away.
    package let value: [UInt8]?
}

/// Who has which alias: the rules by which readings of users change that, without time and threads of its own.
///
/// A reading is as old as its request: what was asked for earlier never overrules what was asked for later. Not more than `limit` aliases are
/// kept; then the one that was learned first makes room, and is looked up again when somebody comes by it.
struct AliasTable {
    /// Where an alias names one user: readings of other tenants, where suspensions are a tenant's, and of other rules don't touch it.
    struct Scope: Hashable {
        let directory: DirectoryIndex
        let tenant: FormattedID?
        let kind: [UInt8]
    }

    /// What readings have changed.
    struct Change {
        var rows: [AliasRow] = []
        /// Somebody may have been told otherwise before.
        var isVoid = false
        /// Because a reading says so, and not for want of room.
        var isNews = false
        /// Aliases that have made room for others.
        var evicted = 0
    }

    enum Holder: Equatable {
        case user(UserID, asked: Int64)
        /// Two users have it at once.
        case contested
    }

    private struct Entry {
        var user: UserID
        /// When the last reading that says so of anybody was asked for.
        var asked: Int64
        let scope: Int32
    }

    /// What a user has, and when the last reading that says so was asked for.
    private struct Holding {
        let key: AliasKey
        var asked: Int64
    }

    private var entries: [AliasKey: Entry] = [:]
    private var holdings: [AliasKeys.User: Holding] = [:]
    /// Who has an alias too.
    private var rivals: [AliasKey: UserID] = [:]
    /// Who had an alias before it moved: one that moves back and forth has two users.
    private var former: [AliasKey: UserID] = [:]
    /// Users who were last seen without an alias, or with another's, and when that was asked for: the last `formerLimit` of them.
    private var bare: [AliasKeys.User: Int64] = [:]
    private var latestBare = Int64.min
    /// Aliases that were taken from somebody, and when the reading was asked for that did: an earlier one gives them to nobody. The last
    /// `formerLimit` of them.
    private var released: [AliasKey: Int64] = [:]
    private var latestReleased = Int64.min
    /// For each directory what is no longer known of the two above by alias or user: an earlier reading gives none to anybody.
    private var floors: [DirectoryIndex: Int64] = [:]
    /// Aliases in the order in which they were learned, from `oldest` on.
    private var order: [AliasKey] = []
    private var oldest = 0
    private var scopes: [Scope] = []
    private var numbers: [Scope: Int32] = [:]
    let keys: AliasKeys
    private let limit: Int
    private let formerLimit: Int

    init(limit: Int = Limits.aliases, formerLimit: Int = Limits.formerAliases, keys: AliasKeys = AliasKeys()) {
        self.limit = limit
        self.formerLimit = formerLimit
        self.keys = keys
    }

    var count: Int { entries.count }
    var contested: Int { rivals.count }

    func key(_ value: [UInt8], in scope: Scope) -> AliasKey { keys.alias(value, in: scope) }

    func holder(_ key: AliasKey) -> Holder? {
        guard let entry = entries[key] else { return nil }
        return rivals[key] == nil ? .user(entry.user, asked: entry.asked) : .contested
    }

    /// When the reading was asked for by which it has its holder: the one who has it alone, or the later of two.
    func asked(_ key: AliasKey) -> Int64? {
        guard let entry = entries[key] else { return nil }
        guard rivals[key] == nil else { return entry.asked }
        return holdings[userKey(entry.user, scopes[Int(entry.scope)])]?.asked ?? entry.asked
    }

    /// Whether a reading says what is known.
    func has(_ reading: AliasReading, directory: DirectoryIndex, tenant: FormattedID?) -> Bool {
        guard let value = reading.value else { return false }
        let scope = Scope(directory: directory, tenant: tenant, kind: reading.rule.kind)
        return holdings[userKey(reading.user, scope)]?.key == key(value, in: scope)
    }

    /// Takes the readings of one answer, whose request was sent at `asked`.
    mutating func learn(_ readings: [AliasReading], directory: DirectoryIndex, tenant: FormattedID?, asked: Int64) -> Change {
        learn(AliasWord(readings, directory: directory, tenant: tenant, asked: asked).rows, asked: asked)
    }

    mutating func learn(_ rows: [AliasRow], asked: Int64) -> Change {
        var change = Change()
        for row in rows {
            take(row.value, of: row.user, Scope(directory: row.directory, tenant: row.tenant, kind: row.kind), asked, &change)
        }
        return change
    }

    /// What was asked for before gives nobody an alias.
    mutating func forgetEarlier(than asked: Int64, directories: Range<DirectoryIndex>) {
        for directory in directories { floors[directory] = max(floors[directory] ?? .min, asked) }
    }

    func scope(_ key: AliasKey) -> Scope? { entries[key].map { scopes[Int($0.scope)] } }

    /// The service doesn't know this user any more, as of `asked`.
    mutating func forget(_ user: UserID, _ key: AliasKey, asked: Int64) -> Change {
        var change = Change()
        guard let entry = entries[key], entry.asked <= asked, entry.user == user || rivals[key] == user else { return change }
        let scope = scopes[Int(entry.scope)]
        release(key, user, scope, &change)
        note(bare: userKey(user, scope), scope, asked)
        note(released: key, scope, asked)
        return change
    }

    /// Everybody who has the alias.
    func users(_ key: AliasKey) -> [UserID] { [entries[key]?.user, rivals[key]].compactMap(\.self) }

    /// Takes a row of the ledger, read at the start.
    mutating func load(_ row: AliasRow) -> Change {
        var change = Change()
        guard let value = row.value else { return change }
        take(value, of: row.user, Scope(directory: row.directory, tenant: row.tenant, kind: row.kind), .min, &change)
        change.rows.removeAll { $0.value != nil }
        return change
    }
}

// MARK: readings

extension AliasTable {
    private mutating func take(_ value: [UInt8]?, of user: UserID, _ scope: Scope, _ asked: Int64, _ change: inout Change) {
        let own = userKey(user, scope)
        let key = value.map { self.key($0, in: scope) }
        if let held = holdings[own] {
            guard held.asked <= asked else { return }
            if held.key == key {
                holdings[own]?.asked = asked
                if let latest = entries[held.key]?.asked, latest < asked { entries[held.key]?.asked = asked }
                return
            }
            release(held.key, user, scope, &change)
            note(released: held.key, scope, asked)
        }
        guard asked >= bare[own] ?? .min else { return }
        if let value, let key, asked >= floors[scope.directory] ?? .min, give(key, to: user, own, row(scope, user, value), asked, &change) {
            bare[own] = nil
        } else {
            note(bare: own, scope, asked)
        }
    }

    /// False where an earlier or doubtful word gives nothing.
    private mutating func give(
        _ key: AliasKey, to user: UserID, _ own: AliasKeys.User, _ row: AliasRow, _ asked: Int64, _ change: inout Change
    ) -> Bool {
        let scope = Scope(directory: row.directory, tenant: row.tenant, kind: row.kind)
        guard asked >= released[key] ?? .min else { return false }
        if let entry = entries[key] {
            guard entry.asked <= asked, rivals[key] == nil else { return false }
            if entry.asked == asked || former[key] == user {
                rivals[key] = user
                entries[key]?.asked = asked
                (change.isVoid, change.isNews) = (true, true)
            } else {
                // It has moved: the later reading's word counts. What was read of him last is still that.
                let before = userKey(entry.user, scope)
                note(bare: before, scope, holdings[before]?.asked ?? .min)
                release(key, entry.user, scope, &change)
                if former.count >= formerLimit { former = [:] }
                former[key] = entry.user
                note(released: key, scope, asked)
                enter(key, user, scope, asked)
            }
        } else {
            while entries.count >= limit, oldest < order.count { evict(&change) }
            enter(key, user, scope, asked)
        }
        holdings[own] = Holding(key: key, asked: asked)
        change.rows.append(row)
        return true
    }

    private mutating func enter(_ key: AliasKey, _ user: UserID, _ scope: Scope, _ asked: Int64) {
        entries[key] = Entry(user: user, asked: asked, scope: number(scope))
        order.append(key)
        tidy()
    }

    /// By alias, so that a tenant whose aliases change all the time keeps nobody else from being known.
    private mutating func note(released key: AliasKey, _ scope: Scope, _ asked: Int64) {
        if released.count >= formerLimit {
            raiseFloors(scope, latestReleased)
            released = [:]
        }
        released[key] = max(released[key] ?? .min, asked)
        latestReleased = max(latestReleased, asked)
    }

    private mutating func raiseFloors(_ scope: Scope, _ asked: Int64) {
        for directory in Set(scopes.map(\.directory) + [scope.directory]) { floors[directory] = max(floors[directory] ?? .min, asked) }
    }

    /// A user was seen without an alias: what was asked for before gives him none.
    private mutating func note(bare own: AliasKeys.User, _ scope: Scope, _ asked: Int64) {
        if bare.count >= formerLimit {
            raiseFloors(scope, latestBare)
            bare = [:]
        }
        bare[own] = max(bare[own] ?? .min, asked)
        latestBare = max(latestBare, asked)
    }

    /// Takes an alias from a user; the one who has it too has it alone then.
    private mutating func release(_ key: AliasKey, _ user: UserID, _ scope: Scope, _ change: inout Change) {
        holdings[userKey(user, scope)] = nil
        (change.isVoid, change.isNews) = (true, true)
        change.rows.append(row(scope, user, nil))
        if rivals[key] == user {
            rivals[key] = nil
        } else if let rival = rivals.removeValue(forKey: key) {
            entries[key]?.user = rival
        } else {
            entries[key] = nil
        }
    }

    private mutating func evict(_ change: inout Change) {
        let key = order[oldest]
        oldest += 1
        guard let entry = entries[key] else { return }
        let (scope, isNews) = (scopes[Int(entry.scope)], change.isNews)
        for user in users(key) {
            let own = userKey(user, scope)
            note(bare: own, scope, holdings[own]?.asked ?? .min)
            release(key, user, scope, &change)
        }
        change.isNews = isNews
        change.evicted += 1
    }

    /// Lets go of places in the order whose aliases are gone.
    private mutating func tidy() {
        if oldest > 1024, oldest > order.count / 2 {
            order.removeFirst(oldest)
            oldest = 0
        }
        guard order.count - oldest > 2 * limit + 1024 else { return }
        var seen: Set<AliasKey> = []
        order = order[oldest...].filter { entries[$0] != nil && seen.insert($0).inserted }
        oldest = 0
    }

    private func row(_ scope: Scope, _ user: UserID, _ value: [UInt8]?) -> AliasRow {
        AliasRow(directory: scope.directory, tenant: scope.tenant, kind: scope.kind, user: user, value: value)
    }
}

// MARK: scopes

extension AliasTable {
    private func userKey(_ user: UserID, _ scope: Scope) -> AliasKeys.User { keys.user(user, in: scope) }

    /// Scopes are few, aliases many.
    private mutating func number(_ scope: Scope) -> Int32 {
        if let number = numbers[scope] { return number }
        let number = Int32(scopes.count)
        scopes.append(scope)
        numbers[scope] = number
        return number
    }
}
