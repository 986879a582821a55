import Glibc
import Policy
import Proxy
import Suspensions
import Synchronization

/// The gateway that takes over from this one: it is followed, and asked about the suspend calls of the last connections here.
final class SuccessorLink: SuspensionSuccessor {
    private struct State {
        var isOver = false
        var lastNumber: Int64 = 0
        var beginnings: [Int64: @Sendable (Beginning) -> Void] = [:]
        var conclusions: [Int64: @Sendable (Conclusion) -> Void] = [:]
    }

    let socket: PacketSocket
    private let coder: HandoverCoder
    private let authority: SuspensionAuthority
    private let gateway: Gateway
    private let state = Mutex(State())

    init(_ socket: PacketSocket, _ coder: HandoverCoder, _ authority: SuspensionAuthority, _ gateway: Gateway) {
        self.socket = socket
        self.coder = coder
        self.authority = authority
        self.gateway = gateway
    }

    /// Takes what the other process says until it is gone; `onServing` is called when it takes connections. Blocks.
    func run(onServing: () -> Void) {
        while true {
            switch socket.receive(milliseconds: -1) {
            case .nothing: continue
            case .message(let bytes, let descriptors):
                for descriptor in descriptors { close(descriptor) }
                guard let message = coder.message(bytes), take(message, onServing) else {
                    breakOff()
                    return end()
                }
            case .end: return end()
            }
        }
    }

    private func take(_ message: HandoverMessage, _ onServing: () -> Void) -> Bool {
        switch message {
        case .serving: onServing()
        case .lease(let moment): authority.heard(at: moment)
        case .change(let number, let change):
            authority.apply(change) { [self] in
                gateway.afterEveryLoop { [self] in send(.applied(number)) }
            }
        case .beginning(let number, let beginning): state.withLock { $0.beginnings.removeValue(forKey: number) }?(beginning)
        case .conclusion(let number, let conclusion): state.withLock { $0.conclusions.removeValue(forKey: number) }?(conclusion)
        default: return false
        }
        return true
    }

    // MARK: for the authority

    func begin(_ call: IntentCall, then answer: @escaping @Sendable (Beginning) -> Void) {
        let number = state.withLock { state -> Int64? in
            guard !state.isOver else { return nil }
            state.lastNumber += 1
            state.beginnings[state.lastNumber] = answer
            return state.lastNumber
        }
        if let number { send(.begin(number, call)) } else { answer(.draining) }
    }

    func finish(_ ticket: Ticket, _ outcome: UpstreamOutcome, then answer: @escaping @Sendable (Conclusion) -> Void) {
        let number = state.withLock { state -> Int64? in
            guard !state.isOver else { return nil }
            state.lastNumber += 1
            state.conclusions[state.lastNumber] = answer
            return state.lastNumber
        }
        if let number { send(.finish(number, ticket, outcome)) } else { answer(.notDurable) }
    }

    func learned(_ word: AliasWord) {
        if !state.withLock({ $0.isOver }) { send(.learned(word)) }
    }

    /// Never waits: whoever doesn't read is taken for gone.
    private func send(_ message: HandoverMessage) {
        if socket.send(coder.bytes(message), milliseconds: 0) != .done { breakOff() }
    }

    /// The other process takes the end of this for the end of this process: nobody may be admitted here by then.
    private func breakOff() {
        authority.stopAdmitting()
        socket.end()
    }

    /// The other process is gone. What was admitted under its lease may go on until that is over: whoever opens the ledger next knows of it.
    private func end() {
        let (beginnings, conclusions) = state.withLock { state in
            state.isOver = true
            defer { (state.beginnings, state.conclusions) = ([:], [:]) }
            return (state.beginnings, state.conclusions)
        }
        for answer in beginnings.values { answer(.draining) }
        for answer in conclusions.values { answer(.notDurable) }
    }
}
