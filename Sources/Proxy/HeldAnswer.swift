import HTTPWire
import NIOCore
import Policy
import Suspensions

/// A suspend call's answer, held back whole until it is known what it says (SPEC §4 steps 4–6).
struct HeldAnswer {
    let status: UInt16
    /// Status line and fields, without the length.
    let fields: ByteBuffer
    private let contentType: [UInt8]?
    private let contentEncoding: [UInt8]?
    private(set) var body = ByteBuffer()
    private(set) var isTooLarge = false

    /// What the answer says of the call.
    enum Verdict {
        /// A 2xx that teaches the intended state.
        case confirmed
        /// A 4xx that means no.
        case refused
        /// An answer that leaves the state open, and goes to the caller as it is.
        case passedOnUnconfirmed(String)
        /// A 2xx that doesn't teach the intended state: not passed on.
        case unconfirmed(String)
    }

    init(head: borrowing ResponseHead, rewritten: ByteBuffer) {
        status = head.status
        fields = rewritten
        contentType = head.message.joined(.contentType)
        contentEncoding = head.message.joined(.contentEncoding)
    }

    mutating func append(_ piece: ByteBuffer) {
        guard body.readableBytes + piece.readableBytes <= Limits.learnedAnswer else {
            isTooLarge = true
            return
        }
        body.writeImmutableBuffer(piece)
    }

    /// What was given, to be read.
    var content: ServiceAnswer {
        ServiceAnswer(
            status: Int(status), contentType: contentType, contentEncoding: contentEncoding, body: Array(body.readableBytesView))
    }

    func verdict(on intent: Admission.Intent, about user: UserID, wanted: UserState) -> Verdict {
        switch status {
        case 200..<300:
            if isTooLarge { return .unconfirmed("answer too large") }
            let lesson = intent.reader.lesson(from: content, about: user, asked: wanted)
            switch lesson {
            case .teaches(_, let state) where state == wanted: return .confirmed
            case .teaches: return .unconfirmed("answer shows the other state")
            case .teachesNothing(let reason): return .unconfirmed(reason.words)
            }
        case 400..<500 where status != 408 && status != 409: return isTooLarge ? .unconfirmed("answer too large") : .refused
        default: return isTooLarge ? .unconfirmed("answer too large") : .passedOnUnconfirmed("status \(status)")
        }
    }

    /// The whole answer as it goes to the client.
    func answer(reach: StaticString?, closing: Bool) -> ByteBuffer {
        var out = ByteBufferAllocator().buffer(capacity: fields.readableBytes + body.readableBytes + 128)
        out.writeImmutableBuffer(fields)
        if let reach { out.writeString("Suspension-Reach: \(reach)\r\n") }
        if closing { out.writeStaticString("Connection: close\r\n") }
        if status != 204 && status != 304 { out.writeString("Content-Length: \(body.readableBytes)\r\n") }
        out.writeStaticString("\r\n")
        out.writeImmutableBuffer(body)
        return out
    }
}
