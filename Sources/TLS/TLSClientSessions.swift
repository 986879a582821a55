import COpenSSL
import Glibc

/// The session that a client's next connection to one server resumes (RFC 8446 §2.2, RFC 5077): the last one that the server gave.
///
/// A resumed handshake verifies no certificate anew: so each object is for one server under one context and one identity, and a session is
/// offered for `TLSLimits.ticketLifetime` at most. Used on one event loop only; connections keep it while they live.
@safe package final class TLSClientSessions {
    private var session: OpaquePointer?
    /// Seconds of the monotonic clock from which the session is not offered any more.
    private var expires = 0

    package init() {}

    deinit { unsafe SSL_SESSION_free(session) }

    /// Makes the context's connections give their sessions to the object that they were made with.
    static func install(in context: OpaquePointer) {
        unsafe shim_SSL_CTX_set_session_cache_mode(context, Int(SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL))
        unsafe SSL_CTX_sess_set_new_cb(context) { ssl, session in
            // 0: OpenSSL takes the session back.
            guard let object = unsafe SSL_get_ex_data(ssl, 0), let session = unsafe session else { return 0 }
            unsafe Unmanaged<TLSClientSessions>.fromOpaque(object).takeUnretainedValue().keep(session)
            return 1
        }
    }

    /// Has a new connection resume the session, if there is one, and give its own.
    func offer(to ssl: OpaquePointer) {
        unsafe SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
        guard let session = unsafe session else { return }
        guard Self.now < expires, unsafe SSL_SESSION_is_resumable(session) == 1 else { return forget() }
        unsafe SSL_set_session(ssl, session)
    }

    /// Takes over a reference.
    private func keep(_ new: OpaquePointer) {
        forget()
        unsafe session = new
        expires = Self.now + TLSLimits.ticketLifetime
    }

    /// The next handshake is a whole one.
    func forget() {
        unsafe SSL_SESSION_free(session)
        unsafe session = nil
    }

    private static var now: Int {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
        return time.tv_sec
    }
}
