import Policy

/// What concerns suspensions.
extension AdminAPI {
    static let suspending: [AdminEndpoint] = listing + changing

    private static let listing: [AdminEndpoint] = [
        AdminEndpoint(
            method: "GET", path: "/api/suspensions", role: .viewer,
            summary: "Who is blocked; a user with two sources comes twice. A page may be short, or empty, and have a next one.",
            parameters: [
                .text("directory", "Only this directory."), .text("tenant", "Only blocks in this tenant."),
                .text("user", "Only this user."),
                .choice("source", ["upstream", "operator"], "Only blocks of this source."),
                .number("limit", 1...Limits.adminPage, "Blocks of a page; 100 if not given."),
                .text("cursor", "`next` of the page before.", most: Limits.adminCursor),
            ],
            answers: [.init(status: 200, schema: "Suspensions", meaning: "A page.")], act: { $0.list($1, $2) }),
        AdminEndpoint(
            method: "GET", path: "/api/unconfirmed", role: .viewer,
            summary: "Calls whose outcome nobody knows, the newest first; `more` where there are others.",
            parameters: [.number("limit", 1...Limits.adminPage, "Calls at most; 100 if not given.")],
            answers: [.init(status: 200, schema: "Unconfirmed", meaning: "The calls.")], act: { $0.unconfirmed($1, $2) }),
        AdminEndpoint(
            method: "GET", path: "/api/suspensions/export", role: .viewer,
            summary: "Everybody who is blocked, as the import reads it. Changes that are made meanwhile may be in it or not.",
            answers: [.init(status: 200, schema: "Suspension", isLines: true, meaning: "JSON Lines; cut off where it can't go on.")],
            act: { $0.export($1, $2) }),
        AdminEndpoint(
            method: "GET", path: "/api/log", role: .viewer,
            summary: "The ledger's log: who, whom, when, how it is known. The newest first, or with `after` the oldest first.",
            parameters: [
                .number("after", 0...Int(Int64.max >> 11), "Entries after this number, the oldest first."),
                .number("before", 0...Int(Int64.max >> 11), "Entries before this number, the newest first."),
                .number("limit", 1...Limits.adminPage, "Entries of a page; 100 if not given."),
                .flag("follow", "JSON Lines that go on as the log does, from `after` or from now on; empty lines show that it goes on."),
            ],
            answers: [
                .init(status: 200, schema: "Log", meaning: "A page, or with `follow` one entry a line.")
            ],
            follows: true, act: { $0.log($1, $2) }),
        AdminEndpoint(
            method: "GET", path: "/api/reconcile", role: .viewer,
            summary: "What the last comparison of each directory with its service came to.",
            answers: [.init(status: 200, schema: "Reconcile", meaning: "The directories that can be read, in the file's order.")],
            act: { $0.reconciled($1, $2) }),
    ]

    private static let changing: [AdminEndpoint] = [
        AdminEndpoint(
            method: "POST", path: "/api/suspensions", role: .operator,
            summary:
                "Block a user by hand. In force on every loop, open work cut, and durable when this is answered; `reach` says whether at every gateway.",
            body: .json("Wish"),
            answers: [
                .init(status: 200, schema: "Added", meaning: "Blocked now; `changed` is false where the operator's block stood already.")
            ],
            refusals: [.suspensionNotDurable, .draining], act: { $0.add($1, $2) }),
        AdminEndpoint(
            method: "POST", path: "/api/suspensions/lift", role: .operator,
            summary:
                "Lift a user's blocks, of one source or of both; settles a call whose outcome nobody knows. `contested`: another gateway of the fleet blocked the user at the same time, so the block stays until it is lifted once more.",
            body: .json("LiftWish"),
            answers: [.init(status: 200, schema: "Lifted", meaning: "What was lifted, and what stands still.")],
            refusals: [.notSuspended, .suspensionNotDurable, .draining], act: { $0.lift($1, $2) }),
        AdminEndpoint(
            method: "POST", path: "/api/suspensions/import", role: .operator,
            summary: "Block everybody whom the lines name, or nobody if a line is bad. Large lists: check all parts with `dry_run` first.",
            parameters: [.flag("dry_run", "Only check the lines.")], body: .lines,
            answers: [.init(status: 200, schema: "Imported", meaning: "All are blocked, in force and durable.")],
            refusals: [.importRefused, .importInProgress, .suspensionNotDurable, .draining], act: { $0.importLines($1, $2) }),
        AdminEndpoint(
            method: "POST", path: "/api/reconcile", role: .operator,
            summary: "Compare users at the service with who is blocked, now; `GET` says what came of it.",
            parameters: [
                .text("directory", "Only this one."),
                .flag("apply", "Change as many users as it takes. Without it a run that would change too many stops and asks."),
            ],
            answers: [.init(status: 202, schema: "Reconcile", meaning: "It has begun.")],
            refusals: [.reconcileInProgress, .draining], act: { $0.reconcile($1, $2) }),
    ]
}
