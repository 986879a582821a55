import Policy
import StrictJSON

/// The dates of a token in whole seconds, rounded so that it is never good for longer than it says (RFC 7519 §4.1.4 to §4.1.6).
struct TokenDates {
    let issuedAt: Int64?
    /// `iat` rounded down, in a block that wants tokens newer than their user's last reactivation; nil in others.
    let freshFrom: Int64?
    /// When the token is good, the leeway included.
    let validity: Range<Int64>

    /// Checks all but whether the token has expired, which is the last question about a token.
    init(_ claims: ClaimSet, block: CredentialBlock, now: Int64) throws(TokenFault) {
        guard let expires = try Self.date("exp", claims)?.floor else { throw .date }
        let notBefore = try Self.date("nbf", claims)?.ceiling ?? 0
        let issued = try Self.date("iat", claims)
        issuedAt = issued?.ceiling
        let start = max(notBefore, issuedAt ?? 0) - block.leeway
        guard start <= now else { throw .notYetValid }
        if let maximum = block.maximumLifetime {
            guard let issued = issued?.floor, expires - issued <= maximum else { throw .lifetime }
        }
        if block.wantsFreshTokens {
            guard let issued = issued?.floor else { throw .issuedAt }
            freshFrom = issued
        } else {
            freshFrom = nil
        }
        validity = start..<max(start, expires + block.leeway)
    }

    /// A NumericDate from 1970 to 9999; nil where the claim is absent.
    private static func date(_ name: String, _ claims: ClaimSet) throws(TokenFault) -> JSONNumber? {
        guard let value = claims.value(name) else { return nil }
        guard let number = claims.document.number(value), let floor = number.floor, let ceiling = number.ceiling,
            floor >= 0, ceiling <= Limits.latestDate
        else { throw .date }
        return number
    }
}
