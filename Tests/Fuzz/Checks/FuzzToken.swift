import Policy
import Tokens

/// Any bytes as a token, and as header and payload (up to and from the first newline) of one that is signed well: nothing is taken that
/// the rules don't allow, a remembered token gets the verdict of a new one, and base64url has one spelling.
func fuzzToken(_ bytes: [UInt8]) throws(Broken) {
    try checkSpelling(bytes)
    try hold(verdict(bytes) == nil, "nothing is taken without a signature")
    let parts = bytes.split(separator: UInt8(ascii: "\n"), maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else { return }
    let token = signed(Array(parts[0]), Array(parts[1]))
    guard let credential = verdict(token) else { return }
    try hold(credential.validity.contains(time), "a token that is taken is good now")
    try hold(!credential.user.id.canonical.isEmpty, "a credential has a user")
    try hold(credential.tenants != .many([]), "a list of tenants isn't empty")
    for header in [credential.userHeader, credential.rolesHeader(in: credential.tenants.only)] {
        try hold(header?.allSatisfy { 0x20...0x7E ~= $0 } ?? true, "what goes upstream is printable ASCII")
    }
    try checkMemory(token)
    var changed = token
    changed[changed.count - 2] ^= 1
    try hold(verdict(changed) == nil, "a changed signature is none")
}

private let time: Int64 = 1_700_000_000
private let secret = [UInt8](repeating: 0x6B, count: 32)

private let authority: TokenAuthority = {
    do {
        let key = try KeyLoader.secret(secret, encoding: .utf8, allowed: [.hs256])
        let block = try CredentialBlock(
            issuer: Array("https://id.example".utf8), directory: 0, userFormat: .string, tenantFormat: .string,
            audiences: [Array("api".utf8)], algorithms: [.hs256], keys: [key])
        return try TokenAuthority(blocks: [block])
    } catch { fatalError("\(error)") }
}()

private func verdict(_ token: [UInt8]) -> Credential? { try? authority.verify(token.span, directory: 0, now: time) }

private func checkMemory(_ token: [UInt8]) throws(Broken) {
    var memory = TokenMemory(count: 8)
    let first = try? memory.credential(for: token.span, directory: 0, authority: authority, now: time)
    let second = try? memory.credential(for: token.span, directory: 0, authority: authority, now: time)
    try hold(first != nil && first === second, "what is taken is remembered")
}

private func checkSpelling(_ bytes: [UInt8]) throws(Broken) {
    if let decoded = Base64URL.decode(bytes.span) { try hold(Base64URL.encode(decoded.span) == bytes, "base64url has one spelling") }
    let text = Base64URL.encode(bytes.span)
    try hold(Base64URL.decode(text.span) == bytes, "what is spelled can be read")
}

/// HMAC-SHA-256 after RFC 2104, of its own, under a key shorter than a block.
private func signed(_ header: [UInt8], _ payload: [UInt8]) -> [UInt8] {
    let input = Base64URL.encode(header.span) + [UInt8(ascii: ".")] + Base64URL.encode(payload.span)
    let key = secret + [UInt8](repeating: 0, count: 64 - secret.count)
    let inner = key.map { $0 ^ 0x36 } + input
    let outer = key.map { $0 ^ 0x5C } + Digest.sha256(inner.span)
    return input + [UInt8(ascii: ".")] + Base64URL.encode(Digest.sha256(outer.span).span)
}
