import ArgumentParser
import Foundation
import NIOCore
import NIOPosix

/// The demo's user services: a small, durable user API in one of the two reference dialects.
@main
struct UserService: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user-service",
        abstract: "A demo user service over plain HTTP/1.1, users in SQLite.",
        discussion: "It trusts whoever reaches it about who the caller is: let it listen where only the gateway can connect.")

    @Option(help: "Which user API to speak: \(DialectName.allCases.map(\.rawValue).joined(separator: " or ")).")
    var dialect: DialectName

    @Option(help: "IP address and port to listen on; port 0 takes a free one.")
    var listen = "127.0.0.1:0"

    @Option(help: "The SQLite file of the users; made where there is none.")
    var database: String

    @Option(help: "A JSON file of users for an empty database; without it the demo's own.")
    var seed: String?

    @Flag(help: "For tests only: serve /__fault, where answers can be made to go wrong.")
    var faults = false

    @Flag(help: "End when standard input ends: for a parent process that holds its other end.")
    var endWithInput = false

    func run() throws {
        if endWithInput { Self.exitAtEndOfInput() }
        let users = try seed.map(Seed.read) ?? Seed.builtIn(dialect)
        let store = try UserStore(file: database, seed: users)
        let api: any UserAPI = dialect == .jitsudo ? JITSudoAPI(store: store) : RinneAPI(store: store)
        let channel = try ServiceServer(api: api, faults: faults ? FaultPlan() : nil).start(on: try address())
        print("user-service: \(dialect.rawValue) listening on \(Self.text(channel.localAddress))")
        flushOutput()
        try channel.closeFuture.wait()
    }

    /// However the parent goes, by SIGKILL too, the system closes its end.
    private static func exitAtEndOfInput() {
        Thread.detachNewThread {
            while !FileHandle.standardInput.availableData.isEmpty {}
            Foundation.exit(0)
        }
    }

    private func address() throws -> SocketAddress {
        guard let colon = listen.lastIndex(of: ":"), let port = Int(listen[listen.index(after: colon)...]), (0...65535).contains(port)
        else { throw ValidationError("--listen takes an address and a port, like 127.0.0.1:9101.") }
        return try SocketAddress(ipAddress: listen[..<colon].filter { $0 != "[" && $0 != "]" }, port: port)
    }

    private static func text(_ address: SocketAddress?) -> String {
        guard let address, let host = address.ipAddress, let port = address.port else { return "?" }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

extension DialectName: ExpressibleByArgument {}
