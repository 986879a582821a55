import Glibc
package import NIOCore
import Policy
package import Suspensions
import Synchronization
package import Tokens

/// The running proxy: its event loops with a worker each, and its listeners.
package final class Gateway: Sendable {
    private let workers: Mutex<[LoopBound<Worker>]> = Mutex([])
    let admissions: ConnectionAdmission
    let resets = SourceResets()
    let names: ServerNames
    let boards: ServerBoards
    private let resolver = NameResolver()
    private let news: UpstreamNews
    let lastListener = Atomic<Int>(0)
    private let next = Atomic<Int>(0)

    /// Starts the loops. Nothing is accepted yet. `tenantLabels`: tenants that are counted by name. Throws where the system has no
    /// descriptors left. `say` gets a line when something of an upstream changes, on a thread of its own.
    package init(
        snapshot: Snapshot, log: LogWriter?, threads: Int, tenantLabels: Int = 0, say: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(SocketError) {
        admissions = ConnectionAdmission(limits: snapshot.limits)
        news = UpstreamNews(say: say)
        boards = ServerBoards(news: news)
        names = ServerNames { [resolver] in resolver.resolve($0, port: $1, completion: $2) }
        let tenants = tenantLabels > 0 ? TenantNames(cap: tenantLabels) : nil
        for index in 0..<threads {
            let loop = try SocketLoop()
            let worker = Worker(loop: loop, gateway: self, snapshot: snapshot, log: log, tenants: tenants, isFirst: index == 0)
            workers.withLock { $0.append(LoopBound(worker, loop)) }
            loop.start(name: "loop-\(index)", tick: LoopBound({ worker.tick() }, loop))
        }
    }

    /// Ends the open work of users who were just blocked, on every loop. From any thread.
    package func cut(_ blocked: [Subject]) {
        let users = BlockedUsers(blocked)
        onEveryLoop { $0.cut(users) }
        afterEveryLoop(on: acceptor.loop) { [self] in onEveryLoop { $0.blockedEverywhere(blocked) } }
    }

    /// Has every loop judge tokens by these fetched keys, from its next event on. From any thread.
    package func use(_ keys: KeyTable) {
        onEveryLoop { $0.use(keys) }
    }

    /// Takes an address, so that clients can connect; they are accepted once it is handed to `take`.
    package func bind(_ address: SocketAddress) throws(SocketError) -> BoundListener {
        let descriptor = try Listener.open(address)
        let number = lastListener.add(1, ordering: .relaxed).newValue
        return BoundListener(id: ListenerID(number: number), address: SocketAddress.local(of: descriptor), descriptor: descriptor)
    }

    /// Takes the path of a Unix socket, in place of one that a process has left there which is no more. `mode`: its permissions.
    package func bind(unix path: String, mode: UInt32) throws(SocketError) -> BoundListener {
        let (descriptor, file) = try SocketFile.listen(at: path, mode: mode)
        let number = lastListener.add(1, ordering: .relaxed).newValue
        return BoundListener(id: ListenerID(number: number), address: nil, descriptor: descriptor, file: file)
    }

    /// A Unix socket at `path` for a listener that is none of the gateway's.
    package static func bindUnix(_ path: String, mode: UInt32) throws(SocketError) -> BoundListener {
        let (descriptor, file) = try SocketFile.listen(at: path, mode: mode)
        return BoundListener(id: ListenerID(number: 0), address: nil, descriptor: descriptor, file: file)
    }

    /// Judges and forwards by `snapshot` from now on, at other listeners. Blocks until it is so on every loop; not for a loop.
    ///
    /// No connection is dropped: what is in progress goes on as it was admitted. Not to be called while or after `drain`.
    package func take(_ snapshot: Snapshot, _ changes: ListenerChanges) {
        admissions.take(snapshot.limits)
        onEveryLoop { $0.take(snapshot) }
        for worker in all { worker.loop.wait {} }
        let acceptor = acceptor
        let boards = boards.keep(snapshot.upstreams)
        let retired = acceptor.loop.wait {
            acceptor.value.checks.follow(boards, worker: acceptor.value)
            return acceptor.value.take(changes)
        }
        // What the acceptor has handed round by now comes before this on every loop.
        if !retired.isEmpty { onEveryLoop { $0.retire(retired) } }
    }

    /// Gives an accepted connection to the loop whose turn it is. On a loop.
    func accepted(_ descriptor: CInt, _ address: SocketAddress?, _ door: Door) {
        // Counted where it is asked whether there is room: on its way to a loop nobody would see it.
        guard admissions.reserve() else { return closeDescriptor(descriptor) }
        let turn = next.add(1, ordering: .relaxed).oldValue
        let chosen = workers.withLock { $0[turn % $0.count] }
        if chosen.loop.isCurrent {
            chosen.value.accept(descriptor, address, door)
        } else {
            chosen.execute { $0.accept(descriptor, address, door) }
        }
    }

    /// Ends accepting, lets every connection end with its next answer, and waits up to `bound` for the open work, and for as long as
    /// `isNeeded`, unless `isCut` says that it must go no further; then everything ends. True if all was done.
    package func drain(
        within bound: TimeAmount, while isNeeded: () -> Bool = { false }, unless isCut: () -> Bool = { false }
    ) -> Bool {
        let end = NIODeadline.now() + bound
        for worker in all { worker.loop.wait { worker.value.closeListeners() } }
        onEveryLoop { $0.drain() }
        while openWork > 0 || isNeeded(), NIODeadline.now() < end, !isCut() { pause() }
        let isDone = openWork == 0
        for worker in all {
            worker.loop.wait { worker.value.stop() }
            worker.loop.end()
        }
        // Not waited for: the system may be asking for a name for a long time yet.
        resolver.abandon()
        news.end()
        return isDone
    }

    /// Its event loops.
    package var loopCount: Int { all.count }

    /// How upstreams and their servers stand. From any thread.
    package var boardFigures: [BoardFigures] { boards.figures }

    /// Runs `next` on `loop` after every loop has done all that it had to do when this was called.
    func afterEveryLoop(on loop: SocketLoop, _ next: @escaping @Sendable () -> Void) {
        let workers = all
        let left = Counter(workers.count)
        for worker in workers {
            worker.loop.execute {
                if left.isLast() { loop.execute(next) }
            }
        }
    }

    /// Runs `next` after every loop has done all that it had to do when this was called: whoever was blocked before is then refused by
    /// each. From any thread; `next` must not block. After the loops' end nothing runs.
    package func afterEveryLoop(_ next: @escaping @Sendable () -> Void) { afterEveryLoop(on: acceptor.loop, next) }

    private func onEveryLoop(_ work: @escaping @Sendable (Worker) -> Void) {
        for worker in all { worker.execute(work) }
    }

    var all: [LoopBound<Worker>] { workers.withLock { $0 } }

    /// One loop accepts for all, and hands connections round: cheaper than waking all of them, and fairer than letting them race.
    private var acceptor: LoopBound<Worker> { workers.withLock { $0[0] } }

    private var openWork: Int {
        all.reduce(0) { sum, worker in sum + worker.loop.wait { worker.value.openWork } }
    }

    /// Waits a little, off every loop.
    private func pause() { _ = Glibc.poll(nil, 0, 20) }
}

/// Counts down from any thread.
private final class Counter: Sendable {
    private let left: Atomic<Int>
    init(_ count: Int) { left = Atomic(count) }
    func isLast() -> Bool { left.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 }
}
