/// A fast hash under a secret seed, for finding a remembered token; equality is always decided by the bytes.
///
/// Two lanes of multiply-and-fold over 16 bytes each, like wyhash: 700 bytes take about 40 ns. It is no PRF, and needs not be: only
/// tokens that were verified are ever remembered, and a set of the memory holds a fixed number of them however they collide.
struct TokenHash {
    private let seeds: (UInt64, UInt64, UInt64)

    init() {
        seeds = (.random(in: .min ... .max), .random(in: .min ... .max), .random(in: .min ... .max))
    }

    func callAsFunction(_ token: Span<UInt8>, _ directory: Int) -> UInt64 {
        let bytes = unsafe token.bytes
        let count = bytes.byteCount
        guard count >= 32 else { return short(token, directory) }
        var (left, right) = (seeds.0, seeds.1 ^ UInt64(truncatingIfNeeded: directory))
        var at = 0
        while at <= count - 32 {
            absorb(bytes, at, &left, &right)
            at += 32
        }
        // The last 32 bytes, whether or not some were taken already: cheaper than a case for every remainder.
        absorb(bytes, count - 32, &left, &right)
        return fold(left ^ UInt64(truncatingIfNeeded: count), right ^ seeds.2)
    }

    @inline(__always)
    private func absorb(_ bytes: RawSpan, _ at: Int, _ left: inout UInt64, _ right: inout UInt64) {
        left = fold(word(bytes, at) ^ seeds.1, word(bytes, at + 8) ^ left)
        right = fold(word(bytes, at + 16) ^ seeds.2, word(bytes, at + 24) ^ right)
    }

    private func short(_ token: Span<UInt8>, _ directory: Int) -> UInt64 {
        var value = seeds.0 ^ UInt64(truncatingIfNeeded: directory)
        for index in token.indices { value = fold(value ^ UInt64(token[index]), seeds.1) }
        return fold(value ^ UInt64(truncatingIfNeeded: token.count), seeds.2)
    }

    @inline(__always)
    private func word(_ bytes: RawSpan, _ at: Int) -> UInt64 {
        // Bounds are checked; any eight bytes are a UInt64.
        unsafe bytes.unsafeLoadUnaligned(fromByteOffset: at, as: UInt64.self)
    }

    @inline(__always)
    private func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        return product.high ^ product.low
    }
}
