import Dispatch
import Synchronization

/// Reloads when it is asked to (SIGHUP) and when a file has changed, one reload after the other on a queue of its own.
///
/// Changes are waited for by inotify(7) on the folders. Several that come together are one, and a file that is still being written is
/// not taken for whole: what is there must stay the same for `quiet`.
package final class Reloader: Sendable {
    private let service: GatewayService
    private let say: @Sendable (String) -> Void
    private let queue = DispatchQueue(label: "reload")
    private let state: Mutex<State>

    private struct State: ~Copyable {
        var watch: FolderWatch?
        var places = WatchedPlaces()
        var source: (any DispatchSourceRead)?
        /// Something has changed, and it is waited until it stays so.
        var isSettling = false
        /// Somebody has asked, and the reload has not begun: who asks meanwhile gets the same one.
        var isAsked = false
        var isOver = false
    }

    /// Time in which the files must not change before they are read.
    private static let quiet = DispatchTimeInterval.milliseconds(150)
    /// Times that this is waited for: files that never come to rest are read as they are.
    private static let patience = 20

    /// Watches the files that `service` was started from. `say` gets one text for each reload: what changed, or every reason why not.
    package init(_ service: GatewayService, say: @escaping @Sendable (String) -> Void) {
        self.service = service
        self.say = say
        state = Mutex(State())
        service.lookingAgain.withLock { $0 = { [weak self] in self?.lookAgain() } }
        queue.async { [self] in
            startWatching()
            watchFolders()
            settle()
        }
    }

    /// Reads everything anew, whether something was seen to change or not. From any thread; doesn't wait.
    package func reload() {
        let isFirst = state.withLock { state in
            defer { state.isAsked = true }
            return !state.isAsked
        }
        guard isFirst else { return }
        queue.async { [self] in
            let isOver = state.withLock { state in
                state.isAsked = false
                return state.isOver
            }
            if !isOver { report(service.reload(), isAsked: true) }
        }
    }

    /// The same, always a reading of its own; `answer` gets what came of it, on the reloader's queue.
    package func reload(then answer: @escaping @Sendable (ReloadOutcome) -> Void) {
        queue.async { [self] in
            guard !state.withLock({ $0.isOver }) else { return answer(.over) }
            let outcome = service.reload()
            report(outcome, isAsked: true)
            answer(outcome)
        }
    }

    /// Looks whether files are other ones than were read last. From any thread; doesn't wait.
    package func lookAgain() { queue.async { [self] in settle() } }

    /// Begins no further reload. One that is going on isn't waited for, since it may be waiting itself; it does nothing more once the
    /// service drains.
    package func stop() {
        state.withLock { state in
            state.source?.cancel()
            state.isOver = true
        }
    }

    // MARK: on the queue

    private func startWatching() {
        let failure = state.withLock { state -> FileError? in
            do throws(FileError) {
                let watch = try FolderWatch()
                let source = DispatchSource.makeReadSource(fileDescriptor: watch.descriptor, queue: queue)
                source.setEventHandler { [weak self] in self?.noticed() }
                source.resume()
                (state.watch, state.source) = (watch, source)
                return nil
            } catch {
                return error
            }
        }
        if let failure { say("files are not watched (\(failure.reason)): send SIGHUP after a change") }
    }

    /// Something has happened in a watched folder.
    private func noticed() {
        let counts = state.withLock { $0.watch?.take($0.places) ?? false }
        if counts { settle() }
    }

    /// Reloads when the files are not as they were when they were last read, and stay so.
    private func settle() {
        let isFirst = state.withLock { state in
            defer { state.isSettling = true }
            return !state.isSettling
        }
        if isFirst { look(after: nil, patience: Self.patience) }
    }

    private func look(after before: InputFiles?, patience: Int) {
        let read = service.inputs.lastRead
        let now = read.now
        if now == read || now == before || patience == 0 {
            state.withLock { $0.isSettling = false }
            watchFolders()
            if now != read, !state.withLock({ $0.isOver }) { report(service.reload(), isAsked: false) }
        } else {
            queue.asyncAfter(deadline: .now() + Self.quiet) { [self] in look(after: now, patience: patience - 1) }
        }
    }

    private func report(_ outcome: ReloadOutcome, isAsked: Bool) {
        watchFolders()
        if let text = outcome.text(isAsked: isAsked) { say(text) }
        // What changed before its folder was watched.
        if !outcome.isOver { settle() }
    }

    private func watchFolders() {
        let (inForce, lastRead) = service.inputs
        var places = WatchedPlaces(inForce)
        places.merge(WatchedPlaces(lastRead))
        let failure = state.withLock { state -> FileError? in
            let isKnown = state.places == places
            state.places = places
            let failure = state.watch?.watch(places.folders)
            return isKnown ? nil : failure
        }
        if let failure { say("not every file is watched (\(failure.reason)): send SIGHUP after a change") }
    }
}
