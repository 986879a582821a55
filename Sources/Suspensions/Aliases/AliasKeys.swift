import Policy

/// An alias of one directory and tenant under a key of this process: 128 bits that nobody outside can aim at.
package struct AliasKey: Hashable, Sendable {
    let hash: KeyedHash.Value
}

/// Makes the keys of aliases and of those who have them.
struct AliasKeys: Sendable {
    /// A user within a scope.
    struct User: Hashable {
        let hash: KeyedHash.Value
    }

    private let hash: KeyedHash

    init(_ hash: KeyedHash = .random()) { self.hash = hash }

    func alias(_ value: [UInt8], in scope: AliasTable.Scope) -> AliasKey { AliasKey(hash: hash(Self.bytes(scope, 0, value).span)) }

    func user(_ user: UserID, in scope: AliasTable.Scope) -> User { User(hash: hash(Self.bytes(scope, 1, user.id.canonical).span)) }

    /// Tenants and kinds hold no NUL, so that no two questions have the same bytes.
    private static func bytes(_ scope: AliasTable.Scope, _ what: UInt8, _ text: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count + scope.kind.count + 64)
        for shift in stride(from: 0, to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: scope.directory >> shift)) }
        bytes.append(scope.tenant == nil ? 0 : 1)
        if let tenant = scope.tenant { bytes += tenant.canonical }
        bytes.append(0)
        bytes += scope.kind
        bytes += [0, what]
        bytes += text
        return bytes
    }
}
