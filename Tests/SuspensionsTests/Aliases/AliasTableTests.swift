import Policy
import TestSupport
import Testing

@testable import Suspensions

/// Who has an alias, as readings come in. What an attacker would try is here by name.
@Suite("the table of aliases")
struct AliasTableTests {
    private var table = AliasTable(limit: 1000)

    private static func scope(_ tenant: String? = nil, directory: Int = 0, _ rule: AliasRule = emailRule) -> AliasTable.Scope {
        AliasTable.Scope(directory: directory, tenant: tenant.map { .string(Array($0.utf8)) }, kind: rule.kind)
    }

    /// One answer, asked for at `asked`, that shows these users with these addresses (nil: none that is verified).
    @discardableResult
    private mutating func see(_ users: KeyValuePairs<String, String?>, at asked: Int64, tenant: String? = nil, directory: Int = 0)
        -> AliasTable.Change
    {
        table.learn(
            users.map { AliasReading(user: named($0.key), rule: emailRule, value: $0.value.map { Array($0.utf8) }) },
            directory: directory, tenant: tenant.map { .string(Array($0.utf8)) }, asked: asked)
    }

    private func who(_ email: String, tenant: String? = nil, directory: Int = 0) -> String? {
        switch table.holder(table.key(Array(email.utf8), in: Self.scope(tenant, directory: directory))) {
        case .user(let user, _)?: String(decoding: user.id.canonical, as: UTF8.self)
        case .contested?: "contested"
        case nil: nil
        }
    }

    @Test("what one alias was taken away by keeps no other's answer from counting; many at once do, and are bounded")
    mutating func othersReleases() {
        table = AliasTable(limit: 1000, formerLimit: 4)
        see(["eve": "e0@x"], at: 1, tenant: "evil")
        for number in 1...3 { see(["eve": "e\(number)@x"], at: 10 + Int64(number), tenant: "evil") }
        // Asked for before all of that, answered after it.
        see(["ben": "b@x"], at: 5, tenant: "acme")
        #expect(who("b@x", tenant: "acme") == "ben")
        // What was taken from somebody is given to nobody by an earlier answer.
        see(["kim": "e1@x"], at: 11, tenant: "evil")
        #expect(who("e1@x", tenant: "evil") == nil)
        see(["kim": "e1@x"], at: 12, tenant: "evil")
        #expect(who("e1@x", tenant: "evil") == "kim")
        // More than are kept: an earlier answer gives nothing at all, as long as it is on its way.
        for number in 4...8 { see(["eve": "e\(number)@x"], at: 10 + Int64(number), tenant: "evil") }
        see(["ada": "a@x"], at: 6, tenant: "acme")
        #expect(who("a@x", tenant: "acme") == nil)
        see(["ada": "a@x"], at: 20, tenant: "acme")
        #expect(who("a@x", tenant: "acme") == "ada")
    }

    @Test("a verified address names its user, in its tenant, directory and rule alone")
    mutating func scopes() {
        #expect(see(["ben": "b@x"], at: 1, tenant: "acme").rows.count == 1)
        #expect(who("b@x", tenant: "acme") == "ben" && who("b@x", tenant: "globex") == nil && who("b@x") == nil)
        #expect(who("b@x", tenant: "acme", directory: 1) == nil)
        let other = AliasRule(name: "login", field: JSONPointer("/email")!, condition: .always)
        #expect(table.holder(table.key(Array("b@x".utf8), in: Self.scope("acme", other))) == nil)
        see(["carl": "b@x"], at: 2, tenant: "globex")
        #expect(who("b@x", tenant: "acme") == "ben" && who("b@x", tenant: "globex") == "carl")
        #expect(!see(["ben": "b@x"], at: 3, tenant: "acme").isVoid)
    }

    @Test("an address that a user has without having verified it is nobody's, and takes nothing from whoever has")
    mutating func unverified() {
        see(["ben": "b@x"], at: 1)
        // Ada writes Ben's address into her profile.
        #expect(see(["ada": nil], at: 2).rows.isEmpty)
        #expect(who("b@x") == "ben")
        see(["ada": "a@x"], at: 3)
        #expect(see(["ada": nil], at: 4).isVoid)
        #expect(who("a@x") == nil && who("b@x") == "ben")
    }

    @Test("an address that is verified no more is nobody's at once; a new one takes the old one's place")
    mutating func dropped() {
        see(["ben": "b@x"], at: 1)
        let change = see(["ben": "ben@x"], at: 2)
        #expect(change.isVoid && change.rows.map { $0.value == nil } == [true, false])
        #expect(who("b@x") == nil && who("ben@x") == "ben")
        #expect(see(["ben": nil], at: 3).isVoid)
        #expect(who("ben@x") == nil && table.count == 0)
    }

