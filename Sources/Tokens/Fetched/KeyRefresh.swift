import Policy

/// When one origin's keys are fetched, and which are in force: takes events, answers with what to do, does nothing itself.
///
/// Times are milliseconds of one monotonic clock. A fetch begins when it is due: before the set ages out, soon after one that failed, or
/// because a token names a key that the set doesn't have. A failed fetch changes nothing but `status`, until the last good set is older
/// than the origin's `maxStale`.
struct KeyRefresh {
    let origin: KeyOrigin
    private(set) var set: KeySet
    private(set) var status: KeyStatus

    private var isFetching = false
    private var nextFetch: Int64
    private var lastBegin: Int64?
    private var failures = 0
    private var news = FailureNews()
    /// SHA-256 of the document that the keys in force were made of; nil where there are none.
    private var source: [UInt8]?

    /// Due at once. `other` had the same keys at other times: what is known of them is kept.
    init(_ origin: KeyOrigin, now: Int64, like other: KeyRefresh? = nil) {
        self.origin = origin
        set = other?.set ?? KeySet([], isAvailable: false, demand: KeyDemand())
        status = KeyStatus(origin: origin)
        (source, news) = (other?.source, other?.news ?? FailureNews())
        if let known = other?.status {
            status = KeyStatus(
                origin: origin, lastSuccess: known.lastSuccess, lastSuccessUnix: known.lastSuccessUnix, error: known.error,
                lastErrorUnix: known.lastErrorUnix, keyCount: known.keyCount, leftOut: known.leftOut)
        }
        nextFetch = now
    }

    /// What an event changed.
    struct Change {
        /// `set` is another one.
        var isSwapped = false
        /// For the log; at most one for each change, and one an hour for each way in which it fails (see `FailureNews`).
        var line: String?
    }

    /// Whether a fetch is to begin now; if so it has begun.
    mutating func begins(now: Int64) -> Bool {
        if set.demand.take() { nextFetch = min(nextFetch, (lastBegin ?? now) + Limits.unknownKeyMilliseconds) }
        guard !isFetching, now >= nextFetch else { return false }
        isFetching = true
        lastBegin = now
        return true
    }

    /// How a fetch that begins now is to ask.
    var asking: KeyOrigin.Asking { KeyOrigin.Asking(known: source, isRetry: failures > 0) }

    /// The fetch has ended. `spread` is random in 0…1: issuers and gateways must not all be in step.
    mutating func ended(_ result: Result<DownloadedKeys, FetchFailure>, now: Int64, unix: Int64, spread: Double) -> Change {
        isFetching = false
        switch result {
        case .success(let download):
            failures = 0
            nextFetch = now + Self.spread(interval(maxAge: download.maxAge), spread)
            switch download.content {
            case .keys(let keys): return take(keys, now: now, unix: unix)
            case .same(let digest):
                if digest == source { return isFresh(now: now, unix: unix) }
                // What it is the same as was let go meanwhile.
                nextFetch = now
                return Change()
            }
        case .failure(let failure):
            failures += 1
            nextFetch = now + Self.spread(retryInterval, spread)
            return note(failure, now: now, unix: unix)
        }
    }

    /// The last good set may have become too old.
    mutating func expire(now: Int64) -> Change {
        guard set.isAvailable, let last = status.lastSuccess, now - last >= origin.maxStale else { return Change() }
        set = KeySet([], isAvailable: false, demand: set.demand)
        source = nil
        status.keyCount = 0
        return Change(
            isSwapped: true,
            line: "the last good set is older than max_stale (\(Self.words(origin.maxStale))), "
                + "its tokens are answered by 503 keys_unavailable")
    }

    // MARK: times

    /// The issuer's own word can only shorten what the file says.
    private func interval(maxAge: Int64?) -> Int64 {
        guard let maxAge else { return origin.refresh }
        let fresh = max(Limits.freshMilliseconds, min(maxAge, 1_000_000) * 1000)
        return min(origin.refresh, fresh)
    }

    private var retryInterval: Int64 { min(origin.refresh, Limits.retryMilliseconds << Int64(min(failures - 1, 20))) }

    /// 80 to 100 % of it.
    private static func spread(_ interval: Int64, _ spread: Double) -> Int64 { interval - Int64(Double(interval) * 0.2 * spread) }

    private static func words(_ milliseconds: Int64) -> String {
        switch milliseconds {
        case ..<1000: "\(milliseconds) ms"
        case ..<120_000: "\(milliseconds / 1000) s"
        case ..<7_200_000: "\(milliseconds / 60_000) min"
        default: "\(milliseconds / 3_600_000) h"
        }
    }

    // MARK: outcomes

    private mutating func take(_ download: KeyDownload.Keys, now: Int64, unix: Int64) -> Change {
        let wasAvailable = set.isAvailable
        // Keys without a name are compared with a few such: no more of them are ever tried.
        let known = Dictionary(grouping: set.keys, by: \.kid)
        let keys = download.keys.map { key in known[key.kid]?.prefix(4 * Limits.keysTried).first { $0.isSame(as: key) } ?? key }
        let isOther = !wasAvailable || keys.count != set.keys.count || zip(keys, set.keys).contains { $0 !== $1 }
        let isNews = isOther || status.leftOut != download.leftOut
        if isOther { set = KeySet(keys, demand: set.demand) }
        source = download.digest
        status.keyCount = keys.count
        status.leftOut = download.leftOut
        var change = isFresh(now: now, unix: unix)
        change.isSwapped = isOther
        if isNews { change.line = words }
        return change
    }

    /// The fetch was good: the keys in force are the issuer's.
    private mutating func isFresh(now: Int64, unix: Int64) -> Change {
        status.lastSuccess = now
        status.lastSuccessUnix = unix
        status.error = nil
        return Change(line: news.recovers() ? words : nil)
    }

    /// The keys in force, for people.
    private var words: String {
        let keys = set.keys
        let names = keys.prefix(8).map { $0.kid.map { KeyStatus.readable($0) } ?? "without a kid" } + (keys.count > 8 ? ["…"] : [])
        let left = status.leftOut.isEmpty ? "" : "; left out: \(KeyError.badKeys(status.leftOut))"
        return "\(keys.count) key\(keys.count == 1 ? "" : "s") (\(names.joined(separator: ", ")))\(left)"
    }

    private mutating func note(_ failure: FetchFailure, now: Int64, unix: Int64) -> Change {
        status.error = failure
        status.lastErrorUnix = unix
        guard news.isNews(failure, now: now) else { return Change() }
        let consequence: String
        if let last = status.lastSuccess, set.isAvailable {
            consequence = "the keys of \(Self.words(now - last)) ago serve for \(Self.words(origin.maxStale - (now - last))) more"
        } else {
            consequence = "there are none yet: its tokens are answered by 503 keys_unavailable"
        }
        return Change(line: "can't be fetched: \(failure); \(consequence)")
    }
}
