package import NIOCore
package import TLS

/// Names a listener for as long as the process runs; connections remember whose they are.
package struct ListenerID: Hashable, Sendable {
    let number: Int
}

/// What a listener gives to the connections that it accepts.
struct Door: Sendable {
    let listener: ListenerID
    /// Nil for plain HTTP.
    let tls: TLSContext?
    /// A PROXY header comes first, from a trusted proxy.
    var proxyProtocol = false
}

/// The connections of one listener that drain: those with TLS, or those without.
struct RetiredDoor: Hashable, Sendable {
    let listener: ListenerID
    let isTLS: Bool
}

/// A socket that listens, though nobody accepts at it yet: clients wait in the kernel's queue.
///
/// Handed to `Gateway.open` or `Gateway.take`, or else closed by its owner.
package struct BoundListener: Sendable {
    package let id: ListenerID
    /// The bound address: port 0 lets the system choose.
    package let address: SocketAddress?
    /// Whoever takes it over closes it.
    package let descriptor: CInt
    /// A Unix socket's.
    var file: SocketFile?

    /// Gives it up: whoever waits is refused.
    package func close() {
        file?.remove()
        closeDescriptor(descriptor)
    }

    /// Removes a Unix socket's file; without effect on others. For who has taken the descriptor over.
    package func removeFile() { file?.remove() }

    /// Gives a Unix socket's file these permissions; without effect on others.
    package func permit(_ mode: UInt32) throws(SocketError) { try file?.permit(mode) }
}

/// What becomes of the listeners with a new snapshot.
package struct ListenerChanges: Sendable {
    /// Those that are new, with the TLS settings of their connections (nil for plain HTTP) and whether a PROXY header comes first.
    package var opened: [(listener: BoundListener, tls: TLSContext?, proxyProtocol: Bool)] = []
    /// Those that stay and have other settings for new connections. From TLS to plain HTTP or back, their old connections drain.
    package var changed: [(listener: ListenerID, tls: TLSContext?, proxyProtocol: Bool)] = []
    /// Those that are no more: who has connected is still served, then its connections drain.
    package var removed: [ListenerID] = []

    package init() {}
}
