import Policy
import Tokens

/// `keys:` of a credential entry: one source, loaded at once, or fetched later.
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
        "keys",
        [
            secretFile.declaration, secretFiles.declaration, encoding.declaration, pemFile.declaration, jwksFile.declaration,
            jwksURL.declaration, discovery.declaration, authorities.declaration, refresh.declaration, maxStale.declaration,
            timeout.declaration,
        ],
        rules: [
            (
                "oneOf",
                .array(sources.map { .object([("required", .array([.string($0)]))]) })
            )
        ])

    private static let sources = ["secret_file", "secret_files", "pem_file", "jwks_file", "jwks_url", "discovery"]

    /// What the entry's keys are.
    enum Source {
        case loaded([VerificationKey])
        case fetched(FetchedKeys)

        /// Empty where they are fetched.
        var loaded: [VerificationKey] { if case .loaded(let keys) = self { keys } else { [] } }
        /// Nil where the file has them.
        var fetched: FetchedKeys? { if case .fetched(let keys) = self { keys } else { nil } }
    }

    /// Nil where a key can't be had or no algorithm is known to bind it to.
    static func read(_ section: Section, issuer: Located<String>?, allowed: AlgorithmSet?) -> Source? {
        let hasOneSource = checkSources(section)
        let loaded = readLoaded(section, allowed: hasOneSource ? allowed : nil)
        guard section.has(jwksURL) || section.has(discovery) else { return loaded.map { .loaded($0) } }
        return hasOneSource ? readFetched(section, issuer: issuer, allowed: allowed).map { .fetched($0) } : nil
    }

    private static func readLoaded(_ section: Section, allowed: AlgorithmSet?) -> [VerificationKey]? {
        let (secret, secrets, encoding, pem, jwks) = (
            section[secretFile], section[secretFiles], section[encoding], section[pemFile], section[jwksFile]
        )
        guard let allowed, let encoding else { return nil }
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
        let given = [
            section.has(secretFile), section.has(secretFiles), section.has(pemFile), section.has(jwksFile), section.has(jwksURL),
            section.has(discovery),
        ]
        let sources = zip(sources, given).filter(\.1).map(\.0)
        if section.has(encoding), !section.has(secretFile), !section.has(secretFiles) {
            section.refuse(encoding, "`encoding` is for secret files", fix: "remove it")
        }
        if !section.has(jwksURL), !section.has(discovery) {
            let settings = [
                ("ca_file", section.has(authorities)), ("refresh", section.has(refresh)), ("max_stale", section.has(maxStale)),
                ("timeout", section.has(timeout)),
            ]
            for (name, isGiven) in settings where isGiven {
                section.reading.problems.error(section.place(name), "`\(name)` is for keys that are fetched", fix: "remove it")
            }
        }
        if sources.count == 1 { return true }
        if sources.isEmpty {
            if section.hasUnknownKeys { return false }
            section.reading.problems.error(
                section.place, "no source of keys", fix: "add one of \(Self.sources.joined(separator: ", "))")
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
        switch FileBytes.readRegular(file.path, limit: YAMLDocument.bytes) {
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
