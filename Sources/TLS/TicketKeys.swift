import COpenSSL
import Glibc
import Synchronization

/// The keys that seal session tickets (RFC 5077 §4: AES-256-CBC, then HMAC-SHA256), held in this process only.
///
/// A key seals for one ticket lifetime, then opens for one more and is forgotten: a stolen memory image opens recorded TLS 1.2
/// sessions of at most two lifetimes. (TLS 1.3 sessions have forward secrecy also when resumed: only psk_dhe_ke is taken.)
/// Shared by all loops; taken during handshakes only.
@safe final class TicketKeys: Sendable {
    struct Key {
        let name: [UInt8]
        let cipher: [UInt8]
        let mac: [UInt8]
        /// Seconds of the monotonic clock.
        let made: Int

        init?(now: Int) {
            guard let name = randomBytes(16), let cipher = randomBytes(32), let mac = randomBytes(32) else { return nil }
            (self.name, self.cipher, self.mac, made) = (name, cipher, mac, now)
        }
    }

    struct Ring {
        var current: Key
        var previous: Key?
    }

    private let ring: Mutex<Ring>
    // Fetched once: a fetch at each handshake takes locks. Never changed.
    nonisolated(unsafe) private let cipher: OpaquePointer

    init?() {
        guard let first = Key(now: Self.now), let cipher = unsafe EVP_CIPHER_fetch(nil, "AES-256-CBC", nil) else { return nil }
        ring = Mutex(Ring(current: first))
        unsafe self.cipher = cipher
    }

    deinit { unsafe EVP_CIPHER_free(cipher) }

    /// Makes `context` seal and open its tickets here. The caller keeps this object for as long as the context.
    func install(in context: OpaquePointer) {
        unsafe SSL_CTX_set_ex_data(context, 0, Unmanaged.passUnretained(self).toOpaque())
        unsafe SSL_CTX_set_tlsext_ticket_key_evp_cb(context) { ssl, name, iv, cipher, mac, sealing in
            guard let name = unsafe name, let iv = unsafe iv, let keys = unsafe SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), 0)
            else { return -1 }
            let tickets = unsafe Unmanaged<TicketKeys>.fromOpaque(keys).takeUnretainedValue()
            if sealing == 1 { return unsafe tickets.seal(name, iv, cipher, mac) }
            return unsafe tickets.open(name, iv, cipher, mac, once: SSL_version(ssl) == TLS1_3_VERSION)
        }
    }

    /// 1: sealed; -1: failure, the handshake ends.
    private func seal(
        _ name: UnsafeMutablePointer<UInt8>, _ iv: UnsafeMutablePointer<UInt8>, _ context: OpaquePointer?, _ mac: OpaquePointer?
    ) -> CInt {
        let key = current()
        for (index, byte) in key.name.enumerated() { unsafe name[index] = byte }
        guard
            unsafe RAND_bytes(iv, 16) == 1,
            unsafe EVP_EncryptInit_ex2(context, cipher, key.cipher, iv, nil) == 1,
            unsafe key.start(mac)
        else { return -1 }
        return 1
    }

    /// 1: take it; 2: take it and send a new one; 0: unknown, a full handshake follows; -1: failure.
    ///
    /// `once`: clients use each ticket of TLS 1.3 for one connection (RFC 8446 §C.4), so that they always need a new one.
    private func open(
        _ name: UnsafeMutablePointer<UInt8>, _ iv: UnsafeMutablePointer<UInt8>, _ context: OpaquePointer?, _ mac: OpaquePointer?, once: Bool
    ) -> CInt {
        let now = current()
        let wanted = unsafe UnsafeBufferPointer(start: name, count: now.name.count)
        let isCurrent = unsafe wanted.elementsEqual(now.name)
        guard let key = isCurrent ? now : previous(), unsafe wanted.elementsEqual(key.name) else { return 0 }
        guard unsafe EVP_DecryptInit_ex2(context, cipher, key.cipher, iv, nil) == 1, unsafe key.start(mac) else { return -1 }
        return isCurrent && !once ? 1 : 2
    }

    private static var now: Int {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
        return time.tv_sec
    }

    private func previous() -> Key? { ring.withLock { $0.previous } }

    /// The key to seal with, replaced when its time is over.
    private func current() -> Key { ring.withLock { $0.current(now: Self.now) } }
}

extension TicketKeys.Ring {
    mutating func current(now: Int) -> TicketKeys.Key {
        let age = now - current.made
        // Without random numbers the old key goes on: refusing every handshake would help nobody.
        if age >= TLSLimits.ticketLifetime, let fresh = TicketKeys.Key(now: now) {
            previous = age < 2 * TLSLimits.ticketLifetime ? current : nil
            current = fresh
        }
        return current
    }
}

extension TicketKeys.Key {
    fileprivate func start(_ context: OpaquePointer?) -> Bool {
        var sha256 = Array("SHA256".utf8CString)
        return unsafe sha256.withUnsafeMutableBufferPointer { digest in
            let parameters = unsafe [
                OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.baseAddress, 0), OSSL_PARAM_construct_end(),
            ]
            return unsafe EVP_MAC_init(context, mac, mac.count, parameters) == 1
        }
    }
}

private func randomBytes(_ count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    return unsafe RAND_priv_bytes(&bytes, CInt(count)) == 1 ? bytes : nil
}
