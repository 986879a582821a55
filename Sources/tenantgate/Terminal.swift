import Glibc

/// The two standard streams, unbuffered: whoever reads a pipe sees each text at once.
///
/// A stream that can't be written any more (its reader has gone, its disk is full) is no reason to end: the text is lost.
enum Terminal {
    /// Whether somebody reads standard output at a terminal.
    static var isPersons: Bool { isatty(STDOUT_FILENO) == 1 }

    @Sendable
    static func output(_ text: String) { write(text, to: STDOUT_FILENO) }
    @Sendable
    static func error(_ text: String) { write(text, to: STDERR_FILENO) }

    private static func write(_ text: String, to descriptor: CInt) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
