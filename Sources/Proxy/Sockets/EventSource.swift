import CEpoll
import Glibc

/// A descriptor on a loop, and what is done when it is ready. Loop-bound.
///
/// The loop keeps it from `init` until it is closed; then `closed` is called once, when the events at hand are done.
class EventSource {
    let loop: SocketLoop
    /// −1 once closed.
    private(set) final var descriptor: CInt
    /// What epoll has been told to wait for.
    private(set) final var interest: UInt32
    private final var isMuted = false

    /// Takes over `descriptor`, which is non-blocking; closes it where the system can't wait for it.
    init(_ descriptor: CInt, on loop: SocketLoop, waitingFor events: UInt32) {
        self.descriptor = descriptor
        self.loop = loop
        interest = events
        guard !loop.add(self, descriptor, events) else { return }
        _ = Glibc.close(descriptor)
        self.descriptor = -1
    }

    final var isOpen: Bool { descriptor >= 0 }

    /// Something of `events` (epoll's) is so.
    func ready(_ events: UInt32) {}

    /// The events at hand are dealt with; called where `SocketLoop.atTurnEnd` was asked for.
    func turnEnded() {}

    /// The descriptor is gone.
    func closed() {}

    /// Closes the descriptor at once; without effect the second time.
    final func close() {
        guard isOpen else { return }
        _ = Glibc.close(descriptor)
        descriptor = -1
        loop.bury(self)
    }

    /// Gives the descriptor away; for the loop this source is closed.
    final func detach() -> CInt {
        let given = descriptor
        loop.remove(self, given)
        descriptor = -1
        return given
    }

    final func wait(for events: UInt32) {
        guard isOpen, events != interest || isMuted else { return }
        interest = events
        if isMuted {
            isMuted = false
            loop.unmute(self, descriptor, events)
        } else {
            loop.change(self, descriptor, events)
        }
    }

    /// Hears nothing until the next `wait`.
    final func mute() {
        guard isOpen, !isMuted else { return }
        isMuted = true
        interest = 0
        loop.mute(descriptor)
    }

    /// An event may have been taken from the kernel before its source was closed.
    final func dispatch(_ events: UInt32) {
        if isOpen { ready(events) }
    }
}

/// Why a socket can't be had: the call that failed and the system's reason.
package struct SocketError: Error, CustomStringConvertible {
    package let call: String
    package let code: CInt

    package var description: String { "\(call): \(Self.reason(code))" }

    /// The system's words for an errno.
    static func reason(_ code: CInt) -> String { unsafe String(cString: strerror(code)) }

    /// Passes a result on that is not negative.
    static func check(_ call: String, _ result: CInt) throws(SocketError) -> CInt {
        guard result >= 0 else { throw SocketError(call: call, code: errno) }
        return result
    }
}
