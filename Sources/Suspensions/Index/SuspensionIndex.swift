import Dispatch
package import Policy
import Synchronization

/// Which tenants a request speaks for, when it is asked whether its user is suspended (SPEC §4).
package enum TenantQuestion: Sendable {
    /// A tenant was selected.
    case selected(TenantID)
    /// None was selected; these are the credential's.
    case among([TenantID])
    /// The credential has no tenant.
    case unknown
}

/// Who is suspended, in memory: every event loop asks it on every request, one writer at a time changes it.
///
/// Questions are lock-free, allocate nothing and read at most two random cache lines for a user who is not blocked anywhere.
package final class SuspensionIndex: Sendable {
    private let table: BlockTable
    let marks = ReactivationMarks()
    let keys = KeyMaker()
    let reaches: [Reach]
    let writer: Mutex<BlockTableWriter>

    /// - Parameters:
    ///   - reaches: the reach of each directory's dialect, by its number (a directory without a dialect is `tenant`).
    ///   - count: users that will be loaded; the table is sized for them at once.
    package init(reaches: [Reach], expecting count: Int = 0) {
        self.reaches = reaches
        table = BlockTable(expecting: count)
        writer = Mutex(BlockTableWriter(table))
    }

    /// The user's key, worth keeping where the same user is asked for again and again. Good for this index only.
    package func key(of user: UserID, in directory: DirectoryIndex) -> UserKey { keys.user(user.id, in: directory) }

    /// Whether a request of this user is refused.
    package func isSuspended(_ user: UserID, in directory: DirectoryIndex, asking: TenantQuestion) -> Bool {
        isSuspended(key(of: user, in: directory), asking: asking)
    }

    /// Whether a request of this user is refused: if it is blocked in the directory, in the request's tenant, or — when no tenant is
    /// selected — in any tenant of the credential; without a tenant, in a directory of reach `tenant`, if it is blocked in any tenant.
    package func isSuspended(_ key: UserKey, asking: TenantQuestion) -> Bool {
        switch asking {
        case .selected(let tenant):
            table.contains(key) { scope, _ in isBlocking(scope, tenant) }
        case .among(let tenants):
            table.contains(key) { scope, _ in scope.tenant == nil || tenants.contains { isBlocking(scope, $0) } }
        case .unknown:
            table.contains(key) { scope, _ in scope.tenant == nil || reaches[Int(key.directory)] == .tenant }
        }
    }

    private func isBlocking(_ scope: Scope, _ tenant: TenantID) -> Bool {
        guard let blocked = scope.tenant else { return true }
        return blocked == keys.identity(tenant.id)
    }

    /// Whether a source's block stands for exactly this subject. As lock-free as the questions above.
    package func stands(_ source: BlockSource, for subject: Subject) -> Bool {
        let wanted = scope(of: subject)
        return table.contains(key(of: subject.user, in: subject.directory)) { scope, sources in
            scope == wanted && sources.contains(BlockSources(source))
        }
    }

    // MARK: writing

    /// Lets a source's block stand. Returns what stood before.
    @discardableResult
    package func insert(_ source: BlockSource, for subject: Subject) -> BlockSources {
        change(subject) { $0.union(BlockSources(source)) }
    }

    /// Lets many blocks stand, as a ledger gives them: `each` calls its body with every one. While it reads, another thread writes.
    package func load<Failure: Error>(_ each: (_ body: (Subject, BlockSource) -> Void) throws(Failure) -> Void) throws(Failure) {
        let queue = DispatchQueue(label: "tenantgate.suspensions.load")
        let room = DispatchSemaphore(value: Self.batchesAhead)
        defer { queue.sync {} }
        var batch: [LoadedBlock] = []
        batch.reserveCapacity(Self.loadBatch)
        try each { subject, source in
            batch.append(
                LoadedBlock(key: key(of: subject.user, in: subject.directory), scope: scope(of: subject), sources: BlockSources(source)))
            guard batch.count == Self.loadBatch else { return }
            room.wait()
            queue.async { [batch] in
                self.insert(batch)
                room.signal()
            }
            batch = []
            batch.reserveCapacity(Self.loadBatch)
        }
        queue.sync { [batch] in insert(batch) }
    }

    /// Blocks that are handed over together, and how often reading may be ahead of writing: about 2 MB.
    private static let loadBatch = 4096
    private static let batchesAhead = 8
    /// Users whose buckets are fetched together.
    private static let fetchGroup = 64

    private struct LoadedBlock: Sendable {
        let key: UserKey
        let scope: Scope
        let sources: BlockSources
    }

    private func insert(_ batch: [LoadedBlock]) {
        writer.withLock { writer in
            for start in stride(from: 0, to: batch.count, by: Self.fetchGroup) {
                let group = batch[start..<min(start + Self.fetchGroup, batch.count)]
                for block in group { table.fetchFirst(block.key.place) }
                for block in group { table.fetchSecond(block.key.place) }
                for block in group {
                    _ = writer.change(block.key, in: block.scope, table, placing: keys.place) { $0.union(block.sources) }
                }
            }
        }
    }

    /// Lifts a source's block. Returns what stood before.
    @discardableResult
    package func remove(_ source: BlockSource, for subject: Subject) -> BlockSources {
        change(subject) { $0.subtracting(BlockSources(source)) }
    }

    /// The sources that stand for exactly this subject.
    package func sources(of subject: Subject) -> BlockSources {
        let key = key(of: subject.user, in: subject.directory)
        let scope = scope(of: subject)
        return writer.withLock { $0.sources(of: key, in: scope, table) }
    }

    /// Users that are blocked anywhere.
    package var userCount: Int { usersByDirectory.reduce(0, +) }

    /// The same by directory; its number is the place, and those beyond the end have none.
    package var usersByDirectory: [Int] { writer.withLock { $0.users } }

    private func change(_ subject: Subject, _ edit: (BlockSources) -> BlockSources) -> BlockSources {
        let key = key(of: subject.user, in: subject.directory)
        let scope = scope(of: subject)
        return writer.withLock { $0.change(key, in: scope, table, placing: keys.place, edit) }
    }

    private func scope(of subject: Subject) -> Scope {
        Scope(directory: UInt32(truncatingIfNeeded: subject.directory), tenant: subject.tenant.map(keys.identity))
    }
}
