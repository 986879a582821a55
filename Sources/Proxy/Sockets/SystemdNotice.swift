import CEpoll
import Glibc

/// sd_notify(3): tells systemd, or whoever names a socket in `NOTIFY_SOCKET`, how the process stands.
package enum SystemdNotice {
    /// This process serves; it is the service's main one from now on.
    package static func serving() { send("READY=1\nMAINPID=\(getpid())\nSTATUS=serving") }

    /// How it stands, for people.
    package static func status(_ status: String) { send("STATUS=\(status)") }

    private static func send(_ text: String) {
        guard let name = unsafe getenv("NOTIFY_SOCKET") else { return }
        var path = unsafe Array(String(cString: name).utf8)
        var address = sockaddr_un()
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard path.first == UInt8(ascii: "/") || path.first == UInt8(ascii: "@"), path.count < room else { return }
        // An abstract one, as namespaces of containers have it.
        if path[0] == UInt8(ascii: "@") { path[0] = 0 }
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + path.count)
        let descriptor = socket(CInt(AF_UNIX), CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        _ = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe sendto(descriptor, bytes, bytes.count, CInt(MSG_NOSIGNAL), address, length)
            }
        }
    }
}
