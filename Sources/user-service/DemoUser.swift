import Foundation
import GRDB

/// A user as this service keeps it: one row, which each dialect shows in its own words.
struct DemoUser: Codable, Sendable, FetchableRecord, PersistableRecord {
    static let databaseTableName = "users"

    /// A uuid in upper case (JITSudo) or any string (Rinne).
    var id: String
    /// The tenant (JITSudo: exactly one) or the companies (Rinne: any number) that the user belongs to.
    var tenants: [String]
    var email: String
    var firstName: String
    var lastName: String
    var roles: [String] = []
    /// Nobody may suspend this user: JITSudo's `is_owner`, Rinne's `metadata.protected`.
    var isOwner: Bool = false
    var emailVerified: Bool = true
    var avatar: String?
    /// Nil while the user is active.
    var suspendedAt: String?
    var createdAt: String
    var updatedAt: String
    /// The number of the commit that wrote this row last.
    var commitNumber: Int64 = 0

    var isActive: Bool { suspendedAt == nil }

    /// Suspends or reactivates. A user who is suspended already keeps the first date.
    mutating func setActive(_ active: Bool, at time: String) {
        if active { suspendedAt = nil } else if suspendedAt == nil { suspendedAt = time }
    }

    func belongs(to tenant: String) -> Bool {
        tenants.contains { $0.utf8.elementsEqual(tenant.utf8) }
    }
}

/// The present as an RFC 3339 date-time in UTC with milliseconds.
func timestamp() -> String {
    Date().formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
}
