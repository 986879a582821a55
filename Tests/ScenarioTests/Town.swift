import Foundation
import Synchronization
import TestSupport

/// The users of the durability test and what is known of each: some belong to one caller, some are shared by two.
final class Town: Sendable {
    struct User: Hashable, Sendable, CustomStringConvertible {
        let id: String
        let isJITSudo: Bool
        /// Called for by two callers at once.
        let isShared: Bool

        var dialect: Dialect { isJITSudo ? .jitsudo : .rinne }
        var description: String { id }
    }

    private struct Knowledge {
        var isBlocked = false
        /// The service's last commit that was taken into account.
        var watermark = 0
    }

    private let known = Mutex<[User: Knowledge]>([:])

    let users: [User] = [true, false].flatMap { isJITSudo in
        (0..<12).map { number in User(id: "user-\(number)".uuid(if: isJITSudo), isJITSudo: isJITSudo, isShared: number >= 8) }
    }

    /// Callers 0 and 2 speak JITSudo, 1 and 3 Rinne; each has four users of its own and shares four.
    func users(of caller: Int) -> [User] {
        let own = caller / 2 * 4
        let mine = users.filter { $0.isJITSudo == (caller % 2 == 0) }
        return Array(mine[own..<(own + 4)]) + mine.filter(\.isShared)
    }

    func seed(_ dialect: Dialect) -> [[String: Any]] {
        users.filter { $0.isJITSudo == dialect.isJITSudo }.map { user in
            [
                "id": dialect.isJITSudo ? user.id.uppercased() : user.id,
                "tenants": [dialect.isJITSudo ? dialect.tenant.uppercased() : dialect.tenant],
                "email": "\(user.id)@town.example", "first_name": "A", "last_name": "B",
            ]
        }
    }

    func state(_ user: User) -> Bool { known.withLock { $0[user, default: Knowledge()].isBlocked } }
    func watermark(_ user: User) -> Int { known.withLock { $0[user, default: Knowledge()].watermark } }

    func note(_ user: User, blocked: Bool, watermark: Int?) {
        known.withLock { known in
            known[user, default: Knowledge()].isBlocked = blocked
            if let watermark { known[user]?.watermark = watermark }
        }
    }
}

extension String {
    /// A uuid that is the same for the same text, where the dialect wants uuids.
    func uuid(if wanted: Bool) -> String {
        guard wanted else { return self }
        let hash = utf8.reduce(UInt64(14_695_981_039_346_656_037)) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
        let digits = String(hash, radix: 16)
        return "00000000-0000-4000-8000-" + String(repeating: "0", count: max(0, 12 - digits.count)) + digits.suffix(12)
    }
}
