import Policy

// Requests whose body is still on its way: they can't take all connections from those that are there whole.
extension UpstreamPool {
    /// Unfinished uploads that may have a connection at a time: half of all, so that clients that send slowly, however many, leave the other
    /// half to who doesn't.
    private var uploadBound: Int { max(1, upstream.bounds.connections * servers.count / 2) }

    /// Whether `exchange` may have a connection now. False: it waits for its body or another upload's end, or was refused.
    func mayConnect(_ exchange: Exchange) -> Bool {
        guard exchange.isUploading else { return true }
        guard uploads >= uploadBound || !waitingUploads.isEmpty else {
            count(exchange)
            return true
        }
        if waitingUploads.count < upstream.bounds.waiting {
            waitingUploads.append(exchange)
        } else {
            exchange.leaseFailed(.overloaded)
        }
        return false
    }

    /// The body of an upload that may be waiting is whole.
    func bodyCame(exchange: Exchange) {
        guard let index = waitingUploads.firstIndex(where: { $0 === exchange }) else { return }
        waitingUploads.remove(at: index)
        connect(exchange)
    }

    /// An upload is not one any more. The next one begins in a turn of its own: whoever calls this is in the middle of something.
    func uploadEnded() {
        uploads -= 1
        guard !waitingUploads.isEmpty else { return }
        LoopBound(self, worker.loop).execute { $0.beginUploads() }
    }

    /// Those of which most has come go first: who sends is served before who only says that he will.
    private func beginUploads() {
        while uploads < uploadBound {
            let next = waitingUploads.indices.max { waitingUploads[$0].bodyAtHand < waitingUploads[$1].bodyAtHand }
            guard let next else { return }
            let exchange = waitingUploads.remove(at: next)
            count(exchange)
            connect(exchange)
        }
    }

    private func count(_ exchange: Exchange) {
        uploads += 1
        exchange.request.isCountedUpload = true
    }
}
