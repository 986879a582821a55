import Foundation
import TestSupport

/// Both demo services and the gateway in front of them: three real programs in one folder.
final class World {
    let folder: TemporaryFolder
    let jitsudo: UserServiceProcess
    let rinne: UserServiceProcess
    let file: String
    private(set) var gateway: Gateway

    init(users: [String: [[String: Any]]] = [:], _ edit: (inout GatewayFile) -> Void = { _ in }) throws {
        folder = try TemporaryFolder()
        jitsudo = try UserServiceProcess(.jitsudo, in: folder, users: users["jitsudo"])
        rinne = try UserServiceProcess(.rinne, in: folder, users: users["rinne"])
        var file = GatewayFile(jitsudo: jitsudo.port, rinne: rinne.port)
        edit(&file)
        self.file = try file.write(to: folder)
        gateway = try Gateway(file: self.file, in: folder)
    }

    func service(of dialect: Dialect) -> UserServiceProcess { dialect.isJITSudo ? jitsudo : rinne }

    /// Ends the gateway by SIGKILL and starts it again on the same file and ledger.
    func killAndRestart() throws {
        gateway.process.kill()
        gateway = try Gateway(file: file, in: folder)
    }

    /// Starts another gateway that takes over. The one before, which may still have connections.
    func upgrade() throws -> Gateway {
        let before = gateway
        let door = folder.path("var/tenantgate.db.upgrade")
        if before.process.isRunning {
            _ = try before.process.waitForErrors { _ in FileManager.default.fileExists(atPath: door) ? true : nil }
        }
        gateway = try Gateway(file: file, in: folder, takesOver: true)
        return before
    }

    /// Whether the gateway refuses the user's own token.
    func isBlocked(_ user: String, _ dialect: Dialect) throws -> Bool? {
        ScenarioTests.isBlocked(try gateway.ask(dialect.probe(dialect.token(user))))
    }

    /// Whether the service itself has the user suspended, asked past the gateway.
    func isSuspendedAtService(_ user: String, _ dialect: Dialect) throws -> Bool? {
        dialect.isSuspended(try service(of: dialect).client().exchange(dialect.call("GET", "/users/\(user)", token: "t")))
    }

    /// The number of the user's last commit at the service.
    func commitNumber(_ user: String, _ dialect: Dialect) throws -> Int? {
        try service(of: dialect).client().exchange(dialect.call("GET", "/users/\(user)", token: "t")).commitNumber
    }
}
