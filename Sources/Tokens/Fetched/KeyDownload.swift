package import Policy
import StrictJSON

/// Makes keys of fetched documents: a whole set or none, though a bad key among good ones is only left out (SPEC §2).
package enum KeyDownload {
    /// What a good set came to. Not empty.
    package struct Keys: Sendable {
        package let keys: [VerificationKey]
        /// The keys that were left out.
        package let leftOut: [KeyProblem]
        /// SHA-256 of the document.
        let digest: [UInt8]
    }

    /// Reads a key set. Throws `parse` where it is none, `empty` where none of its keys can be used.
    package static func keys(in document: FetchedDocument, algorithms: AlgorithmSet) throws(FetchFailure) -> Keys {
        let reading: KeySetReading
        do throws(KeyError) { reading = try KeySetReading(document.body, allowed: algorithms) } catch {
            throw FetchFailure(.parse, error.description)
        }
        guard !reading.keys.isEmpty else {
            let why = reading.problems.isEmpty ? "" : ": \(KeyError.badKeys(reading.problems).description)"
            throw FetchFailure(.empty, "\(KeyError.noUsableKey)\(why)")
        }
        return Keys(keys: reading.keys, leftOut: reading.problems, digest: Digest.sha256(document.body.span))
    }

    /// The key set's address in an issuer's metadata (OpenID Connect Discovery 1.0 §4.3), which must be this issuer's. Metadata from
    /// elsewhere can't send us to this machine's own loopback.
    static func keySetURL(in document: FetchedDocument, from: FetchURL, issuer: [UInt8]) throws(FetchFailure) -> FetchURL {
        let json: JSONDocument
        do { json = try JSONDocument(document.body, limits: .keySet) } catch {
            throw FetchFailure(.parse, "the issuer's metadata is not strict JSON: \(error)")
        }
        guard let named = json.member("issuer", of: json.root).flatMap({ json.string($0) }) else {
            throw FetchFailure(.parse, "the issuer's metadata has no `issuer`")
        }
        guard named == issuer else { throw FetchFailure(.issuer, "the issuer's metadata speaks for another issuer") }
        guard let text = json.member("jwks_uri", of: json.root).flatMap({ json.string($0) }) else {
            throw FetchFailure(.parse, "the issuer's metadata has no `jwks_uri`")
        }
        do throws(FetchURLError) {
            let url = try FetchURL(String(decoding: text, as: UTF8.self))
            guard url.isSecure || !from.isSecure else { throw .insecure }
            return url
        } catch {
            throw FetchFailure(.parse, "the `jwks_uri` in the issuer's metadata can't be fetched: \(error)")
        }
    }
}

/// One document as it is asked for.
package struct KeyRequest: Sendable {
    package let url: FetchURL
    /// The PEM file of the authorities that alone are trusted; nil trusts the system's.
    package let authorities: String?
    /// Milliseconds.
    package let timeout: Int64
    /// Whether the last fetch failed: others come first.
    package let isRetry: Bool
}

/// Fetches one document: ends in one call of the completion, on any thread, never before it returns.
package typealias KeyFetch = @Sendable (KeyRequest, @escaping @Sendable (Result<FetchedDocument, FetchFailure>) -> Void) -> Void

/// A set that was downloaded, with the freshness that its issuer declares.
package struct DownloadedKeys: Sendable {
    /// What the document holds.
    package enum Content: Sendable {
        case keys(KeyDownload.Keys)
        /// It is byte for byte the one with this digest, which was known, and was not read again: making keys takes its time.
        case same([UInt8])
    }

    package let content: Content
    /// Seconds; nil where the issuer doesn't say.
    package let maxAge: Int64?
}

extension KeyOrigin {
    /// How the keys are asked for.
    package struct Asking: Sendable {
        /// SHA-256 of the document that the keys in force were made of; nil where there are none.
        package var known: [UInt8]?
        /// Whether the last fetch failed.
        package var isRetry = false
    }

    /// Downloads the keys: one document, or two where the issuer's metadata has to be asked first.
    package func download(
        _ asking: Asking = Asking(), by fetch: @escaping KeyFetch,
        completion: @escaping @Sendable (Result<DownloadedKeys, FetchFailure>) -> Void
    ) {
        switch location {
        case .keySet(let url): download(url, asking, by: fetch, completion: completion)
        case .discovery(let url, let issuer):
            fetch(request(url, asking)) { answer in
                let found = answer.flatMap { document in
                    Result { () throws(FetchFailure) in try KeyDownload.keySetURL(in: document, from: url, issuer: issuer) }
                }
                switch found {
                case .success(let url): download(url, asking, by: fetch, completion: completion)
                case .failure(let failure): completion(.failure(failure))
                }
            }
        }
    }

    private func download(
        _ url: FetchURL, _ asking: Asking, by fetch: KeyFetch,
        completion: @escaping @Sendable (Result<DownloadedKeys, FetchFailure>) -> Void
    ) {
        fetch(request(url, asking)) { answer in
            completion(
                answer.flatMap { document in
                    Result { () throws(FetchFailure) in
                        DownloadedKeys(content: try content(of: document, known: asking.known), maxAge: document.maxAge)
                    }
                })
        }
    }

    private func content(of document: FetchedDocument, known: [UInt8]?) throws(FetchFailure) -> DownloadedKeys.Content {
        if let known, Digest.sha256(document.body.span) == known { return .same(known) }
        return .keys(try KeyDownload.keys(in: document, algorithms: algorithms))
    }

    private func request(_ url: FetchURL, _ asking: Asking) -> KeyRequest {
        KeyRequest(url: url, authorities: authorities, timeout: timeout, isRetry: asking.isRetry)
    }
}
