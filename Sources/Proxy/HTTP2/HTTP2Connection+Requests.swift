import HTTP2
import HTTPWire
import NIOCore
import Policy

// A request's way to its exchange.
extension HTTP2Connection {
    /// Judges a request that has come and starts its exchange.
    func begin(_ stream: HTTP2Stream, _ alias: AliasCase? = nil) {
        guard !stream.isClosed else { return noteGone(stream) }
        let isHead = stream.head.readableBytesView.starts(with: "HEAD ".utf8)
        if let fault = stream.fault {
            if fault == .malformed { stream.code = .protocolError }
            return refuseUnread(stream, Denial(fault), isHead: isHead)
        }
        var parser = RequestParser(limits: WireLimits(head: session.headLimit))
        let whole = stream.head
        var head = whole
        stream.head = ByteBuffer()
        switch parser.parse(&head, into: &worker.requestHead) {
        case .complete where head.readableBytes == 0: judge(stream, whole, alias)
        case .failed(let error): refuseUnread(stream, Denial(error), isHead: isHead)
        case .complete, .needMore: refuseUnread(stream, .badRequest, isHead: isHead)
        }
    }

    /// Judges the request whose head is in `worker.requestHead`.
    private func judge(_ stream: HTTP2Stream, _ head: ByteBuffer, _ alias: AliasCase?) {
        let peer = connection.peer
        var record = worker.record(from: peer, started: stream.began)
        record.isHTTP2 = true
        var found = Findings()
        found.alias = alias
        if let preflight = worker.preflight(peer: peer, found: &found) { return answer(stream, preflight, found, record) }
        do {
            let admission = try worker.admit(peer: peer, found: &found)
            record.note(found)
            let exchange = Exchange(client: .stream(self, stream), worker: worker, admission: admission, record: record, tunnel: nil)
            stream.owner = exchange
            exchange.begin()
            if !exchange.request.isComplete { pumpBody(of: stream) }
        } catch {
            if let alias = found.waitsFor { return wait(stream, head, for: alias) }
            record.note(found)
            refuse(stream, Refusal(error, head: worker.requestHead, found: found, snapshot: worker.snapshot), record)
        }
    }

    /// Refuses what could not even be read as a request.
    private func refuseUnread(_ stream: HTTP2Stream, _ denial: Denial, isHead: Bool) {
        var record = AccessRecord(id: worker.ids.next(), trace: worker.traces.next(), started: stream.began)
        record.isHTTP2 = true
        refuse(stream, Refusal(denial, isHead: isHead, envelope: worker.snapshot.errors), record)
    }

    /// Answers a CORS preflight.
    private func answer(_ stream: HTTP2Stream, _ preflight: Preflight, _ found: Findings, _ record: consuming AccessRecord) {
        record.note(found)
        record.status = Preflight.status
        answer(stream, whole: preflight.answer(id: record.id, closing: false))
        session.dropInput(of: stream)
        worker.note(record, by: worker.snapshot)
    }

    private func refuse(_ stream: HTTP2Stream, _ refusal: Refusal, _ record: consuming AccessRecord) {
        let bytes = refusal.answer(id: record.id, closing: false)
        record.note(refusal)
        answer(stream, whole: bytes)
        session.dropInput(of: stream)
        worker.note(record, by: worker.snapshot)
    }

    /// The client has taken its request back before anybody read it.
    func noteGone(_ stream: HTTP2Stream) {
        var record = AccessRecord(id: worker.ids.next(), trace: worker.traces.next(), started: stream.began)
        record.isHTTP2 = true
        record.ending = .clientClosed
        worker.note(record, by: worker.snapshot)
    }
}

extension Denial {
    fileprivate init(_ fault: HTTP2Fault) {
        self =
            switch fault {
            case .malformed, .wrongScheme: .badRequest
            case .headersTooLarge: .headersTooLarge
            case .uriTooLong: .uriTooLong
            }
    }
}
