import HTTPWire
import NIOCore

/// Asks the servers of upstreams with `health` whether they are well, each on a connection of its own, from one loop for all. What comes of
/// it stands on the upstream's board. Loop-bound.
final class HealthChecks {
    private var watches: [ServerWatch] = []

    /// Checks the servers of these upstreams from now on; those with unchanged settings go on where they are.
    func follow(_ boards: [ServerBoard], worker: Worker) {
        let before = watches
        watches = boards.filter { $0.upstream.health != nil }.flatMap { board in
            board.servers.indices.map { index in
                before.first { $0.board === board && $0.server == index } ?? ServerWatch(board, server: index, worker: worker)
            }
        }
        for watch in before where !watches.contains(where: { $0 === watch }) { watch.stop() }
    }

    /// Called by the loop's tick.
    func tick(now: Int64) {
        for watch in watches { watch.tick(now: now) }
    }

    /// The loop is ending.
    func stop() {
        for watch in watches { watch.stop() }
        watches = []
    }
}

/// One server's checks, one after the other.
final class ServerWatch {
    let board: ServerBoard
    let server: Int
    private unowned let worker: Worker
    private let rules: HealthRules
    /// Monotonic nanoseconds of the next check; the first is made at once.
    private var due: Int64 = 0
    private var probe: HealthProbe?
    /// Checks in a row that came out otherwise than the server's state.
    private var against = 0
    private var isDown = false
    private let sessions: HealthProbe.Sessions

    init(_ board: ServerBoard, server: Int, worker: Worker) {
        self.board = board
        self.server = server
        self.worker = worker
        rules = board.upstream.health!
        sessions = HealthProbe.Sessions()
        isDown = board.servers[server].isMarkedDown
    }

    func tick(now: Int64) {
        if let probe { return probe.checkDeadline(now: now) }
        guard now >= due else { return }
        // Up to a tenth more or less, so that many servers aren't asked by many gateways at once.
        let spread = rules.interval / 10
        due = now + (rules.interval + Int64.random(in: -spread...spread)) * 1_000_000
        let probe = HealthProbe(board.upstream, server: board.servers[server].server, rules, worker: worker, sessions: sessions) {
            [weak self] in
            self?.ended($0)
        }
        self.probe = probe
        probe.start()
    }

    func stop() {
        probe?.cancel()
        probe = nil
    }

    /// `problem`: why it isn't well; nil where it is.
    private func ended(_ problem: String?) {
        probe = nil
        let isGood = problem == nil
        board.servers[server].checked(isGood: isGood)
        guard isGood == isDown else {
            against = 0
            return
        }
        against += 1
        guard against >= (isGood ? rules.healthy : rules.unhealthy) else { return }
        against = 0
        isDown = !isGood
        board.turned(server, isDown: isDown, because: problem ?? "", now: SocketLoop.now)
    }
}
