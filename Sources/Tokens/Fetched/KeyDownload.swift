package import Policy
import StrictJSON

/// Makes keys of fetched documents: a whole set or none, though a bad key among good ones is only left out (SPEC §2).
package enum KeyDownload {
    /// What a good set came to. Not empty.
    package struct Keys: Sendable {
        package let keys: [VerificationKey]
        /// The keys that were left out.
        package let leftOut: [KeyProblem]
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
        return Keys(keys: reading.keys, leftOut: reading.problems)
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
}

/// Fetches one document: ends in one call of the completion, on any thread, never before it returns.
package typealias KeyFetch = @Sendable (KeyRequest, @escaping @Sendable (Result<FetchedDocument, FetchFailure>) -> Void) -> Void

/// A set that was downloaded, with the freshness that its issuer declares.
package struct DownloadedKeys: Sendable {
    package let keys: KeyDownload.Keys
    /// Seconds; nil where the issuer doesn't say.
    package let maxAge: Int64?
}

extension KeyOrigin {
    /// Downloads the keys: one document, or two where the issuer's metadata has to be asked first.
    package func download(by fetch: @escaping KeyFetch, completion: @escaping @Sendable (Result<DownloadedKeys, FetchFailure>) -> Void) {
        switch location {
        case .keySet(let url): download(url, by: fetch, completion: completion)
        case .discovery(let url, let issuer):
            fetch(request(url)) { answer in
                let found = answer.flatMap { document in
                    Result { () throws(FetchFailure) in try KeyDownload.keySetURL(in: document, from: url, issuer: issuer) }
                }
                switch found {
                case .success(let url): download(url, by: fetch, completion: completion)
                case .failure(let failure): completion(.failure(failure))
                }
            }
        }
    }

    private func download(
        _ url: FetchURL, by fetch: KeyFetch, completion: @escaping @Sendable (Result<DownloadedKeys, FetchFailure>) -> Void
    ) {
        fetch(request(url)) { answer in
            completion(
                answer.flatMap { document in
                    Result { () throws(FetchFailure) in
                        DownloadedKeys(keys: try KeyDownload.keys(in: document, algorithms: algorithms), maxAge: document.maxAge)
                    }
                })
        }
    }

    private func request(_ url: FetchURL) -> KeyRequest { KeyRequest(url: url, authorities: authorities, timeout: timeout) }
}
