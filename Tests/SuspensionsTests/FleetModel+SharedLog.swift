import Policy

@testable import Suspensions

/// What goes through the shared log.
extension FleetModel {
    /// One word, in the order in which they were said. Its gateway learns its number when it hears it; until then it may publish it again.
    mutating func publish(_ number: Int) {
        guard gateways[number].epoch == epochs.last![0], let word = nextToPublish(number) else { return }
        if !gateways[number].replaced.isEmpty { gateways[number].replaced.removeFirst() }
        var head = word
        head.number = lastNumber + 1
        log.append(Entry(number: lastNumber + 1, head: head))
    }

    private func nextToPublish(_ number: Int) -> FleetHead? {
        gateways[number].replaced.first ?? gateways[number].heads.all.filter(isUnpublished).min { $0.local < $1.local }
    }

    func isUnpublished(_ head: FleetHead) -> Bool {
        head.number == nil && !log.contains { $0.head.writer == head.writer && $0.head.local == head.local }
    }

    /// The next entry of the log; first of all, in a new epoch, what of it is still there.
    mutating func hear(_ number: Int) {
        guard gateways[number].epoch == epochs.last![0] else { return enter(number) }
        var gateway = gateways[number]
        guard let entry = log.first(where: { $0.number > gateway.applied }) else { return }
        let before = gateway.heads
        gateway.heads.hear(entry.head)
        gateway.applied = entry.number
        // Its own word that comes back changes nothing.
        let isKnown = before.all.contains { Word($0) == Word(entry.head) }
        let isSame = gateway.heads.state == before.state && gateway.heads.areContested == before.areContested
        if gateway.heads.last != before.last, !isKnown || !isSame {
            gateway.read?.isTouched = true
            if gateway.heads.state == .suspended {
                gateway.isBlocked = true
            } else if isBusy(number) {
                gateway.waits = true
            } else {
                gateway.isBlocked = false
            }
        }
        gateway.known.formUnion(pasts[Word(entry.head)] ?? [])
        gateways[number] = gateway
    }

    /// Words that the database has lost are said again.
    private mutating func enter(_ number: Int) {
        let epochs = fleetEpochs
        gateways[number].applied = epochs.cap(gateways[number].applied)
        let last = gateways[number].heads.last
        gateways[number].heads = FleetHeads(
            gateways[number].heads.all.filter { last.contains($0) || epochs.has($0.number ?? 0) }.map { head in
                var head = head
                if let number = head.number, !epochs.has(number) { head.number = nil }
                head.base = epochs.cap(head.base)
                return head
            })
        gateways[number].replaced = []
        gateways[number].epoch = epochs.current
    }

    /// The database is restored from an older copy.
    mutating func loseTail(keeping count: Int) {
        losses += 1
        let next = epochs.last![0] + 1
        log.removeLast(log.count - count)
        epochs.append([next, log.last?.number ?? epochs[0][0] << FleetEpochs.digits])
    }

    private var fleetEpochs: FleetEpochs { FleetEpochs(epochs.map { FleetEpochs.Epoch(number: $0[0], after: $0[1]) }) }

    /// As the gateway knows them: those of a database that it hasn't entered yet are unknown to it.
    func fleetEpochs(at gateway: Gateway) -> FleetEpochs { FleetEpochs(fleetEpochs.all.filter { $0.number <= gateway.epoch }) }

    private var lastNumber: Int64 { log.last?.number ?? epochs.last![0] << FleetEpochs.digits }
}
