import Policy
import Proxy
import Suspensions
import Synchronization

/// Reads users at their services with the file's service tokens: what settles unknown outcomes and finds what has drifted.
///
/// Asks the upstream's own servers as the file says how to reach them, over a fetch client of its own (one thread, made when it is first
/// needed), so that no request and no key set waits for it. Tokens are in no line that it says.
final class ServiceReads: UserSource {
    private struct State {
        var desks: [DirectoryIndex: ServiceDesk] = [:]
        var names: [String] = []
        var client: FetchClient?
        /// Counts what was asked: servers take turns by it.
        var turn = 0
        /// Who waits for an answer, by that count.
        var waiting: [Int: Completion] = [:]
        /// Directories that can't be read from, as was said.
        var failing: Set<DirectoryIndex> = []
        var isOver = false
    }

    typealias Completion = @Sendable (Result<ServiceAnswer, FetchFailure>) -> Void

    private let state = Mutex(State())
    /// Told of whom a search shows as suspended.
    let authority: SuspensionAuthority
    /// Every user that is read tells his aliases, too.
    var aliases: AliasBook { authority.aliases }
    private let say: @Sendable (String) -> Void
    /// How upstreams and their servers stand.
    private let figures: @Sendable () -> [BoardFigures]

    init(_ authority: SuspensionAuthority, say: @escaping @Sendable (String) -> Void, figures: @escaping @Sendable () -> [BoardFigures]) {
        self.authority = authority
        self.say = say
        self.figures = figures
    }

    /// Reads as the file says from now on. True if there is anybody to read.
    func follow(_ configuration: Configuration, _ upstreams: [Upstream]) -> Bool {
        var desks: [DirectoryIndex: ServiceDesk] = [:]
        for directory in configuration.directories.indices { desks[directory] = ServiceDesk(directory, of: configuration, upstreams) }
        let made = desks
        return state.withLock { state in
            state.desks = made
            state.names = configuration.directories.map(\.name)
            if !made.isEmpty, state.client == nil, !state.isOver { state.client = try? FetchClient() }
            return !made.isEmpty
        }
    }

    /// Ends reading. What is under way, and whatever is asked afterwards, is answered by a failure.
    func end() {
        let (client, waiting) = state.withLock { state in
            state.isOver = true
            defer { (state.client, state.waiting) = (nil, [:]) }
            return (state.client, state.waiting.values)
        }
        client?.end()
        for completion in waiting { completion(.failure(Self.over)) }
    }

    private static let over = FetchFailure(.connect, "the gateway ends")

    // MARK: UserSource

    func read(_ subject: Subject, then: @escaping @Sendable (ReadOutcome) -> Void) { read(subject, timeout: .max, then: then) }

    /// `timeout` in milliseconds, where the upstream's own is longer.
    func read(_ subject: Subject, timeout: Int64, then: @escaping @Sendable (ReadOutcome) -> Void) {
        guard let desk = desk(subject.directory) else { return then(.impossible) }
        let credentials = desk.credentials(for: subject)
        guard !credentials.isEmpty else { return then(.impossible) }
        read(subject, desk, credentials[...], timeout, then: then)
    }

    func lists(of directory: DirectoryIndex) -> [UserList] { desk(directory)?.lists ?? [] }

    func page(_ number: Int, of list: UserList, then: @escaping @Sendable (Result<ListLesson, ReadFailure>) -> Void) {
        guard let desk = desk(list.directory), let reader = desk.listReader, let request = desk.request(forPage: number, of: list) else {
            return then(.failure(ReadFailure("the file doesn't say any more how")))
        }
        let asked = ContinuousClock.now
        ask(desk, request) { [aliases] result in
            switch result {
            case .failure(let failure): then(.failure(ReadFailure("\(failure)")))
            case .success(let answer):
                aliases.learn(from: answer, by: desk.listAliases, about: nil, desk, list.tenant, since: asked)
                guard answer.status == 200 else { return then(.failure(ReadFailure("status \(answer.status)"))) }
                do throws(Silence) { then(.success(try reader.list(from: answer))) } catch { then(.failure(ReadFailure(error.words))) }
            }
        }
    }

    // MARK: asking

