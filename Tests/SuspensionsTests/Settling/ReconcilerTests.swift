import Foundation
import Policy
import Synchronization
import Testing

@testable import Suspensions

/// Whole runs over the real ledger, against a service that is told what to say.
@Suite("a reconcile run")
struct ReconcilerTests {
    /// A service with one list, or none.
    private final class Service: UserSource {
        struct Word {
            /// Whom the list and a read of one user show, by name.
            var list: [String: UserState]?
            var reads: [String: UserState] = [:]
            var read: [String] = []
            /// Pages that were asked for.
            var pages = 0
            /// Something that happens while a page is asked for.
            var meanwhile: (@Sendable () -> Void)?
        }

        let word: Mutex<Word>

        init(list: [String: UserState]?, reads: [String: UserState] = [:]) { word = Mutex(Word(list: list, reads: reads)) }

        func read(_ subject: Subject, then: @escaping @Sendable (ReadOutcome) -> Void) {
            let name = String(decoding: subject.user.id.canonical, as: UTF8.self)
            let state = word.withLock { word in
                word.read.append(name)
                return word.reads[name]
            }
            then(state.map { .state($0) } ?? .absent)
        }

        func lists(of directory: DirectoryIndex) -> [UserList] {
            guard word.withLock({ $0.list != nil }) else { return [] }
            return [UserList(directory: directory, tenant: nil, credential: 0, hasPages: false)]
        }

        func page(_ number: Int, of list: UserList, then: @escaping @Sendable (Result<ListLesson, ReadFailure>) -> Void) {
            word.withLock { word -> (@Sendable () -> Void)? in
                word.pages += 1
                return word.meanwhile
            }?()
            let users = word.withLock { $0.list } ?? [:]
            then(.success(ListLesson(lessons: users.map { .teaches(named($0.key), $0.value) }, hasMore: nil)))
        }
    }

    /// Seconds that pass when the test says so.
    private final class Clock: Sendable {
        let time = Atomic<Int64>(1000)
        var surroundings: AuthoritySurroundings {
            var surroundings = AuthoritySurroundings.live()
            surroundings.steady = { [self] in time.load(ordering: .relaxed) * 1_000_000_000 }
            surroundings.wall = { [self] in time.load(ordering: .relaxed) * 1000 }
            return surroundings
        }

        func pass(_ seconds: Int64) { time.add(seconds, ordering: .relaxed) }
    }

    private let folder = try! LedgerFolder()
    private let clock = Clock()

    private func authority() throws -> SuspensionAuthority {
        try SuspensionAuthority(store: folder.open(), reaches: [.tenant, .directory], surroundings: clock.surroundings) { _ in }
    }

    /// Fills the ledger past everything.
    private func write(_ changes: [LedgerChange]) throws {
        let ledger = try folder.open()
        for start in stride(from: 0, to: changes.count, by: 1000) {
            try ledger.commit(Array(changes[start..<min(start + 1000, changes.count)]))
        }
        ledger.close()
    }

    private func run(_ authority: SuspensionAuthority, _ service: Service, apply: Bool = false) async -> ReconcileReport {
        let reconciler = Reconciler(authority, source: service)
        return await withCheckedContinuation { done in
            Thread.detachNewThread { done.resume(returning: reconciler.run(1, apply: apply)) }
        }
    }

    @Test("however many the list calls active, each is read before being lifted, and stays blocked if that shows otherwise")
    func laggingList() async throws {
        try write((0..<150).map { outcome(person($0), .state(.suspended), learned: .reconcile, at: 0) })
        let names = (0..<15_000).map { "person-\($0)" }
        let reads = Dictionary(uniqueKeysWithValues: (0..<150).map { ("person-\($0)", $0 < 3 ? UserState.active : .suspended) })
        let service = Service(list: Dictionary(uniqueKeysWithValues: names.map { ($0, .active) }), reads: reads)
        let authority = try authority()
        let report = await run(authority, service)
        #expect(report.ending == .done && report.users == 15_000 && report.lifted == 3 && report.blocked == 0 && report.left == 0)
        #expect((0..<150).filter { !authority.index.stands(.upstream, for: person($0)) } == [0, 1, 2])
        #expect(service.word.withLock { Set($0.read) } == Set(reads.keys), "nobody else is read")
        authority.close()
    }

    @Test("a run that would lift more than it may asks before it reads anybody; told to go on, it reads each")
    func asks() async throws {
        try write((0..<101).map { outcome(person($0), .state(.suspended), learned: .reconcile, at: 0) })
        let list = Dictionary(uniqueKeysWithValues: (0..<500).map { ("person-\($0)", UserState.active) })
        let service = Service(list: list, reads: list.merging(["person-7": .suspended]) { $1 })
        let authority = try authority()
        #expect(await run(authority, service).ending == .asks(toBlock: 0, toLift: 101))
        #expect(service.word.withLock { $0.read.isEmpty })
        let report = await run(authority, service, apply: true)
        #expect(report.ending == .done && report.lifted == 100)
        #expect(authority.index.stands(.upstream, for: person(7)))
        authority.close()
    }

