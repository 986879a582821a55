package import Policy

/// Whom a block is about: a user of a directory, in one tenant or in all (SPEC §4). Never a token.
package struct Subject: Hashable, Sendable {
    package let directory: DirectoryIndex
    /// Nil means all tenants: the whole directory.
    package let tenant: FormattedID?
    package let user: UserID

    package init(directory: DirectoryIndex, tenant: FormattedID?, user: UserID) {
        self.directory = directory
        self.tenant = tenant
        self.user = user
    }

    /// The subject that a dialect's `reach` makes of a call: the caller's verified tenant, or the whole directory.
    ///
    /// Nil where the reach is `tenant` and no tenant was selected: such a call has nobody to be about.
    package init?(directory: DirectoryIndex, reach: Reach, selected: TenantID?, user: UserID) {
        switch reach {
        case .directory: self.init(directory: directory, tenant: nil, user: user)
        case .tenant:
            guard let selected else { return nil }
            self.init(directory: directory, tenant: selected.id, user: user)
        }
    }
}

/// Who says that a user is suspended. The user is refused while any source stands.
package enum BlockSource: UInt8, Sendable, CaseIterable {
    /// Learned from the user service's own answers.
    case upstream = 1
    /// Set by hand.
    case `operator` = 2

    /// The name in files, logs and messages.
    package var name: String {
        switch self {
        case .upstream: "upstream"
        case .operator: "operator"
        }
    }
}

/// The sources that stand for one subject.
package struct BlockSources: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    package init(_ source: BlockSource) { self.init(rawValue: source.rawValue) }

    package static let upstream = BlockSources(.upstream)
    package static let `operator` = BlockSources(.operator)
}
