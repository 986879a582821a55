import Policy

// The book while the ledger goes from one process to the next. Both answer for a while, each by a table of its own: what makes void what either
// may have said is told the other.
extension AliasBook {
    /// Has news told to `tell`: words that make void what was answered before.
    func tellNews(to tell: @escaping @Sendable (AliasWord) -> Void) { state.withLock { $0.tell = tell } }

    /// Writes nothing from now on: the ledger is another process', or is about to be.
    func hold() { state.withLock { $0.isHeld = true } }

    /// What the ledger's new owner can't know: of whom something was read since it was given up. Nobody is to be believed there by what was
    /// read before.
    var heldNews: [AliasWord] {
        let now = steady()
        return state.withLock { AliasWord(asked: now, rows: $0.doubtful).parts }
    }

    /// Takes what the other process has read. It is in force when this returns.
    func hear(_ word: AliasWord) { apply(word, isHeard: true) { $0.learn(word.rows, asked: word.asked) } }

    /// Goes on by what the ledger has by now. Of whom something was read here meanwhile, nobody knows whether it or the ledger is newer: those
    /// are looked up again.
    func takeBack(_ rows: [AliasRow]) {
        let now = steady()
        var (table, stale) = table(of: rows)
        let changed = state.withLock { state in
            stale += table.learn(state.doubtful, asked: now).rows
            table.forgetEarlier(than: now, directories: kinds.indices)
            (state.table, state.owed, state.isHeld) = (table, [:], false)
            renew()
            return stale
        }
        keep(changed)
    }
}

extension AliasBook.State {
    /// Everybody of whom the ledger has not been told, and who has an alias together with one of those: as having none.
    fileprivate var doubtful: [AliasRow] {
        var rows = owed.mapValues(\.without)
        for row in owed.values {
            guard let value = row.value else { continue }
            let scope = AliasTable.Scope(directory: row.directory, tenant: row.tenant, kind: row.kind)
            for user in table.users(table.key(value, in: scope)) {
                let other = AliasRow(directory: row.directory, tenant: row.tenant, kind: row.kind, user: user, value: nil)
                rows[AliasOwner(other)] = other
            }
        }
        return Array(rows.values)
    }
}

extension AliasRow {
    /// That its user has no such alias.
    var without: AliasRow { AliasRow(directory: directory, tenant: tenant, kind: kind, user: user, value: nil) }
}
