import Foundation
import Glibc
import Policy
import Proxy
import Suspensions
import Synchronization

/// Where a new process asks a running gateway to hand over: a Unix socket beside the ledger, for this user and root alone.
///
/// One asks at a time; everything is done on the door's own thread. Up to the word that connections are taken there, whatever happens to the
/// other process leads back: the ledger is opened again and everything goes on. From that word on this gateway only ends.
package final class UpgradeDoor: Sendable {
    private struct State {
        var isHandedOver = false
        var isCut = false
        var failure: LedgerError?
    }

    private let service: GatewayService
    private let listener: PacketListener
    private let say: @Sendable (String) -> Void
    private let onHandedOver: @Sendable () -> Void
    private let state = Mutex(State())

    static func path(_ ledger: String) -> String { ledger + ".upgrade" }

    /// Opens it, or takes the one over that the gateway before has had. Nil, with a line that says why, where it can't be.
    package init?(_ service: GatewayService, say: @escaping @Sendable (String) -> Void, onHandedOver: @escaping @Sendable () -> Void) {
        do throws(SocketError) {
            listener = try service.upgradeListener()
        } catch {
            say("no upgrade in place: its socket can't be opened (\(error))")
            return nil
        }
        self.service = service
        self.say = say
        self.onHandedOver = onHandedOver
        Thread.detachNewThread { [self] in
            while let socket = listener.accept() { if meet(socket) { return } }
        }
    }

    /// Another process serves.
    package var isHandedOver: Bool { state.withLock { $0.isHandedOver } }

    /// Why the ledger can't be had again, where that is why this gateway ends.
    var failure: LedgerError? { state.withLock { $0.failure } }

    /// That one is gone, or hasn't been heard for so long that it may be: nobody may be admitted here, nor told when to stop.
    package var isCut: Bool { state.withLock { $0.isCut } || service.suspensions.isLapsed(for: Self.silence) }

    private static let silence: Int64 = 10_000_000_000
    private static let patience = CInt(Limits.takeoverStepMilliseconds)

    /// Nobody may ask any more.
    package func close() { listener.close() }

    // MARK: one upgrade

    /// True when the other process serves, and has ended or is heard of no more.
    private func meet(_ socket: PacketSocket) -> Bool {
        defer { socket.end() }
        guard socket.user == geteuid() || socket.user == 0 else {
            say("upgrade: refused to process \(socket.process) of user \(socket.user)")
            return false
        }
        let coder = HandoverCoder(directories: service.directoryNames)
        func refuse(_ reason: String) -> Bool {
            service.upgrades.note(.refused)
            say("upgrade: refused to process \(socket.process): \(reason)")
            _ = socket.send(coder.bytes(.refused(reason)), milliseconds: Self.patience)
            return false
        }
        let word = next(socket, coder, Self.patience)
        if case .refused(let reason)? = word {
            service.upgrades.note(.refused)
            say("upgrade: process \(socket.process) doesn't take over: \(reason)")
            return false
        }
        guard case .hello(let directories)? = word else {
            return refuse("it speaks another version of the handover; stop this one, and start that one as usual.")
        }
        if let reason = service.objection(to: directories) { return refuse(reason) }
        guard let sockets = service.offer(door: listener.descriptor) else { return refuse("this gateway is ending.") }
        say("upgrade: process \(socket.process) asks to take over")
        let isSent = socket.send(
            coder.bytes(.sockets(sockets.map(\.name))), descriptors: sockets.map(\.descriptor), milliseconds: Self.patience)
        // It fetches keys first.
        guard isSent == .done, case .yield? = next(socket, coder, Self.patience + CInt(Limits.keysAtStartMilliseconds)) else {
            service.withdraw()
            service.upgrades.note(.cameToNothing)
            say("upgrade: process \(socket.process) gave up; serving on")
            return false
        }
        let clock = UpgradeClock()
        let mark: LeaseMark
        do throws(StartFailure) {
            mark = try service.yieldLedger()
        } catch {
            service.withdraw()
            return refuse(error.description)
        }
        say("upgrade: the ledger is given up after \(clock.text); suspend calls wait")
        _ = socket.send(coder.bytes(.yielded), milliseconds: Self.patience)
        if follow(socket, coder, sockets, clock) { return true }
        guard takeBack() else {
            service.handOn(sockets, taken: sockets.map(\.name))
            state.withLock { ($0.isHandedOver, $0.isCut) = (true, true) }
            onHandedOver()
            return true
        }
        mark.release()
        service.upgrades.note(.cameToNothing)
        say("upgrade: process \(socket.process) came to nothing; serving on after \(clock.text)")
        return false
    }

    /// Waits until the other process is ready, then follows it to its end, or this one's. False where it never served.
    ///
    /// There is no clock here: a process that has the ledger and is silent may yet serve, so only its end leads back.
    private func follow(_ socket: PacketSocket, _ coder: HandoverCoder, _ sockets: [HandedSocket], _ clock: UpgradeClock) -> Bool {
        var taken: [String] = []
        waiting: while true {
            switch socket.receive(milliseconds: CInt(Limits.takeoverLoadSeconds * 1000)) {
            case .nothing:
                say("upgrade: process \(socket.process) has the ledger and isn't ready: suspend calls are refused until it is, or ends")
            case .end: return false
            case .message(let bytes, let descriptors):
                for descriptor in descriptors { Glibc.close(descriptor) }
                if case .ready(let names)? = coder.message(bytes) {
                    taken = names
                    break waiting
                }
            }
        }
        service.gateway.pauseAccepting(true)
        let link = SuccessorLink(socket, coder, service.suspensions, service.gateway)
        service.suspensions.follow(link) { _ = socket.send(coder.bytes(.following), milliseconds: 0) }
        link.run { [self] in
            service.handOn(sockets, taken: taken)
            state.withLock { $0.isHandedOver = true }
            say("upgrade: process \(socket.process) serves after \(clock.text)")
            onHandedOver()
        }
        guard isHandedOver else { return false }
        state.withLock { $0.isCut = true }
        return true
    }

    /// Has the ledger again. Where another process holds it, or it can't be opened, this one has no business any more: false.
    private func takeBack() -> Bool {
        for attempt in 0... {
            do throws(LedgerError) {
                try service.takeBack()
                return true
            } catch {
                // Its end may be seen before its locks are gone.
                if attempt == Self.briefly { service.suspensions.stopAdmitting() }
                if attempt >= Self.atMost {
                    state.withLock { $0.failure = error }
                    return false
                }
                _ = poll(nil, 0, attempt < Self.briefly ? 5 : 100)
            }
        }
        return false
    }

    private static let briefly = 20
    private static let atMost = 60

    private func next(_ socket: PacketSocket, _ coder: HandoverCoder, _ milliseconds: CInt) -> HandoverMessage? {
        guard case .message(let bytes, let descriptors) = socket.receive(milliseconds: milliseconds) else { return nil }
        for descriptor in descriptors { Glibc.close(descriptor) }
        return coder.message(bytes)
    }
}
