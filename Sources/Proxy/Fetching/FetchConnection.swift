import HTTPWire
import NIOCore
import Policy
import TLS

/// The connection of one fetch: sends one GET and reads one answer, in TLS or without. Loop-bound.
final class FetchConnection: StreamSocket {
    private unowned let fetch: Fetch
    private let records: TLSRecords
    private let tls: TLSConnection?
    private var reader: FetchReader
    private var isDone = false

    /// Takes over a connected descriptor; nil without memory (it is closed then).
    init?(_ descriptor: CInt, fetch: Fetch, records: TLSRecords) {
        self.fetch = fetch
        self.records = records
        reader = FetchReader(fetch.order.wants)
        tls = fetch.order.destination.connection(records: records)
        super.init(descriptor, on: fetch.loop)
        if fetch.order.destination.isSecure && tls == nil {
            isDone = true
            close()
            return nil
        }
    }

    var isHandshaking: Bool { tls?.isHandshaking ?? false }

    func begin() {
        guard let tls else { return ask() }
        let news = tls.begin()
        send(records)
        if let error = news.error { fail(error) }
    }

    /// Ends it; the fetch hears nothing more.
    func abandon() {
        isDone = true
        tls?.cut()
        close()
    }

    // MARK: events

    override func readable() {
        while isOpen, !isDone {
            switch unsafe receive(into: loop.received) {
            case .none: return
            case .failure: return inputEnded(.init(.http, "the connection broke"))
            case .end: return inputEnded(nil)
            case .bytes(let count): unsafe took(UnsafeRawBufferPointer(rebasing: loop.received[..<count]))
            }
        }
    }

    override func closed() {
        if !isDone { end(.failure(FetchFailure(.http, "the connection broke"))) }
    }

    // MARK: steps

    private func ask() {
        var request = ByteBuffer()
        request.writeString("GET \(fetch.order.target) HTTP/1.1\r\nHost: \(fetch.order.host)\r\n")
        request.writeString(fetch.order.lines + "Accept-Encoding: identity\r\n")
        request.writeString("User-Agent: tenantgate\r\nConnection: close\r\n\r\n")
        guard let tls else {
            put(request)
            return flush()
        }
        let error = tls.write(request) ?? tls.flush()
        send(records)
        if let error { fail(error) }
    }

    private func took(_ bytes: UnsafeRawBufferPointer) {
        guard let tls else {
            unsafe reader.input.writeBytes(bytes)
            return read()
        }
        var plaintext = ByteBuffer()
        let news = unsafe tls.receive(bytes, into: &plaintext, isWritable: isWritable)
        send(records)
        if news.completed != nil { ask() }
        reader.input.writeBuffer(&plaintext)
        read()
        if let error = news.error { fail(error) }
        if news.closed { inputEnded(nil) }
    }

    private func read() {
        guard !isDone, let result = reader.advance() else { return }
        end(result)
    }

    /// The server sends no more.
    private func inputEnded(_ failure: FetchFailure?) {
        guard !isDone else { return }
        if let failure { return end(.failure(failure)) }
        if case .failure(let error) = tls?.streamEnded() { return fail(error) }
        end(reader.inputEnded())
    }

    private func fail(_ error: TLSError) { end(.failure(FetchFailure(error, at: fetch.order.host))) }

    private func end(_ result: Result<FetchedDocument, FetchFailure>) {
        guard !isDone else { return }
        isDone = true
        fetch.end(result)
    }
}

extension FetchFailure {
    fileprivate init(_ error: TLSError, at authority: String) {
        switch error {
        case .untrusted(.wrongName): self.init(.hostName, "the certificate of \(authority) is for another host name")
        case .untrusted(let problem): self.init(.certificate, "\(authority): \(problem)")
        case .truncated: self.init(.http, "\(authority): \(error)")
        default: self.init(.tls, "\(authority): \(error)")
        }
    }
}
