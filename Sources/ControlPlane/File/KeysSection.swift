import Policy
import Tokens

/// `keys:` of a credential entry: one source, loaded at once.
enum KeysSection {
    static let secretFile = Key(
        "secret_file", .secretFile, .optional("another source"), "An HMAC secret; one trailing newline is not part of it.")
    static let secretFiles = Key(
        "secret_files", .list(of: .secretFile, 1...Limits.keysTried), .optional("another source"),
        "Several, so that secrets can rotate: the newest first.")
    static let encoding = Key<SecretEncoding>("encoding", .choice, .byDefault("utf8"), "How secret files write their bytes.")
    static let pemFile = Key("pem_file", .file, .optional("another source"), "A PEM file with one public key or certificate.")
    static let jwksFile = Key("jwks_file", .file, .optional("another source"), "A JSON Web Key Set (RFC 7517).")
    static let shape = SectionShape(
        "keys", [secretFile.declaration, secretFiles.declaration, encoding.declaration, pemFile.declaration, jwksFile.declaration],
        later: ["jwks_url", "discovery", "max_stale", "refresh", "ca"],
        rules: [
            (
                "oneOf",
                .array(["secret_file", "secret_files", "pem_file", "jwks_file"].map { .object([("required", .array([.string($0)]))]) })
            )
        ])

    /// Nil where a key can't be had or no algorithm is known to bind it to.
    static func read(_ section: Section, allowed: AlgorithmSet?) -> [VerificationKey]? {
        let (secret, secrets, encoding, pem, jwks) = (
            section[secretFile], section[secretFiles], section[encoding], section[pemFile], section[jwksFile]
        )
        guard checkSources(section), let allowed, let encoding else { return nil }
        if let files = secrets ?? secret.map({ [$0] }) {
            let keys = files.map {
                load($0, section) { bytes throws(KeyError) in [try KeyLoader.secret(bytes, encoding: encoding, allowed: allowed)] }
            }
            return keys.contains { $0 == nil } ? nil : keys.compactMap(\.self).flatMap(\.self)
        }
        if let pem { return load(pem, section) { bytes throws(KeyError) in [try KeyLoader.pem(bytes, allowed: allowed)] } }
        if let jwks { return load(jwks, section) { bytes throws(KeyError) in try KeyLoader.keySetFile(bytes, allowed: allowed) } }
        return nil
    }

    /// Whether there is exactly one source.
    private static func checkSources(_ section: Section) -> Bool {
        let sources = [
            ("secret_file", section.has(secretFile)), ("secret_files", section.has(secretFiles)), ("pem_file", section.has(pemFile)),
            ("jwks_file", section.has(jwksFile)),
        ].filter(\.1).map(\.0)
        if section.has(encoding), !section.has(secretFile), !section.has(secretFiles) {
            section.refuse(encoding, "`encoding` is for secret files", fix: "remove it")
        }
        if sources.count == 1 { return true }
        if sources.isEmpty {
            if section.hasUnknownKeys { return false }
            section.reading.problems.error(
                section.place, "no source of keys", fix: "add one of secret_file, secret_files, pem_file, jwks_file")
        } else {
            section.reading.problems.error(
                section.place, "\(sources.joined(separator: " and ")) are both given",
                fix: "keep one; for several issuers write several entries")
        }
        return false
    }

    private static func load(
        _ file: ReadableFile, _ section: Section, _ make: ([UInt8]) throws(KeyError) -> [VerificationKey]
    ) -> [VerificationKey]? {
        switch FileBytes.read(file.path, limit: YAMLDocument.bytes) {
        case .failure(let error):
            section.reading.problems.error(
                file.place, "the file \(file.path) can't be read (\(error.reason))", fix: "let the user that runs the gateway read it")
            return nil
        case .success(let bytes):
            do {
                return try make(bytes)
            } catch {
                section.reading.problems.error(file.place, "\(file.path): \(error)", fix: remedy(error, file.path))
                return nil
            }
        }
    }

    private static func remedy(_ error: KeyError, _ path: String) -> String {
        switch error {
        case .emptySecret, .secretTooShort: "make a longer one and give it to the issuer too: `openssl rand -hex 64 > \(path)`"
        case .notUTF8, .notBase64, .notHex: "set `encoding` to what the file holds: utf8, base64 or hex"
        case .secretIsPEM: "name the file with `pem_file`, and an RS, PS, ES or EdDSA algorithm"
        case .privateKey: "keep it at the issuer; write its public half here: `openssl pkey -in \(path) -pubout`"
        case .servesNoAlgorithm: "name its own algorithms in `algorithms`, or another key"
        case .rsaSize, .rsaExponent, .unsupportedType, .unsupportedCurve, .invalidKey: "use another key"
        default: "correct the file"
        }
    }
}
