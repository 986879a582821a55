import Foundation
import Glibc

/// The program that this process was started from, started anew as it is on disk now, to take over.
package enum NextProcess {
    /// `arguments`: this process' own, the program's name first; `--take-over` is added. `say` is told how it ends where it doesn't serve.
    package static func start(_ arguments: [String], say: @escaping @Sendable (String) -> Void) {
        let wanted = arguments.contains("--take-over") ? arguments : arguments + ["--take-over"]
        do throws(StartFailure) {
            let process = try spawn(wanted)
            say("upgrade: started process \(process)")
            Thread.detachNewThread {
                var status: CInt = 0
                while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
                if status != 0 { say("upgrade: process \(process) has failed (wait status \(status))") }
            }
        } catch {
            say("upgrade: \(error)")
        }
    }

    /// With standard streams and nothing else that is open here, and no signal blocked or ignored.
    private static func spawn(_ arguments: [String]) throws(StartFailure) -> pid_t {
        keepDescriptors()
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var (none, all) = (sigset_t(), sigset_t())
        unsafe sigemptyset(&none)
        unsafe sigfillset(&all)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &all)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        let environment = ProcessInfo.processInfo.environment.map { "\($0)=\($1)" }
        var process = pid_t()
        let code = unsafe withStrings(arguments) { arguments in
            unsafe withStrings(environment) { environment in
                unsafe posix_spawnp(&process, arguments[0]!, nil, &attributes, arguments, environment)
            }
        }
        guard code == 0 else {
            throw StartFailure("\(arguments[0]) can't be started: \(unsafe String(cString: strerror(code)))")
        }
        return process
    }

    /// Closes what is open here at exec, should a library have opened it otherwise.
    private static func keepDescriptors() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        for descriptor in names.compactMap({ CInt($0) }) where descriptor > 2 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    }

    private static func withStrings<Result>(
        _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var pointers: [UnsafeMutablePointer<CChar>?] = unsafe strings.map { unsafe strdup($0) } + [nil]
        defer { unsafe pointers.forEach { unsafe free($0) } }
        return unsafe pointers.withUnsafeMutableBufferPointer { unsafe body(UnsafePointer($0.baseAddress!)) }
    }
}
