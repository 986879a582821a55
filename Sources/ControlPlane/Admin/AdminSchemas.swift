import Policy
import Suspensions

/// The shapes of what the API takes and answers, as JSON Schemas.
enum AdminSchemas {
    static let all: [(String, SchemaValue)] = [
        (
            "Error",
            object([("code", .words(AdminRefusal.allCases.map(\.rawValue))), ("message", .text)], optional: [("details", .anyObject)])
        ),
        ("Wish", object(whom.required + [("reason", reason)], optional: whom.optional)),
        (
            "LiftWish",
            object(
                whom.required + [("reason", reason)],
                optional: whom.optional + [("source", .words(["upstream", "operator"]))])
        ),
        ("Suspension", object(whom.required + [("at", .time)], optional: whom.optional + [("reason", .text)])),
        (
            "Block",
            object(
                whom.required + [("source", source), ("learned", .text), ("at", .time)],
                optional: whom.optional + [("reason", .text), ("contested", .flag)])
        ),
        (
            "Suspensions",
            object(
                [("suspensions", .list(.reference("Block"))), ("next", .either(.text, .nothing))], optional: [("unconfirmed_users", .count)]
            )
        ),
        (
            "Call",
            object(
                [("unconfirmed", .words(["suspend", "reactivate"]))] + whom.required
                    + [("caller", .text), ("request", .text), ("cause", .text), ("at", .time)], optional: whom.optional)
        ),
        ("Unconfirmed", object([("unconfirmed_users", .count), ("calls", .list(.reference("Call"))), ("more", .flag)])),
        (
            "Added",
            object(
                [
                    ("changed", .flag), ("reach", reach),
                    (
                        "suspension",
                        object(whom.required + [("source", source), ("reason", .text)], optional: whom.optional)
                    ),
                ], optional: [("fleet", link)])
        ),
        (
            "Lifted",
            object([
                ("lifted", .list(source)), ("settled", .flag),
                ("stands", .list(object([("source", source)], optional: [("tenant", .text), ("contested", .flag)]))),
            ])
        ),
        ("Imported", object([("lines", .count), ("dry_run", .flag)], optional: [("reach", reach), ("fleet", link)])),
        (
            "Entry",
            object(
                [("number", .count), ("at", .time)] + whom.required
                    + [("source", source), ("from", state), ("to", state), ("learned", .text), ("actor", .text)],
                optional: whom.optional + [("request", .text), ("reason", .text)])
        ),
        ("Log", object([("last", .count), ("entries", .list(.reference("Entry")))])),
        (
            "Reconcile",
            object([
                ("running", .flag),
                (
                    "directories",
                    .list(
                        object([("directory", .text)] + reconcileRuns.required, optional: reconcileRuns.optional))
                ),
            ])
        ),
        ("Reload", object([("changed", .flag), ("changes", .list(.text)), ("warnings", .list(.text))])),
        ("Document", .anyObject), ("Status", status), ("Routes", routes), ("Upstreams", upstreams), ("Keys", keys), ("Metrics", metrics),
    ]

    /// Something that a person can see; bytes are counted, not characters.
    private static let reason: SchemaValue = .object([
        ("type", .string("string")), ("minLength", .integer(1)), ("maxLength", .integer(Limits.ledgerText)), ("pattern", .string("\\S")),
    ])
    private static let source: SchemaValue = .words(["upstream", "operator"])
    /// `fleet` where every live gateway has it in force; `link`: how this one stands with the others, if there are any.
    private static let reach: SchemaValue = .words(["gateway", "fleet"])
    private static let link: SchemaValue = .words(FleetStatus.Link.allCases.map(\.rawValue))
    private static let state: SchemaValue = .words(["active", "suspended"])
    /// Ids are bounded here by what any format takes; each directory's format says more.
    private static let whom: (required: [(String, SchemaValue)], optional: [(String, SchemaValue)]) = (
        [("directory", .text), ("user", .bounded(1, Limits.idBytes))], [("tenant", .bounded(1, Limits.idBytes))]
    )

    /// Of the last run only where there was one, and what it would do where it asks; `next` where runs begin by themselves.
    private static let reconcileRuns: (required: [(String, SchemaValue)], optional: [(String, SchemaValue)]) = (
        [("running", .flag)],
        [
            ("next", .time), ("ending", .words(["done", "asks", "stopped"])), ("would_block", .count), ("would_lift", .count),
            ("at", .time), ("users", .count), ("blocked", .count), ("lifted", .count), ("left", .count), ("words", .text),
        ]
    )