    @Test("an address that moves to another user is the other's from then on: the later reading counts, whichever comes first")
    mutating func moved() {
        see(["ben": "b@x"], at: 1)
        let change = see(["ada": "b@x"], at: 3)
        #expect(change.isVoid && who("b@x") == "ada")
        #expect(change.rows.contains { $0.user == named("ben") && $0.value == nil })
        // Ben's answer was asked for before and held back by a slow reader.
        #expect(see(["ben": "b@x"], at: 2).rows.isEmpty)
        #expect(who("b@x") == "ada")
        // What was asked for before somebody lost an address gives none to anybody.
        see(["ada": nil], at: 5)
        see(["ben": "b@x"], at: 4)
        #expect(who("b@x") == nil)
        see(["ben": "b@x"], at: 6)
        #expect(who("b@x") == "ben")
    }

    @Test("two users who have it in one answer: it names neither, until one of them is seen without it")
    mutating func contested() {
        see(["ben": "b@x", "ada": "b@x"], at: 1)
        #expect(who("b@x") == "contested" && table.contested == 1)
        see(["ada": "b@x"], at: 2)
        see(["eve": "b@x"], at: 3)
        #expect(who("b@x") == "contested")
        #expect(see(["ben": "ben@x"], at: 4).isVoid)
        #expect(who("b@x") == "ada" && table.contested == 0)
        see(["ada": "b@x", "ben": "b@x"], at: 5)
        #expect(who("b@x") == "contested")
        see(["ada": nil], at: 6)
        #expect(who("b@x") == "ben")
    }

    @Test("an address that goes back and forth is two users': it names neither")
    mutating func backAndForth() {
        see(["ben": "b@x"], at: 1)
        see(["ada": "b@x"], at: 2)
        #expect(who("b@x") == "ada")
        see(["ben": "b@x"], at: 3)
        #expect(who("b@x") == "contested")
        see(["ada": "ada@x"], at: 4)
        #expect(who("b@x") == "ben")
    }

    @Test("somebody who is gone has no address")
    mutating func gone() {
        see(["ben": "b@x"], at: 5)
        let key = table.key(Array("b@x".utf8), in: Self.scope())
        #expect(table.forget(named("ben"), key, asked: 4).rows.isEmpty)
        #expect(table.forget(named("ada"), key, asked: 6).rows.isEmpty)
        #expect(table.forget(named("ben"), key, asked: 6).isVoid && who("b@x") == nil)
    }

    @Test("at the bound the address that was learned first makes room, and whoever remembers it is told")
    mutating func bound() {
        table = AliasTable(limit: 100)
        for number in 0..<5000 {
            let change = see(["user\(number)": "\(number)@x"], at: Int64(number))
            #expect(change.isVoid == (number >= 100))
            #expect(change.rows.count == (number >= 100 ? 2 : 1))
            #expect(table.count == min(number + 1, 100))
        }
        #expect(who("4899@x") == nil && who("4900@x") == "user4900" && who("4999@x") == "user4999")
        for number in 4900..<4950 { see(["user\(number)": nil], at: 6000) }
        for number in 6000..<6050 { #expect(!see(["user\(number)": "\(number)@x"], at: 6001).isVoid) }
        #expect(table.count == 100)
    }

    @Test("whatever is read in whatever order: nobody is named by an address that his last reading doesn't show", arguments: 0..<20)
    mutating func property(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let (users, emails) = (["a", "b", "c", "d"], ["1@x", "2@x", "3@x"])
        var last: [String: (email: String?, asked: Int64)] = [:]
        var rows: [UserID: [UInt8]] = [:]
        var known: [String: String] = [:]
        for time in 1...2000 {
            let asked = Int64(random.chance(20) ? max(1, time - Int.random(in: 1...10, using: &random)) : time)
            let user = random.pick(users)
            let email = random.chance(20) ? nil : random.pick(emails)
            let change = see([user: email], at: asked)
            if asked >= last[user]?.asked ?? 0 { last[user] = (email, asked) }
            for row in change.rows { rows[row.user] = row.value }
            for email in emails {
                guard let holder = who(email) else {
                    #expect(known[email] == nil || change.isVoid)
                    known[email] = nil
                    continue
                }
                // A memory that holds until it is told so is never wrong.
                if let before = known[email], before != holder { #expect(change.isVoid) }
                known[email] = holder
                if holder != "contested" { #expect(last[holder]?.email == email, "\(holder) has \(email) at \(time)") }
            }
            // The ledger's rows say the same as memory does.
            for (user, email) in rows {
                let holder = who(String(decoding: email, as: UTF8.self))
                #expect(holder == String(decoding: user.id.canonical, as: UTF8.self) || holder == "contested")
            }
        }
    }
}
