import CEpoll
import Dispatch
import Glibc
import NIOCore
import Synchronization

/// One thread that waits on epoll(7) and hands each ready descriptor to its `EventSource`: the data path's event loop.
///
/// Why not a channel of NIO: its pipeline, promises and per-read buffers took a third of a request's instructions, and 3 KiB of each
/// idle connection. What is needed here is little: level-triggered readiness, work handed over from other threads, and a tick.
///
/// Everything but `execute`, `isCurrent` and `end` belongs to the loop's own thread.
@safe final class SocketLoop: @unchecked Sendable {  // loop-bound state is touched on its thread alone; what is shared is locked or atomic
    private let epoll: CInt
    /// An eventfd(2) that wakes the loop for its inbox.
    private let bell: CInt
    private let inbox = Mutex(Inbox())
    private let thread = Atomic<UInt>(0)
    private let ended = DispatchSemaphore(value: 0)

    private var isRunning = true
    /// Sources that were closed and have not been told yet.
    private var closed: [EventSource] = []
    /// Sources that are told when the events at hand are dealt with.
    private var turning: [EventSource] = []
    private var nextTick: Int64 = 0
    /// Memory for what a socket is read into, used up before the next event: ciphertext of clients.
    let received = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 64)

    private struct Inbox {
        var jobs: [@Sendable () -> Void] = []
        var isRung = false
    }

    /// Nanoseconds between two calls of the tick.
    private static let tick: Int64 = 100_000_000
    /// Events taken at a time.
    private static let batch = 256

    /// Makes the descriptors; throws where there are none left.
    init() throws(SocketError) {
        epoll = try SocketError.check("epoll_create1", shim_epoll_create())
        bell = try SocketError.check("eventfd", shim_eventfd())
        var event = unsafe epoll_event(events: shim_EPOLLIN, data: epoll_data_t(u64: 0))
        _ = unsafe epoll_ctl(epoll, EPOLL_CTL_ADD, bell, &event)
    }

    deinit {
        unsafe received.deallocate()
        _ = Glibc.close(bell)
        _ = Glibc.close(epoll)
    }

    // MARK: from any thread

    /// Whether the caller is on this loop's thread.
    var isCurrent: Bool { thread.load(ordering: .relaxed) == UInt(pthread_self()) }

    /// Has `job` run on the loop, after what was handed over before. Never waits. After the loop's end nothing runs.
    func execute(_ job: @escaping @Sendable () -> Void) {
        let rings = inbox.withLock { inbox in
            inbox.jobs.append(job)
            defer { inbox.isRung = true }
            return !inbox.isRung
        }
        if rings { _ = eventfd_write(bell, 1) }
    }

    /// Runs `work` on the loop and waits for its result. Not from a loop.
    func wait<Result: Sendable>(for work: @escaping @Sendable () -> Result) -> Result {
        let done = DispatchSemaphore(value: 0)
        let result = Mutex<Result?>(nil)
        execute {
            let value = work()
            result.withLock { $0 = value }
            done.signal()
        }
        done.wait()
        return result.withLock { $0! }
    }

    /// Starts the thread; `tick` is called on it ten times a second.
    func start(name: String, tick: LoopBound<() -> Void>) {
        spawnThread { [self] in
            unsafe shim_name_thread(name)
            thread.store(UInt(pthread_self()), ordering: .relaxed)
            run(tick.value)
            ended.signal()
        }
    }

    /// Ends the loop and waits for its thread.
    func end() {
        execute { [self] in isRunning = false }
        ended.wait()
    }

    // MARK: for the sources

    /// Waits for `events` on the source's descriptor from now on, and keeps the source until it is closed. False: the system can't.
    func add(_ source: EventSource, _ descriptor: CInt, _ events: UInt32) -> Bool {
        let kept = unsafe Unmanaged.passRetained(source)
        var event = unsafe epoll_event(events: events, data: epoll_data_t(ptr: kept.toOpaque()))
        if unsafe epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0 { return true }
        unsafe kept.release()
        return false
    }

    func change(_ source: EventSource, _ descriptor: CInt, _ events: UInt32) {
        var event = unsafe epoll_event(events: events, data: epoll_data_t(ptr: Unmanaged.passUnretained(source).toOpaque()))
        _ = unsafe epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event)
    }

    /// Hears nothing of a descriptor from now on, not even that it is broken, which epoll tells whatever it is asked for.
    func mute(_ descriptor: CInt) {
        var event = unsafe epoll_event()
        _ = unsafe epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, &event)
    }

    /// Hears of a muted descriptor again.
    func unmute(_ source: EventSource, _ descriptor: CInt, _ events: UInt32) {
        var event = unsafe epoll_event(events: events, data: epoll_data_t(ptr: Unmanaged.passUnretained(source).toOpaque()))
        _ = unsafe epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event)
    }

    /// Takes a source whose descriptor lives on under another one.
    func remove(_ source: EventSource, _ descriptor: CInt) {
        var event = unsafe epoll_event()
        _ = unsafe epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, &event)
        closed.append(source)
    }

    /// A source's descriptor was closed: it is told, and let go, when the events at hand are done.
    func bury(_ source: EventSource) { closed.append(source) }

    /// Has `source.turnEnded` called when the events at hand are dealt with: what they brought about goes out together. Once for each call.
    func atTurnEnd(_ source: EventSource) { turning.append(source) }

    // MARK: the loop

    private func run(_ tick: () -> Void) {
        let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: Self.batch)
        defer { unsafe events.deallocate() }
        while isRunning {
            let count = unsafe epoll_wait(epoll, events, CInt(Self.batch), timeout())
            for index in 0..<max(0, Int(count)) {
                let event = unsafe events[index]
                if let pointer = unsafe event.data.ptr {
                    unsafe Unmanaged<EventSource>.fromOpaque(pointer)._withUnsafeGuaranteedRef { unsafe $0.dispatch(event.events) }
                } else {
                    runInbox()
                }
            }
            if Self.now >= nextTick {
                nextTick = Self.now + Self.tick
                tick()
            }
            endTurn()
        }
    }

    /// Each of these can bring about more of both.
    private func endTurn() {
        repeat {
            while let source = turning.popLast() { source.turnEnded() }
            tellClosed()
        } while !turning.isEmpty
    }

    private func runInbox() {
        var value: eventfd_t = 0
        _ = unsafe eventfd_read(bell, &value)
        let jobs = inbox.withLock { inbox in
            inbox.isRung = false
            defer { inbox.jobs = [] }
            return inbox.jobs
        }
        for job in jobs { job() }
    }

    /// A source that is told may close others.
    private func tellClosed() {
        while let source = closed.popLast() {
            source.closed()
            unsafe Unmanaged.passUnretained(source).release()
        }
    }

    private func timeout() -> CInt { CInt(max(0, (nextTick - Self.now + 999_999) / 1_000_000)) }

    /// Nanoseconds of the monotonic clock.
    static var now: Int64 { Int64(NIODeadline.now().uptimeNanoseconds) }
}

/// A value that only its loop's thread touches, so that it can be sent along with work for that loop.
struct LoopBound<Value>: @unchecked Sendable {  // `value` stops the process on any other thread
    let loop: SocketLoop
    private let bound: Value

    init(_ value: Value, _ loop: SocketLoop) {
        bound = value
        self.loop = loop
    }

    var value: Value {
        precondition(loop.isCurrent, "a loop's value on another thread")
        return bound
    }

    /// Runs `work` with the value on its loop. From any thread.
    func execute(_ work: @escaping @Sendable (Value) -> Void) {
        loop.execute { work(value) }
    }
}

/// Runs `body` on a thread of its own.
private func spawnThread(_ body: @escaping @Sendable () -> Void) {
    final class Start: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    let start = unsafe Unmanaged.passRetained(Start(body)).toOpaque()
    let code = unsafe pthread_create(
        &thread, nil,
        { start in
            unsafe Unmanaged<Start>.fromOpaque(start!).takeRetainedValue().body()
            return nil
        }, start)
    precondition(code == 0, "no thread for an event loop")
    pthread_detach(thread)
}
