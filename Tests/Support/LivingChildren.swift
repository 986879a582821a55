import Glibc
import Synchronization

/// The children that are running: what a test keeps until the end of the run ends with the run.
enum LivingChildren {
    private static let children = Mutex<Set<pid_t>>([])
    private static let atExit: Void = {
        atexit { LivingChildren.children.withLock { for child in $0 { kill(child, SIGKILL) } } }
    }()

    static func add(_ child: pid_t) {
        _ = atExit
        children.withLock { _ = $0.insert(child) }
    }

    static func remove(_ child: pid_t) { children.withLock { _ = $0.remove(child) } }
}
