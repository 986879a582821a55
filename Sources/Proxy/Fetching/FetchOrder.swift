import HTTPWire
import NIOCore
import Policy
import TLS

/// What somebody wants to have.
struct FetchOrder: Sendable {
    let destination: FetchDestination
    /// Path and query.
    let target: String
    /// Further lines of the request's head, each with its end.
    let lines: String
    /// What counts as an answer.
    let wants: Wants
    /// Milliseconds.
    let timeout: Int64
    /// Whether it failed last time.
    let isRetry: Bool
    let completion: FetchClient.Completion

    enum Wants: Sendable {
        /// A whole 200 and nothing else.
        case document
        /// Any whole answer with a body of so many bytes at most.
        case answer(limit: Int)
    }

    /// Who is asked: name and port. Hosts take turns.
    var host: String { destination.authority }
}

extension FetchOrder {
    /// A document at a URL. `tls`: nil for http, and where whom to trust can't be read; https is not fetched then.
    init(url: FetchURL, tls: TLSClientContext?, timeout: Int64, isRetry: Bool, completion: @escaping FetchClient.Completion) {
        self.init(
            destination: .url(url, tls), target: url.target, lines: "Accept: application/json, application/jwk-set+json\r\n",
            wants: .document, timeout: timeout, isRetry: isRetry, completion: completion)
    }
}

/// Where something is fetched.
enum FetchDestination: Sendable {
    /// https from anywhere, or http from this machine.
    case url(FetchURL, TLSClientContext?)
    /// A service's server, as the file says how to reach it.
    case server(Upstream.Server, UpstreamTLS?)

    /// The `Host` of requests.
    var authority: String {
        switch self {
        case .url(let url, _): url.authority
        case .server(let server, _): server.authority
        }
    }

    /// The name to look up and the port; nil for a Unix socket.
    var name: (host: String, port: Int)? {
        switch self {
        case .url(let url, _): (url.host, Int(url.port))
        case .server(.network(let host, let port), _): (host, port)
        case .server(.unix, _): nil
        }
    }

    /// A socket's address that needs no look-up.
    var address: SocketAddress? { if case .server(let server, _) = self { server.address } else { nil } }

    var isSecure: Bool {
        switch self {
        case .url(let url, _): url.isSecure
        case .server(_, let tls): tls != nil
        }
    }

    /// Whether it is known whom to believe.
    var isTrustKnown: Bool { if case .url(let url, nil) = self { !url.isSecure } else { true } }

    /// Whether its name must be this machine's: such an answer is not verified.
    var mustBeLoopback: Bool { if case .url(let url, _) = self { !url.isSecure } else { false } }

    /// TLS with it; nil where it is spoken to without, or no memory is left.
    func connection(records: TLSRecords) -> TLSConnection? {
        switch self {
        case .url(let url, let context?) where url.isSecure:
            TLSConnection(client: context, to: url.isAddress ? .address(url.host) : .name(url.host), records: records)
        case .server(let server, let tls?): TLSConnection(client: tls.context, to: tls.identity(of: server), records: records)
        default: nil
        }
    }
}
