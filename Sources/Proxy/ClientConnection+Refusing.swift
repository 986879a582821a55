import HTTPWire
import NIOCore
import Policy

// What the connection answers by itself.
extension ClientConnection {
    /// Bytes of a refused request's body that are read and dropped so that the connection can go on.
    private static let dropBound = 64 * 1024

    /// Refuses what could not even be read as a request.
    func refuseUnread(_ denial: Denial) {
        let record = AccessRecord(id: worker.ids.next(), trace: worker.traces.next(), started: headBegan)
        writeRefusal(Refusal(denial, isHead: false, envelope: worker.snapshot.errors), record: record, closing: true)
        linger()
    }

    /// Refuses a request that was read and judged. A short body is dropped, and the connection goes on.
    func refuse(_ denial: Denial, _ found: Findings, record: consuming AccessRecord) {
        let framing = worker.requestHead.framing
        var left = 0
        var closing = !worker.requestHead.keepAlive || worker.isDraining || isRetired
        switch framing {
        case .none: break
        case .length(let length) where length <= Self.dropBound && !worker.requestHead.expectsContinue: left = length
        default: closing = true
        }
        let refusal = Refusal(denial, head: worker.requestHead, found: found, snapshot: worker.snapshot)
        writeRefusal(refusal, record: record, closing: closing)
        if closing { return linger() }
        if left > 0 {
            phase = .dropping(BodyDecoder(framing, limits: WireLimits()), left: left)
            deadline = worker.clock.now + worker.snapshot.limits.idle * 1_000_000
        } else {
            awaitRequest()
        }
    }

    private func writeRefusal(_ refusal: Refusal, record: consuming AccessRecord, closing: Bool) {
        let bytes = refusal.answer(id: record.id, closing: closing)
        record.status = refusal.denial.status
        record.ending = .refused(refusal.denial)
        record.bytesOut = refusal.isHead ? 0 : refusal.body.count
        write(bytes)
        flushAnswer()
        worker.note(record, by: worker.snapshot)
    }

    /// Drops what has come of a refused request's body; true when there may be more to do with the bytes at hand.
    func drop(_ decoder: inout BodyDecoder, left: Int) -> Bool {
        guard let piece = try? decoder.next(&input) else {
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
