import StrictJSON
import Suspensions

/// Comparing users at the service with who is blocked.
extension AdminAPI {
    func reconcile(_ request: AdminRequest, _ reply: @escaping AdminEndpoint.Reply) {
        attempt(reply) {
            let (name, apply) = (request.parameters.text("directory"), try request.parameters.flag("apply"))
            switch sources.reconciling.begin(name, apply: apply) {
            case .begun:
                let which = name.map { "directory \($0)" } ?? "all directories"
                sources.news.tell(
                    "\(request.token.name) asked to reconcile \(which)\(apply ? ", whatever it changes" : "") (request \(request.requestText))"
                )
                reply(reconciled(status: 202))
            case .inProgress: reply(AdminRefusal.reconcileInProgress.answer())
            case .over: reply(AdminRefusal.draining.answer())
            case .unreadable(let others):
                let hint = others.isEmpty ? "no directory has service_tokens." : "these can: \(others.joined(separator: ", "))."
                throw AdminProblem((name.map { "Users of `\($0)` can't be read; " } ?? "Nobody can be read: ") + hint)
            }
        }
    }

    func reconciled(_ request: AdminRequest, _ reply: @escaping AdminEndpoint.Reply) { reply(reconciled(status: 200)) }

    private func reconciled(status: UInt16) -> AdminAnswer {
        var json = JSONWriter()
        json.beginObject()
        json.member("running", sources.reconciling.isAsked)
        json.name("directories")
        json.beginArray()
        for figures in sources.reconciling.figures {
            json.beginObject()
            json.member("directory", figures.directory)
            json.write(figures)
            json.endObject()
        }
        json.endArray()
        json.endObject()
        var answer = AdminAnswer(json)
        answer.status = status
        return answer
    }
}

extension JSONWriter {
    /// Members of an object: what the last run came to, and what the next one waits for.
    mutating func write(_ figures: ReconcileFigures) {
        member("running", figures.isRunning)
        if let next = figures.next { member("next", timestamp(next)) }
        if let report = figures.last { write(report) }
    }

    private mutating func write(_ report: ReconcileReport) {
        switch report.ending {
        case .done: member("ending", "done")
        case .asks(let toBlock, let toLift):
            member("ending", "asks")
            member("would_block", toBlock)
            member("would_lift", toLift)
        case .stopped: member("ending", "stopped")
        }
        member("at", timestamp(report.startedAt))
        member("users", report.users)
        member("blocked", report.blocked)
        member("lifted", report.lifted)
        member("left", report.left)
        member("words", report.words)
    }
}
