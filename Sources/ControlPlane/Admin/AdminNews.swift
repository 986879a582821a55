import Dispatch
import Policy
import StrictJSON
import Synchronization

/// Lines on standard error about what was done at the admin listener. Told on a thread of its own: who doesn't read standard error keeps
/// no operator waiting.
final class AdminNews: Sendable {
    private let say: @Sendable (String) -> Void
    private let queue = DispatchQueue(label: "tenantgate.admin.news")
    private let waiting = Atomic<Int>(0)

    init(_ say: @escaping @Sendable (String) -> Void) { self.say = say }

    /// `admin: ops suspended …`. What is quoted in it was escaped by `quoted`.
    func tell(_ text: String) {
        guard waiting.add(1, ordering: .relaxed).newValue <= Limits.adminNews else {
            waiting.subtract(1, ordering: .relaxed)
            return
        }
        queue.async { [self] in
            say("admin: \(text)")
            waiting.subtract(1, ordering: .relaxed)
        }
    }

    /// In quotes and one line, whatever it holds.
    static func quoted(_ bytes: [UInt8]) -> String {
        var json = JSONWriter()
        json.string(bytes)
        return String(decoding: json.bytes, as: UTF8.self)
    }
}
