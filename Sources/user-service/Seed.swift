import Foundation

/// The users that an empty database starts with: a JSON file, or the built-in ones that `tenantgate demo` uses.
enum Seed {
    /// The array of users in `file`: `id`, `tenants`, `email`, `first_name`, `last_name`, and optionally `roles`, `owner`, `suspended`.
    static func read(_ file: String) throws -> [DemoUser] {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode([Entry].self, from: Data(contentsOf: URL(fileURLWithPath: file))).map(\.user)
    }

    static func builtIn(_ dialect: DialectName) -> [DemoUser] {
        switch dialect {
        case .jitsudo: jitsudo.map(\.user)
        case .rinne: rinne.map(\.user)
        }
    }

    private struct Entry: Decodable {
        var id: String
        var tenants: [String]
        var email: String
        var firstName: String
        var lastName: String
        var roles: [String]?
        var owner: Bool?
        var suspended: Bool?

        var user: DemoUser {
            let now = timestamp()
            return DemoUser(
                id: id, tenants: tenants, email: email, firstName: firstName, lastName: lastName, roles: roles ?? [],
                isOwner: owner ?? false, suspendedAt: suspended == true ? now : nil, createdAt: now, updatedAt: now)
        }
    }
}

extension Seed {
    /// Two tenants, Acme (a1…) and Globex (b2…); Olga owns Acme and can't be suspended.
    private static let jitsudo: [Entry] = {
        let acme = "A1A1A1A1-0000-4000-8000-00000000ACE1"
        let globex = "B2B2B2B2-0000-4000-8000-0000000B10B2"
        return [
            entry("0A000000-0000-4000-8000-000000000001", [acme], "ana@acme.example", "Ana", "Ito", ["admin"]),
            entry("0B000000-0000-4000-8000-000000000002", [acme], "ben@acme.example", "Ben", "Roy", ["member"]),
            entry("0C000000-0000-4000-8000-000000000003", [acme], "olga@acme.example", "Olga", "Lind", ["admin"], owner: true),
            entry("0D000000-0000-4000-8000-000000000004", [globex], "carl@globex.example", "Carl", "Moss", ["admin"]),
        ]
    }()

    /// Two companies; Mia belongs to both, Root can't be suspended.
    private static let rinne: [Entry] = [
        entry("usr_ana", ["comp_north"], "ana@north.example", "Ana", "Ito", ["admin"]),
        entry("usr_ben", ["comp_north"], "ben@north.example", "Ben", "Roy", ["member"]),
        entry("usr_mia", ["comp_north", "comp_south"], "mia@south.example", "Mia", "Voss", ["member"]),
        entry("usr_root", ["comp_north"], "root@north.example", "Root", "Keeper", ["admin"], owner: true),
    ]

    private static func entry(
        _ id: String, _ tenants: [String], _ email: String, _ first: String, _ last: String, _ roles: [String], owner: Bool = false
    ) -> Entry {
        Entry(id: id, tenants: tenants, email: email, firstName: first, lastName: last, roles: roles, owner: owner, suspended: nil)
    }
}
