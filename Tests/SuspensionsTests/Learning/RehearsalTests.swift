import Policy
import Suspensions
import Testing

@Suite("dialect test: what an answer would teach, in words")
struct RehearsalTests {
    @Test("an answer that confirms says whom, what and what follows")
    func confirms() {
        let user = Samples.user(Samples.jitsudoID, Samples.jitsudo)
        let rehearsal = Rehearsal(
            of: Samples.answer(Samples.jitsudoUser()), to: Samples.jitsudoSuspend, in: Samples.jitsudo, about: user, wanted: .suspended)
        #expect(rehearsal.teaches)
        #expect(
            rehearsal.lines == [
                "teaches: user \(Samples.jitsudoID.lowercased()) is suspended", "confirms the call; then the user is refused",
            ])
    }

    @Test("an answer that teaches the other state doesn't confirm")
    func otherState() {
        let rehearsal = Rehearsal(
            of: Samples.answer(Samples.rinneUser(suspended: nil)), to: Samples.rinneSuspend, in: Samples.rinne, about: nil)
        #expect(!rehearsal.teaches)
        #expect(
            rehearsal.lines == [
                "teaches: user \(Samples.rinneID) is active",
                "does not confirm the call, which asks for suspended: 502 suspension_unconfirmed",
            ])
    }

    @Test("an answer that teaches nothing says why, and names no content")
    func silent() {
        let body = #"{"id":"\#(Samples.rinneID)","suspended_at":"yesterday"}"#
        let rehearsal = Rehearsal(of: Samples.answer(body), to: Samples.rinneSuspend, in: Samples.rinne, about: nil)
        #expect(!rehearsal.teaches)
        #expect(rehearsal.lines.first == "teaches nothing: the field that tells the state is not an RFC 3339 date-time")
        #expect(!rehearsal.lines.joined().contains("yesterday"))
    }

    @Test("a passive answer says that it only ever blocks")
    func passive() {
        for (suspended, words) in [("null", "changes nothing"), ("\"2026-01-02T03:04:05Z\"", "blocks the user")] {
            let rehearsal = Rehearsal(
                of: Samples.answer(Samples.rinneUser(suspended: suspended)), to: Samples.call(.user), in: Samples.rinne, about: nil)
            #expect(rehearsal.teaches)
            #expect(rehearsal.lines.last?.contains(words) == true)
        }
    }

    @Test("a list is told entry by entry")
    func list() {
        let body = "{\"data\":[\(Samples.rinneUser()),{}],\"pagination\":{\"hasNext\":true}}"
        let rehearsal = Rehearsal(of: Samples.answer(body), to: Samples.rinneList, in: Samples.rinne, about: nil)
        #expect(rehearsal.teaches)
        #expect(
            rehearsal.lines == [
                "a list of 2, which says that more pages follow", "entry 0 teaches: user \(Samples.rinneID) is suspended",
                "entry 1 teaches nothing: there is nothing at the pointer `user.id`",
            ])
        #expect(!Rehearsal(of: Samples.answer("{}"), to: Samples.rinneList, in: Samples.rinne, about: nil).teaches)
    }
}
