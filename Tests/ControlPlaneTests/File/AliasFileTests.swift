import Policy
import Testing
import Tokens

@testable import ControlPlane

/// `aliases` of a dialect and `claims.user.alias` of credentials.
@Suite("aliases in the file")
struct AliasFileTests {
    private static let plain = "aliases: {email: {field: /email, if: /email_verified, fold: case}}"
    private static let searched =
        #"aliases: {email: {field: /email, if: always, search: {call: "GET /v1/users?email={alias}&exact=1", items: /users}}}"#

    private func check(
        claims: String, dialect: String = Self.plain, keys: String = "", more: String = ""
    ) -> CheckedFile {
        let workspace = FileWorkspace()
        let shipped = FileWorkspace.repository("config/dialects/jitsudo.yaml")
        workspace.write("dialects/jitsudo.yaml", shipped.replacing(Self.plain, with: dialect))
        return workspace.check(
            goodFile.replacing(
                "    keys: {secret_file: secrets/jitsudo.secret}",
                with: "    keys: {secret_file: secrets/jitsudo.secret}\n    claims: \(claims)"
            ).replacing("{dialect: dialects/jitsudo.yaml}", with: "{dialect: dialects/jitsudo.yaml\(keys)}") + more)
    }

    private let block = "{user: {alias: email, claim: [email], if: [email_verified]}}"

    @Test("the block goes by the dialect's rule; nothing else is read, kept or asked for")
    func good() throws {
        let checked = check(claims: block, dialect: Self.searched, keys: ", service_tokens: [{file: secrets/rinne.service}]")
        #expect(checked.problems == [])
        let configuration = try #require(checked.configuration)
        let alias = try #require(configuration.credentials[0].claims.alias)
        #expect(alias.rule == AliasRule(name: "email", field: JSONPointer("/email")!, condition: .always))
        #expect(alias.condition == ClaimPath(["email_verified"]) && configuration.credentials[0].claims.user == ClaimPath(["email"]))
        #expect(
            configuration.aliases(of: 0).map(\.search)
                == [AliasSearch(before: "/v1/users?email=", after: "&exact=1", items: JSONPointer("/users"))])
        #expect(configuration.aliases(of: 1).isEmpty && configuration.aliasKinds.map(\.count) == [1, 0])
        #expect(check(claims: "{user: [sub]}").configuration?.aliasKinds.map(\.count) == [0, 0])
    }

    @Test("the dialect's rule is read as it is written")
    func rule() throws {
        let rule = try #require(check(claims: block).configuration?.credentials[0].claims.alias?.rule)
        #expect(rule.condition == .field(JSONPointer("/email_verified")!) && rule.foldsCase)
    }

    @Test("with another rule of the dialect tokens are judged otherwise, though nothing under `credentials` has changed")
    func judged() throws {
        let (old, same, other) = (check(claims: block), check(claims: block), check(claims: block, dialect: Self.searched))
        let before = try #require(old.configuration)
        #expect(try #require(same.configuration).judgesTokens(as: before, old.inputs, old.inputs))
        #expect(try !#require(other.configuration).judgesTokens(as: before, old.inputs, old.inputs))
    }

    @Test(
        "mistakes are told with a remedy",
        arguments: [
            ("{user: {alias: mail, claim: [email]}}", "declares no alias `mail`", "did you mean `email`?"),
            ("{user: {alias: staff_number, claim: [nr]}}", "declares no alias `staff_number`", "declare it in the dialect"),
            ("{user: {claim: [email]}}", "`alias` is missing", ""),
            ("{user: {alias: email}}", "`claim` is missing", ""),
            ("{user: {alias: email, claim: email}}", "expected a claim path", "write `[email]`"),
            ("{user: {alias: email, claim: [email], if: true}}", "expected a claim path", ""),
            ("{user: {alias: email, claim: [email], fold: case}}", "unknown key `fold`", ""),
            ("{user: sub}", "expected a claim path", ""),
        ])
    func mistakes(claims: String, says: String, fix: String) {
        let checked = check(claims: claims)
        #expect(checked.configuration == nil)
        #expect(
            checked.problems.contains { $0.message.contains(says) && (fix.isEmpty || $0.remedy.contains(fix)) && $0.place.line > 12 },
            "\(CheckReport.problems(checked.problems))")
    }

    @Test("whom it can't ask about, and whom anybody could claim to be, is warned of")
    func warnings() {
        func warnings(_ checked: CheckedFile) -> [String] {
            #expect(checked.configuration != nil && checked.problems.allSatisfy { $0.severity == .warning })
            return checked.problems.map(\.message)
        }
        let alone = warnings(check(claims: block))
        #expect(alone.count == 1 && alone[0].contains("users are refused until an answer"))
        let silent = warnings(check(claims: block, keys: ", service_tokens: [{file: secrets/rinne.service}]"))
        #expect(silent.count == 1 && silent[0].contains("the dialect doesn't say how to ask"))
        let trusting = warnings(
            check(
                claims: "{user: {alias: email, claim: [email]}}", dialect: Self.searched,
                keys: ", service_tokens: [{file: secrets/rinne.service}]"))
        #expect(trusting.count == 1 && trusting[0].contains("has not verified it"))
    }

    @Test("in a fleet users by an alias must be readable: what the others have seen can only be asked for")
    func fleet() {
        let fleet = "\nfleet: {database: \"postgresql://tenantgate@127.0.0.1/tenantgate\"}\n"
        let alone = check(claims: block, more: fleet)
        #expect(alone.configuration == nil)
        #expect(
            alone.problems.contains {
                $0.severity == .error && $0.message.contains("an alias with `fleet` takes `service_tokens`") && $0.place.line > 12
                    && $0.remedy.contains("add `service_tokens` to the directory")
            }, "\(CheckReport.problems(alone.problems))")
        let read = check(claims: block, keys: ", service_tokens: [{file: secrets/rinne.service}]", more: fleet)
        #expect(read.configuration?.fleet != nil, "\(CheckReport.problems(read.problems))")
        #expect(check(claims: "{user: [sub]}", more: fleet).configuration != nil)
    }
}
