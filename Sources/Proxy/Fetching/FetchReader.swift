import HTTPWire
import NIOCore
import Policy

/// Reads the answer to a fetch out of the bytes that come: a bounded body, and for a document status 200 and no coding. No socket.
struct FetchReader: ~Copyable {
    /// What has come and is not read yet.
    var input = ByteBuffer()

    private var parser = ResponseParser(limits: WireLimits(head: Limits.fetchedHead))
    private var head = ResponseHead()
    private var decoder: BodyDecoder?
    private var body: [UInt8] = []
    private var maxAge: Int64?
    private var kind: Kind?
    private let wants: FetchOrder.Wants
    private let limit: Int

    /// What a document doesn't tell of itself, and an answer does.
    private struct Kind {
        let status: Int
        let contentType: [UInt8]?
        let contentEncoding: [UInt8]?
    }

    typealias Outcome = Result<FetchedDocument, FetchFailure>

    init(_ wants: FetchOrder.Wants = .document) {
        self.wants = wants
        if case .answer(let limit) = wants { self.limit = limit } else { limit = Limits.fetchedDocument }
    }

    /// Reads what is there; nil while the answer goes on.
    mutating func advance() -> Outcome? {
        while decoder == nil {
            switch parser.parse(&input, into: &head, answering: .get) {
            case .needMore: return nil
            case .failed(let error): return Self.malformed(error)
            case .complete: if let failure = readHead() { return .failure(failure) }
            }
        }
        return readBody()
    }

    /// The connection's end: that of an answer which ends with it, or a cut.
    mutating func inputEnded() -> Outcome {
        guard decoder != nil else { return .failure(FetchFailure(.http, "the connection ended before the answer")) }
        do throws(WireError) {
            try decoder?.inputClosed()
            return document
        } catch {
            return Self.malformed(error)
        }
    }

    private var document: Outcome {
        guard let kind else { return .success(FetchedDocument(body: body, maxAge: maxAge)) }
        return .success(
            FetchedDocument(body: body, status: kind.status, contentType: kind.contentType, contentEncoding: kind.contentEncoding))
    }

    private mutating func readHead() -> FetchFailure? {
        guard !head.isInterim else { return nil }
        if case .answer = wants {
            if case .length(let count) = head.framing, count > limit { return tooLarge }
            kind = Kind(
                status: Int(head.status), contentType: head.message.joined(.contentType),
                contentEncoding: head.message.joined(.contentEncoding))
            decoder = BodyDecoder(head.framing, limits: WireLimits())
            return nil
        }
        guard head.status == 200 else {
            let isRedirect = (301...308).contains(head.status) && head.status != 304
            return isRedirect
                ? FetchFailure(.redirect, "status \(head.status): redirects are not followed; name the address that it leads to")
                : FetchFailure(.status, "status \(head.status)")
        }
        if case .length(let count) = head.framing, count > limit { return tooLarge }
        let coding = head.withValue(.contentEncoding) { Self.text($0) }
        guard coding == nil || coding == "identity" else { return FetchFailure(.http, "a content coding that was not asked for") }
        maxAge = head.fields.filter { $0.id == .cacheControl }.compactMap { field in
            head.withBytes(field.value) { CacheControl.maxAge(Self.text($0)) }
        }.min()
        decoder = BodyDecoder(head.framing, limits: WireLimits())
        return nil
    }

    private mutating func readBody() -> Outcome? {
        do throws(WireError) {
            while let piece = try decoder?.next(&input) {
                switch piece {
                case .needMore: return nil
                case .data(let bytes):
                    guard body.count + bytes.readableBytes <= limit else { return .failure(tooLarge) }
                    body += bytes.readableBytesView
                case .end: return document
                }
            }
            return nil
        } catch {
            return Self.malformed(error)
        }
    }

    private var tooLarge: FetchFailure { FetchFailure(.tooLarge, "more than \(limit) bytes") }

    private static func malformed(_ error: WireError) -> Outcome {
        .failure(FetchFailure(error == .headersTooLarge ? .tooLarge : .http, "\(error.reason)"))
    }

    private static func text(_ bytes: Span<UInt8>) -> String {
        String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self).lowercased()
    }
}

/// `Cache-Control` as far as it matters here (RFC 9111 §5.2.2).
enum CacheControl {
    /// Seconds of freshness that a field's value (in lower case) declares; nil where it says nothing of it.
    static func maxAge(_ value: String) -> Int64? {
        var shortest: Int64?
        for part in value.split(separator: ",") {
            let directive = part.drop { $0 == " " || $0 == "\t" }
            let age: Int64?
            if directive.hasPrefix("no-store") || directive.hasPrefix("no-cache") {
                age = 0
            } else if directive.hasPrefix("max-age=") {
                let digits = directive.dropFirst("max-age=".count).drop { $0 == "\"" }.prefix { ("0"..."9").contains($0) }
                age = digits.isEmpty ? nil : Int64(digits) ?? .max
            } else {
                age = nil
            }
            if let age { shortest = min(shortest ?? .max, age) }
        }
        return shortest
    }
}
