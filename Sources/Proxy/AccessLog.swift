import NIOCore
import Policy
import Tokens

/// One loop's access log: lines are composed here and handed to the writer in blocks.
struct AccessLog {
    private let writer: LogWriter
    private var block: ByteBuffer
    private var lines = 0
    private var clock = LogClock()

    /// Bytes after which a block is handed over at once; smaller ones go at the next tick.
    private static let blockSize = 32 * 1024

    /// Bytes of a line besides its names, ids and request id.
    private static let fixedSize = 690

    init(writer: LogWriter) {
        self.writer = writer
        block = ByteBufferAllocator().buffer(capacity: Self.blockSize + 4096)
    }

    /// Notes a request that has ended. `now` is the loop's clock in nanoseconds, `unix` the same instant in milliseconds since 1970.
    mutating func write(_ record: borrowing AccessRecord, snapshot: Snapshot, now: Int64, unix: Int64) {
        clock.update(unix)
        let route = record.route.map { snapshot.rules[$0].label }
        let upstream = record.upstream.map { snapshot.upstreams[$0].label }
        let user = snapshot.logsPlainUsers ? record.credential?.user.id.canonical : nil
        let texts = (route?.count ?? 0) + (upstream?.count ?? 0) + 6 * ((record.tenant?.spelling.count ?? 0) + (user?.count ?? 0))
        block.compose(atMost: Self.fixedSize + record.id.count + texts) { line in
            line.put("{\"time\":\"")
            clock.put(into: &line)
            line.put("\",\"request_id\":\"")
            line.put(record.id)
            line.put("\",\"trace_id\":\"")
            line.put(hex: record.trace.high)
            line.put(hex: record.trace.low)
            line.put("\",\"method\":\"")
            record.method.put(into: &line)
            line.put("\",\"route\":")
            line.putJSON(route)
            line.put(",\"status\":")
            line.put(decimal: Int(record.status))
            line.put(",\"code\":\"")
            line.put(record.ending.code)
            line.put("\",\"stage\":\"")
            line.put(record.ending.stage.name)
            if let observed = record.observed {
                line.put("\",\"would_refuse\":\"")
                line.put(observed.code)
            }
            line.put("\",\"tenant\":")
            line.putString(record.tenant?.spelling)
            line.put(",\"user\":")
            if let user { line.putString(user) } else { line.putHash(record.credential?.userHash) }
            line.put(",\"duration_ms\":")
            line.putMilliseconds(now - record.started)
            line.put(",\"upstream_ms\":")
            if record.answered > 0 { line.putMilliseconds(record.answered - record.forwarded) } else { line.put("null") }
            line.put(",\"bytes_in\":")
            line.put(decimal: record.bytesIn)
            line.put(",\"bytes_out\":")
            line.put(decimal: record.bytesOut)
            line.put(record.isHTTP2 ? ",\"protocol\":\"HTTP/2.0\",\"upstream\":" : ",\"protocol\":\"HTTP/1.1\",\"upstream\":")
            line.putJSON(upstream)
            line.put("}\n")
        }
        lines += 1
        if block.readableBytes >= Self.blockSize { flush() }
    }

    /// Hands over what there is.
    mutating func flush() {
        guard lines > 0 else { return }
        writer.append(block, lines: lines)
        block = ByteBufferAllocator().buffer(capacity: Self.blockSize + 4096)
        lines = 0
    }
}

extension AccessRecord.Ending {
    fileprivate var code: StaticString {
        switch self {
        case .answered: "-"
        case .refused(let denial), .cut(let denial): denial.code
        case .clientClosed: "client_closed"
        case .upstreamAborted: "upstream_aborted"
        }
    }

    fileprivate var stage: Stage {
        switch self {
        case .answered, .clientClosed, .upstreamAborted: .respond
        case .refused(let denial), .cut(let denial): denial.stage
        }
    }
}

extension Composer {
    /// A name from the file, made a JSON string when it was loaded.
    fileprivate mutating func putJSON(_ string: [UInt8]?) {
        if let string { put(string) } else { put("null") }
    }

    /// A value from a token, as a JSON string.
    fileprivate mutating func putString(_ bytes: [UInt8]?) {
        guard let bytes else { return put("null") }
        put(byte: UInt8(ascii: "\""))
        put(escaped: bytes)
        put(byte: UInt8(ascii: "\""))
    }

    /// The user as a hash under a key of this process.
    fileprivate mutating func putHash(_ hash: KeyedHash.Value?) {
        guard let hash else { return put("null") }
        put(byte: UInt8(ascii: "\""))
        put(hex: hash.high)
        put(hex: hash.low)
        put(byte: UInt8(ascii: "\""))
    }

    /// Milliseconds with three decimals.
    fileprivate mutating func putMilliseconds(_ nanoseconds: Int64) {
        let micros = max(0, Int(nanoseconds)) / 1000
        put(decimal: micros / 1000)
        put(byte: UInt8(ascii: "."))
        put(decimal: micros % 1000, digits: 3)
    }
}
