import Foundation
import Policy
import Suspensions

/// Starts on a ledger as the gateway does, and asks.
enum Measurement {
    private static let questions = 2_000_000

    static func run(_ file: String) throws {
        let before = resident()
        let start = Date()
        let ledger = try SuspensionBenchmark.open(file)
        let opened = SuspensionBenchmark.seconds(since: start)
        let openedCPU = cpu()
        let authority = try SuspensionAuthority(store: ledger, reaches: [.tenant], onBlock: { _ in })
        let index = authority.index
        let parts = String(format: "%.2f s of CPU, %.2f s of them opening and checking", cpu(), openedCPU)
        print("started on \(index.userCount) users in \(SuspensionBenchmark.seconds(since: start)) s, \(opened) s opening (\(parts))")
        print("resident \(resident() / 1_000_000) MB, of that \(before / 1_000_000) MB before the ledger")
        let count = index.userCount
        guard count > 0 else { return }
        ask("strangers, random", index, users: 1 << 20) { SampleUsers.user(count + $0) }
        ask("strangers, the same 1000", index, users: 1000) { SampleUsers.user(count + $0) }
        ask("suspended, random", index, users: min(count, 1 << 20)) { SampleUsers.user(($0 &* 7919) % count) }
        ask("suspended, the same 1000", index, users: min(count, 1000)) { SampleUsers.user($0) }
        authority.close()
    }

    /// Asks as a request does: one user after the other, the id and the tenant at hand.
    private static func ask(_ name: String, _ index: SuspensionIndex, users: Int, _ user: (Int) -> UserID) {
        let samples = (0..<users).map(user)
        let tenant = TenantID(SampleUsers.tenant(0).canonical.span, format: .uuid)!
        var found = 0
        var position = 0
        let start = cpu()
        for _ in 0..<questions {
            if index.isSuspended(samples[position], in: 0, asking: .selected(tenant)) { found += 1 }
            position += 1
            if position == users { position = 0 }
        }
        let each = (cpu() - start) * 1e9 / Double(questions)
        print("\(name): \(String(format: "%.1f", each)) ns of CPU per question (\(found) of \(questions) refused)")
    }

    /// Seconds of CPU that this process has spent: other work on the machine doesn't count.
    private static func cpu() -> Double {
        var time = timespec()
        unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Bytes of memory that the process has in use.
    private static func resident() -> Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
        return (line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
    }
}
