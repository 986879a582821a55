import Policy
import Proxy
import TLS
import Tokens

extension GatewayService {
    /// Reads the file anew with everything that it names, and puts it in force whole or not at all. Blocks; one at a time.
    ///
    /// No connection is dropped: what is in progress goes on by the rules that it was admitted by.
    package func reload() -> ReloadOutcome {
        if let outcome = reload(awaitingKeys: true) { return outcome }
        // Nobody has to wait for the lock meanwhile; the file is read again, since it may be another one then.
        keys.waitForFirst(milliseconds: Limits.keysAtStartMilliseconds)
        return reload(awaitingKeys: false) ?? .over
    }

    /// The file is read before anything is locked: one that can't be read to its end, a pipe say, must not keep the gateway from ending.
    /// Nil where `awaitingKeys`, and the file names keys to be fetched that nobody has tried to fetch yet: that has begun.
    private func reload(awaitingKeys: Bool) -> ReloadOutcome? {
        let path = running.withLock { $0.configuration.path }
        let (read, problems, inputs) = CheckCommand.read(path)
        return running.withLock { running in
            guard !running.isOver else { return .over }
            var isAwaiting = false
            // Files of authorities are read anew, and what is no longer needed is fetched no more.
            defer { if !isAwaiting { keys.change(to: running.origins) } }
            running.lastRead = inputs
            guard let read else { return .refused(file: path, problems: problems) }
            let changes = ConfigurationChanges.names(from: (running.configuration, running.inputs), to: (read, inputs))
            guard !changes.isEmpty else { return .unchanged(file: path) }
            let fixed = RestartKeys.problems(from: running.configuration, to: read)
            guard fixed.isEmpty else { return .refused(file: path, problems: problems + fixed) }
            if awaitingKeys, !hasKeys(of: read, beside: running.origins) {
                isAwaiting = true
                return nil
            }
            do throws(Problem) {
                let opened = try replace(&running, by: read.numbered(as: running.configuration), inputs)
                return .done(file: path, changes: changes, opened: opened, warnings: problems)
            } catch {
                return .refused(file: path, problems: problems + [error])
            }
        }
    }

    /// Begins to fetch what is missing, while the keys in force stay so. Whether there is nothing to wait for.
    private func hasKeys(of next: Configuration, beside current: [KeyOrigin]) -> Bool {
        let known = Set(current)
        let added = next.fetchedKeys.map(\.origin).filter { !known.contains($0) }
        guard !added.isEmpty else { return true }
        keys.change(to: current + added)
        return keys.hasTriedAll
    }

    /// Seconds, rounded up, at the end for which it serves on without being ready, and that open work has after that.
    package var drainSeconds: (delay: Int64, bound: Int64) {
        let timeouts = shown.withLock { $0.timeouts }
        return ((timeouts.drainDelayMilliseconds + 999) / 1000, (timeouts.drainMilliseconds + 999) / 1000)
    }

    /// What the file in force was read from, and what the last one was that was looked at.
    package var inputs: (inForce: InputFiles, lastRead: InputFiles) { running.withLock { ($0.inputs, $0.lastRead) } }

    /// Returns the listeners that were opened, for people.
    private func replace(_ running: inout Running, by new: Configuration, _ inputs: InputFiles) throws(Problem) -> [String] {
        let keepsAuthority = new.judgesTokens(as: running.configuration, inputs, running.inputs)
        let snapshot: Snapshot
        do {
            let authority =
                try keepsAuthority
                ? running.authority
                : TokenAuthority(blocks: new.credentials, tokenLimit: new.limits.token, after: running.authority)
            snapshot = try Snapshot(
                new.fitted(to: OpenFiles.raise()), suspensions: suspensions, authority: authority, rates: running.rates,
                fleet: fleet)
        } catch {
            throw Problem(at: Place(file: new.path, line: 1, column: 1), "the file can't be used: \(error)", fix: "run `tenantgate check`")
        }
        let plan = try ListenerPlan(from: running.listeners, to: new.listeners, of: gateway, file: new)
        do {
            if let settings = new.admin { try admin?.take(settings) }
        } catch {
            plan.giveUp()
            throw Problem(
                at: new.traces["admin"]?.place ?? Place(file: new.path, line: 1, column: 1), "the admin listener can't be served: \(error)",
                fix: (error as? TLSConfigurationError)?.remedy ?? "let the gateway's user own the socket's file")
        }
        gateway.take(snapshot, plan.changes)
        running.configuration = new
        shown.withLock { $0 = Shown(new, plan.served, admin: admin) }
        running.inputs = inputs
        running.authority = snapshot.authority
        running.rates = snapshot.rates
        running.listeners = plan.served
        readUsers(new, snapshot)
        return plan.opened
    }
}

extension GatewayService.Running {
    fileprivate var origins: [KeyOrigin] { configuration.fetchedKeys.map(\.origin) }
}
