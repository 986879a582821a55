import CEpoll
import Glibc
import NIOCore

/// The file of a Unix socket that is listened on (unix(7)): ours until it is removed, or another process has put its own there.
struct SocketFile: Sendable {
    private let path: String
    private let device: dev_t
    private let inode: ino_t

    /// A socket that listens at `path`, with these permissions from the first moment that anybody can connect.
    ///
    /// What a process has left there that is no more is replaced. Where one still listens, or where there is something else than a socket,
    /// it throws.
    /// `type`: the socket's, as socket(2) has it.
    static func listen(
        at path: String, mode: UInt32, type: CInt = CInt(SOCK_STREAM.rawValue)
    ) throws(SocketError) -> (CInt, SocketFile) {
        guard let address = try? SocketAddress(unixDomainSocketPath: path) else { throw SocketError(call: "bind", code: ENAMETOOLONG) }
        try clear(path, address, type)
        let descriptor = try SocketError.check("socket", unixSocket(type))
        do throws(SocketError) {
            let bound = unsafe address.withSockAddr { unsafe bind(descriptor, $0, socklen_t($1)) }
            _ = try SocketError.check("bind", bound)
            let status = try status(of: path)
            let file = SocketFile(path: path, device: status.st_dev, inode: status.st_ino)
            try file.permit(mode)
            _ = try SocketError.check("listen", Glibc.listen(descriptor, 4096))
            return (descriptor, file)
        } catch {
            _ = Glibc.close(descriptor)
            throw error
        }
    }

    /// The file of a socket that another process has handed over: ours from now on.
    static func adopt(_ path: String) throws(SocketError) -> SocketFile {
        let status = try status(of: path)
        return SocketFile(path: path, device: status.st_dev, inode: status.st_ino)
    }

    func permit(_ mode: UInt32) throws(SocketError) { _ = try SocketError.check("chmod", unsafe chmod(path, mode)) }

    /// Removes the file, unless it is another process' by now. From any thread.
    func remove() {
        guard let status = try? Self.status(of: path), status.st_dev == device, status.st_ino == inode else { return }
        _ = unsafe unlink(path)
    }

    private static func status(of path: String) throws(SocketError) -> stat {
        var status = stat()
        _ = try SocketError.check("stat", unsafe lstat(path, &status))
        return status
    }

    /// Makes room at `path`.
    private static func clear(_ path: String, _ address: SocketAddress, _ type: CInt) throws(SocketError) {
        guard let status = try? status(of: path) else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw SocketError(call: "there is something else than a socket", code: EEXIST) }
        let probe = try SocketError.check("socket", unixSocket(type))
        defer { _ = Glibc.close(probe) }
        let code = unsafe address.withSockAddr { unsafe connect(probe, $0, socklen_t($1)) }
        guard code != 0, errno == ECONNREFUSED else { throw SocketError(call: "a process that is alive listens there", code: EADDRINUSE) }
        _ = unsafe unlink(path)
    }
}

/// A non-blocking Unix socket; negative where the system gives none.
func unixSocket(_ type: CInt) -> CInt { socket(CInt(AF_UNIX), type | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0) }
