import Foundation
import StrictJSON
import TestSupport
import Testing

@Suite("any bytes")
struct PropertyTests {
    static let samples: [String] = [
        #"{"iss":"https://id.example","sub":"u-1","aud":["a","b"],"exp":1799999999.5,"org":{"id":"\u00e9\ud83d\ude00"},"n":null,"t":true}"#,
        #"{"id":"8D1F","roles":[],"active":false,"avatar_base64":"iVBORw0KGgo\/AAAA","o":{"a":{"b":[-1e5,0.25,{"c":"€"}]}}}"#,
        #"{"data":[{"id":"1","suspended_at":null},{"id":"2","suspended_at":"2026-01-01T00:00:00Z"}],"pagination":{"page":1,"hasNext":false}}"#,
    ]

    @Test("every prefix of an object is refused", arguments: samples)
    func prefixes(text: String) throws {
        let bytes = Array(text.utf8)
        _ = try JSONDocument(bytes)
        for count in bytes.indices {
            #expect(throws: JSONError.self) { try JSONDocument(Array(bytes[..<count])) }
        }
    }

    @Test("every suffix of an object is refused or means something else", arguments: samples)
    func suffixes(text: String) {
        let bytes = Array(text.utf8)
        for count in 1..<bytes.count {
            guard let document = try? JSONDocument(Array(bytes[count...])) else { continue }
            #expect(document.root.kind != .object)
        }
    }

    @Test("what we read, Foundation reads too, after one to three bytes were changed at random", arguments: samples)
    func flips(text: String) throws {
        let original = Array(text.utf8)
        var random = SeededRandom(seed: UInt64(text.utf8.count))
        var read = 0
        for _ in 0..<3000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 1: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
                case 2: bytes.remove(at: place)
                default: bytes.insert(Array("{}[]:,\"\\u0e+-.1tfn \u{0}".utf8).randomElement(using: &random)!, at: place)
                }
            }
            guard let document = try? JSONDocument(bytes) else { continue }
            read += 1
            // An exponent that Foundation can't hold is the one thing that it refuses and the grammar doesn't.
            guard let other = try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed) else {
                #expect(bytes.contains { $0 | 0x20 == UInt8(ascii: "e") }, "\(String(decoding: bytes, as: UTF8.self))")
                continue
            }
            #expect(agree(document, document.root, other), "\(String(decoding: bytes, as: UTF8.self))")
        }
        #expect(read > 100)
    }

    /// Whether both readers see the same strings, members, elements and booleans.
    private func agree(_ document: JSONDocument, _ value: JSONValue, _ other: Any) -> Bool {
        switch value.kind {
        case .string:
            guard let text = other as? String else { return false }
            return document.string(value) == Array(text.utf8)
        case .array:
            guard let array = other as? [Any] else { return false }
            var index = 0
            var same = true
            document.forEachElement(of: value) { element in
                same = index < array.count && agree(document, element, array[index])
                index += 1
                return same
            }
            return same && index == array.count
        case .object:
            guard let members = other as? [String: Any] else { return false }
            var same = true
            var count = 0
            document.forEachMember(of: value) { name, member in
                count += 1
                let key = String(decoding: document.string(name)!, as: UTF8.self)
                same = members[key].map { agree(document, member, $0) } ?? false
                return same
            }
            return same && count == members.count
        case .true, .false: return (other as? Bool) == document.bool(value)
        case .null: return other is NSNull
        case .number: return other is NSNumber
        }
    }

    @Test("whatever is read can be walked and asked to its last value, and says the same when written again")
    func walk() throws {
        var random = SeededRandom(seed: 11)
        for _ in 0..<400 {
            var writer = JSONWriter()
            write(depth: 0, &writer, &random)
            let first = try JSONDocument(writer.bytes, limits: .answer)
            var again = JSONWriter()
            copy(first, first.root, &again)
            #expect(again.bytes == writer.bytes)
        }
    }

    private func write(depth: Int, _ writer: inout JSONWriter, _ random: inout SeededRandom) {
        switch Int.random(in: 0..<(depth < 6 ? 9 : 5), using: &random) {
        case 0: writer.null()
        case 1: writer.bool(random.chance(50))
        case 2: writer.integer(Int64.random(in: .min ... .max, using: &random))
        case 3, 4: writer.string(text(&random))
        case 5, 6:
            writer.beginArray()
            for _ in 0..<Int.random(in: 0..<5, using: &random) { write(depth: depth + 1, &writer, &random) }
            writer.endArray()
        default:
            writer.beginObject()
            for number in 0..<Int.random(in: 0..<25, using: &random) {
                writer.name(text(&random) + "#\(number)")
                write(depth: depth + 3, &writer, &random)
            }
            writer.endObject()
        }
    }

    private func text(_ random: inout SeededRandom) -> String {
        let alphabet = Array("ab{}[]:,\"\\\n\u{1}é€😀 /0\u{2028}")
        return String((0..<Int.random(in: 0..<14, using: &random)).map { _ in alphabet.randomElement(using: &random)! })
    }

    private func copy(_ document: JSONDocument, _ value: JSONValue, _ writer: inout JSONWriter) {
        switch value.kind {
        case .string: writer.string(document.string(value)!)
        case .array:
            writer.beginArray()
            document.forEachElement(of: value) { element in
                copy(document, element, &writer)
                return true
            }
            writer.endArray()
        case .object:
            writer.beginObject()
            document.forEachMember(of: value) { name, member in
                writer.name(document.string(name)!)
                copy(document, member, &writer)
                return true
            }
            writer.endObject()
        case .number:
            if case .integer(let integer)? = document.number(value) { writer.integer(integer) }
        case .true, .false: writer.bool(document.bool(value)!)
        case .null: writer.null()
        }
    }
}
