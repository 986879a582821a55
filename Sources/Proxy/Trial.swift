package import HTTPWire
package import Policy
package import Tokens

/// What the Gatekeeper makes of one head, for people who ask why (`tenantgate explain`). Nothing is forwarded or kept.
package struct Trial {
    package let findings: Findings
    /// Nil where the request is admitted.
    package let denial: Denial?
    /// The rule that decided against it, as `details.rule` would name it.
    package let rule: String?
    /// Nil where the request is refused.
    package let forwarding: Forwarding?

    /// The gateway's own answer, where the request is a CORS preflight for a route that has them.
    package let preflight: Preflight?
    /// What an answer says to the page that asks: its origin where it is listed; nil where not, and on a route without CORS.
    package let allowedOrigin: [UInt8]?

    /// It is refused because it opens a WebSocket without a good `Sec-WebSocket-Key`.
    package private(set) var isBadOpening = false

    /// What would go upstream.
    package struct Forwarding {
        /// The path, in its normal form and mapped to the upstream.
        package let path: [UInt8]
        /// `X-Tenant-ID`; nil where none goes.
        package let tenant: [UInt8]?
        /// The dialect's call that the request is.
        package let call: Call
    }

    /// What the gateway does with the answer.
    package enum Call { case suspends, teaches, other }

    /// Judges the head by the very code that judges requests. `now` is in Unix seconds.
    package init(_ head: borrowing RequestHead, snapshot: Snapshot, keys: KeyTable = .empty, now: Int64) {
        var gatekeeper = Gatekeeper(snapshot: snapshot)
        gatekeeper.use(keys)
        gatekeeper.asksAtOnce = true
        var found = Findings()
        let peer = Peer(nil, trusted: snapshot.trustedProxies, isTLS: true)
        preflight = gatekeeper.preflight(head, peer: peer, found: &found)
        if let preflight {
            (denial, rule, forwarding, findings, allowedOrigin) = (nil, nil, nil, found, preflight.allowedOrigin)
            return
        }
        do throws(Denial) {
            let admission = try gatekeeper.admit(head, peer: peer, now: now, found: &found)
            if admission.intent == nil {
                isBadOpening = true
                _ = try WebSocketTunnel(head)
                isBadOpening = false
            }
            denial = nil
            rule = nil
            let received = head.withBytes(head.pathRange) { path in path.indices.map { path[$0] } }
            let call: Call = admission.intent != nil ? .suspends : admission.observed != nil ? .teaches : .other
            forwarding = Forwarding(
                path: admission.path ?? received, tenant: admission.tenantHeader.isEmpty ? nil : admission.tenantHeader, call: call)
        } catch {
            denial = error
            rule = Refusal.rule(error, found)
            forwarding = nil
        }
        findings = found
        let fields = found.route.flatMap { snapshot.rules[$0].cors?.fields(for: head) } ?? .none
        allowedOrigin = fields.origin.isEmpty ? nil : fields.origin
    }
}
