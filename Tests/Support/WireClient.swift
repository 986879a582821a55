/// A client of the tests' own: sends exactly the bytes it is given and reads one answer after the other.
package final class WireClient {
    package let stream: any ByteStream
    private var buffer: [UInt8] = []
    private var ended: Received?
    /// The program at the other end, kept alive as long as the client.
    package var owner: AnyObject?
    /// Seconds until a missing answer is an error.
    package var patience: Double = 20

    package init(_ stream: any ByteStream) { self.stream = stream }

    package static func tls(port: Int) throws -> WireClient { WireClient(try TLSStream(port: port)) }
    package static func plain(port: Int) throws -> WireClient { WireClient(try PlainStream(port: port)) }

    /// Sends bytes and reads the answer to them. That the other side stops listening halfway is no error as long as it answers.
    package func exchange(_ bytes: [UInt8], method: String = "GET") throws -> WireAnswer {
        do { try stream.send(bytes) } catch StreamError.closed {}
        return try answer(to: method)
    }

    package func exchange(_ text: String, method: String? = nil) throws -> WireAnswer {
        try exchange(Array(text.utf8), method: method ?? String(text.prefix { $0 != " " }))
    }

    /// Reads one answer, past any 1xx. Throws `closed` where the connection ends without one.
    package func answer(to method: String) throws -> WireAnswer {
        var interim: [Int] = []
        while true {
            let (start, fields) = splitHead(try head())
            let words = start.split(separator: " ", maxSplits: 2)
            guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else { throw StreamError.malformed(start) }
            var answer = WireAnswer(status: status, fields: fields)
            if status < 200, status != 101 {
                interim.append(status)
                continue
            }
            answer.interim = interim
            if method != "HEAD", status != 204, status != 304, status != 101 { try readBody(of: &answer) }
            return answer
        }
    }

    /// Reads an answer's head and its body up to `mark`. For answers that don't end.
    package func begin(until mark: String) throws -> WireAnswer {
        let (start, fields) = splitHead(try head())
        let status = start.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        guard let status else { throw StreamError.malformed(start) }
        while !String(decoding: buffer, as: UTF8.self).contains(mark), try fill() {}
        buffer = []
        return WireAnswer(status: status, fields: fields)
    }

    /// What was read behind the last answer: the other protocol's first bytes.
    func takeBuffered() -> [UInt8] {
        defer { buffer = [] }
        return buffer
    }

    /// Whether the connection ends within so many seconds, and how; nil where it stays open or more bytes come.
    package func end(within seconds: Double) throws -> Bool? {
        guard buffer.isEmpty else { return nil }
        if case .end(let clean) = ended { return clean }
        guard case .end(let clean) = try stream.receive(seconds: seconds) else { return nil }
        ended = .end(clean: clean)
        return clean
    }

    /// Everything until the end of the connection.
    package func rest() throws -> [UInt8] {
        while try fill() {}
        defer { buffer = [] }
        return buffer
    }
}

extension WireClient {
    /// Waits for more bytes; false at the end of the connection.
    private func fill() throws -> Bool {
        guard ended == nil else { return false }
        switch try stream.receive(seconds: patience) {
        case .bytes(let bytes): buffer += bytes
        case .end(let clean): ended = .end(clean: clean)
        case .nothingYet: throw StreamError.timedOut
        }
        return ended == nil
    }

    private func head() throws -> [UInt8] {
        var searched = 0
        while true {
            if let end = headEnd(buffer, from: searched) {
                defer { buffer.removeFirst(end) }
                return Array(buffer[..<(end - 4)])
            }
            searched = max(0, buffer.count - 3)
            guard try fill() else { throw StreamError.closed }
        }
    }

    private func readBody(of answer: inout WireAnswer) throws {
        if answer.values("transfer-encoding").contains(where: { $0.lowercased() == "chunked" }) {
            try readChunks(of: &answer)
        } else if let length = answer.field("content-length").flatMap({ Int($0) }) {
            answer.isCut = try !collect(length)
            answer.body = take(length)
        } else {
            while try fill() {}
            answer.isCut = ended == .end(clean: false)
            answer.body = take(buffer.count)
        }
    }

    private func readChunks(of answer: inout WireAnswer) throws {
        while true {
            guard let line = try line(), let size = Int(line.prefix { $0 != ";" }, radix: 16) else { break }
            if size == 0 {
                while let trailer = try self.line() {
                    if trailer.isEmpty { return }
                    answer.trailers += splitHead(("\r\n" + trailer).utf8).fields
                }
                break
            }
            let isWhole = try collect(size + 2)
            answer.body += take(size)
            guard isWhole else { break }
            buffer.removeFirst(2)
        }
        answer.isCut = true
    }

    /// One line without its end; nil where the connection ends before.
    private func line() throws -> String? {
        while true {
            if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                defer { buffer.removeFirst(end + 1) }
                return String(decoding: buffer[..<max(0, end - 1)], as: UTF8.self)
            }
            guard try fill() else { return nil }
        }
    }

    private func collect(_ count: Int) throws -> Bool {
        while buffer.count < count { guard try fill() else { return false } }
        return true
    }

    private func take(_ count: Int) -> [UInt8] {
        let taken = Array(buffer.prefix(count))
        buffer.removeFirst(taken.count)
        return taken
    }
}

/// The index behind the first empty line at or after `from`.
package func headEnd(_ bytes: [UInt8], from: Int = 0) -> Int? {
    guard bytes.count >= 4 else { return nil }
    var index = from
    while index + 4 <= bytes.count {
        if bytes[index + 3] > 13 {
            index += 4
        } else if bytes[index] == 13, bytes[index + 1] == 10, bytes[index + 2] == 13, bytes[index + 3] == 10 {
            return index + 4
        } else {
            index += 1
        }
    }
    return nil
}
