import Foundation
import Synchronization

/// What a test keeps until the end of the run ends with the run: its children, then its folders.
package enum EndOfRun {
    private struct Kept {
        var children: Set<pid_t> = []
        var folders: Set<URL> = []
    }

    private static let kept = Mutex(Kept())
    private static let atExit: Void = {
        atexit {
            let left = EndOfRun.kept.withLock { $0 }
            for child in left.children { kill(child, SIGKILL) }
            for folder in left.folders { try? FileManager.default.removeItem(at: folder) }
        }
    }()

    package static func keep(_ child: Int32) {
        _ = atExit
        kept.withLock { _ = $0.children.insert(child) }
    }

    static func keep(_ folder: URL) {
        _ = atExit
        kept.withLock { _ = $0.folders.insert(folder) }
    }

    static func forget(_ child: pid_t) { kept.withLock { _ = $0.children.remove(child) } }
    static func forget(_ folder: URL) { kept.withLock { _ = $0.folders.remove(folder) } }
}
