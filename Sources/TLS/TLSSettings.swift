import COpenSSL

/// What all certificate sets of a listener have in common, and the one place that decides how TLS is spoken.
///
/// Mozilla's "intermediate" of version 5.7 (https://wiki.mozilla.org/Security/Server_Side_TLS) with the server's preference, except
/// that clients which put ChaCha20 first (they lack AES instructions) get it.
@safe final class TLSSettings: Sendable {
    static let ciphers12 = """
        ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:\
        ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:\
        DHE-RSA-CHACHA20-POLY1305
        """
    static let ciphers13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
    static let groups = "X25519:P-256:P-384"

    private static let options =
        shim_SSL_OP_NO_RENEGOTIATION | shim_SSL_OP_NO_COMPRESSION | shim_SSL_OP_CIPHER_SERVER_PREFERENCE
        | shim_SSL_OP_PRIORITIZE_CHACHA
    /// No buffers while idle; the chain is sent as the file has it, not searched for at each handshake.
    private static let modes = SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER

    private let minimum: TLSVersion
    let tickets: TicketKeys
    /// ALPN's wire format: each name after its length.
    private let protocols: [UInt8]

    /// `tickets` are those of the settings before these, if there were any.
    init(_ configuration: TLSServerConfiguration, tickets: TicketKeys? = nil) throws(TLSConfigurationError) {
        minimum = configuration.minimum
        var wire: [UInt8] = []
        for name in configuration.alpn {
            guard let length = UInt8(exactly: name.utf8.count), length > 0 else { throw .invalidProtocol(name) }
            wire.append(length)
            wire.append(contentsOf: name.utf8)
        }
        protocols = wire
        guard let tickets = tickets ?? TicketKeys() else { throw .library("no random numbers") }
        self.tickets = tickets
    }

    /// Puts all settings but the certificates into a new context, whose callbacks refer to `self`.
    func apply(to context: OpaquePointer) throws(TLSConfigurationError) {
        OpenSSLErrors.clear()
        unsafe SSL_CTX_set_options(context, Self.options)
        unsafe shim_SSL_CTX_set_mode(context, Int(Self.modes))
        // SSL_read then returns after a record without data, so that such records can be counted.
        unsafe shim_SSL_CTX_clear_mode(context, Int(SSL_MODE_AUTO_RETRY))
        unsafe SSL_CTX_set_security_level(context, 2)
        let oldest = minimum == .v1_3 ? TLS1_3_VERSION : TLS1_2_VERSION
        guard
            unsafe shim_SSL_CTX_set_min_proto_version(context, oldest) == 1,
            unsafe SSL_CTX_set_cipher_list(context, Self.ciphers12) == 1,
            unsafe SSL_CTX_set_ciphersuites(context, Self.ciphers13) == 1,
            unsafe shim_SSL_CTX_set1_groups_list(context, Self.groups) == 1,
            unsafe shim_SSL_CTX_set_dh_auto(context) == 1
        else { throw .library(OpenSSLErrors.drain()?.text ?? "unknown") }
        unsafe resume(in: context)
        unsafe offerProtocols(in: context)
    }

    /// Resumption is stateless: one ticket after each handshake, sealed with `TicketKeys`; no session is kept here. No early data
    /// (OpenSSL's default).
    private func resume(in context: OpaquePointer) {
        unsafe shim_SSL_CTX_set_session_cache_mode(context, Int(SSL_SESS_CACHE_OFF))
        unsafe SSL_CTX_set_num_tickets(context, 1)
        unsafe SSL_CTX_set_timeout(context, TLSLimits.ticketLifetime)
        unsafe tickets.install(in: context)
    }

    private func offerProtocols(in context: OpaquePointer) {
        guard !protocols.isEmpty else { return }
        let argument = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe SSL_CTX_set_alpn_select_cb(
            context,
            { _, chosen, length, offered, offeredLength, argument in
                guard let argument = unsafe argument else { return SSL_TLSEXT_ERR_ALERT_FATAL }
                let settings = unsafe Unmanaged<TLSSettings>.fromOpaque(argument).takeUnretainedValue()
                return unsafe settings.choose(chosen, length, UnsafeBufferPointer(start: offered, count: Int(offeredLength)))
            }, argument)
    }

    /// Our first protocol that the client offers too; none is an error (RFC 7301 §3.2).
    private func choose(
        _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?, _ length: UnsafeMutablePointer<UInt8>?,
        _ offered: UnsafeBufferPointer<UInt8>
    ) -> CInt {
        var ours = protocols[...]
        while let count = ours.popFirst().map(Int.init) {
            let name = ours.prefix(count)
            ours = ours.dropFirst(count)
            var theirs = unsafe offered[...]
            while let count = unsafe theirs.popFirst().map(Int.init) {
                let candidate = unsafe theirs.prefix(count)
                if unsafe candidate.elementsEqual(name) {
                    // OpenSSL copies it at once: it is part of the ClientHello, which lives until then.
                    unsafe chosen?.pointee = UnsafeBufferPointer(rebasing: candidate).baseAddress
                    unsafe length?.pointee = UInt8(count)
                    return SSL_TLSEXT_ERR_OK
                }
                unsafe theirs = theirs.dropFirst(count)
            }
        }
        return SSL_TLSEXT_ERR_ALERT_FATAL
    }
}
