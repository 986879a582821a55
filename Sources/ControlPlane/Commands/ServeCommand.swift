import Policy

/// `tenantgate serve`: runs the gateway until SIGTERM or SIGINT, then drains. SIGHUP and changed files reload.
package enum ServeCommand {
    /// Blocks until the gateway has ended. `say` gets one line for each listener when it is ready, and everything else worth knowing.
    package static func run(config path: String, say: @escaping @Sendable (String) -> Void) throws(CommandFailure) {
        let signals = ProcessSignals()
        signals.ignoreHangup()
        let (configuration, problems, inputs) = CheckCommand.read(path)
        if !problems.isEmpty { say(CheckReport.problems(problems)) }
        guard let configuration else {
            throw CommandFailure("The file \(path) is refused. Correct what is listed above, then start again.")
        }
        let service: GatewayService
        do throws(StartFailure) {
            service = try GatewayService(configuration, inputs: inputs, say: say)
        } catch {
            throw CommandFailure(error.description)
        }
        for line in service.addresses { say(line) }
        let reloader = Reloader(service, say: say)
        service.reload(by: { reloader.reload(then: $0) })
        signals.onHangup {
            service.reopenLog(say)
            reloader.reload()
        }
        signals.wait()
        signals.exitOnNext()
        let (delay, bound) = service.drainSeconds
        signals.exit(after: delay + bound + Limits.endSeconds) {
            say("stopped by force: what is left, a disk or a reader of the log, did not answer for \(Limits.endSeconds) s")
        }
        reloader.stop()
        let patience = delay > 0 ? "not ready, serving on for \(delay) s; then " : ""
        say("draining: \(patience)no new connections; what is open has \(bound) s to finish")
        say(service.drain() ? "stopped" : "stopped; what did not finish in time was broken off")
    }
}
