import NIOCore
import Synchronization

/// The faults that tests have armed, and the calls that wait to be released. Shared by all connections.
final class FaultPlan: Sendable {
    private struct State {
        var armed: [Fault] = []
        var struck: [Fault.Kind: Int] = [:]
        var held: [EventLoopPromise<Void>] = []
    }

    private let state = Mutex(State())

    /// The fault that strikes this call, if one is armed; counts it.
    func strike(_ request: ServiceRequest) -> Fault? {
        state.withLock { state in
            guard let index = state.armed.firstIndex(where: { $0.strikes(request) }) else { return nil }
            let fault = state.armed[index]
            state.armed[index].times -= 1
            if state.armed[index].times <= 0 { state.armed.remove(at: index) }
            state.struck[fault.kind, default: 0] += 1
            return fault
        }
    }

    /// Completes on `loop` when a test releases what is held.
    func hold(on loop: any EventLoop) -> EventLoopFuture<Void> {
        let promise = loop.makePromise(of: Void.self)
        state.withLock { $0.held.append(promise) }
        return promise.futureResult
    }

    func release() {
        let held = state.withLock { state in
            defer { state.held = [] }
            return state.held
        }
        for promise in held { promise.succeed() }
    }

    /// Whether the request is for the control path, which is the tests' alone.
    static func isControl(_ request: ServiceRequest) -> Bool { request.path.first == "__fault" }

    /// `POST /__fault` arms, `GET` tells, `DELETE` disarms and releases, `POST /__fault/release` releases.
    func control(_ request: ServiceRequest) -> ServiceAnswer {
        do {
            switch (request.method, request.path.dropFirst().first) {
            case ("POST", nil):
                let fault = try Fault(request.body)
                state.withLock { $0.armed.append(fault) }
            case ("POST", "release"): release()
            case ("DELETE", nil):
                state.withLock { $0.armed = [] }
                release()
            case ("GET", nil): break
            default: return ServiceAnswer(404, nil)
            }
            return ServiceAnswer(200, report)
        } catch {
            return ServiceAnswer(400, .object([("message", .string("\(error)"))]))
        }
    }

    private var report: JSONText {
        state.withLock { state in
            let struck = state.struck.sorted { $0.key.rawValue < $1.key.rawValue }
            return .object([
                ("armed", .integer(state.armed.count)),
                ("held", .integer(state.held.count)),
                ("struck", .object(struck.map { ($0.key.rawValue, .integer($0.value)) })),
            ])
        }
    }
}
