import Policy
import Testing

@testable import Suspensions

/// The rule by which gateways agree: which word about a user is the last.
@Suite("fleet: words")
struct FleetHeadsTests {
    private func word(_ writer: String, _ local: Int64, _ number: Int64?, base: Int64, _ state: UserState) -> FleetHead {
        FleetHead(writer: writer, local: local, number: number, base: base, state: state)
    }

    @Test("a call that was begun when the other was in force is the newer word")
    func follows() {
        var heads = FleetHeads()
        heads.hear(word("a", 1, 10, base: 0, .suspended))
        heads.hear(word("b", 1, 11, base: 10, .active))
        #expect(heads.state == .active)
        #expect(heads.all.count == 1)
    }

    @Test("calls that overlapped: suspended wins, whichever was published first")
    func overlap() {
        for states in [(UserState.suspended, UserState.active), (.active, .suspended)] {
            var heads = FleetHeads()
            heads.hear(word("a", 1, 10, base: 5, states.0))
            heads.hear(word("b", 1, 11, base: 9, states.1))
            #expect(heads.state == .suspended)
            #expect(heads.areContested)
            heads.hear(word("b", 2, 12, base: 11, .active))
            #expect(heads.state == .active)
            #expect(!heads.areContested)
        }
    }

    @Test("one gateway's words are in order, also where it has heard of nothing meanwhile")
    func ownOrder() {
        var heads = FleetHeads()
        heads.hear(word("a", 2, 12, base: 0, .active))
        heads.hear(word("a", 1, 11, base: 0, .suspended))
        #expect(heads.all == [word("a", 2, 12, base: 0, .active)])
    }

    @Test("an own word is not published if a newer one has replaced it before")
    func replaced() {
        var heads = FleetHeads()
        heads.say(word("a", 1, nil, base: 0, .suspended)) { $0 == "a" }
        heads.say(word("b", 1, nil, base: 0, .active)) { $0 != "c" }
        #expect(heads.all == [word("b", 1, nil, base: 0, .active)], "b is the same gateway after a restart")
        heads.say(word("c", 1, nil, base: 0, .suspended)) { $0 == "c" }
        #expect(heads.all.count == 2, "another gateway's word that the log has lost stays")
    }

    @Test("a word of the log that an own one has overtaken rests until that one is published, and comes back where it never is")
    func rests() {
        let first = word("a", 1, 11, base: 0, .suspended)
        var heads = FleetHeads()
        heads.say(word("a", 2, nil, base: 0, .active)) { $0 == "a" }
        heads.hear(first)
        #expect(heads.state == .active && !heads.areContested && heads.all.contains(first))
        var published = heads
        published.hear(word("a", 2, 12, base: 0, .active))
        #expect(published.all == [word("a", 2, 12, base: 0, .active)])
        // After a restart, where another gateway's word came between.
        heads.hear(word("c", 1, 12, base: 0, .active))
        heads.say(word("b", 3, nil, base: 0, .active)) { $0 != "c" }
        #expect(heads.all.contains(first) && heads.areContested, "what others have of it stands there, too")
    }

    @Test("what an own word before it overtook, a word after a restart knows of, so that others forget it, too")
    func inherits() {
        var (here, there) = (FleetHeads(), FleetHeads())
        here.say(word("a", 1, nil, base: 0, .suspended)) { $0 == "a" }
        there.hear(word("a", 1, 11, base: 0, .suspended))
        here.say(word("a", 2, nil, base: 0, .suspended)) { $0 == "a" }
        here.hear(word("a", 1, 11, base: 0, .suspended))
        // A lift that was made before that was heard, and written after it.
        here.say(word("b", 3, nil, base: 0, .active)) { $0 != "c" }
        guard var lift = here.last.first else { return }
        #expect(lift == word("b", 3, nil, base: 11, .active) && here.state == .active)
        lift.number = 12
        here.hear(lift)
        there.hear(lift)
        #expect(here.all == [lift] && there.all == [lift])
    }

    @Test("a word that was published again behind the one that came after it stays overtaken, also where that one is overtaken here")
    func publishedAgain() {
        var (here, there) = (FleetHeads(), FleetHeads())
        let (later, earlier) = (word("a", 2, 11, base: 0, .suspended), word("a", 1, 12, base: 0, .suspended))
        here.hear(later)
        here.say(word("b", 1, nil, base: 11, .active)) { $0 == "b" }
        here.hear(earlier)
        #expect(here.state == .active)
        for word in [later, earlier, word("b", 1, 13, base: 11, .active)] {
            there.hear(word)
            here.hear(word)
        }
        #expect(here.all == there.all && here.state == .active)
    }

    @Test("the same words in any order come to the same")
    func anyOrder() {
        let words = [
            word("a", 1, 10, base: 0, .suspended), word("b", 1, 11, base: 9, .active), word("a", 2, 12, base: 10, .active),
            word("c", 1, 13, base: 11, .suspended), word("b", 2, 14, base: 12, .active),
        ]
        let expected = Set([word("c", 1, 13, base: 11, .suspended), word("b", 2, 14, base: 12, .active)])
        for order in permutations(of: words) {
            var heads = FleetHeads()
            for word in order { heads.hear(word) }
            #expect(Set(heads.all) == expected)
        }
    }

    private func permutations(of words: [FleetHead]) -> [[FleetHead]] {
        guard let last = words.last else { return [[]] }
        return permutations(of: Array(words.dropLast())).flatMap { rest in
            (0...rest.count).map { place in Array(rest[..<place]) + [last] + rest[place...] }
        }
    }
}

@Suite("fleet: epochs")
struct FleetEpochsTests {
    private let one = FleetEpochs.Epoch(number: 1, after: 0)

    @Test("without a loss every number is still there")
    func whole() {
        let end = one.start + 70
        let epochs = FleetEpochs([one, FleetEpochs.Epoch(number: 5, after: end)])
        #expect(epochs.has(0))
        #expect(epochs.has(end))
        #expect(epochs.has(epochs.all[1].start + 3))
        #expect(epochs.current == 5)
    }

    @Test("what was written after the copy is lost, also in epochs that the copy knows nothing of")
    func lost() {
        let copied = one.start + 50
        let epochs = FleetEpochs([one, FleetEpochs.Epoch(number: 9, after: copied)])
        #expect(epochs.cap(one.start + 51) == copied)
        #expect(epochs.cap(FleetEpochs.Epoch(number: 4, after: 0).start + 7) == copied)
        #expect(!epochs.has(one.start + 51))
        #expect(epochs.has(copied))
    }

    @Test("numbers of a later epoch are higher, for as long as a second has two billion")
    func order() {
        let years = FleetEpochs.Epoch(number: 60 * 365 * 86_400, after: 0)
        #expect(years.start > one.start)
        #expect(years.start > 0)
    }
}
