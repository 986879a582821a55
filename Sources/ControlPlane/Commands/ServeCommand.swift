/// `tenantgate serve`: runs the gateway until SIGTERM or SIGINT, then drains.
package enum ServeCommand {
    /// Blocks until the gateway has ended. `say` gets one line for each listener when it is ready, and everything else worth knowing.
    package static func run(config path: String, say: (String) -> Void) throws(CommandFailure) {
        let signals = ProcessSignals()
        let (configuration, problems) = CheckCommand.read(path)
        if !problems.isEmpty { say(CheckReport.problems(problems)) }
        guard let configuration else {
            throw CommandFailure("The file \(path) is refused. Correct what is listed above, then start again.")
        }
        let service: GatewayService
        do throws(StartFailure) { service = try GatewayService(configuration) } catch { throw CommandFailure(error.description) }
        for line in service.addresses { say(line) }
        signals.wait()
        signals.exitOnNext()
        say("draining: no new connections; what is open has \(configuration.timeouts.drainMilliseconds / 1000) s to finish")
        say(service.drain() ? "stopped" : "stopped; what did not finish in time was broken off")
    }
}
