import Policy
import Testing

@testable import Tokens

/// One row of a table: a token, and why it is refused; no fault means that it must be taken.
struct TokenCase: Sendable, CustomTestStringConvertible {
    let name: String
    let token: [UInt8]
    let fault: TokenFault?
    var directory = 0

    var testDescription: String { "\(name): \(fault.map { "\($0)" } ?? "taken")" }

    static func good(_ name: String, _ token: [UInt8], directory: Int = 0) -> TokenCase {
        TokenCase(name: name, token: token, fault: nil, directory: directory)
    }

    static func bad(_ name: String, _ fault: TokenFault, _ token: [UInt8], directory: Int = 0) -> TokenCase {
        TokenCase(name: name, token: token, fault: fault, directory: directory)
    }

    /// Holds the gateway to the row: the reason, and the code that the caller gets.
    func check() {
        let examined = Result { () throws(TokenFault) in
            try World.authority.examine(token.span, directory: directory, now: World.now)
        }
        let verified = Result { () throws(Denial) in
            try World.authority.verify(token.span, directory: directory, now: World.now)
        }
        switch (examined, verified) {
        case (.success, .success): #expect(fault == nil)
        case (.failure(let reason), .failure(let denial)):
            #expect(reason == fault)
            #expect(denial == (fault == .expired ? .tokenExpired : .invalidToken))
        default: Issue.record("examine and verify disagree")
        }
    }
}

let hsHeader = #"{"alg":"HS256","typ":"JWT"}"#

/// The claims of a good token of `https://ISSUER.example`, with these members changed, added or (nil) left out.
func payload(_ issuer: String = "hs", _ changes: [String: String?] = [:]) -> String {
    Forge.object(
        [
            "iss": "\"https://\(issuer).example\"", "sub": "\"u1\"", "aud": "\"api\"", "tenant_id": "\"t1\"",
            "exp": "\(World.now + 600)", "iat": "\(World.now - 10)", "roles": "[\"admin\"]", "scope": "\"read write\"",
        ].merging(changes) { $1 })
}

/// A token with a good HS256 signature, whatever it says.
func hs(_ changes: [String: String?], issuer: String = "hs", header: String = hsHeader) -> [UInt8] {
    Forge.token(header, payload(issuer, changes), .secret(World.secret, .hs256))
}

/// The same from the whole text of the payload.
func hs(payload: String, header: String = hsHeader) -> [UInt8] {
    Forge.token(header, payload, .secret(World.secret, .hs256))
}

/// Collects the rows of a table. Each line is type-checked by itself; one long sum of arrays would take the compiler minutes.
@resultBuilder enum TokenTable {
    static func buildExpression(_ rows: [TokenCase]) -> [TokenCase] { rows }
    static func buildBlock(_ parts: [TokenCase]...) -> [TokenCase] { parts.flatMap { $0 } }
}

func table(@TokenTable _ rows: () -> [TokenCase]) -> [TokenCase] { rows() }

/// A row for each text.
func each(_ values: [String], _ row: (String) -> TokenCase) -> [TokenCase] { values.map(row) }

/// A row for each name and text.
func texts(_ values: [(String, String)], _ row: ((String, String)) -> TokenCase) -> [TokenCase] { values.map(row) }

/// A row for each name and bytes.
func bytes(_ values: [(String, [UInt8])], _ row: ((String, [UInt8])) -> TokenCase) -> [TokenCase] { values.map(row) }
