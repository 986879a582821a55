import ArgumentParser
import ControlPlane
import Foundation

struct Token: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a JWT for trying things out.",
        discussion: """
            Signs with libjwt: HS, RS and ES algorithms. For example:

              tenantgate token --secret-file secrets/jitsudo.secret \\
                --issuer https://id.jitsudo.example --audience user-api \\
                --subject 0b000000-0000-4000-8000-000000000002 \\
                --claim tenant_id=acme --claim 'roles=["member"]' > ben.token
            """)

    @Option(help: "File with an HMAC secret; one trailing newline is not part of it.")
    var secretFile: String?

    @Option(help: "How the secret's file writes its bytes: utf8, base64 or hex.")
    var encoding = "utf8"

    @Option(help: "PEM file with an unencrypted private key, for RS and ES algorithms.")
    var key: String?

    @Option(help: "The algorithm: HS256 for a secret if not given.")
    var alg: String?

    @Option(help: "The key's name in the token's header.")
    var kid: String?

    @Option(help: "A claim, name=value. The value is JSON; what is no JSON is taken as a string. May be repeated.")
    var claim: [String] = []

    @Option(help: "The claim iss.")
    var issuer: String?

    @Option(help: "The claim aud; given several times it becomes an array.")
    var audience: [String] = []

    @Option(help: "The claim sub.")
    var subject: String?

    @Option(help: "When it expires: 90s, 15m, 8h; --expires-in=-5m for one that has expired; never for none.")
    var expiresIn = "1h"

    func validate() throws {
        guard (secretFile == nil) != (key == nil) else { throw ValidationError("Give either --secret-file or --key.") }
    }

    func run() throws {
        var token = TokenCommand(key: secretFile.map { .secretFile($0, encoding: encoding) } ?? .privateKeyFile(key ?? ""))
        (token.algorithm, token.kid, token.claims) = (alg, kid, claim)
        (token.issuer, token.audiences, token.subject) = (issuer, audience, subject)
        token.expiresIn = expiresIn
        Terminal.output(try token.run(now: Int64(Date().timeIntervalSince1970)) + "\n")
    }
}