    @Test("within a minute of a call for them users are lifted by no run, whatever list and reads say; a restart changes nothing of that")
    func justCalled() async throws {
        let service = Service(list: ["anna": .active, "person-1": .active], reads: ["anna": .active, "person-1": .active])
        try write([outcome(person(1), .state(.suspended), learned: .passive, at: 999_000)])
        var authority = try authority()
        let call = IntentCall(subject: anna, wanted: .suspended, caller: Caller("admin"), requestID: [])
        let ticket = await withCheckedContinuation { done in authority.begin(call) { done.resume(returning: $0) } }
        guard case .proceed(let ticket) = ticket else { throw LedgerError.diskFull }
        let conclusion = await withCheckedContinuation { done in authority.finish(ticket, .confirmed) { done.resume(returning: $0) } }
        #expect(conclusion == .settled)
        clock.pass(59)
        var report = await run(authority, service)
        #expect(report.lifted == 1 && report.left == 1, "who was only seen has no call to wait for")
        #expect(authority.index.stands(.upstream, for: anna))
        authority.close()
        authority = try self.authority()
        report = await run(authority, service)
        #expect(report.lifted == 0 && report.left == 1 && authority.index.stands(.upstream, for: anna))
        clock.pass(1)
        report = await run(authority, service)
        #expect(report.lifted == 1 && report.left == 0 && !authority.index.stands(.upstream, for: anna))
        authority.close()
    }

    @Test(
        "a run whose gateway gives the ledger away ends: nobody is read singly for that, and none begins; when it has it again, all is put right"
    )
    func givenAway() async throws {
        let list = Dictionary(uniqueKeysWithValues: (0..<1000).map { ("person-\($0)", UserState.suspended) })
        let service = Service(list: list, reads: list)
        let authority = try authority()
        service.word.withLock { word in
            word.meanwhile = { #expect(awaited { authority.pause(patience: .seconds(60), then: $0) }) }
        }
        let ended = await run(authority, service)
        guard case .stopped = ended.ending else { throw LedgerError.readFailed(ended.words) }
        #expect(ended.blocked == 0 && ended.words.hasPrefix("stopped, nothing is changed: the ledger takes nothing now"))
        #expect(service.word.withLock { $0.read.isEmpty && $0.pages == 1 })
        let next = await run(authority, service)
        guard case .stopped = next.ending else { throw LedgerError.readFailed(next.words) }
        #expect(service.word.withLock { $0.read.isEmpty && $0.pages == 1 }, "the service isn't asked")
        authority.goOn()
        await authority.settled()
        service.word.withLock { $0.meanwhile = nil }
        let report = await run(authority, service)
        #expect(report.ending == .done && report.blocked == 1000)
        authority.close()
    }

    @Test("findings for which the ledger has no room are refused, not taken for users to whom something has happened")
    func noRoom() {
        var machine = CallMachine(bounds: CallerAllowances.Bounds(open: 4, perMinute: 300), unconfirmed: [], standing: { _ in false })
        machine.writesOpen = Limits.ledgerBacklog
        let findings = (0..<5).map { Finding(subject: person($0), state: .suspended, mark: machine.touches.mark) }
        let actions = machine.handle(.found(1, findings), at: Moment(steady: 0, wall: 0))
        guard case .applied(1, let batch)? = actions.first else { return #expect(Bool(false), "\(actions)") }
        #expect(batch.refused == 5 && batch.overtaken.isEmpty)
    }

    @Test("what was put right before a run was stopped is told")
    func stoppedLater() {
        var report = ReconcileReport(directory: 0, startedAt: 0)
        (report.ending, report.blocked) = (.stopped("the disk is full"), 256)
        #expect(report.words == "stopped, 256 blocked, 0 lifted before: the disk is full")
    }

    @Test("without a list everybody whom the service's word blocks is read, of this directory alone, however many pages they are")
    func withoutList() async throws {
        let count = Limits.ledgerScan * 2 + 5
        var changes = (0..<count).map { outcome(person($0), .state(.suspended), learned: .reconcile, at: 0) }
        changes += [outcome(uuidUser, .state(.suspended)), outcome(bob, .state(.suspended), source: .operator)]
        changes += (0..<50).map { outcome(person($0), .state(.suspended), source: .operator) }
        try write(changes)
        let reads = Dictionary(uniqueKeysWithValues: (0..<count).map { ("person-\($0)", $0 < 2 ? UserState.active : .suspended) })
        let service = Service(list: nil, reads: reads)
        let authority = try authority()
        let report = await run(authority, service)
        #expect(report.ending == .done && report.users == count && report.lifted == 2)
        #expect(service.word.withLock { $0.read.count } == count)
        #expect(service.word.withLock { Set($0.read) } == Set(reads.keys))
        let few = await withCheckedContinuation { done in authority.blocked(in: 1, limit: count - 3) { done.resume(returning: $0?.count) } }
        let all = await withCheckedContinuation { done in authority.blocked(in: 1, limit: count - 2) { done.resume(returning: $0?.count) } }
        #expect(few == nil && all == count - 2)
        authority.close()
    }
}
