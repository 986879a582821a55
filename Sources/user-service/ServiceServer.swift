import Glibc
import NIOCore
import NIOPosix

/// Accepts connections, and runs the API's calls on threads of their own: the database blocks, event loops don't.
struct ServiceServer {
    let api: any UserAPI
    let faults: FaultPlan?

    /// Starts to listen, and goes on until the returned channel is closed.
    func start(on address: SocketAddress) throws -> any Channel {
        let threads = NIOThreadPool(numberOfThreads: 4)
        threads.start()
        let service = CallRunner(api: api, faults: faults, threads: threads)
        return try ServerBootstrap(group: MultiThreadedEventLoopGroup(numberOfThreads: 2))
            .serverChannelOption(.backlog, value: 512)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ServiceConnection(service))
                }
            }
            .bind(to: address).wait()
    }
}

/// Turns a whole request into the script of its answer.
struct CallRunner: Sendable {
    let api: any UserAPI
    let faults: FaultPlan?
    let threads: NIOThreadPool

    /// The fault that strikes the request of which the head has come; nil in the good case.
    func fault(for head: ServiceRequest) -> Fault? {
        FaultPlan.isControl(head) ? nil : faults?.strike(head)
    }

    /// What to do on the wire. Completes on `loop`.
    func script(for request: ServiceRequest, fault: Fault?, on loop: any EventLoop) -> EventLoopFuture<AnswerScript> {
        if let faults, FaultPlan.isControl(request) {
            return loop.makeSucceededFuture(AnswerScript(faults.control(request), to: request))
        }
        if let faults, let fault, fault.kind == .hold, !fault.commits {
            return faults.hold(on: loop).flatMap { run(request, fault: nil, on: loop) }
        }
        return run(request, fault: fault, on: loop)
    }

    private func run(_ request: ServiceRequest, fault: Fault?, on loop: any EventLoop) -> EventLoopFuture<AnswerScript> {
        threads.runIfActive(eventLoop: loop) {
            guard let fault else { return AnswerScript(api.answer(to: request), to: request) }
            var request = request
            if fault.kind == .firstPage { request.query["page"] = "1" }
            let answer = api.answer(to: fault.commits ? request : request.readingInstead)
            guard fault.kind == .status else { return AnswerScript(answer, to: request, spoiledBy: fault) }
            let error = ServiceError(status: fault.status, code: .internalError, message: "This is a drill.")
            return AnswerScript(api.refusal(error), to: request)
        }
    }
}

extension ServiceRequest {
    /// The call that reads the user whom this one would change.
    fileprivate var readingInstead: ServiceRequest {
        guard isSuspendCall else { return self }
        var reading = self
        reading.method = "GET"
        reading.path.removeLast()
        return reading
    }
}

/// Standard output is a pipe where a test or the demo waits for the line.
func flushOutput() { fflush(nil) }
