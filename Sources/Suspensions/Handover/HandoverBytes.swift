import Policy

/// A message in the making.
struct HandoverBytes {
    private(set) var bytes: [UInt8] = []

    /// Named otherwise than numbers, which a literal would be.
    mutating func put(byte: UInt8) { bytes.append(byte) }

    mutating func put(_ number: Int64) {
        for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: number >> Int64(shift))) }
    }

    mutating func put(_ number: Int) { put(Int64(number)) }

    mutating func put(_ data: [UInt8]) {
        put(data.count)
        bytes += data
    }

    mutating func put(_ id: FormattedID) {
        switch id {
        case .uuid(let bits):
            put(byte: 1)
            put(Int64(bitPattern: bits.high))
            put(Int64(bitPattern: bits.low))
        case .string(let text):
            put(byte: 2)
            put(text)
        }
    }
}

/// What is left of a message that is being read. Everything is nil that isn't there.
struct HandoverRest {
    private var bytes: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { self.bytes = bytes[...] }

    var isEmpty: Bool { bytes.isEmpty }

    mutating func byte() -> UInt8? { bytes.popFirst() }

    mutating func number() -> Int64? {
        guard bytes.count >= 8 else { return nil }
        defer { bytes.removeFirst(8) }
        return bytes.prefix(8).reduce(0) { $0 << 8 | Int64($1) }
    }

    /// How many follow: no more than there are bytes.
    mutating func count() -> Int? { number().flatMap { $0 >= 0 && $0 <= Int64(bytes.count) ? Int($0) : nil } }

    mutating func data() -> [UInt8]? {
        guard let count = count() else { return nil }
        defer { bytes.removeFirst(count) }
        return Array(bytes.prefix(count))
    }

    mutating func text() -> String? { data().flatMap { String(validating: $0, as: UTF8.self) } }

    mutating func id() -> FormattedID? {
        switch byte() {
        case 1:
            guard let high = number(), let low = number() else { return nil }
            return .uuid(UUIDBits(high: UInt64(bitPattern: high), low: UInt64(bitPattern: low)))
        case 2: return data().map { .string($0) }
        default: return nil
        }
    }
}
