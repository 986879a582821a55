import Foundation
package import Policy

/// How a gateway takes part in a fleet; the file's `fleet`.
package struct FleetSettings: Sendable, Equatable {
    /// What to do with requests while too little is known of the others.
    package enum Behind: String, Sendable, CaseIterable { case serve, refuse }
    /// Whose confirmation a suspension's 2xx waits for.
    package enum Acknowledge: String, Sendable, CaseIterable { case gateway, all }

    /// A connection string or URI of libpq.
    package var database: String
    /// A file with the password, which goes before one that `database` has. Read at each connecting.
    package var passwordFile: String?
    /// How this gateway is called in the shared log's table of gateways.
    package var name: String
    package var acknowledge = Acknowledge.gateway
    /// Milliseconds without having heard of the others, after which `behind` holds.
    package var behindMilliseconds: Int64 = 60_000
    package var behind = Behind.serve

    package init(database: String, passwordFile: String?, name: String) {
        self.database = database
        self.passwordFile = passwordFile
        self.name = name
    }

    /// Without its trailing newline.
    func password() throws(FleetTrouble) -> String? {
        guard let passwordFile else { return nil }
        guard let text = try? String(contentsOfFile: passwordFile, encoding: .utf8) else {
            throw FleetTrouble("its password can't be read from \(passwordFile)", .refused)
        }
        return text.last?.isNewline == true ? String(text.dropLast()) : text
    }
}

/// A directory as gateways have to agree on it.
package struct FleetDirectory: Sendable, Equatable {
    package let name: String
    package let idFormat: IDFormat
    package let tenantFormat: IDFormat
    package let reach: Reach

    package init(name: String, idFormat: IDFormat, tenantFormat: IDFormat, reach: Reach) {
        self.name = name
        self.idFormat = idFormat
        self.tenantFormat = tenantFormat
        self.reach = reach
    }
}
