package import Policy
import StrictJSON

/// Who may vouch for callers: all credential blocks of the file, and the one way from a token to a `Credential`.
///
/// Immutable and shared by all event loops; a change of the file makes a new one.
package final class TokenAuthority: Sendable {
    package let blocks: [CredentialBlock]
    /// Bytes of a token at most.
    package let tokenLimit: Int
    private let blockByIssuer: [Issuer: Int]

    private struct Issuer: Hashable {
        let directory: DirectoryIndex
        /// Nil for tokens without `iss`.
        let name: [UInt8]?
    }

    /// Throws where two blocks of one directory have the same issuer (or none), or `tokenLimit` is not 1…64 KiB.
    package init(blocks: [CredentialBlock], tokenLimit: Int = Limits.token) throws(TokenAuthorityError) {
        guard (1...Limits.tokenMaximum).contains(tokenLimit) else { throw .tokenLimit }
        var byIssuer: [Issuer: Int] = [:]
        for (index, block) in blocks.enumerated() {
            let issuer = Issuer(directory: block.directory, name: block.issuer)
            if let first = byIssuer.updateValue(index, forKey: issuer) { throw .sameIssuer(first: first, second: index) }
        }
        self.blocks = blocks
        self.tokenLimit = tokenLimit
        blockByIssuer = byIssuer
    }

    /// The whole check, nothing remembered: `.invalidToken`, or `.tokenExpired` where nothing else is wrong.
    package func verify(_ token: Span<UInt8>, directory: DirectoryIndex, now: Int64) throws(Denial) -> Credential {
        do throws(TokenFault) { return try examine(token, directory: directory, now: now) } catch { throw error.denial }
    }

    /// The same with the reason, for people who ask why (`tenantgate explain`). `now` is in Unix seconds.
    package func examine(_ token: Span<UInt8>, directory: DirectoryIndex, now: Int64) throws(TokenFault) -> Credential {
        try examine(token, directory: directory, now: now, with: SignatureVerifier())
    }

    /// In order: form, header, issuer, key, signature; only then is a claim believed; expiry last.
    func examine(
        _ token: Span<UInt8>, directory: DirectoryIndex, now: Int64, with verifier: SignatureVerifier
    ) throws(TokenFault) -> Credential {
        guard (1...tokenLimit).contains(token.count) else { throw .size }
        let parts = try CompactToken(token)
        let header = try TokenHeader(parts.header)
        let claims = ClaimSet(parts.payload)
        let index = try blockIndex(claims, directory: directory)
        let block = blocks[index]
        try Self.checkSignature(parts, of: token, header, block, verifier)
        let verified = try VerifiedClaims(claims, block: block, now: now)
        guard let second = SecondReader(parts), second.agrees(header, block, verified) else { throw .readersDiffer }
        guard now < verified.dates.validity.upperBound else { throw .expired }
        return Credential(verified, block: index)
    }

    /// The issuer's exact bytes pick the block. Nothing is verified yet: the block's keys will tell.
    private func blockIndex(_ claims: ClaimSet, directory: DirectoryIndex) throws(TokenFault) -> Int {
        let name = try claims.string("iss", otherwise: .issuer)
        guard let index = blockByIssuer[Issuer(directory: directory, name: name)] else { throw .issuer }
        return index
    }

    private static func checkSignature(
        _ parts: CompactToken, of token: Span<UInt8>, _ header: TokenHeader, _ block: CredentialBlock, _ verifier: SignatureVerifier
    ) throws(TokenFault) {
        guard block.algorithms.contains(header.algorithm) else { throw .algorithm }
        let keys = block.keys(for: header)
        guard !keys.isEmpty else { throw .key }
        for key in keys {
            if verifier.isValid(parts.signature, over: token.extracting(0..<parts.signedCount), by: key, header.algorithm) { return }
        }
        throw .signature
    }
}

/// Why credential blocks can't serve together.
package enum TokenAuthorityError: Error, Equatable, Sendable {
    /// Numbers of two blocks with one directory and one issuer (or both without).
    case sameIssuer(first: Int, second: Int)
    case tokenLimit
}
