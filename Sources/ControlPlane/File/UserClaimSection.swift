import Policy
import Tokens

/// `claims.user: {alias, claim}`: the claim holds another name of the user than the directory's id.
enum UserClaimSection {
    static let alias = Key(
        "alias", .text("name of an alias", bytes: 64), .required, "Which of the dialect's `aliases` the claim holds: `email`.")
    static let claim = Key("claim", .claimPath, .required, "Where the token has it: `[email]`.")
    static let condition = Key(
        "if", .claimPath, .optional("the issuer's word is taken"),
        "The boolean claim that must be true: `[email_verified]`, that the issuer has verified it too.")
    static let shape = SectionShape("user_claim", [alias.declaration, claim.declaration, condition.declaration])

    /// `dialect`: of the credentials' directory; nil where that is unknown (reported).
    static func read(_ section: Section, dialect: Dialect?) -> (user: ClaimPath, alias: AliasClaim)? {
        let (name, claim) = (section[alias], section[claim].flatMap(ClaimPath.init))
        let condition = section[condition].flatMap(ClaimPath.init)
        guard let name, let claim, let dialect, condition != nil || !section.has(Self.condition) else { return nil }
        guard let known = dialect.aliases.first(where: { $0.rule.name == name }) else {
            let names = dialect.aliases.map(\.rule.name)
            let remedy =
                Spelling.nearest(to: name, in: names).map { "did you mean `\($0)`?" }
                ?? "declare it in the dialect: `aliases: {\(name): {field: /\(name), if: /\(name)_verified}}`"
            section.refuse(alias, "the dialect `\(dialect.name)` declares no alias `\(name)`", fix: remedy)
            return nil
        }
        return (claim, AliasClaim(rule: known.rule, condition: condition))
    }
}
