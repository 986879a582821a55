import Foundation
import GRDB
import Policy

/// Which row of `scopes` means which directory and tenant, both ways. Kept in memory; a row once made is never changed.
struct LedgerScopes {
    struct Place: Hashable {
        let directory: DirectoryIndex
        let tenant: FormattedID?
    }

    /// The configuration's directories, then those that only the ledger knows.
    private(set) var directories: [LedgerDirectory]
    /// The row of each directory.
    private var rows: [Int64]
    private var numbers: [Place: Int64] = [:]
    private var places: [Int64: Place] = [:]

    /// Reads what is there and adds what the configuration brings.
    init(_ db: Database, configured: [LedgerDirectory]) throws {
        directories = configured
        rows = []
        for directory in configured { rows.append(try Self.enter(directory, db)) }
        for row in try Row.fetchAll(db, sql: "SELECT * FROM directories ORDER BY id") where !rows.contains(row["id"]) {
            directories.append(try Self.directory(row))
            rows.append(row["id"])
        }
        for row in try Row.fetchAll(db, sql: "SELECT id, directory, tenant FROM scopes") {
            guard let directory = rows.firstIndex(of: row["directory"]) else { continue }
            let tenant: FormattedID? = try Self.id(row["tenant"])
            remember(Place(directory: directory, tenant: tenant), as: row["id"])
        }
    }

    /// The row of a scope, made if it isn't there. To be forgotten again if the transaction fails.
    mutating func number(of place: Place, _ db: Database) throws -> Int64 {
        if let number = numbers[place] { return number }
        try db.execute(
            sql: "INSERT INTO scopes (directory, tenant) VALUES (?, ?)",
            arguments: [rows[place.directory], place.tenant.map(Self.value) ?? .null])
        let number = db.lastInsertedRowID
        remember(place, as: number)
        return number
    }

    /// The row of a scope, if there is one.
    func known(_ place: Place) -> Int64? { numbers[place] }

    func place(_ number: Int64) -> Place? { places[number] }

    /// The rows of these scopes from `first` on, in order; nil takes all.
    func numbers(directory: DirectoryIndex?, tenants: [FormattedID]?, from first: Int64) -> [Int64] {
        places.filter { number, place in
            number >= first && (directory == nil || place.directory == directory)
                && (tenants.map { $0.contains { $0 == place.tenant } } ?? true)
        }.keys.sorted()
    }
    /// The row of a directory, and the directory of a row.
    func row(of directory: DirectoryIndex) -> Int64 { rows[directory] }
    func directory(at row: Int64) -> DirectoryIndex? { rows.firstIndex(of: row) }

    /// The configured name of a directory.
    func name(_ directory: DirectoryIndex) -> String { directories[directory].name }

    private mutating func remember(_ place: Place, as number: Int64) {
        numbers[place] = number
        places[number] = place
    }

    // MARK: directories

    /// The row of a configured directory; its formats may change as long as nothing is kept under the old ones.
    private static func enter(_ directory: LedgerDirectory, _ db: Database) throws -> Int64 {
        let formats: StatementArguments = [directory.name, directory.idFormat.rawValue, directory.tenantFormat.rawValue]
        guard let row = try Row.fetchOne(db, sql: "SELECT * FROM directories WHERE name = ?", arguments: [directory.name]) else {
            try db.execute(sql: "INSERT INTO directories (name, id_format, tenant_format) VALUES (?, ?, ?)", arguments: formats)
            return db.lastInsertedRowID
        }
        let known = try Self.directory(row)
        let id: Int64 = row["id"]
        if known == directory { return id }
        let kept = try ["blocks", "intents", "unconfirmed"].contains { table in
            try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM \(table) JOIN scopes ON scopes.id = scope WHERE directory = ?)", arguments: [id])!
        }
        guard !kept else {
            throw LedgerError.formatChanged(
                directory: directory.name, was: "\(known.idFormat) users and \(known.tenantFormat) tenants",
                now: "\(directory.idFormat) users and \(directory.tenantFormat) tenants")
        }
        // Aliases are learned anew; those of ids in another format name nobody.
        try db.execute(
            sql: "DELETE FROM aliases WHERE scope IN (SELECT id FROM scopes WHERE directory = ?)", arguments: [id])
        try db.execute(
            sql: "UPDATE directories SET id_format = ?2, tenant_format = ?3 WHERE name = ?1", arguments: formats)
        return id
    }

    private static func directory(_ row: Row) throws -> LedgerDirectory {
        guard let id = IDFormat(rawValue: row["id_format"]), let tenant = IDFormat(rawValue: row["tenant_format"]) else {
            throw LedgerError.readFailed("directory \(row["name"] as String) has an unknown format")
        }
        return LedgerDirectory(name: row["name"], idFormat: id, tenantFormat: tenant)
    }

    // MARK: ids

    /// As the tables keep it: 16 bytes for a uuid, text for a string.
    static func value(_ id: FormattedID) -> DatabaseValue {
        switch id {
        case .uuid(let bits):
            var data = Data()
            for word in [bits.high, bits.low] {
                for shift in stride(from: 56, through: 0, by: -8) { data.append(UInt8(word >> UInt64(shift) & 255)) }
            }
            return data.databaseValue
        case .string(let bytes): return String(decoding: bytes, as: UTF8.self).databaseValue
        }
    }

    /// Nil for null.
    static func id(_ value: DatabaseValue) throws -> FormattedID? {
        switch value.storage {
        case .null: return nil
        case .blob(let data) where data.count == 16:
            let words = [data.prefix(8), data.suffix(8)].map { $0.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
            return .uuid(UUIDBits(high: words[0], low: words[1]))
        case .string(let text): return .string(Array(text.utf8))
        default: throw LedgerError.readFailed("an id is neither a uuid nor text")
        }
    }
}
