import HTTPWire
import NIOCore
import Policy
import Suspensions

/// A request that waits until it is known whom its token means.
final class WaitingRequest {
    let alias: AliasCase
    private var head: RequestHead

    /// Takes the worker's head, which is needed for others.
    init(_ alias: AliasCase, of worker: Worker) {
        self.alias = alias
        head = exchange(&worker.requestHead, with: RequestHead())
    }

    /// Gives the head back, to be judged.
    func putBack(to worker: Worker) { worker.requestHead = exchange(&head, with: RequestHead()) }
}

// Requests whose token names its user by an alias that the loop doesn't know. They wait as they are, with nothing of them forwarded, and are
// judged anew as a whole when the answer is there.
extension ClientConnection {
    func wait(for alias: AliasCase) {
        let request = WaitingRequest(alias, of: worker)
        waiting = request
        phase = .waiting
        deadline = worker.clock.now + Limits.aliasWaitMilliseconds * 1_000_000
        worker.ask(alias) { [self] _ in
            guard waiting === request else { return }
            judgeWaiting()
            advance()
        }
    }

    /// Answers without knowing. False where no request waits.
    func giveUpWaiting() -> Bool {
        guard let waiting else { return false }
        if waiting.alias.answer == nil { waiting.alias.answer = AliasAnswer(verdict: .unavailable, generation: 0) }
        judgeWaiting()
        advance()
        return true
    }

    private func judgeWaiting() {
        guard let request = waiting.take(), isOpen else { return }
        request.putBack(to: worker)
        begin(request.alias)
    }

    /// The client has gone before it was judged.
    func noteWaitingGone() {
        guard let request = waiting.take() else { return }
        request.putBack(to: worker)
        var record = worker.record(from: peer, started: headBegan)
        record.ending = .clientClosed
        worker.note(record, by: worker.snapshot)
    }
}
