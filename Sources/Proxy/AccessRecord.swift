import Policy
import Tokens

/// What is noted of one request while it lives, for its line in the access log.
struct AccessRecord: ~Copyable {
    var id: RequestID
    let trace: TraceContext
    /// Nanoseconds of the loop's clock at the request's first byte.
    var started: Int64
    var method: MethodName = .none
    /// Index of the chosen route in the snapshot.
    var route: Int?
    var credential: Credential?
    /// The tenant that was selected, or that an unselected credential stands for.
    var tenant: TenantID?
    /// What the request would have been refused with, on a route that only observes.
    var observed: Denial?
    /// HTTP status that was sent; 0 when none was.
    var status: UInt16 = 0
    var ending: Ending = .answered
    var bytesIn: Int = 0
    var bytesOut: Int = 0
    /// Nanoseconds at which the head went upstream and at which the answer's head came.
    var forwarded: Int64 = 0
    var answered: Int64 = 0
    var upstream: Int?
    /// It came by HTTP/2.
    var isHTTP2 = false

    init(id: RequestID, trace: TraceContext, started: Int64) {
        self.id = id
        self.trace = trace
        self.started = started
    }

    mutating func note(_ found: Findings) {
        route = found.route
        // By an alias nobody is known.
        credential = found.credential?.alias == nil ? found.credential : nil
        tenant = found.tenant
        observed = found.observed
    }

    /// The gateway's own answer is a refusal.
    mutating func note(_ refusal: Refusal) {
        status = refusal.denial.status
        ending = .refused(refusal.denial)
        bytesOut = refusal.isHead ? 0 : refusal.body.count
    }

    /// How a request ended, the log's `code`.
    enum Ending {
        /// The upstream's own answer, passed on whole: `-`.
        case answered
        case refused(Denial)
        /// The client went away before the end of the answer.
        case clientClosed
        /// The upstream broke off in the middle of its answer.
        case upstreamAborted
        /// Open work of a user who was suspended meanwhile, or whose token expired.
        case cut(Denial)
    }
}

/// A method as the log names it: the first 15 bytes, without allocation.
struct MethodName {
    private var high: UInt64 = 0
    private var low: UInt64 = 0
    private(set) var count = 0

    static let none = MethodName()

    private init() {}

    init(_ bytes: Span<UInt8>) {
        count = min(bytes.count, 15)
        for index in 0..<count {
            if index < 8 {
                high |= UInt64(bytes[index]) << UInt64(8 * index)
            } else {
                low |= UInt64(bytes[index]) << UInt64(8 * (index - 8))
            }
        }
    }

    func put(into line: inout Composer) {
        for index in 0..<count {
            line.put(byte: UInt8(truncatingIfNeeded: index < 8 ? high >> UInt64(8 * index) : low >> UInt64(8 * (index - 8))))
        }
    }
}
