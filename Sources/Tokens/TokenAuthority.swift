package import Policy
import StrictJSON
import Synchronization

/// Who may vouch for callers: all credential blocks of the file, and the one way from a token to a `Credential`.
///
/// Immutable and shared by all event loops; a change of the file makes a new one. Keys that are fetched are not in it but in the
/// `KeyTable` that each loop has.
package final class TokenAuthority: Sendable {
    package let blocks: [CredentialBlock]
    /// Bytes of a token at most.
    package let tokenLimit: Int
    /// Where keys are fetched from, each once.
    package let origins: [KeyOrigin]
    /// Which authority it came after, and what a token's block is now, by its number there; nil where it judges otherwise, or is gone.
    let carried: (from: Int, blocks: [Int?])?
    /// Its own, of all in this process.
    let number: Int
    private let blockByIssuer: [Issuer: Int]
    /// For each block the place of its origin; nil where the file has its keys.
    private let originOfBlock: [Int?]

    private struct Issuer: Hashable {
        let directory: DirectoryIndex
        /// Nil for tokens without `iss`.
        let name: [UInt8]?
    }

    private static let made = Atomic(0)

    /// `previous` is the one that it takes the place of: what that has verified stays known where a block judges as before.
    ///
    /// Throws where two blocks of one directory have the same issuer (or none), or `tokenLimit` is not 1…64 KiB.
    package init(
        blocks: [CredentialBlock], tokenLimit: Int = Limits.token, after previous: TokenAuthority? = nil
    ) throws(TokenAuthorityError) {
        guard (1...Limits.tokenMaximum).contains(tokenLimit) else { throw .tokenLimit }
        var byIssuer: [Issuer: Int] = [:]
        for (index, block) in blocks.enumerated() {
            let issuer = Issuer(directory: block.directory, name: block.issuer)
            if let first = byIssuer.updateValue(index, forKey: issuer) { throw .sameIssuer(first: first, second: index) }
        }
        self.blocks = blocks
        self.tokenLimit = tokenLimit
        number = Self.made.add(1, ordering: .relaxed).newValue
        carried = previous.flatMap { previous in
            guard previous.tokenLimit == tokenLimit else { return nil }
            return (
                previous.number,
                previous.blocks.map { block in
                    byIssuer[Issuer(directory: block.directory, name: block.issuer)].flatMap { blocks[$0].judges(as: block) ? $0 : nil }
                }
            )
        }
        blockByIssuer = byIssuer
        var places: [KeyOrigin: Int] = [:]
        var origins: [KeyOrigin] = []
        originOfBlock = blocks.map { block in
            guard let origin = block.origin else { return nil }
            if let place = places[origin] { return place }
            places[origin] = origins.count
            origins.append(origin)
            return origins.count - 1
        }
        self.origins = origins
    }

    /// The place among `origins` of a block's; nil where the file has its keys.
    func origin(ofBlock block: Int) -> Int? { originOfBlock[block] }

    /// The sets in force for `origins`, in their order.
    func keySets(of table: KeyTable) -> [KeySet?] { origins.map { table[$0] } }

    /// The whole check, nothing remembered: `.invalidToken`, or `.tokenExpired` where nothing else is wrong.
    package func verify(
        _ token: Span<UInt8>, directory: DirectoryIndex, keys: KeyTable = .empty, now: Int64
    ) throws(Denial) -> Credential {
        do throws(TokenFault) { return try examine(token, directory: directory, keys: keys, now: now) } catch { throw error.denial }
    }

    /// The same with the reason, for people who ask why (`tenantgate explain`). `now` is in Unix seconds.
    package func examine(
        _ token: Span<UInt8>, directory: DirectoryIndex, keys: KeyTable = .empty, now: Int64
    ) throws(TokenFault) -> Credential {
        try examine(token, directory: directory, sets: keySets(of: keys), now: now, with: SignatureVerifier())
    }

    /// Where the keys for this token would be fetched from: its issuer's word for itself, not verified. For `explain`.
    package func origin(for token: Span<UInt8>, directory: DirectoryIndex) -> KeyOrigin? {
        guard (1...tokenLimit).contains(token.count), let parts = try? CompactToken(token) else { return nil }
        return (try? blockIndex(ClaimSet(parts.payload), directory: directory)).flatMap { blocks[$0].origin }
    }

    /// In order: form, header, issuer, key, signature; only then is a claim believed; expiry last.
    func examine(
        _ token: Span<UInt8>, directory: DirectoryIndex, sets: [KeySet?], now: Int64, with verifier: SignatureVerifier
    ) throws(TokenFault) -> Credential {
        guard (1...tokenLimit).contains(token.count) else { throw .size }
        let parts = try CompactToken(token)
        let header = try TokenHeader(parts.header)
        let claims = ClaimSet(parts.payload)
        let index = try blockIndex(claims, directory: directory)
        let block = blocks[index]
        guard block.algorithms.contains(header.algorithm) else { throw .algorithm }
        let signer: VerificationKey
        if let place = originOfBlock[index] {
            signer = try Self.fetchedKey(parts, of: token, header, sets[place], verifier)
        } else {
            signer = try Self.key(parts, of: token, header, block.keys, verifier)
        }
        let verified = try VerifiedClaims(claims, block: block, now: now)
        guard let second = SecondReader(parts), second.agrees(header, block, verified) else { throw .readersDiffer }
        guard now < verified.dates.validity.upperBound else { throw .expired }
        return Credential(verified, block: index, key: signer)
    }

    /// The issuer's exact bytes pick the block. Nothing is verified yet: the block's keys will tell.
    private func blockIndex(_ claims: ClaimSet, directory: DirectoryIndex) throws(TokenFault) -> Int {
        let name = try claims.string("iss", otherwise: .issuer)
        guard let index = blockByIssuer[Issuer(directory: directory, name: name)] else { throw .issuer }
        return index
    }

    /// The key among `keys` that the signature is by.
    private static func key(
        _ parts: CompactToken, of token: Span<UInt8>, _ header: TokenHeader, _ keys: [VerificationKey], _ verifier: SignatureVerifier
    ) throws(TokenFault) -> VerificationKey {
        let keys = CredentialBlock.fitting(header, of: keys)
        guard !keys.isEmpty else { throw .key }
        for key in keys {
            if verifier.isValid(parts.signature, over: token.extracting(0..<parts.signedCount), by: key, header.algorithm) { return key }
        }
        throw .signature
    }

    /// The same of a fetched set. A key that isn't in it, or may not be since neither the token nor the set names it, is asked for.
    private static func fetchedKey(
        _ parts: CompactToken, of token: Span<UInt8>, _ header: TokenHeader, _ set: KeySet?, _ verifier: SignatureVerifier
    ) throws(TokenFault) -> VerificationKey {
        guard let set, set.isAvailable else { throw .keysUnavailable }
        do throws(TokenFault) {
            return try key(parts, of: token, header, set.keys, verifier)
        } catch {
            if error == .key || header.kid.map({ kid in !set.keys.contains { $0.kid == kid } }) ?? true { set.demand.raise() }
            throw error
        }
    }
}

/// Why credential blocks can't serve together.
package enum TokenAuthorityError: Error, Equatable, Sendable {
    /// Numbers of two blocks with one directory and one issuer (or both without).
    case sameIssuer(first: Int, second: Int)
    case tokenLimit
}
