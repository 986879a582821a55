import HTTPWire
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

    init(writer: LogWriter) {
        self.writer = writer
        block = ByteBufferAllocator().buffer(capacity: Self.blockSize + 4096)
    }

    /// Notes a request that has ended. `now` is the loop's clock in nanoseconds, `unix` the same instant in milliseconds since 1970.
    mutating func write(_ record: AccessRecord, snapshot: Snapshot, now: Int64, unix: Int64) {
        clock.update(unix)
        let route = record.route.map { snapshot.rules[$0].label }
        let upstream = record.upstream.map { snapshot.upstreams[$0].label }
        block.writeStaticString("{\"time\":\"")
        clock.write(into: &block)
        block.writeStaticString("\",\"request_id\":\"")
        block.writeRequestID(record.id)
        block.writeStaticString("\",\"method\":\"")
        record.method.write(into: &block)
        block.writeStaticString("\",\"route\":")
        block.writeLabel(route)
        block.writeStaticString(",\"status\":")
        block.writeDecimal(Int(record.status))
        block.writeStaticString(",\"code\":\"")
        block.writeStaticString(record.ending.code)
        block.writeStaticString("\",\"stage\":\"")
        block.writeStaticString(record.ending.stage.name)
        block.writeStaticString("\",\"tenant\":")
        block.writeQuoted(record.tenant?.spelling)
        block.writeStaticString(",\"user\":")
        writeUser(record.credential, snapshot)
        block.writeStaticString(",\"duration_ms\":")
        block.writeMilliseconds(now - record.started)
        block.writeStaticString(",\"upstream_ms\":")
        if record.answered > 0 { block.writeMilliseconds(record.answered - record.forwarded) } else { block.writeStaticString("null") }
        block.writeStaticString(",\"bytes_in\":")
        block.writeDecimal(record.bytesIn)
        block.writeStaticString(",\"bytes_out\":")
        block.writeDecimal(record.bytesOut)
        block.writeStaticString(",\"protocol\":\"HTTP/1.1\",\"upstream\":")
        block.writeLabel(upstream)
        block.writeStaticString("}\n")
        lines += 1
        if block.readableBytes >= Self.blockSize { flush() }
    }

    /// The user as a hash under a key of this process, or as it is where the file says so.
    private mutating func writeUser(_ credential: Credential?, _ snapshot: Snapshot) {
        guard let credential else {
            block.writeStaticString("null")
            return
        }
        if snapshot.logsPlainUsers { return block.writeQuoted(credential.user.id.canonical) }
        let hash = snapshot.logHash(credential.user.id.canonical.span)
        block.writeStaticString("\"")
        block.writeHexWord(hash.high)
        block.writeHexWord(hash.low)
        block.writeStaticString("\"")
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

extension ByteBuffer {
    /// A name from the file, made a JSON string when it was loaded.
    fileprivate mutating func writeLabel(_ label: [UInt8]?) {
        guard let label else {
            writeStaticString("null")
            return
        }
        writeBytes(label)
    }

    /// A value from a token, as a JSON string.
    fileprivate mutating func writeQuoted(_ bytes: [UInt8]?) {
        guard let bytes else {
            writeStaticString("null")
            return
        }
        writeStaticString("\"")
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): writeBytes([UInt8(ascii: "\\"), byte])
            case 0x20...0x7E: writeInteger(byte)
            default:
                writeStaticString("\\u00")
                if byte < 16 { writeStaticString("0") }
                writeHex(Int(byte))
            }
        }
        writeStaticString("\"")
    }

    /// Milliseconds with three decimals.
    fileprivate mutating func writeMilliseconds(_ nanoseconds: Int64) {
        let micros = max(0, Int(nanoseconds)) / 1000
        writeDecimal(micros / 1000)
        let rest = micros % 1000
        writeStaticString(rest < 10 ? ".00" : rest < 100 ? ".0" : ".")
        writeDecimal(rest)
    }
}
