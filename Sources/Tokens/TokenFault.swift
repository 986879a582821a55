package import Policy

/// Why a token is not taken: one reason for every rule of SPEC §2.
///
/// The caller only ever learns the `denial`; the reason is for `explain`, the log and the tests, and holds nothing of the token.
package enum TokenFault: String, Error, Sendable, CaseIterable {
    // the compact form
    case size = "the token is empty or longer than allowed"
    case form = "the token is not three non-empty parts in strict base64url"
    // the header
    case header = "the header is not a strict JSON object"
    case headerType = "a header parameter has a wrong type"
    case unsupportedHeader = "the header asks for an extension (crit, b64, zip, enc) that is not supported"
    case typ = "the header's typ is not one of JWT, at+jwt, application/at+jwt"
    case unknownAlgorithm = "the header's alg is not an algorithm that is supported"
    // the block and the key
    case payload = "the payload is not a strict JSON object"
    case issuer = "no credential block of the directory has this issuer"
    case algorithm = "the issuer's credential block does not allow this algorithm"
    case keysUnavailable = "the issuer's keys could not be fetched, or not for longer than max_stale"
    case key = "the credential block has no key for this kid and algorithm"
    case signature = "the signature is not valid"
    // the claims
    case date = "exp is missing, or a date is no sensible number"
    case notYetValid = "nbf or iat is in the future"
    case lifetime = "the token's lifetime is longer than allowed, or iat is missing"
    case issuedAt = "iat is missing, which fresh_token_after_reactivation needs"
    case audience = "aud does not meet the credential block's audience"
    case confirmation = "the token is bound to a key (cnf) and no plain bearer token"
    case user = "the user claim is missing or no user id of the directory"
    case alias = "the user claim is missing or can't be an alias of a user"
    case aliasUnverified = "the issuer does not say that it has verified the alias"
    case aliasedActor = "act beside an alias: who acts can't be told"
    case actor = "act does not name a user of the directory"
    case tenant = "the tenant claim is malformed"
    case boundTenant = "a tenant is missing or not one that the credential block may vouch for"
    case roles = "the roles claim is malformed"
    case scopes = "the scopes claim is malformed"
    case readersDiffer = "libjwt reads the token differently"
    case expired = "the token has expired"

    /// What the caller is told. `tokenExpired` only where nothing else is wrong.
    package var denial: Denial {
        switch self {
        case .expired: .tokenExpired
        case .keysUnavailable: .keysUnavailable
        default: .invalidToken
        }
    }
}
