import HTTPWire

/// What is done on the wire to answer one request: in the good case one piece of bytes.
struct AnswerScript: Sendable {
    enum Step: Sendable, Equatable {
        case write([UInt8])
        /// Milliseconds.
        case wait(Int64)
        /// Until a test releases it.
        case hold
        /// The connection ends at once.
        case close
        /// Nothing follows, and nothing more is read.
        case hang
    }

    var steps: [Step]

    /// The answer as it should be.
    init(_ answer: ServiceAnswer, to request: ServiceRequest) {
        let end = request.endsConnection ? "Connection: close\r\n" : ""
        steps = [.write(Self.message(answer, body: answer.json?.bytes ?? [], extra: end, omitsBody: request.method == "HEAD"))]
    }

    /// The answer as `fault` spoils it.
    init(_ answer: ServiceAnswer, to request: ServiceRequest, spoiledBy fault: Fault) {
        let whole = AnswerScript(answer, to: request)
        let good = answer.json ?? .null
        switch fault.kind {
        case .dropUnread, .drop: steps = [.close]
        case .hang: steps = [.hang]
        case .hold: steps = [.hold] + whole.steps
        case .half: steps = whole.cut(into: 2).prefix(1) + [.close]
        case .slow: steps = Array(whole.cut(into: 16).map { [$0] }.joined(separator: [.wait(25)]))
        case .status: steps = whole.steps
        case .otherID: steps = Self.changed(answer, good.setting("id", to: .string("0F000000-0000-4000-8000-00000000FFFF")))
        case .otherState: steps = Self.changed(answer, Self.opposite(good))
        case .accepted: steps = [.write(Self.message(ServiceAnswer(202, nil), body: Array(#"{"status":"queued"}"#.utf8)))]
        case .noContent: steps = [.write(Self.message(ServiceAnswer(204, nil), body: []))]
        case .html: steps = [.write(Self.message(answer, body: Array("<!doctype html><p>Done.".utf8), type: "text/html"))]
        case .brotli: steps = [.write(Self.message(answer, body: Self.brotli, extra: "Content-Encoding: br\r\n"))]
        case .large: steps = Self.changed(answer, Self.withAvatar(good, bytes: 2 * 1024 * 1024))
        case .avatar: steps = Self.changed(answer, Self.withAvatar(good, bytes: 350 * 1024))
        case .firstPage: steps = whole.steps
        case .lastPage: steps = Self.changed(answer, Self.saying(hasNext: false, good))
        case .endless: steps = Self.changed(answer, Self.saying(hasNext: true, good))
        case .lagging: steps = Self.changed(answer, Self.active(good))
        case .duplicateNames: steps = [.write(Self.message(answer, body: Self.doubled(good.bytes)))]
        }
    }
}

extension AnswerScript {
    /// `{"a":1}` through brotli: one uncompressed meta-block (RFC 7932 §9.2), then the empty last one.
    private static let brotli: [UInt8] = [0x03, 0x03, 0x80] + Array(#"{"a":1}"#.utf8) + [0x03]

    private static func changed(_ answer: ServiceAnswer, _ json: JSONText) -> [Step] {
        [.write(message(answer, body: json.bytes))]
    }

    private static func withAvatar(_ user: JSONText, bytes: Int) -> JSONText {
        user.setting("avatar_base64", to: .string(String(repeating: "QUJD", count: bytes / 4)))
    }

    /// The same user in the other state, by either dialect.
    private static func opposite(_ user: JSONText) -> JSONText {
        guard case .object(let members) = user else { return user }
        return .object(
            members.map { name, value in
                switch (name, value) {
                case ("active", .boolean(let active)): (name, .boolean(!active))
                case ("suspended_at", .null): (name, .string(timestamp()))
                case ("suspended_at", _): (name, .null)
                default: (name, value)
                }
            })
    }

    /// Users who are active, one or a page of them.
    private static func active(_ json: JSONText) -> JSONText {
        switch json {
        case .array(let elements): return .array(elements.map(active))
        case .object(let members):
            return .object(
                members.map { name, value in
                    switch name {
                    case "active": (name, .boolean(true))
                    case "suspended_at": (name, .null)
                    case "data", "users": (name, active(value))
                    default: (name, value)
                    }
                })
        default: return json
        }
    }

    /// The same page with another word on whether more follow.
    private static func saying(hasNext: Bool, _ page: JSONText) -> JSONText {
        guard case .object(let members) = page else { return page }
        return .object(
            members.map { name, value in name == "pagination" ? (name, value.setting("hasNext", to: .boolean(hasNext))) : (name, value) })
    }

    /// An object whose every member stands twice.
    private static func doubled(_ object: [UInt8]) -> [UInt8] {
        guard object.count > 2 else { return object }
        return object.dropLast() + [UInt8(ascii: ",")] + object.dropFirst()
    }

    /// Every `write` in so many pieces.
    private func cut(into count: Int) -> [Step] {
        steps.flatMap { step -> [Step] in
            guard case .write(let bytes) = step else { return [step] }
            let size = bytes.count / count + 1
            return stride(from: 0, to: bytes.count, by: size).map { .write(Array(bytes[$0..<min($0 + size, bytes.count)])) }
        }
    }

    /// A whole message. A 204 has no length (RFC 9110 §8.6), the answer to HEAD only that.
    private static func message(
        _ answer: ServiceAnswer, body: [UInt8], type: String = "application/json", extra: String = "", omitsBody: Bool = false
    ) -> [UInt8] {
        var head = "HTTP/1.1 \(answer.status) \(reasonPhrase(UInt16(answer.status)))\r\n"
        if answer.status != 204 { head += "Content-Type: \(type)\r\nContent-Length: \(body.count)\r\n" }
        if let number = answer.commitNumber { head += "X-Commit-Number: \(number)\r\n" }
        if let allow = answer.allow { head += "Allow: \(allow)\r\n" }
        return Array((head + extra + "\r\n").utf8) + (omitsBody ? [] : body)
    }
}
