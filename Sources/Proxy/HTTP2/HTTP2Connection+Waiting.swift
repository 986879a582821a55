import HTTP2
import NIOCore
import Policy
import Suspensions

// Requests whose token names its user by an alias that the loop doesn't know, as `ClientConnection` has them.
extension HTTP2Connection {
    /// Keeps the request until it is known whom its token means; then it is judged anew as a whole. Its body waits within its window.
    func wait(_ stream: HTTP2Stream, _ head: ByteBuffer, for alias: AliasCase) {
        stream.head = head
        stream.isWaiting = true
        waiting[stream.id] = alias
        let connection = connection
        worker.ask(alias) { [self] alias in
            guard stream.isWaiting else { return }
            guard connection.isOpen else { return lose(stream) }
            judge(stream, alias)
        }
    }

    /// Answers without knowing.
    func giveUpWaiting(_ stream: HTTP2Stream) {
        guard let alias = waiting[stream.id] else { return }
        if alias.answer == nil { alias.answer = AliasAnswer(verdict: .unavailable, generation: 0) }
        judge(stream, alias)
    }

    /// The connection has gone.
    func loseWaiting() {
        for stream in session.streams.values where stream.isWaiting { lose(stream) }
    }

    private func judge(_ stream: HTTP2Stream, _ alias: AliasCase) {
        waiting[stream.id] = nil
        stream.isWaiting = false
        begin(stream, alias)
        scheduleFlush()
    }

    private func lose(_ stream: HTTP2Stream) {
        waiting[stream.id] = nil
        stream.isWaiting = false
        noteGone(stream)
    }
}
