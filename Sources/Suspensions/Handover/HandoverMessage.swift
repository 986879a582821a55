import Policy

/// What two gateways say to each other while one hands its sockets and its ledger to the next, and afterwards.
///
/// Directories are told by name, since the two files may number them otherwise. Kinds and their fields stay what they are: another version of
/// the program is at the other end. One that needs others counts `version` up, and such a pair doesn't upgrade in place.
package enum HandoverMessage: Sendable, Equatable {
    static let version: UInt8 = 2
    /// Subjects of one `change`: each has two ids and a name, and a message is 64 KiB.
    package static let subjectsPerChange = 64

    // The next gateway's.
    case hello([LedgerDirectory])
    case yield
    /// It goes on with these sockets.
    case ready(sockets: [String])
    case serving
    case change(Int64, SuspensionChange)
    /// All that was changed until this moment (steady nanoseconds) was said before.
    case lease(at: Int64)
    case beginning(Int64, Beginning)
    case conclusion(Int64, Conclusion)
    // The one's before.
    /// Descriptors come along, in this order.
    case sockets([String])
    case yielded
    case following
    case refused(String)
    case applied(Int64)
    /// Nil where the call is about a directory that this process doesn't have.
    case begin(Int64, IntentCall?)
    case finish(Int64, Ticket, UpstreamOutcome)
    case learned(AliasWord)
}

/// Writes and reads messages: a byte for the kind, numbers in eight bytes, bytes behind their count.
package struct HandoverCoder: Sendable {
    /// This process' directories, by number.
    private let names: [[UInt8]]

    package init(directories: [String]) { names = directories.map { Array($0.utf8) } }

    package func bytes(_ message: HandoverMessage) -> [UInt8] {
        var out = HandoverBytes()
        write(message, into: &out)
        return out.bytes
    }

    /// Nil for what isn't a message of this version. A change loses the subjects of directories that this process doesn't have.
    package func message(_ bytes: [UInt8]) -> HandoverMessage? {
        var rest = HandoverRest(bytes)
        guard let kind = rest.byte().flatMap(Kind.init), let message = read(kind, &rest), rest.isEmpty else { return nil }
        return message
    }

    private enum Kind: UInt8 {
        case hello = 1, yield, ready, serving, change, lease, beginning, conclusion
        case sockets = 32, yielded, following, refused, applied, begin, finish, learned
    }
}

// MARK: writing

extension HandoverCoder {
    private func write(_ message: HandoverMessage, into out: inout HandoverBytes) {
        switch message {
        case .hello(let directories):
            out.put(byte: Kind.hello.rawValue)
            out.put(byte: HandoverMessage.version)
            out.put(directories.count)
            for directory in directories {
                for text in [directory.name, directory.idFormat.rawValue, directory.tenantFormat.rawValue] { out.put(Array(text.utf8)) }
            }
        case .yield: out.put(byte: Kind.yield.rawValue)
        case .ready(let names): put(.ready, names, into: &out)
        case .serving: out.put(byte: Kind.serving.rawValue)
        case .change(let number, let change):
            out.put(byte: Kind.change.rawValue)
            out.put(number)
            put(change, into: &out)
        case .lease(let moment):
            out.put(byte: Kind.lease.rawValue)
            out.put(moment)
        case .beginning(let number, let beginning):
            out.put(byte: Kind.beginning.rawValue)
            out.put(number)
            put(beginning, into: &out)
        case .conclusion(let number, let conclusion):
            out.put(byte: Kind.conclusion.rawValue)
            out.put(number)
            out.put(byte: conclusion.code)
        case .sockets(let names): put(.sockets, names, into: &out)
        case .yielded: out.put(byte: Kind.yielded.rawValue)
        case .following: out.put(byte: Kind.following.rawValue)
        case .refused(let reason):
            out.put(byte: Kind.refused.rawValue)
            out.put(Array(reason.utf8))
        case .applied(let number):
            out.put(byte: Kind.applied.rawValue)
            out.put(number)
        case .begin(let number, let call):
            out.put(byte: Kind.begin.rawValue)
            out.put(number)
            if let call { put(call, into: &out) }
        case .finish(let number, let ticket, let outcome):
            out.put(byte: Kind.finish.rawValue)
            out.put(number)
            out.put(ticket.number)
            put(outcome, into: &out)
        case .learned(let word):
            out.put(byte: Kind.learned.rawValue)
            put(word, into: &out)
        }
    }

