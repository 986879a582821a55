import CPQ
import Glibc

/// A URI of PostgreSQL as libpq reads it.
package struct FleetURI {
    package let hasPassword: Bool

    /// Nil for what libpq doesn't understand. Nothing of it is kept.
    package init?(_ text: String) {
        guard text.hasPrefix("postgresql://") || text.hasPrefix("postgres://") else { return nil }
        var complaint: UnsafeMutablePointer<CChar>?
        let options = unsafe PQconninfoParse(text, &complaint)
        defer {
            unsafe PQfreemem(complaint)
            unsafe PQconninfoFree(options)
        }
        guard let options = unsafe options else { return nil }
        var (place, hasPassword) = (0, false)
        while let keyword = unsafe options[place].keyword {
            if unsafe strcmp(keyword, "password") == 0, unsafe options[place].val != nil { hasPassword = true }
            place += 1
        }
        self.hasPassword = hasPassword
    }
}
