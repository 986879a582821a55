package import Foundation

/// Programs under test run without capabilities also where the tests run as root: what the image and the unit don't grant is missed
/// here first.
package enum Unprivileged {
    /// How to run `program` so. The process id stays its own: `setpriv` becomes the program.
    package static func command(_ program: URL, _ arguments: [String]) -> (program: URL, arguments: [String]) {
        guard geteuid() == 0 else { return (program, arguments) }
        return (URL(filePath: "/usr/bin/setpriv"), ["--bounding-set=-all", "--inh-caps=-all", program.path] + arguments)
    }
}
