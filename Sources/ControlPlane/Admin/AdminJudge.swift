import Glibc
import HTTPWire
import Policy

/// A request that may be carried out once its body is there.
struct AdminCall: Sendable {
    let api: AdminAPI
    let endpoint: AdminEndpoint
    var request: AdminRequest
}

/// A refusal with what it says.
struct AdminDenial: Error {
    let answer: AdminAnswer
    init(_ refusal: AdminRefusal) { answer = refusal.answer() }
    init(_ answer: AdminAnswer) { self.answer = answer }
}

/// Judges a request by its head, in this order: place, page, token, endpoint, method, role, query, body's type. Loop-bound.
struct AdminJudge {
    enum Verdict {
        /// One of the dashboard's files: everybody may have them, there is nothing in them.
        case page(AdminAnswer)
        case call(AdminCall)
    }

    private let connection: AdminConnection
    private let head: AdminHead
    private let room: AdminRoom

    init(_ connection: AdminConnection, _ head: AdminHead) {
        self.connection = connection
        self.head = head
        room = connection.room
    }

    func verdict() throws(AdminDenial) -> Verdict {
        let gate = room.gate
        do throws(AdminRefusal) { try gate.place(head) } catch { throw AdminDenial(error) }
        if let page = try page() { return .page(page) }
        let token = try caller(gate)
        connection.token = token
        guard let api = room.api else { throw AdminDenial(.starting) }
        let endpoint = try endpoint()
        guard endpoint.role == .viewer || token.role == .operator else { throw AdminDenial(.insufficientRole) }
        let parameters: AdminParameters
        do throws(AdminProblem) {
            parameters = try AdminParameters(head.query, known: endpoint.parameters)
        } catch {
            throw AdminDenial(AdminRefusal.badRequest.answer(error.text))
        }
        try checkBody(endpoint)
        if endpoint.follows, connection.connections.followers >= Limits.adminFollowers, parameters["follow"] != nil {
            throw AdminDenial(AdminRefusal.overloaded.answer("\(Limits.adminFollowers) clients follow the log already."))
        }
        return .call(
            AdminCall(
                api: api, endpoint: endpoint,
                request: AdminRequest(head: head, token: token, requestID: connection.requestID, parameters: parameters)))
    }

    private func page() throws(AdminDenial) -> AdminAnswer? {
        guard let page = AdminPage.file(head.path) else { return nil }
        guard head.method == "GET" || head.method == "HEAD" else { throw AdminDenial(Self.allowing(["GET", "HEAD"])) }
        return page
    }

    private func caller(_ gate: AdminGate) throws(AdminDenial) -> AdminToken {
        guard head.authorization != nil else { throw AdminDenial(.unauthenticated) }
        guard let bearer = head.bearer, let token = gate.token(bearer) else {
            let isTold = connection.connections.failures.note(connection.source, at: Int64(time(nil)))
            guard isTold else { throw AdminDenial(.rateLimited) }
            room.news.tell("a wrong token from \(connection.source)")
            throw AdminDenial(.invalidToken)
        }
        return token
    }

    private func endpoint() throws(AdminDenial) -> AdminEndpoint {
        let here = AdminAPI.endpoints.filter { $0.path == head.path }
        guard !here.isEmpty else { throw AdminDenial(.notFound) }
        let method = head.isHead ? "GET" : head.method
        guard let endpoint = here.first(where: { $0.method == method }) else {
            throw AdminDenial(Self.allowing(here.flatMap { $0.method == "GET" ? ["GET", "HEAD"] : [$0.method] }))
        }
        return endpoint
    }

    private func checkBody(_ endpoint: AdminEndpoint) throws(AdminDenial) {
        guard let type = endpoint.body.type else {
            if head.framing.hasBody { throw AdminDenial(AdminRefusal.badRequest.answer("This takes no body.")) }
            return
        }
        guard head.has(type: type) else { throw AdminDenial(AdminRefusal.unsupportedMediaType.answer("Send it as \(type).")) }
    }

    private static func allowing(_ methods: [String]) -> AdminAnswer {
        var answer = AdminRefusal.methodNotAllowed.answer()
        answer.fields.append(("Allow", methods.joined(separator: ", ")))
        return answer
    }
}
