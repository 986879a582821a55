/// What the `Connection` fields of a head name (RFC 9110 §7.6.1).
package struct ConnectionOptions: Sendable {
    /// `close` is among them.
    package internal(set) var close = false
    /// Known fields that are named, in any spelling. `FieldID.keepAlive` stands for the option `keep-alive`, too.
    package internal(set) var named = FieldSet()
    /// Where the unknown names stand in the head. The head's own fields of these names are already marked `isHopByHop`; a trailer's
    /// aren't.
    package internal(set) var others: [Range<Int>] = []
    var count = 0

    mutating func clear() {
        close = false
        named = FieldSet()
        others.removeAll(keepingCapacity: true)
        count = 0
    }
}

extension MessageHead {
    /// Reads all `Connection` fields and marks what they name. To be called once, when all fields are there.
    mutating func readConnection(_ bytes: Span<UInt8>) throws(WireError) {
        guard present.contains(.connection) else { return }
        for field in fields where field.id == .connection { try readOptions(bytes, field.value) }
        if !connection.named.intersection(present).isEmpty || !connection.others.isEmpty { markNamedFields(bytes) }
    }

    /// Reads one comma-separated list. Empty elements are allowed by RFC 9110 §5.6.1.2.
    private mutating func readOptions(_ bytes: Span<UInt8>, _ list: Range<Int>) throws(WireError) {
        var start = list.lowerBound
        while start < list.upperBound {
            let end = bytes.first(UInt8(ascii: ","), in: start..<list.upperBound) ?? list.upperBound
            let option = bytes.trimmed(start..<end)
            start = end + 1
            guard connection.count < WireLimits.connectionOptions else { throw .malformedConnection }
            connection.count += 1
            if !option.isEmpty { try readOption(bytes, option) }
        }
    }

    private mutating func readOption(_ bytes: Span<UInt8>, _ option: Range<Int>) throws(WireError) {
        let id = names.look(up: option, in: bytes).id
        if FieldSet.framing.contains(id) { throw .connectionNames(id) }
        if id != .other {
            connection.named.insert(id)
        } else if bytes.equalsIgnoringCase(option, "close") {
            connection.close = true
        } else {
            guard bytes.isToken(option) else { throw .malformedConnection }
            connection.others.append(option)
        }
    }

    private mutating func markNamedFields(_ bytes: Span<UInt8>) {
        for index in fields.indices where isNamed(fields[index], bytes) { fields[index].markHopByHop() }
    }

    private func isNamed(_ field: Field, _ bytes: Span<UInt8>) -> Bool {
        guard field.id == .other else { return connection.named.contains(field.id) }
        for option in connection.others where bytes.equalsIgnoringCase(field.name, option) { return true }
        return false
    }
}
