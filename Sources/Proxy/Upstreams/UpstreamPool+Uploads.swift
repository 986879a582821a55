import Policy

// Requests whose body is still on its way: they can't take all connections from those that are there whole.
extension UpstreamPool {
    /// Uploads that have or wait for a connection.
    struct Uploads {
        /// Those that have one, or are getting it, though their body is not there yet.
        var count = 0
        var callers: CallerCounts
        /// Those that may not have one now.
        var waiting = WaitingLines()
        /// Some of them are about to begin.
        var isBeginning = false
        /// The next to begin is the one that has waited for longest, not the one of which most has come.
        var isLongestNext = false

        init(connections: Int) { callers = CallerCounts(connections: connections) }
    }

    /// Unfinished uploads that may have a connection at a time: half of all, so that clients that send slowly, however many, leave the other
    /// half to who doesn't.
    private var uploadBound: Int { max(1, upstream.bounds.connections * servers.count / 2) }

    /// Whether `exchange` may have a connection now. False: it waits for its body or another upload's end, or was refused.
    func mayConnect(_ exchange: Exchange) -> Bool {
        guard exchange.isUploading else { return true }
        if !uploads.isBeginning, mayUpload(exchange.caller) {
            count(exchange)
            return true
        }
        if !waits(exchange, in: &uploads.waiting) { exchange.leaseFailed(.overloaded) }
        return false
    }

    /// Callers share what uploads may have as they share all connections.
    private func mayUpload(_ caller: CallerKey) -> Bool {
        let free = uploadBound - uploads.count
        return free > 0 && share.allows(held: uploads.callers.count(of: caller), free: free)
    }

    /// The body of an upload that may be waiting is whole.
    func bodyCame(exchange: Exchange) {
        if uploads.waiting.remove(exchange) { connect(exchange) }
    }

    /// An upload is not one any more. The next one begins in a turn of its own: whoever calls this is in the middle of something.
    func uploadEnded(_ exchange: Exchange) {
        uploads.count -= 1
        uploads.callers.remove(exchange.caller)
        guard !uploads.waiting.isEmpty, !uploads.isBeginning else { return }
        uploads.isBeginning = true
        LoopBound(self, worker.loop).execute { $0.beginUploads() }
    }

    private func beginUploads() {
        uploads.isBeginning = false
        while let exchange = takeUpload() {
            count(exchange)
            connect(exchange)
        }
    }

    /// In turn the one of which most has come, since who sends is served before who only says that he will, and the one that has waited for
    /// longest: who waits for `100 Continue` has nothing to show.
    private func takeUpload() -> Exchange? {
        var best: (line: Int, request: Int, bytes: Int)?
        search: for (line, callers) in uploads.waiting.lines.enumerated() where mayUpload(callers.caller) {
            for (request, exchange) in callers.requests.enumerated() {
                let bytes = exchange.bodyAtHand
                if best.map({ bytes > $0.bytes }) ?? true { best = (line, request, bytes) }
                if uploads.isLongestNext { break search }
            }
        }
        guard let best else { return nil }
        uploads.isLongestNext.toggle()
        return uploads.waiting.take(line: best.line, request: best.request)
    }

    private func count(_ exchange: Exchange) {
        uploads.count += 1
        uploads.callers.add(exchange.caller)
        exchange.request.isCountedUpload = true
    }
}
