import Glibc
import Policy
import Proxy
import Suspensions

/// Taking over from the gateway that runs on this ledger: what a new process does, from its first word to serving.
///
/// Hello → its sockets come → `claim`: it gives the ledger up → `lead`: it follows → `serve`. Until it follows it accepts and answers as
/// before, suspend calls apart, which it holds; whatever fails here until then, this process only has to end. That it is gone, at whatever
/// point, is no failure: then this is a start like any other.
package final class TakeOver {
    private let socket: PacketSocket
    private let coder: HandoverCoder
    private let ledger: String
    private let say: @Sendable (String) -> Void
    private let began = UpgradeClock()
    private var sockets: [(name: String, descriptor: CInt)]
    private var adopted: [String] = []
    private var isGone = false

    /// Meets the gateway that runs on the file's ledger; nil where there is none. Throws its reason where it refuses. Blocks.
    package static func begin(_ configuration: Configuration, say: @escaping @Sendable (String) -> Void) throws(StartFailure) -> TakeOver? {
        guard let socket = try? PacketSocket.connect(to: UpgradeDoor.path(configuration.ledger)) else {
            say("upgrade: no gateway runs on \(configuration.ledger): starting as usual")
            return nil
        }
        guard socket.user == geteuid() || socket.user == 0 else {
            throw StartFailure("The upgrade socket of \(configuration.ledger) is user \(socket.user)'s: nothing is taken from it.")
        }
        guard configuration.fleet == nil else {
            let words = HandoverCoder(directories: []).bytes(.refused(FleetObjection.text))
            _ = socket.send(words, milliseconds: patience)
            throw StartFailure("The gateway that runs (process \(socket.process)) goes on: \(FleetObjection.text)")
        }
        return try TakeOver(socket, configuration, say: say)
    }

    private init(_ socket: PacketSocket, _ configuration: Configuration, say: @escaping @Sendable (String) -> Void) throws(StartFailure) {
        self.socket = socket
        self.say = say
        ledger = configuration.ledger
        coder = HandoverCoder(directories: configuration.directories.map(\.name))
        sockets = []
        _ = socket.send(coder.bytes(.hello(configuration.directories.map(LedgerDirectory.init))), milliseconds: Self.patience)
        let word = try answer(within: Self.patience)
        if isGone { return }
        guard case .sockets(let names)? = word else {
            throw StartFailure("The gateway that runs (process \(socket.process)) doesn't hand over. Stop it, and start this one as usual.")
        }
        say("upgrade: taking over from process \(socket.process): \(names.count) sockets")
    }

    deinit { for socket in sockets { close(socket.descriptor) } }

    private static let patience = CInt(Limits.takeoverStepMilliseconds)

    /// A listening socket that was handed over, if it was.
    func descriptor(_ name: String) -> CInt? {
        guard let index = sockets.firstIndex(where: { $0.name == name }) else { return nil }
        adopted.append(name)
        return sockets.remove(at: index).descriptor
    }

    /// Has the other process finish its suspend calls and give the ledger up. Blocks.
    func claim() throws(StartFailure) {
        _ = socket.send(coder.bytes(.yield), milliseconds: Self.patience)
        let patience = Self.patience + CInt(Limits.takeoverCallsMilliseconds)
        guard case .yielded? = try answer(within: patience) else { return try refuseSilence() }
        say("upgrade: the ledger is given up after \(began.text)")
    }

    /// Has the other process follow, and admit users by this one's word alone, from now on; it accepts nobody any more. Returns who it is, for
    /// as long as it lives; nil where it is gone. Blocks.
    func lead(_ authority: SuspensionAuthority, _ gateway: Gateway) throws(StartFailure) -> PredecessorLink? {
        _ = socket.send(coder.bytes(.ready(sockets: adopted)), milliseconds: Self.patience)
        guard case .following? = try answer(within: Self.patience) else {
            try refuseSilence()
            LeaseMark.waitOut(ledger: ledger)
            return nil
        }
        let link = PredecessorLink(socket, coder, authority, gateway, say: say)
        link.start()
        return link
    }

    /// Since this process asked.
    var seconds: Double { began.seconds }

    /// Connections are taken here: the other process closes its sockets and ends with its last connection.
    package func serve() {
        _ = socket.send(coder.bytes(.serving), milliseconds: Self.patience)
        say("upgrade: serving after \(began.text)")
        for socket in sockets { close(socket.descriptor) }
        sockets = []
    }

    /// Nothing in time, from a process that is there: it may be serving, so this one must not.
    private func refuseSilence() throws(StartFailure) {
        guard isGone else {
            throw StartFailure("The gateway that runs (process \(socket.process)) doesn't answer: it goes on, and nothing has changed.")
        }
    }

    /// The next word; nil where none came in time, or the other process is gone.
    private func answer(within milliseconds: CInt) throws(StartFailure) -> HandoverMessage? {
        guard !isGone else { return nil }
        switch socket.receive(milliseconds: milliseconds) {
        case .nothing: return nil
        case .end:
            isGone = true
            say("upgrade: process \(socket.process) has ended: going on without it")
            return nil
        case .message(let bytes, let descriptors):
            let message = coder.message(bytes)
            if case .sockets(let names) = message, names.count == descriptors.count {
                sockets = Array(zip(names, descriptors))
            } else {
                for descriptor in descriptors { close(descriptor) }
            }
            if case .refused(let reason) = message {
                throw StartFailure("The gateway that runs (process \(socket.process)) goes on: \(reason)")
            }
            return message
        }
    }
}

/// Measures the steps of an upgrade.
struct UpgradeClock: Sendable {
    private let began = ContinuousClock.now

    var seconds: Double { (ContinuousClock.now - began) / .seconds(1) }

    /// Since it was made.
    var text: String {
        let passed = (ContinuousClock.now - began).components
        return "\(passed.seconds * 1000 + passed.attoseconds / 1_000_000_000_000_000) ms"
    }
}
