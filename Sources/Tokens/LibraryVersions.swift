import COpenSSL

/// The version of libcrypto that this target runs with, for `--version`. libjwt doesn't say its own.
package enum LibraryVersions {
    /// OpenSSL's own words: `OpenSSL 3.0.17 1 Jul 2025`.
    package static var openSSL: String { unsafe String(cString: OpenSSL_version(OPENSSL_VERSION)) }
}
