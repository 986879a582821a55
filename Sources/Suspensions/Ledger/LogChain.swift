package import Policy

/// SHA-256, handed in: 32 bytes of digest.
package typealias Digest = @Sendable ([UInt8]) -> [UInt8]

/// One line of the append-only log: who, whom, when, from which state to which, and how it is known.
package struct LogEntry: Sendable, Equatable {
    /// 1, 2, 3, … without a gap.
    package let number: Int64
    /// Milliseconds since 1970.
    package let at: Int64
    package let directory: String
    /// Nil means all tenants.
    package let tenant: [UInt8]?
    package let user: [UInt8]
    package let source: BlockSource
    package let from: UserState
    package let to: UserState
    package let learned: Learned
    package let actor: [UInt8]
    package let requestID: [UInt8]
    package let reason: String
}

/// The chain that ties each entry to all before it: hash(n) = SHA-256(hash(n-1) ‖ entry(n)), starting from 32 zero bytes.
///
/// It shows that a file was damaged or edited by hand; somebody who can write the file and knows this can also make a new chain.
struct LogChain: Sendable {
    static let start = [UInt8](repeating: 0, count: 32)

    let digest: Digest

    func hash(_ entry: LogEntry, after previous: [UInt8]) -> [UInt8] {
        var bytes = previous
        append(entry.number, to: &bytes)
        append(entry.at, to: &bytes)
        append(Array(entry.directory.utf8), to: &bytes)
        append(entry.tenant ?? [], to: &bytes)
        append(entry.user, to: &bytes)
        bytes += [entry.tenant == nil ? 0 : 1, entry.source.rawValue, entry.from.rawValue, entry.to.rawValue, entry.learned.rawValue]
        append(entry.actor, to: &bytes)
        append(entry.requestID, to: &bytes)
        append(Array(entry.reason.utf8), to: &bytes)
        return digest(bytes)
    }

    private func append(_ number: Int64, to bytes: inout [UInt8]) {
        for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: number >> Int64(shift))) }
    }

    /// With its length before it, so that no two entries have the same bytes.
    private func append(_ field: [UInt8], to bytes: inout [UInt8]) {
        append(Int64(field.count), to: &bytes)
        bytes += field
    }
}
