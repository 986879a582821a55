package import Policy

/// Where a credential block's keys are fetched from, and how (SPEC §2, "JWKS by URL"). Blocks with equal origins share one fetch.
package struct KeyOrigin: Hashable, Sendable {
    /// What is fetched.
    package enum Location: Hashable, Sendable {
        /// The key set itself.
        case keySet(FetchURL)
        /// The issuer's metadata (OpenID Connect Discovery 1.0 §4), which names the key set and must name `issuer`, byte for byte.
        case discovery(FetchURL, issuer: [UInt8])
    }

    package var location: Location
    /// The algorithms that the file allows: what fetched keys are bound to.
    package var algorithms: AlgorithmSet
    /// The PEM file of the authorities that alone are trusted; nil trusts the system's.
    package var authorities: String?
    /// Milliseconds between two fetches at most: how long a withdrawn key may go on being taken.
    package var refresh: Int64
    /// Milliseconds for which the last good set serves while no fetch succeeds.
    package var maxStale: Int64
    /// Milliseconds that one fetch may take.
    package var timeout: Int64

    package init(
        _ location: Location, algorithms: AlgorithmSet, authorities: String? = nil, refresh: Int64 = 300_000, maxStale: Int64 = 86_400_000,
        timeout: Int64 = 5000
    ) {
        self.location = location
        self.algorithms = algorithms
        self.authorities = authorities
        self.refresh = refresh
        self.maxStale = maxStale
        self.timeout = timeout
    }

    /// What its keys come from: the same for origins that are only asked at other times.
    struct Document: Hashable {
        let location: Location
        let algorithms: AlgorithmSet
        let authorities: String?
    }

    var document: Document { Document(location: location, algorithms: algorithms, authorities: authorities) }

    /// The document that is fetched first, without its query: how people know the origin.
    package var shown: String {
        switch location {
        case .keySet(let url), .discovery(let url, issuer: _): url.shown
        }
    }
}
