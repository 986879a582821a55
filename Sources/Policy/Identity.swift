/// How ids of a namespace are written and compared (SPEC §3, §4).
package enum IDFormat: String, Sendable, CaseIterable {
    /// Hyphenated uuid of any version, compared without regard to ASCII case.
    case uuid
    /// Any string of 1…`Limits.idBytes` bytes of well-formed UTF-8 without control characters, compared by its exact bytes.
    case string
}

/// A uuid as its 128 bits.
package struct UUIDBits: Hashable, Sendable {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads the hyphenated form of RFC 9562 §4 (any version and variant, either case); nil for everything else.
    package init?(_ text: Span<UInt8>) {
        guard text.count == 36 else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        var digits = 0
        for index in 0..<36 {
            let byte = text[index]
            if index == 8 || index == 13 || index == 18 || index == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard let digit = hexDigit(byte) else { return nil }
            if digits < 16 { high = high << 4 | UInt64(digit) } else { low = low << 4 | UInt64(digit) }
            digits += 1
        }
        self.init(high: high, low: low)
    }

    /// The hyphenated lower-case form, 36 bytes.
    package var bytes: [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(36)
        for nibble in 0..<32 {
            if nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20 { out.append(UInt8(ascii: "-")) }
            let word = nibble < 16 ? high : low
            let digit = UInt8(truncatingIfNeeded: word >> UInt64((15 - nibble % 16) * 4)) & 15
            out.append(digit < 10 ? digit + 48 : digit + 87)
        }
        return out
    }
}

/// The value of one ASCII hex digit, either case.
package func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 48...57: byte - 48
    case 65...70: byte - 55
    case 97...102: byte - 87
    default: nil
    }
}

/// An id that fits its format: the value that users and tenants share. Compared as the format says.
package enum FormattedID: Hashable, Sendable {
    case uuid(UUIDBits)
    case string([UInt8])

    /// Nil where `bytes` doesn't fit `format`.
    package init?(_ bytes: Span<UInt8>, format: IDFormat) {
        switch format {
        case .uuid:
            guard let bits = UUIDBits(bytes) else { return nil }
            self = .uuid(bits)
        case .string:
            guard (1...Limits.idBytes).contains(bytes.count) else { return nil }
            var copy: [UInt8] = []
            copy.reserveCapacity(bytes.count)
            for index in bytes.indices { copy.append(bytes[index]) }
            guard isPlainText(copy) else { return nil }
            self = .string(copy)
        }
    }

    /// Whether `bytes` spells this id.
    package func matches(_ bytes: Span<UInt8>) -> Bool {
        matches(bytes, uuid: UUIDBits(bytes))
    }

    /// The same, where `bytes` have been read as a uuid already: to ask about many ids.
    package func matches(_ bytes: Span<UInt8>, uuid: UUIDBits?) -> Bool {
        switch self {
        case .uuid(let bits): return uuid == bits
        case .string(let own):
            guard own.count == bytes.count else { return false }
            for index in own.indices where own[index] != bytes[index] { return false }
            return true
        }
    }

    /// The canonical spelling: lower-case hyphenated, or the bytes themselves.
    package var canonical: [UInt8] {
        switch self {
        case .uuid(let bits): bits.bytes
        case .string(let bytes): bytes
        }
    }

}

/// Well-formed UTF-8 without C0 controls and DEL.
private func isPlainText(_ bytes: [UInt8]) -> Bool {
    for byte in bytes where byte < 0x20 || byte == 0x7F { return false }
    return String(validating: bytes, as: UTF8.self) != nil
}

/// A user's id in its directory.
package struct UserID: Hashable, Sendable {
    package let id: FormattedID

    package init(_ id: FormattedID) { self.id = id }

    package init?(_ bytes: Span<UInt8>, format: IDFormat) {
        guard let id = FormattedID(bytes, format: format) else { return nil }
        self.id = id
    }
}

/// A tenant as the credential spells it. Two are equal if their ids are, however they are spelled.
package struct TenantID: Hashable, Sendable {
    package let id: FormattedID
    /// The bytes that go upstream in `X-Tenant-ID`: visible ASCII.
    package let spelling: [UInt8]

    /// Nil where `bytes` doesn't fit `format` or isn't visible ASCII (it has to fit in a header), or holds a comma.
    package init?(_ bytes: Span<UInt8>, format: IDFormat) {
        for index in bytes.indices where bytes[index] < 0x21 || bytes[index] > 0x7E || bytes[index] == UInt8(ascii: ",") { return nil }
        guard let id = FormattedID(bytes, format: format) else { return nil }
        self.id = id
        var copy: [UInt8] = []
        copy.reserveCapacity(bytes.count)
        for index in bytes.indices { copy.append(bytes[index]) }
        self.spelling = copy
    }

    package static func == (left: Self, right: Self) -> Bool { left.id == right.id }
    package func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

/// The number of a directory in the file: its place in the list of directories.
package typealias DirectoryIndex = Int