    private func put(_ kind: Kind, _ names: [String], into out: inout HandoverBytes) {
        out.put(byte: kind.rawValue)
        out.put(names.count)
        for name in names { out.put(Array(name.utf8)) }
    }

    func put(_ subject: Subject, into out: inout HandoverBytes) {
        out.put(subject.directory < names.count ? names[subject.directory] : [])
        out.put(byte: subject.tenant == nil ? 0 : 1)
        if let tenant = subject.tenant { out.put(tenant) }
        out.put(subject.user.id)
    }

    private func put(_ change: SuspensionChange, into out: inout HandoverBytes) {
        switch change {
        case .block(let subjects, let source):
            out.put(byte: 1)
            out.put(byte: source.rawValue)
            out.put(subjects.count)
            for subject in subjects { put(subject, into: &out) }
        case .lift(let subject, let source, let time):
            out.put(byte: 0)
            out.put(byte: source.rawValue)
            put(subject, into: &out)
            out.put(time)
        case .aliases(let word):
            out.put(byte: 2)
            put(word, into: &out)
        }
    }

    private func put(_ call: IntentCall, into out: inout HandoverBytes) {
        put(call.subject, into: &out)
        out.put(byte: call.wanted.rawValue)
        out.put(byte: call.suspendsOnUnknown ? 1 : 0)
        out.put(call.caller.name)
        out.put(call.requestID)
    }

    private func put(_ beginning: Beginning, into out: inout HandoverBytes) {
        switch beginning {
        case .proceed(let ticket):
            out.put(byte: 1)
            out.put(ticket.number)
        case .tooMany(let seconds, let limit):
            out.put(byte: limit == .perMinute ? 2 : 6)
            out.put(seconds)
        case .busy: out.put(byte: 3)
        case .notDurable: out.put(byte: 4)
        case .draining: out.put(byte: 5)
        }
    }

    private func put(_ outcome: UpstreamOutcome, into out: inout HandoverBytes) {
        switch outcome {
        case .confirmed: out.put(byte: 1)
        case .refused(let status):
            out.put(byte: 2)
            out.put(Int(status))
        case .notSent: out.put(byte: 3)
        case .unconfirmed(let cause):
            out.put(byte: 4)
            out.put(Array(cause.utf8))
        }
    }
}

// MARK: reading

extension HandoverCoder {
    private func read(_ kind: Kind, _ rest: inout HandoverRest) -> HandoverMessage? {
        switch kind {
        case .hello: return hello(&rest)
        case .yield: return .yield
        case .ready: return texts(&rest).map { .ready(sockets: $0) }
        case .serving: return .serving
        case .change:
            guard let number = rest.number(), let change = change(&rest) else { return nil }
            return .change(number, change)
        case .lease: return rest.number().map { .lease(at: $0) }
        case .beginning:
            guard let number = rest.number(), let beginning = beginning(&rest) else { return nil }
            return .beginning(number, beginning)
        case .conclusion:
            guard let number = rest.number(), let conclusion = rest.byte().flatMap(Conclusion.init(code:)) else { return nil }
            return .conclusion(number, conclusion)
        case .sockets: return texts(&rest).map { .sockets($0) }
        case .yielded: return .yielded
        case .following: return .following
        case .refused: return rest.text().map { .refused($0) }
        case .applied: return rest.number().map { .applied($0) }
        case .begin:
            guard let number = rest.number(), let call = call(&rest) else { return nil }
            return .begin(number, call)
        case .finish:
            guard let number = rest.number(), let ticket = rest.number(), let outcome = outcome(&rest) else { return nil }
            return .finish(number, Ticket(number: ticket), outcome)
        case .learned: return word(&rest).map { .learned($0) }
        }
    }

