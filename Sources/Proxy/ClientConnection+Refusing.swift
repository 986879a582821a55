import HTTPWire
import NIOCore
import Policy

// What the connection answers by itself.
extension ClientConnection {
    /// Bytes of a refused request's body that are read and dropped so that the connection can go on.
    private static let dropBound = 64 * 1024

    /// Refuses what could not even be read as a request. `isHead`: as far as is known.
    func refuseUnread(_ denial: Denial, isHead: Bool = false) {
        let record = AccessRecord(id: worker.ids.next(), trace: worker.traces.next(), started: headBegan)
        writeRefusal(Refusal(denial, isHead: isHead, envelope: worker.snapshot.errors), record: record, closing: true)
        linger()
    }

    /// Refuses a request that was read and judged.
    func refuse(_ denial: Denial, _ found: Findings, record: consuming AccessRecord) {
        let sequel = sequel
        let refusal = Refusal(denial, head: worker.requestHead, found: found, snapshot: worker.snapshot)
        writeRefusal(refusal, record: record, closing: sequel.closing)
        go(on: sequel)
    }

    /// Answers a CORS preflight.
    func answer(_ preflight: Preflight, _ found: Findings, record: consuming AccessRecord) {
        let sequel = sequel
        record.note(found)
        record.status = Preflight.status
        write(preflight.answer(id: record.id, closing: sequel.closing))
        flushAnswer()
        worker.note(record, by: worker.snapshot)
        go(on: sequel)
    }

    /// What becomes of the connection after an answer of its own to the request in `worker.requestHead`.
    private struct Sequel {
        var closing: Bool
        /// Bytes of the request's body that are dropped before the next request.
        var left = 0
    }

    private var sequel: Sequel {
        var sequel = Sequel(closing: !worker.requestHead.keepAlive || worker.isDraining || isRetired)
        switch worker.requestHead.framing {
        case .none: break
        case .length(let length) where length <= Self.dropBound && !worker.requestHead.expectsContinue: sequel.left = length
        default: sequel.closing = true
        }
        return sequel
    }

    private func go(on sequel: Sequel) {
        if sequel.closing { return linger() }
        if sequel.left > 0 {
            phase = .dropping(BodyDecoder(worker.requestHead.framing, limits: WireLimits()), left: sequel.left)
            deadline = worker.clock.now + worker.snapshot.limits.idle * 1_000_000
        } else {
            awaitRequest()
        }
    }

    private func writeRefusal(_ refusal: Refusal, record: consuming AccessRecord, closing: Bool) {
        let bytes = refusal.answer(id: record.id, closing: closing)
        record.note(refusal)
        write(bytes)
        flushAnswer()
        worker.note(record, by: worker.snapshot)
    }

    /// Drops what has come of a refused request's body; true when there may be more to do with the bytes at hand.
    func drop(_ decoder: inout BodyDecoder, left: Int) -> Bool {
        var bytes = takeInput()
        let next = try? decoder.next(&bytes)
        input = bytes
        guard let piece = next else {
            linger()
            return false
        }
        switch piece {
        case .needMore: return false
        case .data(let bytes): phase = .dropping(decoder, left: left - bytes.readableBytes)
        case .end: awaitRequest()
        }
        return true
    }
}
