/// A document that was fetched, whole: status 200, unless any answer was asked for.
package struct FetchedDocument: Equatable, Sendable {
    package let body: [UInt8]
    /// Seconds for which it is fresh by its `Cache-Control` (RFC 9111 §5.2.2: `max-age`; 0 for `no-cache` and `no-store`); nil where it
    /// doesn't say.
    package let maxAge: Int64?
    /// The status, and fields as received, where any answer was asked for; several lines joined by ", ".
    package let status: Int
    package let contentType: [UInt8]?
    package let contentEncoding: [UInt8]?

    package init(
        body: [UInt8], maxAge: Int64? = nil, status: Int = 200, contentType: [UInt8]? = nil, contentEncoding: [UInt8]? = nil
    ) {
        self.body = body
        self.maxAge = maxAge
        self.status = status
        self.contentType = contentType
        self.contentEncoding = contentEncoding
    }
}

/// Why a document could not be had or used: a cause that can be counted, and the words for it.
package struct FetchFailure: Error, Equatable, Sendable {
    /// What failed; the raw value is its name in metrics.
    package enum Cause: String, Sendable, CaseIterable {
        /// The host name has no address.
        case dns
        case connect
        case timeout
        case tls
        /// The server's certificate is of no trusted authority, expired or too weak.
        case certificate
        /// The certificate is for another host.
        case hostName = "host_name"
        /// Another status than 200; redirects apart.
        case status
        /// Never followed: who answers for the host named in the file is not to name another.
        case redirect
        case tooLarge = "too_large"
        /// The answer is not well-formed HTTP, or was cut off.
        case http
        /// The document is not what belongs there.
        case parse
        /// An issuer's metadata speaks for another issuer.
        case issuer
        /// No key in the set can be used.
        case empty
    }

    package let cause: Cause
    /// A few words for people. Never holds anything of the document.
    package let detail: String

    package init(_ cause: Cause, _ detail: String) {
        self.cause = cause
        self.detail = detail
    }
}

extension FetchFailure: CustomStringConvertible {
    package var description: String { "\(cause.rawValue): \(detail)" }
}
