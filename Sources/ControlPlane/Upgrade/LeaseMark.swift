import Glibc
import Policy

/// A lock beside the ledger that a gateway holds while it admits users under a lease: whoever opens the ledger after a crash, and was not
/// handed it, finds out that there may be one, and waits until no lease can be left.
struct LeaseMark: Sendable {
    private let descriptor: CInt

    static func path(_ ledger: String) -> String { ledger + ".lease" }

    /// Held until `release`, or the process' end.
    init(ledger: String) throws(FileError) {
        descriptor = unsafe open(Self.path(ledger), O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure(errno) }
        guard flock(descriptor, LOCK_SH | LOCK_NB) == 0 else {
            let code = errno
            close(descriptor)
            throw Self.failure(code)
        }
    }

    private static func failure(_ code: CInt) -> FileError { FileError(reason: unsafe String(cString: strerror(code))) }

    func release() { close(descriptor) }

    /// Waits out what leases there may be. Costs one failing system call where there never was an upgrade. To be called with the ledger open,
    /// so that nobody can give another lease.
    static func waitOut(ledger: String) {
        let descriptor = unsafe open(path(ledger), O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) != 0 else { return }
        _ = poll(nil, 0, CInt(Limits.leaseMilliseconds) + 50)
    }
}
