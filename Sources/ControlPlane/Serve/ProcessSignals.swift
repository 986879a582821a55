import Dispatch

#if canImport(Glibc)
    import Glibc
#endif

/// SIGTERM and SIGINT, taken from the process and waited for.
package final class ProcessSignals {
    private let arrived = DispatchSemaphore(value: 0)
    private let sources: [any DispatchSourceSignal]

    /// From now on neither ends the process by itself; SIGPIPE is ignored, since closed sockets report themselves.
    package init() {
        signal(SIGPIPE, SIG_IGN)
        sources = [SIGTERM, SIGINT].map { number in
            signal(number, SIG_IGN)
            return DispatchSource.makeSignalSource(signal: number, queue: .global())
        }
        for source in sources {
            source.setEventHandler { [arrived] in arrived.signal() }
            source.resume()
        }
    }

    /// Blocks the calling thread until one comes.
    package func wait() { arrived.wait() }

    /// Ends the process at once when another one comes: who asks twice doesn't want to wait.
    package func exitOnNext() {
        let arrived = arrived
        DispatchQueue.global().async {
            arrived.wait()
            exit(130)
        }
    }
}
