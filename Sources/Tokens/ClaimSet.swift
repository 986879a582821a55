import StrictJSON

/// The members of a payload, found in one pass, so that each claim is then looked up without reading the payload again.
struct ClaimSet {
    let document: JSONDocument
    private var members: [Member] = []

    private struct Member {
        /// The name's first byte as it is written, which is enough to tell most names apart: a backslash may be any.
        let first: UInt8
        let name: JSONValue
        let value: JSONValue

        func mayBe(_ first: UInt8) -> Bool { self.first == first || self.first == UInt8(ascii: "\\") }
    }

    init(_ document: JSONDocument) {
        self.document = document
        members.reserveCapacity(16)
        document.forEachMember(of: document.root) { name, value in
            members.append(Member(first: document.bytes[name.start + 1], name: name, value: value))
            return true
        }
    }

    /// The value of a registered claim; its name is not empty.
    func value(_ name: String) -> JSONValue? {
        guard let first = name.utf8.first else { return nil }
        for member in members where member.mayBe(first) && document.isString(member.name, name) { return member.value }
        return nil
    }

    /// The value at `path`; nil where a step is missing. Throws `fault` where something on the way is no object.
    func value(at path: ClaimPath, otherwise fault: TokenFault) throws(TokenFault) -> JSONValue? {
        let name = path.steps[0]
        let named = members.first { $0.mayBe(name[0]) && document.isString($0.name, name.span) }
        guard var value = named?.value else { return nil }
        for step in path.steps.dropFirst() {
            guard value.kind == .object else { throw fault }
            guard let next = document.member(step, of: value) else { return nil }
            value = next
        }
        return value
    }

    /// A claim that must be a string if it is there.
    func string(_ name: String, otherwise fault: TokenFault) throws(TokenFault) -> [UInt8]? {
        guard let value = value(name) else { return nil }
        guard let text = document.string(value) else { throw fault }
        return text
    }

    /// The strings of an array. Throws where it is no array, has more than `limit` elements or one that is no string.
    func strings(_ array: JSONValue, limit: Int, otherwise fault: TokenFault) throws(TokenFault) -> [[UInt8]] {
        guard array.kind == .array else { throw fault }
        var strings: [[UInt8]] = []
        try document.forEachElement(of: array) { element throws(TokenFault) in
            guard let text = document.string(element), strings.count < limit else { throw fault }
            strings.append(text)
            return true
        }
        return strings
    }
}