    private func hello(_ rest: inout HandoverRest) -> HandoverMessage? {
        guard rest.byte() == HandoverMessage.version, let count = rest.count() else { return nil }
        var directories: [LedgerDirectory] = []
        for _ in 0..<count {
            guard let name = rest.text(), let id = rest.text().flatMap(IDFormat.init), let tenant = rest.text().flatMap(IDFormat.init)
            else { return nil }
            directories.append(LedgerDirectory(name: name, idFormat: id, tenantFormat: tenant))
        }
        return .hello(directories)
    }

    private func texts(_ rest: inout HandoverRest) -> [String]? {
        guard let count = rest.count() else { return nil }
        var texts: [String] = []
        for _ in 0..<count {
            guard let text = rest.text() else { return nil }
            texts.append(text)
        }
        return texts
    }

    /// The outer nil: no subject at all; the inner: one of a directory that isn't here.
    func subject(_ rest: inout HandoverRest) -> Subject?? {
        guard let name = rest.data(), let hasTenant = rest.byte() else { return nil }
        var tenant: FormattedID?
        if hasTenant == 1 {
            guard let id = rest.id() else { return nil }
            tenant = id
        }
        guard let user = rest.id() else { return nil }
        guard let directory = names.firstIndex(of: name) else { return .some(nil) }
        return Subject(directory: directory, tenant: tenant, user: UserID(user))
    }

    private func change(_ rest: inout HandoverRest) -> SuspensionChange? {
        guard let what = rest.byte() else { return nil }
        guard what != 2 else { return word(&rest).map { .aliases($0) } }
        guard let source = rest.byte().flatMap(BlockSource.init) else { return nil }
        guard what == 1 else {
            guard let subject = subject(&rest), let time = rest.number() else { return nil }
            return subject.map { .lift($0, source, at: time) } ?? .block([], source)
        }
        guard let count = rest.count() else { return nil }
        var subjects: [Subject] = []
        for _ in 0..<count {
            guard let subject = subject(&rest) else { return nil }
            if let subject { subjects.append(subject) }
        }
        return .block(subjects, source)
    }

    private func call(_ rest: inout HandoverRest) -> IntentCall?? {
        guard let subject = subject(&rest), let wanted = rest.byte().flatMap(UserState.init), let blocks = rest.byte(),
            let caller = rest.data(), let request = rest.data()
        else { return nil }
        guard let subject else { return .some(nil) }
        return IntentCall(subject: subject, wanted: wanted, caller: Caller(caller), requestID: request, suspendsOnUnknown: blocks == 1)
    }

    private func beginning(_ rest: inout HandoverRest) -> Beginning? {
        switch rest.byte() {
        case 1: rest.number().map { .proceed(Ticket(number: $0)) }
        case 2: rest.number().map { .tooMany(retryAfter: Int($0), .perMinute) }
        case 3: .busy
        case 4: .notDurable
        case 5: .draining
        case 6: rest.number().map { .tooMany(retryAfter: Int($0), .open) }
        default: nil
        }
    }

    private func outcome(_ rest: inout HandoverRest) -> UpstreamOutcome? {
        switch rest.byte() {
        case 1: .confirmed
        case 2: rest.number().flatMap { UInt16(exactly: $0) }.map { .refused(status: $0) }
        case 3: .notSent
        case 4: rest.text().map { .unconfirmed(cause: $0) }
        default: nil
        }
    }
}

extension Conclusion {
    fileprivate var code: UInt8 {
        switch self {
        case .settled: 1
        case .unchanged: 2
        case .unconfirmed(let blocked): blocked ? 4 : 3
        case .notDurable: 5
        }
    }

    fileprivate init?(code: UInt8) {
        switch code {
        case 1: self = .settled
        case 2: self = .unchanged
        case 3, 4: self = .unconfirmed(blocked: code == 4)
        case 5: self = .notDurable
        default: return nil
        }
    }
}
