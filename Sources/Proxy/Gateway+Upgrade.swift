package import NIOCore

/// Handing listening sockets from one process to the next, without a connection being lost in their queues.
extension Gateway {
    /// Takes a listening socket that another process has handed over; `path` where it is a Unix socket's.
    package func adopt(_ descriptor: CInt, unix path: String?) throws(SocketError) -> BoundListener {
        let number = lastListener.add(1, ordering: .relaxed).newValue
        return try Self.adopted(descriptor, path, ListenerID(number: number))
    }

    /// The same, for a listener that is none of the gateway's loops'.
    package static func adopt(_ descriptor: CInt, unix path: String?) throws(SocketError) -> BoundListener {
        try adopted(descriptor, path, ListenerID(number: 0))
    }

    private static func adopted(_ descriptor: CInt, _ path: String?, _ id: ListenerID) throws(SocketError) -> BoundListener {
        let file: SocketFile? = if let path { try SocketFile.adopt(path) } else { nil }
        return BoundListener(
            id: id, address: path == nil ? SocketAddress.local(of: descriptor) : nil, descriptor: descriptor, file: file)
    }

    /// A socket that listens at `address`, for a listener that is none of the gateway's loops'.
    package static func bind(_ address: SocketAddress) throws(SocketError) -> BoundListener {
        let descriptor = try Listener.open(address)
        return BoundListener(id: ListenerID(number: 0), address: SocketAddress.local(of: descriptor), descriptor: descriptor)
    }

    /// Leaves new connections in the kernel's queue, or goes on taking them. Blocks until it is so.
    package func pauseAccepting(_ isPaused: Bool) {
        for worker in all { worker.loop.wait { worker.value.pauseAccepting(isPaused) } }
    }

    /// Closes every listening socket: those in `taken` go on in another process with whoever waits there, the others take who has connected.
    package func leaveListeners(_ taken: Set<ListenerID>) {
        for worker in all { worker.loop.wait { worker.value.leaveListeners(taken) } }
    }

    /// Has every connection's next answer be its last, from now on.
    package func endConnections() {
        for worker in all { worker.execute { $0.drain() } }
    }
}
