import HTTPWire
import NIOCore
import Policy

/// A request's head as the admin listener needs it; strings are made since it's no hot path.
struct AdminHead: Sendable {
    let method: String
    let path: String
    /// Without the question mark, as received.
    let query: [UInt8]
    /// Host and port as in `Host`.
    let authority: String
    let host: String
    /// Nil without one. Several count as one that is nobody's.
    let origin: String?
    let authorization: [UInt8]?
    let contentType: String?
    let framing: BodyFraming
    let expectsContinue: Bool
    let keepAlive: Bool

    var isHead: Bool { method == "HEAD" }

    init(_ head: borrowing RequestHead) {
        func text(_ range: Range<Int>) -> String { String(decoding: Self.bytes(head, range), as: UTF8.self) }
        method = text(head.methodRange)
        path = text(head.pathRange)
        query = head.queryRange.map { Self.bytes(head, $0) } ?? []
        authority = text(head.authority.range)
        host = text(head.authority.host)
        origin = head.present.contains(.origin) ? head.originRange.map(text) ?? "several" : nil
        authorization = Self.value(.authorization, head)
        contentType = Self.value(.contentType, head).map { String(decoding: $0, as: UTF8.self) }
        framing = head.framing
        expectsContinue = head.expectsContinue
        keepAlive = head.keepAlive
    }

    private static func value(_ id: FieldID, _ head: borrowing RequestHead) -> [UInt8]? {
        for field in head.fields where field.id == id && !field.isVariantSpelling { return bytes(head, field.value) }
        return nil
    }

    private static func bytes(_ head: borrowing RequestHead, _ range: Range<Int>) -> [UInt8] {
        head.withBytes(range) { span in span.indices.map { [span = copy span] in span[$0] } }
    }

    /// The token of `Authorization: Bearer`; nil for anything else.
    var bearer: [UInt8]? {
        guard let authorization, authorization.count > 7,
            String(decoding: authorization.prefix(7), as: UTF8.self).lowercased() == "bearer "
        else { return nil }
        return Array(authorization.dropFirst(7))
    }

    /// Whether the body is of this type; parameters such as a charset are passed over.
    func has(type: String) -> Bool {
        let essence = contentType?.split(separator: ";").first.map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }
        return essence == type
    }
}

/// A request that was let in.
struct AdminRequest: Sendable {
    let head: AdminHead
    let token: AdminToken
    let requestID: [UInt8]
    let parameters: AdminParameters
    var body: [UInt8] = []
}

/// The query's parameters: each known and named once, or the request is refused.
struct AdminParameters: Sendable {
    private var values: [String: [UInt8]] = [:]

    /// Reads `application/x-www-form-urlencoded`; throws for names that are not `known`, or twice, and for values that can't be.
    init(_ query: [UInt8], known: [AdminEndpoint.Parameter]) throws(AdminProblem) {
        guard !query.isEmpty else { return }
        for pair in query.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: false) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decoded(parts[0]), let value = Self.decoded(parts.count > 1 ? parts[1] : []) else {
                throw AdminProblem("The query is not well-formed.")
            }
            let key = String(decoding: name, as: UTF8.self)
            guard let parameter = known.first(where: { $0.name == key }) else {
                let names = known.isEmpty ? "none is" : "known: \(known.map(\.name).joined(separator: ", "))"
                throw AdminProblem("The query has a parameter that is unknown here; \(names).")
            }
            if let most = parameter.most {
                guard value.count <= most else { throw AdminProblem("\(key) has at most \(most) bytes.") }
            } else {
                guard !value.isEmpty else { throw AdminProblem("\(key) is empty: leave it out.") }
            }
            guard values.updateValue(value, forKey: key) == nil else { throw AdminProblem("The query has \(key) twice.") }
        }
    }

    /// Nil where it isn't there or empty.
    subscript(_ name: String) -> [UInt8]? { values[name].flatMap { $0.isEmpty ? nil : $0 } }

    func text(_ name: String) -> String? { self[name].map { String(decoding: $0, as: UTF8.self) } }

    func number(_ name: String, in range: ClosedRange<Int64>) throws(AdminProblem) -> Int64? {
        guard let text = text(name) else { return nil }
        guard let number = Int64(text), range.contains(number), String(number) == text else {
            throw AdminProblem("\(name) must be a number of \(range.lowerBound)…\(range.upperBound).")
        }
        return number
    }

    func flag(_ name: String) throws(AdminProblem) -> Bool {
        switch text(name) {
        case nil, "false": return false
        case "true": return true
        default: throw AdminProblem("\(name) must be true or false.")
        }
    }

    private static func decoded(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        var out: [UInt8] = []
        var rest = bytes
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): out.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(hexDigit), let low = rest.popFirst().flatMap(hexDigit) else { return nil }
                out.append(high << 4 | low)
            default: out.append(byte)
            }
        }
        return String(validating: out, as: UTF8.self) == nil ? nil : out
    }
}

/// What is wrong with a request's content, in words: 400 `bad_request`.
struct AdminProblem: Error {
    let text: String
    init(_ text: String) { self.text = text }
}
