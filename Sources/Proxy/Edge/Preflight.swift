import Glibc
import HTTPWire
import NIOCore
import Policy

/// The gateway's own answer to a CORS preflight (Fetch §4.8): 204, with what the browser may go on to send, or without where the page's
/// origin is not listed. Nothing of it goes upstream, and nobody is verified: a preflight carries no credential.
package struct Preflight {
    let fields: CORSFields

    /// HTTP status: a success without a body (Fetch takes any 2xx).
    static let status: UInt16 = 204

    /// The origin that may go on; nil where the page's is not listed.
    package var allowedOrigin: [UInt8]? { fields.origin.isEmpty ? nil : fields.origin }

    /// The whole answer as it goes to the client.
    func answer(id: RequestID, closing: Bool) -> ByteBuffer {
        var bytes = ByteBufferAllocator().buffer(capacity: 256 + fields.size)
        bytes.writeStatusLine(Self.status)
        bytes.writeStaticString("Date: ")
        bytes.writeHTTPDate(Int64(time(nil)))
        bytes.writeStaticString("\r\nX-Request-ID: ")
        bytes.writeBytes(id.bytes)
        bytes.writeStaticString("\r\n")
        fields.write(into: &bytes)
        if closing { bytes.writeStaticString("Connection: close\r\n") }
        bytes.writeStaticString("\r\n")
        return bytes
    }
}

extension Gatekeeper {
    /// The answer to a preflight for a route with CORS: the route of the method that is asked for, not that of OPTIONS. Nil for every
    /// other request, which is judged as ever, and for a preflight that names no such route. Comes before stage 3.
    func preflight(_ head: borrowing RequestHead, peer: borrowing Peer, found: inout Findings) -> Preflight? {
        guard let asked = head.preflightMethod else { return nil }
        do throws(Denial) {
            try RequestRules.check(head)
            var other = Findings()
            let route = try route(head, try canonicalPath(head), method: asked, peer: peer, &other)
            guard let cors = snapshot.rules[route].cors else { return nil }
            found.route = route
            return Preflight(fields: cors.preflightFields(for: head))
        } catch {
            return nil
        }
    }
}
