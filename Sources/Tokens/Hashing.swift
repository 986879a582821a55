import COpenSSL

/// The hash functions of RFC 7518, each fetched from libcrypto once for the process.
///
/// `EVP_sha256()` instead would be looked up among the providers anew at every use, which costs more than the hash itself.
enum HashFunction: UInt8, CaseIterable, Sendable {
    case sha256, sha384, sha512

    /// Bytes of its value.
    var width: Int {
        switch self {
        case .sha256: 32
        case .sha384: 48
        case .sha512: 64
        }
    }

    var name: String {
        switch self {
        case .sha256: "SHA256"
        case .sha384: "SHA384"
        case .sha512: "SHA512"
        }
    }

    var method: OpaquePointer { unsafe Self.methods[Int(rawValue)] }

    // EVP_MD objects are immutable and may be used from any thread; they live as long as the process.
    private nonisolated(unsafe) static let methods: [OpaquePointer] = unsafe allCases.map { function in
        guard let method = unsafe EVP_MD_fetch(nil, function.name, nil) else { fatalError("libcrypto has no \(function.name)") }
        return unsafe method
    }
}

/// A reusable hash computation: one per event loop, so that nothing is allocated per value.
@safe final class Hashing {
    private let context: OpaquePointer

    init() {
        guard let context = unsafe EVP_MD_CTX_new() else { fatalError("out of memory") }
        unsafe self.context = context
    }

    deinit { unsafe EVP_MD_CTX_free(context) }

    /// The value over `bytes`, of `function.width` bytes; nil where libcrypto fails.
    func value(of bytes: Span<UInt8>, by function: HashFunction) -> [UInt8]? {
        var value = [UInt8](repeating: 0, count: function.width)
        let done = unsafe bytes.withUnsafeBufferPointer { input in
            unsafe EVP_DigestInit_ex2(context, function.method, nil) == 1
                && EVP_DigestUpdate(context, input.baseAddress, input.count) == 1
                && EVP_DigestFinal_ex(context, &value, nil) == 1
        }
        return done ? value : nil
    }
}
