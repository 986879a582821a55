import Policy
import Proxy

/// `tenantgate serve`: runs the gateway until SIGTERM or SIGINT, then drains. SIGHUP and changed files reload.
package enum ServeCommand {
    /// Blocks until the gateway has ended. `say` gets one line for each listener when it is ready, and everything else worth knowing.
    ///
    /// `takesOver`: from the gateway that runs on the file's ledger, if one does. `arguments` are the process' own, with which its successor is
    /// started on SIGUSR2.
    package static func run(
        config path: String, takesOver: Bool = false, arguments: [String] = [], say: @escaping @Sendable (String) -> Void
    ) throws(CommandFailure) {
        let signals = ProcessSignals()
        signals.ignoreOthers()
        let (configuration, problems, inputs) = CheckCommand.read(path)
        if !problems.isEmpty { say(CheckReport.problems(problems)) }
        guard let configuration else {
            throw CommandFailure("The file \(path) is refused. Correct what is listed above, then start again.")
        }
        let service: GatewayService
        do throws(StartFailure) {
            let takeOver = takesOver ? try TakeOver.begin(configuration, say: say) : nil
            service = try GatewayService(configuration, inputs: inputs, takingOver: takeOver, say: say)
            takeOver?.serve()
        } catch {
            throw CommandFailure(error.description)
        }
        let reloader = Reloader(service, say: say)
        service.reload(by: { reloader.reload(then: $0) })
        let door = UpgradeDoor(service, say: say, onHandedOver: signals.end)
        signals.onHangup {
            service.reopenLog(say)
            reloader.reload()
        }
        signals.onUpgrade {
            if service.fleet == nil { NextProcess.start(arguments, say: say) } else { say("upgrade: \(FleetObjection.text)") }
        }
        // Last: whoever reads these lines may send signals.
        for line in service.addresses { say(line) }
        SystemdNotice.serving()
        signals.wait()
        signals.exitOnNext()
        reloader.stop()
        if let door, door.isHandedOver { return try follow(service, door, say) }
        door?.close()
        drain(service, signals, say)
    }

    private static func drain(_ service: GatewayService, _ signals: ProcessSignals, _ say: @escaping @Sendable (String) -> Void) {
        let (delay, bound) = service.drainSeconds
        signals.exit(after: delay + bound + Limits.endSeconds) {
            say("stopped by force: what is left, a disk or a reader of the log, did not answer for \(Limits.endSeconds) s")
        }
        let patience = delay > 0 ? "not ready, serving on for \(delay) s; then " : ""
        say("draining: \(patience)no new connections; what is open has \(bound) s to finish")
        say(service.drain() ? "stopped" : "stopped; what did not finish in time was broken off")
    }

    /// Another process serves: this one ends with its last connection.
    private static func follow(_ service: GatewayService, _ door: UpgradeDoor, _ say: (String) -> Void) throws(CommandFailure) {
        if let failure = door.failure { throw CommandFailure("The ledger was given up for an upgrade and can't be had again. \(failure)") }
        say("upgraded: what is open here ends with its next answer, and has \(Limits.upgradedSeconds) s to finish")
        say(service.drainFollowing { door.isCut } ? "stopped" : "stopped; what did not finish in time was broken off")
    }
}
