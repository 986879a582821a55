import HTTPWire
import NIOCore
package import Policy
import Suspensions
package import Tokens

/// Leave to forward one request, as one tenant's and one user's.
///
/// Only the Gatekeeper has what it takes to make one, and the forwarder takes nothing else: what was not admitted cannot be forwarded.
package struct Admission: ~Copyable {
    /// Index of the route in the snapshot.
    package let route: Int
    /// What the verified token says; nil on routes without.
    package let credential: Credential?
    /// The tenant that the request acts in; nil where none is selected.
    package let selectedTenant: TenantID?
    /// What goes upstream in `X-Tenant-ID`; empty for no field.
    let tenantHeader: [UInt8]
    /// The path that goes upstream, where it isn't the received one.
    let path: [UInt8]?
    /// The subprotocols that go upstream, where the client's list held the token: nil leaves the list as it is.
    let subprotocols: [UInt8]?
    /// What the answer says of CORS.
    let cors: CORSFields
    /// On a route that observes: what stages 3 to 6 found wrong is noted and enforced neither now nor later.
    let isObserved: Bool
    /// Set for a call that suspends or reactivates.
    private(set) var intent: Intent?
    /// Set for another call of the dialect whose answer teaches.
    private(set) var observed: Observed?

    /// A call of the dialect that wants a user's state changed.
    struct Intent {
        let reading: IntentReading
        let reader: AnswerReader
        let aliases: AliasReader?
        let directory: DirectoryIndex
        let reach: Reach
        let tenant: TenantID?
        /// The id in the path; nil where the body names the user.
        let user: UserID?
        let caller: Caller
        let contentType: [UInt8]?
        let contentEncoding: [UInt8]?

        /// Whom it is about, now that the body says so; nil where nobody does.
        func subject(named: UserID?) -> Subject? {
            (user ?? named).flatMap { Subject(directory: directory, reach: reach, selected: tenant, user: $0) }
        }
    }

    /// A call of the dialect whose answer holds users.
    struct Observed {
        let reader: AnswerReader
        let aliases: AliasReader?
        let isList: Bool
        let directory: DirectoryIndex
        /// The id in the path, where the call has one.
        let user: UserID?
        let caller: Caller
    }

    /// The Gatekeeper's last step: what the request is, now that it may pass.
    ///
    /// Throws `.bodyTooLarge` by the announced length, and what `recognise` throws.
    init(
        _ head: borrowing RequestHead, route: Int, target: Target, tenant: Gatekeeper.TenantVerdict, credential: Credential?, peer: Peer,
        isObserved: Bool, by gatekeeper: borrowing Gatekeeper
    ) throws(Denial) {
        let rules = gatekeeper.snapshot.rules[route]
        self.route = route
        self.credential = credential
        self.isObserved = isObserved
        selectedTenant = tenant.selection?.tenant
        tenantHeader = tenant.selection?.goesUpstream == true ? selectedTenant?.spelling ?? [] : tenant.unverified ?? []
        path = target.path
        subprotocols = rules.route.tokenSource == .subprotocol ? SubprotocolToken.others(in: head) : nil
        cors = rules.cors?.fields(for: head) ?? .none
        // Nobody is suspended by an alias: only a known user may pass.
        guard credential?.alias == nil else { throw .internalError }
        if let called = target.call, let directory = rules.route.directory {
            try recognise(called, head, directory, gatekeeper.snapshot.directories[directory], peer)
        }
        if intent == nil, case .length(let length) = head.framing, length > rules.route.bodyLimit { throw .bodyTooLarge }
    }

    /// Sets `intent` or `observed`. Throws `.badRequest` for an intent without a user, `.tenantRequired` for one without a tenant
    /// where suspensions are a tenant's.
    private mutating func recognise(
        _ called: Target.Call, _ head: borrowing RequestHead, _ index: DirectoryIndex, _ directory: Directory, _ peer: Peer
    ) throws(Denial) {
        let reach = directory.dialect.reach
        // Without a verified tenant an answer can only be learned from where a suspension reaches the whole directory.
        guard credential != nil || reach == .directory else { return }
        let call = directory.dialect.calls[called.index]
        let (reader, aliases) = (directory.readers[called.index], directory.aliasReaders[called.index])
        let caller = credential.map { Caller(directory: directory.name, user: $0.user) } ?? Caller(peer.sourceText)
        guard let reading = directory.intents[called.index] else {
            var isList = false
            if case .list = call.answers { isList = true }
            observed = Observed(reader: reader, aliases: aliases, isList: isList, directory: index, user: called.user, caller: caller)
            return
        }
        guard called.user != nil || call.request != nil else { throw .badRequest }
        guard reach == .directory || selectedTenant != nil else { throw .tenantRequired }
        intent = Intent(
            reading: reading, reader: reader, aliases: aliases, directory: index, reach: reach, tenant: selectedTenant, user: called.user,
            caller: caller, contentType: head.message.joined(.contentType), contentEncoding: head.message.joined(.contentEncoding))
    }
}

extension MessageHead {
    /// The values of all fields with this id, joined by commas (RFC 9110 §5.3); nil if there is none.
    func joined(_ id: FieldID) -> [UInt8]? {
        guard present.contains(id) else { return nil }
        let bytes = bytes.readableBytesUInt8Span
        return Array(fields.filter { $0.id == id }.map { Array(bytes.extracting($0.value)) }.joined(separator: Array(", ".utf8)))
    }
}

extension Caller {
    /// A user who calls, told apart from users of other directories and from addresses.
    fileprivate init(directory: String, user: UserID) {
        self.init(Array("\(directory):".utf8) + user.id.canonical)
    }
}
