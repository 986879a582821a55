/// Finds the lines of a head as its bytes arrive: every byte is looked at once, however they are cut into reads.
///
/// A line ends in CRLF and in nothing else (RFC 9112 §2.2 lets a recipient take a bare LF; two recipients that differ in it are how
/// requests are smuggled). Offsets count from the head's first byte.
struct LineCursor: Equatable, Sendable {
    /// Where the current line starts.
    private(set) var lineStart = 0
    /// Up to where the current line is known to hold no line end.
    private var scanned = 0

    /// The next line without its CRLF, or nil if it isn't all there.
    ///
    /// Throws `excess` as soon as the line, with its CRLF, can't end at or before `limit`; so the outcome doesn't depend on how the
    /// bytes were cut.
    @inline(__always)
    mutating func next(in bytes: Span<UInt8>, limit: Int, excess: WireError) throws(WireError) -> Range<Int>? {
        let end = min(bytes.count, limit)
        scanned = bytes.firstControl(in: scanned..<end) ?? end
        guard scanned + 1 < limit else { throw excess }
        guard scanned < end else { return nil }
        switch bytes[scanned] {
        case .cr: break
        case .lf: throw .bareLF
        default: throw .controlCharacter
        }
        guard scanned + 1 < bytes.count else { return nil }
        guard bytes[scanned + 1] == .lf else { throw .bareCR }
        let line = lineStart..<scanned
        lineStart = scanned + 2
        scanned = lineStart
        return line
    }
}
