import Policy
import StrictJSON

/// A JWK set (RFC 7517 §5) read key by key: what serves, and what is wrong with the rest.
///
/// Keys of a type or curve that no supported algorithm uses, and sound keys for other algorithms than the allowed ones, are left out
/// without a word, as RFC 7517 §5 asks. A key that claims to be one of ours and isn't is a problem.
package struct KeySetReading: Sendable {
    package private(set) var keys: [VerificationKey] = []
    package private(set) var problems: [KeyProblem] = []

    /// Throws where `text` is not a key set at all.
    package init(_ text: [UInt8], allowed: AlgorithmSet) throws(KeyError) {
        let document: JSONDocument
        do { document = try JSONDocument(text, limits: .keySet) } catch { throw .notJSON(error) }
        guard let list = document.member("keys", of: document.root), list.kind == .array else { throw .notAKeySet }
        var members: [JSONValue] = []
        document.forEachElement(of: list) { member in
            members.append(member)
            return members.count <= Limits.keysInSet
        }
        guard members.count <= Limits.keysInSet else { throw .tooManyKeys }
        guard members.allSatisfy({ $0.kind == .object }) else { throw .notAKeySet }
        for (index, member) in members.enumerated() { add(JWK(document, member), at: index, allowed: allowed) }
    }

    private mutating func add(_ jwk: JWK, at index: Int, allowed: AlgorithmSet) {
        do throws(KeyError) {
            guard let key = try jwk.key(allowed: allowed) else { return }
            guard !keys.contains(where: { $0.kid != nil && $0.kid == key.kid && $0.type == key.type }) else { throw .duplicateKid }
            keys.append(key)
        } catch {
            problems.append(KeyProblem(index: index, kid: jwk.readableKid, error: error))
        }
    }
}
