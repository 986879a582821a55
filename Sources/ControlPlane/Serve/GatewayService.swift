import Dispatch
import NIOCore
import Policy
import Proxy
import Suspensions
import Synchronization
import TLS
import Tokens

/// The gateway as a process runs it: ledger, loops, listeners and probes, started from a checked file and drained at the end.
package final class GatewayService: Sendable {
    private let configuration: Configuration
    let suspensions: SuspensionAuthority
    private let gateway: Gateway
    private let log: LogWriter?
    private let probes: ProbesListener?
    /// One line for each address that is listened on.
    package let addresses: [String]

    /// Starts everything in order: what can fail for the file's sake first, then the ledger with its list, then the listeners.
    ///
    /// Throws a `StartFailure` that says what to do. Blocks the calling thread; not for an event loop.
    package init(_ configuration: Configuration) throws(StartFailure) {
        self.configuration = configuration
        let contexts = try Self.contexts(configuration)
        log = try Self.log(configuration)
        let relay = BlockRelay()
        suspensions = try Self.suspensions(configuration, relay)
        do {
            let snapshot = try Snapshot(configuration.fitted(to: OpenFiles.raise()), suspensions: suspensions)
            let gateway = try Gateway(snapshot: snapshot, log: log, threads: configuration.threads ?? System.coreCount)
            relay.attach(gateway)
            self.gateway = gateway
        } catch {
            throw StartFailure("The gateway can't be started: \(error).")
        }
        let gateway = gateway
        var addresses: [String] = []
        for (listener, context) in zip(configuration.listeners, contexts) {
            let bound = try Self.bind(listener.address) { try gateway.listen($0, tls: context) }
            addresses.append("listening on \(bound) (\(context == nil ? "plain HTTP" : "TLS"))")
        }
        var probes: ProbesListener?
        if let address = configuration.probes {
            let bound = try Self.bind(address) {
                probes = try ProbesListener($0)
                return probes?.address
            }
            addresses.append("probes on \(bound)")
        }
        self.probes = probes
        self.addresses = addresses
    }

    /// Ends in order: no new connections, open work and suspend calls finish within the file's bound, then everything closes.
    /// True if nothing had to be broken off.
    package func drain() -> Bool {
        let bound = TimeAmount.milliseconds(configuration.timeouts.drainMilliseconds)
        let isDone = gateway.drain(within: bound)
        let isSettled = drainSuspensions()
        probes?.close()
        log?.finish()
        return isDone && isSettled
    }

    /// Waits for the calls that are still open, then closes the ledger.
    private func drainSuspensions() -> Bool {
        let left = Mutex(0)
        let done = DispatchSemaphore(value: 0)
        suspensions.drain(patience: .seconds(5)) { open in
            left.withLock { $0 = open }
            done.signal()
        }
        done.wait()
        suspensions.close()
        return left.withLock { $0 } == 0
    }
}

/// Why the gateway didn't start, and what to do about it.
package struct StartFailure: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

extension GatewayService {
    private static func contexts(_ configuration: Configuration) throws(StartFailure) -> [TLSContext?] {
        var contexts: [TLSContext?] = []
        for listener in configuration.listeners {
            guard let tls = listener.tls else {
                contexts.append(nil)
                continue
            }
            let certificates = tls.certificates.map { TLSServerConfiguration.Certificate(chain: $0.chain, key: $0.key) }
            do {
                contexts.append(
                    try TLSContext(
                        server: TLSServerConfiguration(certificates: certificates, minimum: tls.minimum == .tls13 ? .v1_3 : .v1_2)))
            } catch {
                throw StartFailure("Listener \(listener.address.text): \(error)")
            }
        }
        return contexts
    }

    private static func log(_ configuration: Configuration) throws(StartFailure) -> LogWriter? {
        do {
            return switch configuration.log.destination {
            case .off: nil
            case .standardOutput: try LogWriter(path: nil)
            case .file(let path): try LogWriter(path: path)
            }
        } catch {
            throw StartFailure("The access log can't be opened: \(error.reason). Check the path and that this user may write there.")
        }
    }

    private static func suspensions(_ configuration: Configuration, _ relay: BlockRelay) throws(StartFailure) -> SuspensionAuthority {
        let directories = configuration.directories.map {
            LedgerDirectory(name: $0.name, idFormat: $0.dialect.idFormat, tenantFormat: $0.dialect.tenantFormat)
        }
        do throws(LedgerError) {
            return try SuspensionAuthority(
                store: try SQLiteLedger(path: configuration.ledger, directories: directories) { Tokens.Digest.sha256($0.span) },
                reaches: configuration.directories.map(\.dialect.reach), openPerCaller: configuration.limits.openSuspendCalls,
                perMinute: configuration.limits.suspendCallsPerMinute, onBlock: { relay.tell($0) })
        } catch {
            throw StartFailure(error.description)
        }
    }

    /// Binds one address of the file. Returns the bound one as text: port 0 lets the system choose.
    private static func bind(_ address: ListenAddress, _ listen: (SocketAddress) throws -> SocketAddress?) throws(StartFailure) -> String {
        do {
            let bound = try listen(try SocketAddress(ipAddress: address.host, port: address.port))
            return ListenAddress(host: address.host, port: bound?.port ?? address.port, isIPv6: address.isIPv6).text
        } catch {
            throw StartFailure("\(address.text) can't be listened on: \(error). Is it this machine's, and free?")
        }
    }
}

extension Configuration {
    /// The same with no more client connections than there are descriptors for.
    fileprivate func fitted(to descriptors: Int) -> Configuration {
        var fitted = self
        fitted.limits.connections = min(limits.connections, OpenFiles.clients(of: descriptors))
        return fitted
    }
}

/// Passes on who was blocked to the gateway, which is made after the authority that says so.
private final class BlockRelay: Sendable {
    private let gateway = Mutex<Gateway?>(nil)

    func attach(_ gateway: Gateway) {
        self.gateway.withLock { $0 = gateway }
    }

    func tell(_ blocked: [Subject]) {
        gateway.withLock { $0 }?.cut(blocked)
    }
}
