import CEpoll
import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// Asks the system for the addresses of names on threads of its own, since getaddrinfo(3) blocks. `NameLookups` has the rules.
final class NameResolver: Sendable {
    /// Gets what was found, in the system's order.
    typealias Completion = @Sendable ([SocketAddress]) -> Void
    /// Looks a host and port up; blocks.
    typealias Look = @Sendable (String, Int) -> [SocketAddress]

    private let threads = NIOThreadPool(numberOfThreads: NameLookups.threads)
    private let lookups = Mutex(NameLookups())
    private let look: Look

    init(look: @escaping Look = NameResolver.addresses) {
        self.look = look
        threads.start()
    }

    /// `completion` gets the addresses of `host`, or the last good ones where it can't be looked up; nothing if there are none. At once, or
    /// on a thread of the resolver's own.
    func resolve(_ host: String, port: Int, completion: @escaping Completion) {
        if let address = try? SocketAddress(ipAddress: host, port: port) { return completion([address]) }
        let name = NameLookups.Name(host: host, port: port)
        let answer = lookups.withLock { $0.ask(name, now: SocketLoop.now, completion) }
        if let answer { completion(answer) } else { work() }
    }

    /// The last good addresses, for whoever can't wait for others.
    func known(_ host: String, port: Int) -> [SocketAddress] {
        lookups.withLock { $0.known(NameLookups.Name(host: host, port: port), now: SocketLoop.now) }
    }

    /// Ends without waiting for a name that is being resolved, which may take long.
    func abandon() {
        for completion in lookups.withLock({ $0.end() }) { completion([]) }
        threads.shutdownGracefully { _ in }
    }

    private func work() {
        while let name = lookups.withLock({ $0.begin(now: SocketLoop.now) }) {
            threads.submit { [self] state in
                let found = state == .active ? look(name.host, name.port) : []
                let (waiting, answer) = lookups.withLock { $0.ended(name, found, now: SocketLoop.now) }
                for completion in waiting { completion(answer) }
                work()
            }
        }
    }

    private static func addresses(of host: String, port: Int) -> [SocketAddress] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(host, String(port), &hints, &list) == 0 else { return [] }
        defer { unsafe freeaddrinfo(list) }
        var found: [SocketAddress] = []
        var next = unsafe list
        while let info = unsafe next {
            var storage = sockaddr_storage()
            unsafe withUnsafeMutableBytes(of: &storage) { bytes in
                unsafe bytes.copyMemory(from: UnsafeRawBufferPointer(start: info.pointee.ai_addr, count: Int(info.pointee.ai_addrlen)))
            }
            if let address = SocketAddress(storage) { found.append(address) }
            unsafe next = info.pointee.ai_next
        }
        return found
    }
}
