import Glibc

/// What the system says of this process: the basics that every Prometheus client tells, by their usual names.
struct ProcessFigures {
    /// Seconds since 1970.
    var startTime: Double?
    /// Seconds of user and system time.
    var cpu: Double?
    var residentBytes: Double?
    var virtualBytes: Double?
    var openDescriptors: Double?
    var descriptorLimit: Double?

    /// Reads /proc/self (proc(5)); what can't be read stays nil. Blocks on no disk.
    static func read() -> Self {
        var figures = Self()
        figures.cpu = cpuSeconds()
        figures.openDescriptors = openDescriptorCount()
        var limit = rlimit()
        if unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 { figures.descriptorLimit = Double(limit.rlim_cur) }
        // The name in the second field may hold spaces: what follows begins behind its bracket, with the third.
        let fields = text("/proc/self/stat").split(separator: ")").last?.split(separator: " ") ?? []
        if fields.count > 21 {
            figures.virtualBytes = Double(fields[20])
            figures.residentBytes = Double(fields[21]).map { $0 * Double(sysconf(CInt(_SC_PAGESIZE))) }
            if let boot = bootTime(), let ticks = Double(fields[19]) {
                figures.startTime = boot + ticks / Double(sysconf(CInt(_SC_CLK_TCK)))
            }
        }
        return figures
    }

    private static func cpuSeconds() -> Double? {
        var usage = rusage()
        guard unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return nil }
        return [usage.ru_utime, usage.ru_stime].reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1_000_000 }
    }

    /// The folder's entries less `.`, `..` and the one that reading it takes.
    private static func openDescriptorCount() -> Double? {
        guard let folder = unsafe opendir("/proc/self/fd") else { return nil }
        defer { unsafe closedir(folder) }
        var count = -3
        while unsafe readdir(folder) != nil { count += 1 }
        return Double(count)
    }

    private static func bootTime() -> Double? {
        let line = text("/proc/stat").split(separator: "\n").first { $0.hasPrefix("btime ") }
        return line.flatMap { Double($0.dropFirst("btime ".count)) }
    }

    private static func text(_ path: String) -> String {
        guard case .success(let bytes) = FileBytes.read(path, limit: 1 << 20) else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }
}