    private static let status = object(
        [
            ("version", .text), ("started", .time), ("uptime_seconds", .count), ("ready", .flag), ("reasons", .list(.text)),
            ("notices", .list(.text)), ("token", object([("name", .text), ("role", .words(AdminRole.allCases.map(\.rawValue)))])),
            ("listeners", .list(.text)), ("loops", .count), ("client_connections", .count),
            (
                "ledger",
                object(
                    [
                        ("path", .text), ("writable", .flag), ("owed_users", .count), ("unconfirmed_users", .count), ("open_calls", .count),
                        ("users_to_read", .count),
                    ],
                    optional: [("trouble", .text)])
            ),
            (
                "directories",
                .list(
                    object(
                        [
                            ("name", .text), ("id_format", .words(IDFormat.allCases.map(\.rawValue))),
                            ("tenant_format", .words(IDFormat.allCases.map(\.rawValue))), ("reach", .words(Reach.allCases.map(\.rawValue))),
                            ("suspended_users", .count),
                        ], optional: [("reconcile", object(reconcileRuns.required, optional: reconcileRuns.optional))]))
            ),
        ], optional: [("fleet", fleet), ("follower", object([("process", .count), ("changes_unapplied", .count)]))])

    private static let fleet = object(
        [
            ("link", link), ("listening", .flag), ("refusing", .flag),
            ("behind_seconds", .count), ("unpublished", .count), ("contested_users", .count), ("applied", .count),
            (
                "gateways",
                .list(object([("name", .text), ("this", .flag), ("live", .flag), ("seen_seconds_ago", .count), ("behind", .count)]))
            ),
        ], optional: [("trouble", .text)])

    private static let routes = object([
        (
            "routes",
            .list(
                object(
                    [
                        ("index", .count), ("path", .text), ("methods", .list(.text)), ("upstream", .text), ("credential", .text),
                        ("tenant", .text), ("require", .text), ("suspended", .text), ("mode", .words(["observe", "enforce"])),
                        ("calls", .list(.text)),
                    ], optional: [("host", .text), ("directory", .text), ("observe_until", .text)]))
        )
    ])

    private static let upstreams = object([
        (
            "upstreams",
            .list(
                object([
                    ("name", .text), ("circuit_open", .flag), ("tls", .flag), ("retries", .count), ("busy", .count), ("idle", .count),
                    ("waiting", .count), ("connect_failures", .count),
                    (
                        "servers",
                        .list(
                            object([
                                ("server", .text), ("serving", .flag), ("ejections", .count), ("checked", .flag),
                                ("checks_passed", .count), ("checks_failed", .count),
                            ]))
                    ),
                ]))
        )
    ])

    private static let keys = object([
        (
            "issuers",
            .list(
                object(
                    [
                        ("directory", .text), ("algorithms", .list(.text)), ("available", .flag),
                        ("keys", .list(object([("type", .text), ("algorithms", .list(.text))], optional: [("kid", .text)]))),
                    ],
                    optional: [
                        ("issuer", .text), ("origin", .text), ("age_seconds", .count), ("error", .text), ("last_error", .time),
                    ]))
        ),
        ("issuer_count", .count),
    ])

    private static let metrics: SchemaValue = {
        let requests: SchemaValue = .list(
            object([("route", .text), ("stage", .text), ("code", .text), ("status", .count), ("count", .count)]))
        return object([
            ("time_ms", .count), ("requests", requests), ("observed", requests), ("bounds_us", .list(.count)),
            ("durations", .list(object([("route", .text), ("sum_us", .count), ("buckets", .list(.count))]))),
            ("tenants", .list(object([("tenant", .text), ("code", .text), ("count", .count)]))),
        ])
    }()

    private static func object(_ members: [(String, SchemaValue)], optional: [(String, SchemaValue)] = []) -> SchemaValue {
        .object([
            ("type", .string("object")), ("properties", .object(members + optional)),
            ("required", .array(members.map { .string($0.0) })), ("additionalProperties", .boolean(false)),
        ])
    }
}

extension SchemaValue {
    fileprivate static var text: SchemaValue { .object([("type", .string("string"))]) }
    fileprivate static var time: SchemaValue { .object([("type", .string("string")), ("format", .string("date-time"))]) }
    fileprivate static var flag: SchemaValue { .object([("type", .string("boolean"))]) }
    fileprivate static var count: SchemaValue { .object([("type", .string("integer")), ("minimum", .integer(0))]) }
    fileprivate static var nothing: SchemaValue { .object([("type", .string("null"))]) }
    fileprivate static var anyObject: SchemaValue { .object([("type", .string("object"))]) }

    fileprivate static func bounded(_ least: Int, _ most: Int) -> SchemaValue {
        .object([("type", .string("string")), ("minLength", .integer(least)), ("maxLength", .integer(most))])
    }

    fileprivate static func words(_ words: [String]) -> SchemaValue {
        .object([("type", .string("string")), ("enum", .array(words.map(SchemaValue.string)))])
    }

    fileprivate static func list(_ items: SchemaValue) -> SchemaValue { .object([("type", .string("array")), ("items", items)]) }

    fileprivate static func either(_ one: SchemaValue, _ other: SchemaValue) -> SchemaValue { .object([("anyOf", .array([one, other]))]) }

    fileprivate static func reference(_ name: String) -> SchemaValue {
        .object([("$ref", .string("#/components/schemas/\(name)"))])
    }
}
