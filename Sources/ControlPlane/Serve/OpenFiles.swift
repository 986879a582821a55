import Policy

#if canImport(Glibc)
    import Glibc
#endif

/// The process's limit of open files (getrlimit(2)): each client needs a descriptor, and each of its requests one upstream.
enum OpenFiles {
    /// Descriptors that are neither a client's nor an upstream's: the ledger, logs, epoll, standard streams; probes; fetched keys.
    private static let own = 64 + Limits.probeConnections + Limits.fetchesAtOnce

    /// Raises the soft limit to the hard one. Returns the limit that is then in force.
    static func raise() -> Int {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        limit.rlim_cur = limit.rlim_max
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return Int(clamping: limit.rlim_cur)
    }

    /// How many clients that limit has room for.
    static func clients(of limit: Int) -> Int { max(16, (limit - own) / 2) }
}
