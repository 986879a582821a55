import Testing

@testable import HTTPWire

@Suite("A field's name")
struct FieldNameTests {
    private func look(up name: String) -> FieldName { look(up: latin1(name)) }

    private func look(up bytes: [UInt8], _ range: Range<Int>? = nil) -> FieldName {
        FieldNameTable.shared.look(up: range ?? 0..<bytes.count, in: bytes.span)
    }

    /// What some server or other reads as `-`: every tchar that is no letter and no digit.
    private static let separators = latin1("!#$%&'*+.^_`|~")

    @Test("has its id in any ASCII case, and with another separator for - the id and a flag")
    func spellings() {
        for (text, id) in FieldID.names {
            let name = text.description
            #expect(look(up: name).id == id)
            #expect(look(up: name.uppercased()).id == id)
            #expect(!look(up: name.uppercased()).isVariantSpelling)
            #expect(!look(up: name).isVariantSpelling)
            let hyphens = name.utf8.enumerated().filter { $1 == 0x2D }.map(\.offset)
            for separator in Self.separators where !hyphens.isEmpty {
                for places in hyphens.map({ [$0] }) + [hyphens] {
                    var variant = latin1(name.uppercased())
                    for place in places { variant[place] = separator }
                    #expect(look(up: variant) == FieldName(id: id, isVariantSpelling: true))
                }
            }
        }
    }

    @Test("that differs in one byte otherwise is another one")
    func neighbours() {
        for (text, id) in FieldID.names {
            let name = latin1(text.description)
            for index in name.indices {
                for byte in UInt8.min...UInt8.max where byte.lowercased != name[index] {
                    if name[index] == 0x2D, Self.separators.contains(byte) { continue }
                    var other = name
                    other[index] = byte
                    #expect(look(up: other) == .unknown || isKnown(other))
                }
            }
            #expect(look(up: text.description + "s").id != id)
            #expect(look(up: String(text.description.dropLast())).id != id)
        }
    }

    /// `x-forwarded-by` is one byte away from nothing, but names may come to be neighbours with one id.
    private func isKnown(_ bytes: [UInt8]) -> Bool {
        FieldID.names.contains { latin1($0.0.description) == bytes.map { Self.separators.contains($0) ? 0x2D : $0.lowercased } }
    }

    @Test("of several separators that is nobody's stays unknown and is no variant")
    func unknown() {
        for name in ["Foo.Bar", "X.Tenants.ID", "X.Tenant.ID.", ".X-Tenant-ID", "X..Tenant-ID", "!#$%&'*+-.^_`|~", "a.b_c~d", "x-é.b"] {
            #expect(look(up: name) == .unknown)
        }
    }

    @Test("is found wherever it stands among other bytes")
    func surroundings() {
        let bytes = latin1("\u{FF}\u{FF}content_length\u{FF}")
        #expect(look(up: bytes, 2..<16).id == .contentLength)
        let filled = latin1(String(repeating: "A", count: 40) + "te" + String(repeating: "A", count: 40))
        #expect(look(up: filled, 40..<42).id == .te)
    }

    @Test("stands for every id, of which a set is one word")
    func complete() {
        #expect(FieldID.allCases.count <= 64)
        #expect(Set(FieldID.names.map(\.1)).union([.other]) == Set(FieldID.allCases))
        #expect(FieldID.names.allSatisfy { $0.0.utf8CodeUnitCount <= 32 && !$0.0.description.contains("_") })
        #expect(Set(FieldID.names.map(\.0.description)).count == FieldID.names.count)
    }

    @Test("that may be sent once or not in trailers stands for one name each")
    func sets() {
        for id in FieldID.allCases where FieldSet.singletons.contains(id) {
            #expect(FieldID.names.filter { $0.1 == id }.count == 1)
            #expect(id == .etag || FieldSet.forbiddenInTrailers.contains(id))
        }
        #expect(FieldSet.hopByHop.contains(.te) && !FieldSet.hopByHop.contains(.host))
        #expect(FieldSet.framing.union(.hopByHop).intersection(.framing) == .framing)
    }
}

@Suite("Bytes")
struct ByteScanTests {
    @Test("are tchar, control or neither, as RFC 9110 lists them")
    func classes() {
        let tokens = Set(latin1("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))
        for byte in UInt8.min...UInt8.max {
            #expect(byte.isTokenCharacter == tokens.contains(byte))
            #expect(byte.isControl == (byte < 32 || byte == 127))
            #expect(byte.isDigit == (48...57).contains(byte))
        }
    }

    @Test("that end a scan are found at every place, after every other byte")
    func scans() {
        for length in [0, 1, 7, 8, 9, 31, 32, 33, 40, 71] {
            for place in 0..<max(length, 1) where place < length {
                for before in [0x20, 0x21, 0x7E, 0x80, 0xA0, 0xFF, 0x09] as [UInt8] {
                    for stop in [0x00, 0x0A, 0x0D, 0x1F, 0x7F] as [UInt8] {
                        var bytes = [UInt8](repeating: before, count: length)
                        bytes[place] = stop
                        let found = (
                            bytes.span.firstControl(in: 0..<length), bytes.span.firstControl(in: 0..<place),
                            bytes.span.first(stop, in: 0..<length)
                        )
                        #expect(found == (place, nil, place))
                    }
                }
            }
        }
    }

    @Test("that a target can't hold are found, all others pass")
    func targets() {
        for byte in UInt8.min...UInt8.max {
            var bytes = [UInt8](repeating: 0x61, count: 20)
            bytes[13] = byte
            let allowed = (0x21...0x7E).contains(byte) && byte != 0x23
            let found = bytes.span.firstForbiddenInTarget(0..<20)
            #expect(found == (allowed ? nil : 13))
        }
    }
}
