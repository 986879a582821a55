import GRDB

/// The users and every commit made to them, in one SQLite file.
///
/// A change, its commit number and its line in `commits` are one transaction with `synchronous=FULL`: what an answer tells is on disk
/// before the answer is written, and the numbers are the order in which the service changed its mind. Tests use that as their oracle.
final class UserStore: Sendable {
    private let database: DatabaseQueue

    /// Opens or creates the file. `seed` fills an empty one.
    init(file: String, seed: [DemoUser]) throws {
        var configuration = Configuration()
        configuration.label = "users"
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA journal_mode=WAL")
            try database.execute(sql: "PRAGMA synchronous=FULL")
        }
        self.database = try DatabaseQueue(path: file, configuration: configuration)
        try Self.migrations.migrate(database)
        try fill(with: seed)
    }

    func user(_ id: String) throws -> DemoUser? {
        try database.read { try DemoUser.fetchOne($0, key: id) }
    }

    func user(email: String) throws -> DemoUser? {
        try database.read { try DemoUser.filter(Column("email") == email).fetchOne($0) }
    }

    /// One page of the users in the order of their ids, and how many there are. `tenant` leaves only that tenant's.
    func users(tenant: String?, offset: Int = 0, limit: Int) throws -> (page: [DemoUser], total: Int) {
        try database.read { database in
            guard let tenant else {
                let page = try DemoUser.order(Column("id")).limit(limit, offset: offset).fetchAll(database)
                return (page, try DemoUser.fetchCount(database))
            }
            let visible = try DemoUser.order(Column("id")).fetchAll(database).filter { $0.belongs(to: tenant) }
            return (Array(visible.dropFirst(offset).prefix(limit)), visible.count)
        }
    }

    /// Changes one user in a transaction of its own. What `edit` throws undoes it; nil where there is no such user.
    func change(_ id: String, _ edit: (inout DemoUser, String) throws -> Void) throws -> DemoUser? {
        try database.write { database in
            guard var user = try DemoUser.fetchOne(database, key: id) else { return nil }
            let now = timestamp()
            try edit(&user, now)
            user.updatedAt = now
            user.commitNumber = try Self.nextCommit(database, user: user)
            try user.update(database)
            return user
        }
    }

    /// Adds a user; nil where the id is taken.
    func create(_ user: DemoUser) throws -> DemoUser? {
        try database.write { database in
            guard try !user.exists(database) else { return nil }
            return try Self.insert(user, into: database)
        }
    }

    private func fill(with seed: [DemoUser]) throws {
        try database.write { database in
            guard try DemoUser.fetchCount(database) == 0 else { return }
            for user in seed { _ = try Self.insert(user, into: database) }
        }
    }
}

extension UserStore {
    private static func insert(_ user: DemoUser, into database: Database) throws -> DemoUser {
        var user = user
        user.commitNumber = try nextCommit(database, user: user)
        try user.insert(database)
        return user
    }

    /// Writes the line of a commit and returns its number.
    private static func nextCommit(_ database: Database, user: DemoUser) throws -> Int64 {
        try database.execute(
            sql: "INSERT INTO commits (user, suspended, at) VALUES (?, ?, ?)",
            arguments: [user.id, !user.isActive, user.updatedAt])
        return database.lastInsertedRowID
    }

    private static var migrations: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("users and commits") { database in
            try database.create(table: "users") { table in
                table.primaryKey("id", .text)
                for name in ["tenants", "email", "firstName", "lastName", "roles", "createdAt", "updatedAt"] {
                    table.column(name, .text).notNull()
                }
                table.column("isOwner", .boolean).notNull()
                table.column("emailVerified", .boolean).notNull()
                table.column("avatar", .text)
                table.column("suspendedAt", .text)
                table.column("commitNumber", .integer).notNull()
            }
            try database.create(table: "commits") { table in
                table.autoIncrementedPrimaryKey("number")
                table.column("user", .text).notNull().indexed()
                table.column("suspended", .boolean).notNull()
                table.column("at", .text).notNull()
            }
        }
        return migrator
    }
}
