import NIOCore
import Policy
import Proxy
import Suspensions
import Synchronization

/// A listening socket that may go to the next process.
struct HandedSocket {
    /// What listens, and where as the file writes it: how the other process knows it.
    let name: String
    let descriptor: CInt
    /// Nil for those that aren't the gateway's loops'.
    var listener: ListenerID?

    static func listener(_ address: ListenAddress) -> String { "listener \(address.text)" }
    static func probes(_ address: ListenAddress) -> String { "probes \(address.text)" }
    static func admin(_ address: ListenAddress) -> String { "admin \(address.text)" }
    static let door = "upgrade"
}

/// What an upgrade in place does to a running gateway.
extension GatewayService {
    var directoryNames: [String] { running.withLock { $0.configuration.directories.map(\.name) } }

    /// The socket at which upgrades are asked for: the one of the gateway before, or a new one.
    func upgradeListener() throws(SocketError) -> PacketListener {
        let path = UpgradeDoor.path(running.withLock { $0.configuration.ledger })
        return if let door { try PacketListener(adopting: door, at: path) } else { try PacketListener(at: path) }
    }

    /// Why a process with these directories can't take over; nil where it can.
    func objection(to next: [LedgerDirectory]) -> String? {
        guard fleet == nil else { return FleetObjection.text }
        for mine in running.withLock({ $0.configuration.directories.map(LedgerDirectory.init) }) {
            guard let other = next.first(where: { $0.name == mine.name }), other != mine else { continue }
            return "the directory `\(mine.name)` has other formats in the new file: that takes a restart."
        }
        return nil
    }

    /// Every listening socket, and no reload from now on. Nil while the gateway ends.
    func offer(door: CInt) -> [HandedSocket]? {
        running.withLock { running in
            guard !running.isOver else { return nil }
            running.isOver = true
            var sockets = running.listeners.map {
                HandedSocket(name: HandedSocket.listener($0.settings.address), descriptor: $0.bound.descriptor, listener: $0.bound.id)
            }
            if let probes, let address = running.configuration.probes {
                sockets.append(HandedSocket(name: HandedSocket.probes(address), descriptor: probes.descriptor))
            }
            if let admin, let address = running.configuration.admin?.address {
                sockets.append(HandedSocket(name: HandedSocket.admin(address), descriptor: admin.descriptor))
            }
            return sockets + [HandedSocket(name: HandedSocket.door, descriptor: door)]
        }
    }

    /// Nothing has come of it. What has changed in files meanwhile is read now.
    func withdraw() {
        running.withLock { $0.isOver = false }
        lookingAgain.withLock { $0 }()
    }

    /// Finishes the suspend calls in progress, holds new ones, and closes the ledger. Throws where that didn't work out, and all goes on. Blocks.
    func yieldLedger() throws(StartFailure) -> LeaseMark {
        let ledger = running.withLock { $0.configuration.ledger }
        let mark: LeaseMark
        do throws(FileError) { mark = try LeaseMark(ledger: ledger) } catch {
            throw StartFailure("\(LeaseMark.path(ledger)) can't be locked (\(error.reason)): whoever takes over could not tell of a crash.")
        }
        guard awaited({ suspensions.pause(patience: .milliseconds(Limits.takeoverCallsMilliseconds), then: $0) }) else {
            suspensions.goOn()
            mark.release()
            throw StartFailure(
                "suspend calls did not finish in \(Limits.takeoverCallsMilliseconds / 1000) s, or the ledger can't be written.")
        }
        suspensions.yield()
        return mark
    }

    /// Opens the ledger again and goes on as before.
    func takeBack() throws(LedgerError) {
        try suspensions.takeBack()
        gateway.pauseAccepting(false)
        withdraw()
    }

    /// Another process accepts at the sockets in `taken`. Blocks.
    func handOn(_ sockets: [HandedSocket], taken: [String]) {
        var left = taken
        func isTaken(_ socket: HandedSocket) -> Bool {
            guard let index = left.firstIndex(of: socket.name) else { return false }
            left.remove(at: index)
            return true
        }
        let gone = sockets.filter(isTaken)
        standing.drain()
        gateway.leaveListeners(Set(gone.compactMap(\.listener)))
        gateway.endConnections()
        // Both processes would take who asks at a socket that they share.
        probes?.close()
        admin?.close(leaving: gone.contains { $0.descriptor == admin?.descriptor })
    }

    /// Ends after an upgrade: with the last connection, and the last of those whom this gateway leads in its turn; at once where `isCut`
    /// says so. True if nothing had to be broken off.
    package func drainFollowing(unless isCut: () -> Bool) -> Bool {
        let isDone = gateway.drain(
            within: .seconds(Limits.upgradedSeconds), while: { predecessor.map { !$0.isOver } ?? false }, unless: isCut)
        keys.end()
        reconciling.end()
        reads.end()
        return (log?.finish() ?? true) && isDone
    }
}
