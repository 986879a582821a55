import Dispatch
import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// SIGTERM and SIGINT, taken from the process and waited for; SIGHUP where somebody wants it.
package final class ProcessSignals {
    private let arrived = DispatchSemaphore(value: 0)
    private let sources: [any DispatchSourceSignal]
    private var others: [any DispatchSourceSignal] = []

    /// Of its own: what waits elsewhere must not keep a signal from being heard.
    private let queue = DispatchQueue(label: "signals", qos: .userInteractive)

    /// From now on neither ends the process by itself; SIGPIPE is ignored, since closed sockets report themselves.
    package init() {
        signal(SIGPIPE, SIG_IGN)
        sources = [SIGTERM, SIGINT].map { [queue] number in
            signal(number, SIG_IGN)
            return DispatchSource.makeSignalSource(signal: number, queue: queue)
        }
        for source in sources {
            source.setEventHandler { [arrived] in arrived.signal() }
            source.resume()
        }
    }

    /// From now on neither SIGHUP nor SIGUSR2 ends the process. One that comes before somebody wants it counts for nothing.
    package func ignoreOthers() {
        signal(SIGHUP, SIG_IGN)
        signal(SIGUSR2, SIG_IGN)
    }

    /// Has `act` called at each SIGHUP, on a thread of its own; several that come together may be one.
    package func onHangup(_ act: @escaping @Sendable () -> Void) { on(SIGHUP, act) }

    /// The same at each SIGUSR2.
    package func onUpgrade(_ act: @escaping @Sendable () -> Void) { on(SIGUSR2, act) }

    private func on(_ number: CInt, _ act: @escaping @Sendable () -> Void) {
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
        source.setEventHandler(handler: act)
        source.resume()
        others.append(source)
    }

    /// Blocks the calling thread until one comes, or `end` is called.
    package func wait() { arrived.wait() }

    /// How `wait` is ended without a signal. A handle of its own, since the rest belongs to one thread.
    package var end: @Sendable () -> Void { { [arrived] in arrived.signal() } }

    /// Ends the process at once when another one comes: who asks twice doesn't want to wait.
    package func exitOnNext() {
        let arrived = arrived
        Thread.detachNewThread {
            arrived.wait()
            _exit(130)
        }
    }

    /// Ends the process with 1 after so many seconds, whatever it is waiting for then; `say` is told first, and not waited for for long.
    package func exit(after seconds: Int64, _ say: @escaping @Sendable () -> Void) {
        Thread.detachNewThread {
            Thread.sleep(forTimeInterval: Double(seconds))
            Thread.detachNewThread(say)
            Thread.sleep(forTimeInterval: 0.5)
            _exit(1)
        }
    }
}
