import CEpoll
import Glibc
import NIOCore

/// Makes one connection to a server: finds its addresses off the loop if it has a name, and tries them in turn. Loop-bound.
///
/// Each address gets its share of the time that is left, so that one that never answers doesn't use it up. Ends in one call of
/// `completion`, never before `start` has returned; after `cancel` in none.
final class Connector {
    /// Loop clock in nanoseconds by which a connection must stand.
    private let deadline: Int64
    private let loop: SocketLoop
    private var addresses: ArraySlice<SocketAddress> = []
    private var attempt: Attempt?
    /// When the attempt that is going on gives way to the next.
    private var attemptDeadline: Int64 = .max
    private var completion: ((CInt?) -> Void)?
    private var isCancelled = false
    /// Why the last address that failed did so, as the system numbers it; 0 where none has, but time ran out.
    private(set) var refusal: CInt = 0
    private var hasNoAddress = false

    init(on loop: SocketLoop, deadline: Int64, completion: @escaping (CInt?) -> Void) {
        self.loop = loop
        self.deadline = deadline
        self.completion = completion
    }

    /// Connects to one of `addresses`.
    func start(_ addresses: [SocketAddress]) {
        hasNoAddress = addresses.isEmpty
        self.addresses = addresses[...]
        next()
    }

    /// Connects to an upstream's server, whose `address` is nil for a name.
    func start(_ server: Upstream.Server, _ address: SocketAddress?, names: ServerNames) {
        if let address { return start([address]) }
        guard case .network(let host, let port) = server else { return start([]) }
        start(host: host, port: port, names: names)
    }

    /// Finds the addresses of `host`, then connects.
    private func start(host: String, port: Int, names: ServerNames) {
        let bound = LoopBound(self, loop)
        names.addresses(of: host, port: port) { addresses in bound.execute { $0.start(addresses) } }
    }

    /// Why no connection came.
    var failure: ConnectFailure { hasNoAddress ? .noAddress : refusal == 0 ? .timedOut : .refused(refusal) }

    /// Gives up what takes too long. Called by the loop's tick.
    func checkDeadline(now: Int64) {
        if now > deadline { return finish(nil) }
        if now > attemptDeadline { next() }
    }

    func cancel() {
        isCancelled = true
        completion = nil
        attempt?.close()
        attempt = nil
    }

    private func next() {
        guard completion != nil else { return }
        attempt?.close()
        attempt = nil
        while let address = addresses.popFirst() {
            guard let descriptor = Self.open(address) else {
                refusal = errno
                continue
            }
            let now = SocketLoop.now
            attemptDeadline = now + (deadline - now) / Int64(addresses.count + 1)
            attempt = Attempt(descriptor, self)
            return
        }
        finish(nil)
    }

    /// A socket that is connecting; nil where the system refuses at once.
    private static func open(_ address: SocketAddress) -> CInt? {
        let descriptor = streamSocket(for: address)
        guard descriptor >= 0 else { return nil }
        let code = unsafe address.withSockAddr { unsafe connect(descriptor, $0, socklen_t($1)) }
        let reason = errno
        if code == 0 || reason == EINPROGRESS { return descriptor }
        _ = Glibc.close(descriptor)
        errno = reason
        return nil
    }

    fileprivate func attempted(_ attempt: Attempt) {
        guard attempt === self.attempt, completion != nil else { return attempt.close() }
        var code: CInt = 0
        var size = socklen_t(MemoryLayout<CInt>.size)
        let asked = unsafe getsockopt(attempt.descriptor, SOL_SOCKET, SO_ERROR, &code, &size)
        guard asked == 0, code == 0 else {
            refusal = code
            return next()
        }
        self.attempt = nil
        finish(attempt.detach())
    }

    /// Later, so that many who wait don't fail inside each other.
    private func finish(_ descriptor: CInt?) {
        guard let completion else { return }
        self.completion = nil
        attempt?.close()
        attempt = nil
        LoopBound((self, completion), loop).execute { connector, completion in
            if !connector.isCancelled { return completion(descriptor) }
            if let descriptor { _ = Glibc.close(descriptor) }
        }
    }

    /// One socket on its way.
    final class Attempt: EventSource {
        private unowned let connector: Connector

        init(_ descriptor: CInt, _ connector: Connector) {
            self.connector = connector
            super.init(descriptor, on: connector.loop, waitingFor: shim_EPOLLOUT)
        }

        override func ready(_ events: UInt32) { connector.attempted(self) }
    }
}