    /// By the first credential; where it doesn't know the user, by the next.
    private func read(
        _ subject: Subject, _ desk: ServiceDesk, _ credentials: ArraySlice<Int>, _ timeout: Int64,
        then: @escaping @Sendable (ReadOutcome) -> Void
    ) {
        guard let credential = credentials.first, let request = desk.request(for: subject, by: credential) else {
            return then(.useless("the user's id can't stand in a path"))
        }
        let asked = ContinuousClock.now
        ask(desk, request, timeout: timeout) { [self] result in
            if case .success(let answer) = result {
                aliases.learn(from: answer, by: desk.aliases, about: subject.user, desk, subject.tenant, since: asked)
            }
            let outcome = Self.outcome(result, desk, subject)
            note(outcome, subject.directory)
            guard outcome == .absent, credentials.count > 1 else { return then(outcome) }
            read(subject, desk, credentials.dropFirst(), timeout, then: then)
        }
    }

    func ask(_ desk: ServiceDesk, _ request: ServiceDesk.Request, timeout: Int64 = .max, then: @escaping Completion) {
        let upstream = desk.upstream
        let board = figures().first { $0.upstream == upstream.name }
        guard board?.isCircuitOpen != true else { return then(.failure(FetchFailure(.timeout, "the upstream's circuit breaker is open"))) }
        let isWell = upstream.servers.indices.map { index in
            guard let board, index < board.servers.count else { return true }
            return board.servers[index].isServing
        }
        let (client, turn, isOver) = state.withLock { state in
            state.turn += 1
            if state.client != nil { state.waiting[state.turn] = then }
            return (state.client, state.turn, state.isOver)
        }
        guard let client else {
            return then(.failure(isOver ? Self.over : FetchFailure(.connect, "no descriptor is left to read with")))
        }
        let well = upstream.servers.indices.filter { isWell[$0] }
        let choice = well.isEmpty ? Array(upstream.servers.indices) : well
        client.ask(
            upstream.servers[choice[turn % choice.count]], of: upstream, target: request.target, fields: request.fields,
            timeout: min(timeout, desk.timeout), limit: Limits.serviceAnswer
        ) { [self] result in
            let then = state.withLock { $0.waiting.removeValue(forKey: turn) }
            then?(
                result.map { answer in
                    ServiceAnswer(
                        status: answer.status, contentType: answer.contentType, contentEncoding: answer.contentEncoding, body: answer.body)
                })
        }
    }

    /// What an answer says of the user, or of the service.
    private static func outcome(_ result: Result<ServiceAnswer, FetchFailure>, _ desk: ServiceDesk, _ subject: Subject) -> ReadOutcome {
        switch result {
        case .failure(let failure): return failure.cause == .tooLarge ? .useless("\(failure)") : .sick("\(failure)")
        case .success(let answer):
            switch answer.status {
            case 404, 410: return .absent
            case 408, 425, 429, 500...: return .sick("status \(answer.status)")
            default: break
            }
            switch desk.reader.lesson(from: answer, about: subject.user) {
            case .teaches(_, let state): return .state(state)
            case .teachesNothing(.status(let status)): return .useless("status \(status)")
            case .teachesNothing(let silence): return .useless(silence.words)
            }
        }
    }

    func desk(_ directory: DirectoryIndex) -> ServiceDesk? { state.withLock { $0.desks[directory] } }

    /// Says once that a directory's users can't be read, and once that they can be again.
    private func note(_ outcome: ReadOutcome, _ directory: DirectoryIndex) {
        let (problem, isGood): (String?, Bool) =
            switch outcome {
            case .sick(let reason), .useless(let reason): (reason, false)
            case .state: (nil, true)
            case .absent, .impossible: (nil, false)
            }
        let (name, isNews) = state.withLock { state -> (String, Bool) in
            guard !state.isOver else { return ("", false) }
            let name = directory < state.names.count ? state.names[directory] : ""
            if problem != nil { return (name, state.failing.insert(directory).inserted) }
            return (name, isGood && state.failing.remove(directory) != nil)
        }
        guard isNews else { return }
        say(problem.map { "users of \(name) can't be read: \($0)" } ?? "users of \(name) can be read again")
    }
}
