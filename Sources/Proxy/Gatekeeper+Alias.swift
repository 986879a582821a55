import Policy
package import Suspensions
import Tokens

/// What is found out about a request whose token names its user by an alias.
package final class AliasCase {
    package let question: AliasQuestion
    /// The credential block whose tokens name users so.
    package let block: Int
    /// Nil as long as nobody has said.
    package internal(set) var answer: AliasAnswer?

    init(_ question: AliasQuestion, block: Int) {
        self.question = question
        self.block = block
    }
}

/// The users of aliases that one event loop knows. What the book has answered holds as long as its generation stays.
struct AliasMemory: ~Copyable {
    private var users: [AliasKey: (user: UserID, until: Int64)] = [:]
    private var generation = 0

    /// `now` is in Unix seconds.
    mutating func user(_ key: AliasKey, of book: borrowing AliasBook, now: Int64) -> UserID? {
        let current = book.generation
        guard current == generation else {
            users.removeAll(keepingCapacity: true)
            generation = current
            return nil
        }
        // A clock that was set back makes nobody known for longer.
        guard let known = users[key], known.until > now, known.until - now <= Limits.rememberedAliasSeconds else { return nil }
        return known.user
    }

    /// For as long as the answer may be remembered.
    mutating func keep(_ user: UserID, for key: AliasKey, of answer: AliasAnswer, now: Int64) {
        guard answer.generation == generation, answer.seconds > 0 else { return }
        if users.count >= Limits.rememberedAliases { users.removeAll(keepingCapacity: true) }
        users[key] = (user, now + answer.seconds)
    }
}

// MARK: 3 authenticate, where the user has an alias

extension Gatekeeper {
    /// Puts the user in place of the alias of `found.credential`, in the tenant that the request acts in where suspensions are a tenant's: one
    /// tenant's user is nobody in another.
    ///
    /// Throws with `found.alias` unanswered where the book must be asked, which takes another thread: the request waits and is judged again.
    /// `.invalidToken` where nobody is known by the alias, or two are; `.overloaded` where that can't be found out now.
    mutating func identify(_ rules: RouteRules, _ tenant: TenantID?, _ now: Int64, _ found: inout Findings) throws(Denial) {
        guard let credential = found.credential, let alias = credential.alias, let directory = rules.route.directory else { return }
        let book = snapshot.suspensions.aliases
        var scope: FormattedID?
        if snapshot.directories[directory].dialect.reach == .tenant {
            guard let only = tenant?.id ?? credential.tenants.only?.id else {
                found.alias = AliasCase(book.question(alias, directory: directory, tenant: nil), block: credential.block)
                found.alias?.answer = AliasAnswer(verdict: .nobody, generation: 0)
                throw .invalidToken
            }
            scope = only
        }
        let question = book.question(alias, directory: directory, tenant: scope)
        // The answer that the request has waited for is newer than the request.
        if let answer = found.alias?.answer, found.alias?.question.key == question.key {
            try take(answer, question, credential, now, &found)
        } else if let user = aliases.user(question.key, of: book, now: now) {
            found.alias = nil
            found.credential = Credential(credential, of: user)
        } else {
            let news = AliasCase(question, block: credential.block)
            found.alias = news
            guard asksAtOnce else { throw .overloaded }
            let answer = book.known(question)
            news.answer = answer
            try take(answer, question, credential, now, &found)
        }
    }

    private mutating func take(
        _ answer: AliasAnswer, _ question: AliasQuestion, _ credential: Credential, _ now: Int64, _ found: inout Findings
    ) throws(Denial) {
        switch answer.verdict {
        case .user(let user):
            aliases.keep(user, for: question.key, of: answer, now: now)
            found.credential = Credential(credential, of: user)
        case .contested, .nobody: throw .invalidToken
        case .unavailable: throw .overloaded
        }
    }
}

extension Findings {
    /// The question that must be answered before the request can be judged.
    var waitsFor: AliasCase? { alias?.answer == nil ? alias : nil }
}

extension TenantClaim {
    /// The tenant of a credential that has one.
    fileprivate var only: TenantID? {
        switch self {
        case .none: nil
        case .one(let tenant): tenant
        case .many(let tenants): tenants.count == 1 ? tenants[0] : nil
        }
    }
}
