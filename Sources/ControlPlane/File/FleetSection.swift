import Glibc
import Policy
import Suspensions

/// `fleet:`
enum FleetSection {
    static let database = Key(
        "database", .text("URI", bytes: 4096), .required,
        "`postgresql://USER@HOST:PORT/DATABASE?sslmode=verify-full` and all else that libpq's URIs say, several hosts too.")
    static let passwordFile = Key(
        "password_file", .secretFile, .optional("the URI's, or none"),
        "The password; one trailing newline is not part of it. Read at each connecting, so that it can be replaced.")
    static let name = Key(
        "name", .text("name", bytes: 128), .optional("the machine's name"), "How this gateway is called in the database's list of gateways."
    )
    static let acknowledge = Key<FleetSettings.Acknowledge>(
        "acknowledge", .choice, .byDefault("gateway"),
        "Whose confirmation a suspension's 2xx waits for, for a second at most. With `all` a gateway that can't renew its lease refuses "
            + "requests; write the same at all gateways.")
    static let whenBehind = Key(
        "when_behind", .section(WhenBehindSection.shape), .byDefault("{}"), "What holds when nothing is heard of the others.")
    static let shape = SectionShape(
        "fleet",
        [database.declaration, passwordFile.declaration, name.declaration, acknowledge.declaration, whenBehind.declaration])

    static func read(_ section: Section) -> FleetSettings? {
        let (database, file, name, acknowledge) = (section[database], section[passwordFile], section[name], section[acknowledge])
        let whenBehind = section[whenBehind]
        guard let database, let acknowledge, let whenBehind, check(section, database, file) else { return nil }
        guard file != nil || !section.has(passwordFile), name != nil || !section.has(Self.name) else { return nil }
        var settings = FleetSettings(database: database, passwordFile: file?.path, name: name ?? hostName)
        settings.acknowledge = acknowledge
        guard let after = whenBehind[WhenBehindSection.after], let then = whenBehind[WhenBehindSection.then] else { return nil }
        settings.behindMilliseconds = after
        settings.behind = then
        return settings
    }

    /// Never says what the URI says: it may hold a password.
    private static func check(_ section: Section, _ database: String, _ file: ReadableFile?) -> Bool {
        guard let uri = FleetURI(database) else {
            section.refuse(
                Self.database, "that is no URI of PostgreSQL",
                fix: "for example `postgresql://tenantgate@db.example:5432/tenantgate?sslmode=verify-full`; write `%40` for an `@` in it"
            )
            return false
        }
        if uri.hasPassword {
            guard file == nil else {
                section.refuse(Self.database, "the password is here and in `password_file`", fix: "remove it here")
                return false
            }
            section.reading.problems.warning(
                section.place(Self.database), "the password stands in the file, where everybody can read it who may read the routes",
                fix: "put it into a file of its own and name that with `password_file`")
        }
        guard let file else { return true }
        if case .success(let bytes) = FileBytes.readRegular(file.path, limit: 4096), bytes.contains(where: { $0 != 10 && $0 != 13 }) {
            return true
        }
        section.reading.problems.error(file.place, "\(file.path) is empty", fix: "write the password into it")
        return false
    }

    private static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        guard unsafe gethostname(&name, 255) == 0 else { return "gateway" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// `fleet.when_behind:`
enum WhenBehindSection {
    static let after = Key("after", .duration("1s", "24h"), .byDefault("60s"), "How long nothing was heard of the others.")
    static let then = Key<FleetSettings.Behind>(
        "then", .choice, .byDefault("serve"), "Go on with what is known, or refuse requests (503 `suspensions_behind`) and be not ready.")
    static let shape = SectionShape("when_behind", [after.declaration, then.declaration])
}
