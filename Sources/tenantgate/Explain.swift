import ArgumentParser
import ControlPlane
import Foundation

struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Walk the stages for one request and say each verdict with its rule; nothing is forwarded.",
        discussion: """
            The request is judged by the code that judges real ones, with the reason that its caller would not be told. Exit code 0: it \
            would be forwarded; 1: it would be refused. Who is suspended is read from the ledger, unless a running gateway holds it.
            """)

    @Option(help: "The gateway's file.")
    var config: String

    @Option(help: "File with the bearer token; without it the request has none.")
    var tokenFile: String?

    @Option(help: "The request's method.")
    var method: String

    @Option(help: "The request's path, with its query.")
    var path: String

    @Option(help: "The header X-Tenant-ID.")
    var tenant: String?

    @Option(help: "The header Host.")
    var host = "localhost"

    @Option(help: "A further header, 'Name: value'. May be repeated.")
    var header: [String] = []

    func run() throws {
        var explain = ExplainCommand(config: config, method: method, target: path)
        (explain.tokenFile, explain.tenant, explain.host, explain.headers) = (tokenFile, tenant, host, header)
        try finish(explain.run(now: Int64(Date().timeIntervalSince1970)))
    }
}
