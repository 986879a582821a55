import StrictJSON

/// JSON to be sent: a small tree whose members keep their order, so that an answer can be altered before it is written.
indirect enum JSONText: Sendable {
    case object([(name: String, value: JSONText)])
    case array([JSONText])
    case string(String)
    case integer(Int)
    case boolean(Bool)
    case null

    /// The bytes on the wire, without white space.
    var bytes: [UInt8] {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.bytes
    }

    /// This object with the value of `name` replaced, or with `name` added.
    func setting(_ name: String, to value: JSONText) -> JSONText {
        guard case .object(let members) = self else { return self }
        guard members.contains(where: { $0.name == name }) else { return .object(members + [(name, value)]) }
        return .object(members.map { $0.name == name ? (name, value) : $0 })
    }

    static func optional(_ text: String?) -> JSONText { text.map(JSONText.string) ?? .null }

    static func strings(_ texts: [String]) -> JSONText { .array(texts.map(JSONText.string)) }

    private func write(to writer: inout JSONWriter) {
        switch self {
        case .object(let members):
            writer.beginObject()
            for (name, value) in members {
                writer.name(name)
                value.write(to: &writer)
            }
            writer.endObject()
        case .array(let values):
            writer.beginArray()
            for value in values { value.write(to: &writer) }
            writer.endArray()
        case .string(let text): writer.string(text)
        case .integer(let number): writer.integer(number)
        case .boolean(let flag): writer.bool(flag)
        case .null: writer.null()
        }
    }
}
