import StrictJSON

/// What is read can be walked to its last value and says the same when it is written and read again; what is written can be read.
func fuzzJSON(_ bytes: [UInt8]) throws(Broken) {
    try checkWriter(bytes)
    let document: JSONDocument
    do throws(JSONError) {
        document = try JSONDocument(bytes, limits: .answer)
    } catch {
        try hold(0...bytes.count ~= error.offset, "an error stands within the text")
        return
    }
    try hold(String(validating: bytes, as: UTF8.self) != nil, "what is read is UTF-8")
    try hold(!bytes.contains(0), "what is read holds no NUL")
    if document.root.kind == .object || document.root.kind == .array {
        let shorter = Array(bytes[..<(document.root.end - 1)])
        try hold((try? JSONDocument(shorter, limits: .answer)) == nil, "a container without its end is refused")
    }
    let first = try rewritten(document)
    let again: JSONDocument
    do throws(JSONError) {
        again = try JSONDocument(first, limits: JSONLimits(bytes: .max, depth: 64))
    } catch { throw Broken("what was read can be written and read: \(error)") }
    try hold(try rewritten(again) == first, "what is read twice says the same")
}

private func rewritten(_ document: JSONDocument) throws(Broken) -> [UInt8] {
    var writer = JSONWriter()
    try copy(document, document.root, &writer)
    return writer.bytes
}

private func copy(_ document: JSONDocument, _ value: JSONValue, _ writer: inout JSONWriter) throws(Broken) {
    switch value.kind {
    case .string:
        let text = document.string(value)!
        try hold(String(validating: text, as: UTF8.self) != nil && !text.contains(0), "a string is UTF-8 without NUL")
        try hold(document.isString(value, text.span), "a string is what it says")
        writer.string(text)
    case .object: try copyMembers(document, value, &writer)
    case .array:
        writer.beginArray()
        try document.forEachElement(of: value) { (element) throws(Broken) -> Bool in
            try copy(document, element, &writer)
            return true
        }
        writer.endArray()
    case .number:
        if case .fraction(let double) = document.number(value) { try hold(double.isFinite, "a number is finite") }
        writer.raw(document.text(value))
    case .true, .false: writer.bool(document.bool(value)!)
    case .null: writer.null()
    }
}

private func copyMembers(_ document: JSONDocument, _ object: JSONValue, _ writer: inout JSONWriter) throws(Broken) {
    var names: Set<[UInt8]> = []
    writer.beginObject()
    try document.forEachMember(of: object) { (name, value) throws(Broken) -> Bool in
        let spelling = document.string(name)!
        try hold(names.insert(spelling).inserted, "an object has each name once")
        // Looking up every name of a large object would be quadratic.
        if names.count <= 32 { try hold(document.member(spelling, of: object) == value, "a name leads to its value") }
        writer.name(spelling)
        try copy(document, value, &writer)
        return true
    }
    writer.endObject()
}

private func checkWriter(_ bytes: [UInt8]) throws(Broken) {
    var writer = JSONWriter()
    writer.string(bytes)
    let read: JSONDocument
    do throws(JSONError) {
        read = try JSONDocument(writer.bytes, limits: JSONLimits(bytes: .max, depth: 1))
    } catch {
        try hold(error.reason == .nul && bytes.contains(0), "what is written can be read, NUL apart")
        return
    }
    if String(validating: bytes, as: UTF8.self) != nil { try hold(read.string(read.root) == bytes, "text comes back as it was") }
}
