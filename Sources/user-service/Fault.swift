/// One way in which an answer goes wrong on purpose: what tests arm through `/__fault` (only with `--faults`).
struct Fault: Sendable, Equatable {
    var kind: Kind
    /// Whether the change is made all the same.
    var commits = true
    /// The status of `.status`.
    var status = 500
    /// How many calls it strikes.
    var times = 1
    /// Strikes any call, not only those that suspend or reactivate.
    var anyCall = false
    /// Strikes lists, or reads of one user, alone.
    var lists = false
    var reads = false

    enum Kind: String, Sendable, CaseIterable {
        /// The connection is closed when the head has come, nothing read of the body, nothing done.
        case dropUnread = "drop_unread"
        /// The connection is closed instead of an answer.
        case drop
        /// No answer comes, the connection stays.
        case hang
        /// The answer waits for `/__fault/release`, made before the change if it doesn't commit by itself first.
        case hold
        /// A whole head, half the body, then the end.
        case half
        /// The answer in pieces of a sixteenth, 25 ms apart.
        case slow
        /// The user object tells another id.
        case otherID = "other_id"
        /// The user object tells the state that was not asked for.
        case otherState = "other_state"
        /// 202 with a body that tells nothing of the user.
        case accepted
        /// 204.
        case noContent = "no_content"
        /// 200 with a page for people.
        case html
        /// 200 with `Content-Encoding: br`.
        case brotli
        /// The user object with 2 MiB of avatar.
        case large
        /// The user object with 350 KB of avatar.
        case avatar
        /// The user object with `id` and the state twice.
        case duplicateNames = "duplicate_names"
        /// `status`, in the dialect's envelope.
        case status
        /// The first page of a list, whichever is asked for.
        case firstPage = "first_page"
        /// A page that says that it is the last.
        case lastPage = "last_page"
        /// A page that says that more follow.
        case endless
        /// The user object, or the page, of a copy that lags behind: as if nobody had ever been suspended.
        case lagging
    }

    /// Whether it is armed for this call.
    func strikes(_ request: ServiceRequest) -> Bool {
        if lists { return request.isList }
        if reads { return request.isRead }
        return anyCall || request.isSuspendCall
    }
}

extension Fault {
    /// Reads what a test arms: `{"kind": "hang", "commit"?: true, "status"?: 500, "times"?: 1, "any"?: false, "list"?: false, "read"?: false}`.
    init(_ body: [UInt8]) throws {
        let body = try RequestBody(body)
        guard let kind = Kind(rawValue: try body.text("kind")) else { throw ServiceError.badRequest("There is no such fault.") }
        self.kind = kind
        if kind == .status || kind == .dropUnread { commits = false }
        if body.has("commit") { commits = try body.flag("commit") }
        if body.has("any") { anyCall = try body.flag("any") }
        if body.has("list") { lists = try body.flag("list") }
        if body.has("read") { reads = try body.flag("read") }
        status = try body.integer("status") ?? status
        times = try body.integer("times") ?? times
    }
}
