/// A way through a document. All of it scans validated bytes, so nothing here can fail but "there is none".
extension JSONDocument {
    /// The member with this name; nil where there is none or `object` is not an object. Names compare by their unescaped bytes.
    package func member(_ name: String, of object: JSONValue) -> JSONValue? {
        firstMember(of: object) { isString($0, name) }
    }

    /// The member with this name; nil where there is none or `object` is not an object.
    package func member(_ name: [UInt8], of object: JSONValue) -> JSONValue? {
        firstMember(of: object) { isString($0, name.span) }
    }

    /// The array's element; nil where it is shorter or `array` is not an array. The first is 0.
    package func element(_ index: Int, of array: JSONValue) -> JSONValue? {
        var found: JSONValue?
        var left = index
        forEachElement(of: array) { element in
            if left == 0 { found = element }
            left -= 1
            return left >= 0
        }
        return found
    }

    /// Follows a JSON Pointer's steps (RFC 6901 §4): objects by name, arrays by decimal index without leading zeros.
    package func value(at steps: [[UInt8]], from start: JSONValue? = nil) -> JSONValue? {
        var value = start ?? root
        for step in steps {
            let next: JSONValue?
            switch value.kind {
            case .object: next = member(step, of: value)
            case .array: next = arrayIndex(step).flatMap { element($0, of: value) }
            default: next = nil
            }
            guard let next else { return nil }
            value = next
        }
        return value
    }

    /// Calls `body` with every element in order until it returns false. Nothing happens where `array` is not an array.
    package func forEachElement<Failure: Error>(
        of array: JSONValue, _ body: (JSONValue) throws(Failure) -> Bool
    ) throws(Failure) {
        guard array.kind == .array else { return }
        var scan = ValueScan(insideOf: array)
        while let element = scan.next(bytes.span) {
            guard try body(element) else { return }
        }
    }

    /// Calls `body` with every name (a string value) and its value in order until it returns false. Nothing happens where `object`
    /// is not an object.
    package func forEachMember<Failure: Error>(
        of object: JSONValue, _ body: (_ name: JSONValue, _ value: JSONValue) throws(Failure) -> Bool
    ) throws(Failure) {
        guard object.kind == .object else { return }
        var scan = ValueScan(insideOf: object)
        while let name = scan.next(bytes.span), let value = scan.next(bytes.span) {
            guard try body(name, value) else { return }
        }
    }

    private func firstMember(of object: JSONValue, where matches: (JSONValue) -> Bool) -> JSONValue? {
        var found: JSONValue?
        forEachMember(of: object) { name, value in
            guard matches(name) else { return true }
            found = value
            return false
        }
        return found
    }
}

/// A step as an array index: no sign, no leading zero, at most nine digits.
private func arrayIndex(_ step: [UInt8]) -> Int? {
    guard (1...9).contains(step.count), step.count == 1 || step[0] != UInt8(ascii: "0") else { return nil }
    var index = 0
    for byte in step {
        guard 48...57 ~= byte else { return nil }
        index = index * 10 + Int(byte - 48)
    }
    return index
}

/// One value after the other inside a validated container; names count as values.
private struct ValueScan {
    private var at: Int
    private let end: Int

    init(insideOf container: JSONValue) {
        at = container.start + 1
        end = container.end - 1
    }

    mutating func next(_ bytes: Span<UInt8>) -> JSONValue? {
        while at < end {
            let start = at
            let kind: JSONValue.Kind
            switch bytes[at] {
            case UInt8(ascii: "\""):
                kind = .string
                at = endOfString(bytes, from: at)
            case UInt8(ascii: "{"):
                kind = .object
                skipContainer(bytes)
            case UInt8(ascii: "["):
                kind = .array
                skipContainer(bytes)
            case UInt8(ascii: "t"): (kind, at) = (.true, at + 4)
            case UInt8(ascii: "f"): (kind, at) = (.false, at + 5)
            case UInt8(ascii: "n"): (kind, at) = (.null, at + 4)
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                kind = .number
                skipNumber(bytes)
            default:
                at += 1
                continue
            }
            return JSONValue(kind: kind, start: start, end: at)
        }
        return nil
    }

    private mutating func skipNumber(_ bytes: Span<UInt8>) {
        while at < end {
            switch bytes[at] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"),
                UInt8(ascii: "E"):
                at += 1
            default: return
            }
        }
    }

    private mutating func skipContainer(_ bytes: Span<UInt8>) {
        var depth = 0
        repeat {
            switch bytes[at] {
            case UInt8(ascii: "\""):
                at = endOfString(bytes, from: at)
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            default: break
            }
            at += 1
        } while depth > 0
    }
}

/// The byte behind a validated string's closing quote.
private func endOfString(_ bytes: Span<UInt8>, from start: Int) -> Int {
    var index = start + 1
    while true {
        while let word = EightBytes(bytes, at: index) {
            let count = word.unquotedPrefix
            index += count
            if count < 8 { break }
        }
        switch bytes[index] {
        case UInt8(ascii: "\""): return index + 1
        case UInt8(ascii: "\\"): index += 2
        default: index += 1
        }
    }
}
