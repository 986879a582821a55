import Policy
import Testing

/// Ids, pointers and the table of refusals.
@Suite struct IdentityTests {
    private let uuid = "0F8FAD5B-d9cb-469f-a165-70867728950e"

    @Test("a uuid is its bits: any version, any case, written back in lower case")
    func uuids() {
        let bits = UUIDBits(bytes(uuid).span)
        #expect(bits == UUIDBits(bytes(uuid.lowercased()).span))
        #expect(bits?.bytes == bytes(uuid.lowercased()))
        #expect(UUIDBits(bytes("00000000-0000-0000-0000-000000000000").span) == UUIDBits(high: 0, low: 0))
        #expect(UUIDBits(bytes("ffffffff-ffff-ffff-ffff-ffffffffffff").span) == UUIDBits(high: .max, low: .max))
    }

    @Test("ids of strings are equal by bytes, not as characters")
    func strings() {
        let composed = UserID(bytes("\u{E9}").span, format: .string)
        #expect(composed != nil)
        #expect(composed != UserID(bytes("e\u{301}").span, format: .string))
        #expect(UserID(bytes("17").span, format: .string) != UserID(bytes("017").span, format: .string))
    }

    @Test(
        "what doesn't fit its format is no id",
        arguments: ["", "a\u{0}", "a\n", "\u{7F}", String(repeating: "x", count: Limits.idBytes + 1)])
    func misfits(id: String) {
        #expect(UserID(bytes(id).span, format: .string) == nil)
        #expect(UserID(bytes(id).span, format: .uuid) == nil)
        #expect(TenantID(bytes(id).span, format: .string) == nil)
    }

    @Test("an id is well-formed UTF-8")
    func invalidUTF8() {
        for bad in [[0xFF], [0xC3], [0xC0, 0xAF], [0xED, 0xA0, 0x80]] as [[UInt8]] {
            #expect(FormattedID(bad.span, format: .string) == nil)
        }
    }

    @Test("tenants are equal if their ids are, however they are spelled")
    func tenants() {
        #expect(tenant(uuid, .uuid) == tenant(uuid.lowercased(), .uuid))
        #expect(tenant(uuid, .uuid).spelling == bytes(uuid))
        #expect(tenant(uuid) != tenant(uuid.lowercased()))
        #expect(TenantID(bytes("a,b").span, format: .string) == nil)
        #expect(TenantID(bytes("\u{E9}").span, format: .string) == nil)
    }

    @Test(
        "a JSON pointer is split into its steps",
        arguments: [("", []), ("/", [""]), ("/a/b", ["a", "b"]), ("/a~1b/~0", ["a/b", "~"]), ("/~01", ["~1"]), ("/a/", ["a", ""])])
    func pointers(pointer: String, steps: [String]) {
        #expect(JSONPointer(pointer)?.steps == steps.map { bytes($0) })
    }

    @Test("other text is no pointer", arguments: ["a", "a/b", "/~", "/~2", "/a~/b", "#/a"])
    func noPointers(pointer: String) {
        #expect(JSONPointer(pointer) == nil)
    }

    @Test("every refusal has a code of its own and a status of its class")
    func denials() {
        #expect(Set(Denial.allCases.map { $0.code.description }).count == Denial.allCases.count)
        for denial in Denial.allCases {
            #expect((400...599).contains(denial.status))
            #expect(denial.code.description.allSatisfy { $0.isLowercase || $0 == "_" })
        }
    }
}
