import HTTPWire
import NIOCore
import Policy
import Suspensions

/// Stage 8: reads what passing answers teach about users (SPEC §4, "Other answers teach too").
///
/// It keeps a copy of a dialect call's 2xx up to `Limits.learnedAnswer` while the answer streams on; a larger one teaches nothing.
struct Observer {
    private let observed: Admission.Observed
    private let tenant: TenantID?
    private let reach: Reach
    private var status: UInt16 = 0
    private var contentType: [UInt8]?
    private var contentEncoding: [UInt8]?
    private var body = ByteBuffer()
    private var isGivenUp = false

    /// Nil where the request is no call that teaches.
    init?(admission: borrowing Admission, snapshot: Snapshot) {
        guard let observed = admission.observed else { return nil }
        self.observed = observed
        tenant = admission.selectedTenant
        reach = snapshot.directories[observed.directory].dialect.reach
    }

    mutating func answerBegan(_ head: borrowing ResponseHead) {
        status = head.status
        guard (200..<300).contains(status) else {
            isGivenUp = true
            return
        }
        contentType = head.message.joined(.contentType)
        contentEncoding = head.message.joined(.contentEncoding)
        if case .length(let length) = head.framing, length > Limits.learnedAnswer { isGivenUp = true }
    }

    mutating func answerData(_ piece: ByteBuffer) {
        guard !isGivenUp else { return }
        guard body.readableBytes + piece.readableBytes <= Limits.learnedAnswer else {
            isGivenUp = true
            body = ByteBuffer()
            return
        }
        body.writeImmutableBuffer(piece)
    }

    /// Called with the answer complete, `age` after its request was sent.
    func answerEnded(suspensions: SuspensionAuthority, requestID: RequestID, age: Duration) {
        guard !isGivenUp else { return }
        let answer = ServiceAnswer(
            status: Int(status), contentType: contentType, contentEncoding: contentEncoding, body: Array(body.readableBytesView))
        suspensions.aliases.learn(
            from: answer, by: observed.aliases, about: observed.user, directory: observed.directory, reach: reach, tenant: tenant, age: age)
        let suspended = lessons(from: answer).compactMap { lesson -> Subject? in
            guard case .teaches(let user, .suspended) = lesson else { return nil }
            return Subject(directory: observed.directory, reach: reach, selected: tenant, user: user)
        }
        guard !suspended.isEmpty else { return }
        suspensions.observe(suspended: suspended, caller: observed.caller, requestID: requestID.bytes, age: age)
    }

    private func lessons(from answer: ServiceAnswer) -> [Lesson] {
        guard observed.isList else { return [observed.reader.lesson(from: answer, about: observed.user)] }
        return (try? observed.reader.list(from: answer))?.lessons ?? []
    }
}

extension AliasBook {
    /// Takes what an answer says of users' aliases, as users of the tenant that it was given to.
    func learn(
        from answer: ServiceAnswer, by reader: AliasReader?, about user: UserID?, directory: DirectoryIndex, reach: Reach,
        tenant: TenantID?,
        age: Duration
    ) {
        guard let reader, reach == .directory || tenant != nil, let readings = reader.readings(from: answer, about: user) else { return }
        learn(readings, directory: directory, tenant: reach == .directory ? nil : tenant?.id, age: age)
    }
}
