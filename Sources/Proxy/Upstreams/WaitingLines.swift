/// Requests that wait, in a line for each caller. Callers get their turn one after the other: whoever has a thousand waiting is served as
/// often as who has one.
struct WaitingLines {
    /// In the order of their turns. None is empty.
    private(set) var lines: [Line] = []
    private(set) var count = 0

    struct Line {
        let caller: CallerKey
        fileprivate(set) var requests: [Exchange]

        /// The one that has waited for longest.
        var first: Exchange { requests[0] }
    }

    var isEmpty: Bool { count == 0 }

    /// How many of the caller's wait.
    func length(of caller: CallerKey) -> Int { index(of: caller).map { lines[$0].requests.count } ?? 0 }

    private func index(of caller: CallerKey) -> Int? { lines.firstIndex { $0.caller == caller } }

    mutating func append(_ exchange: Exchange) {
        count += 1
        if let index = index(of: exchange.caller) {
            lines[index].requests.append(exchange)
        } else {
            lines.append(Line(caller: exchange.caller, requests: [exchange]))
        }
    }

    /// Takes a line's request out; the caller's next one is served when all others have had their turn.
    mutating func take(line: Int, request: Int = 0) -> Exchange {
        count -= 1
        var taken = lines.remove(at: line)
        let exchange = taken.requests.remove(at: request)
        if !taken.requests.isEmpty { lines.append(taken) }
        return exchange
    }

    /// Undoes `take(line:)`, with nothing between.
    mutating func putBack(_ exchange: Exchange, line: Int) {
        count += 1
        var requests = [exchange]
        if let index = index(of: exchange.caller) { requests += lines.remove(at: index).requests }
        lines.insert(Line(caller: exchange.caller, requests: requests), at: line)
    }

    /// False where it doesn't wait.
    mutating func remove(_ exchange: Exchange) -> Bool {
        guard let line = index(of: exchange.caller), let request = lines[line].requests.firstIndex(where: { $0 === exchange }) else {
            return false
        }
        count -= 1
        lines[line].requests.remove(at: request)
        if lines[line].requests.isEmpty { lines.remove(at: line) }
        return true
    }
}
