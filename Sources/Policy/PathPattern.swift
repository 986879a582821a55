/// A pattern of paths: `/v1/users/{user}/suspend`, `/v1/**`. Written in the canonical form of `RequestPath`.
package struct PathPattern: Hashable, Sendable {
    /// The pattern as written: the label of logs and metrics.
    package let text: String
    package let segments: [Segment]

    package enum Segment: Hashable, Sendable {
        case literal([UInt8])
        /// One segment of any non-empty value.
        case parameter(name: String)
        /// The rest of the path, nothing included: `/v1/**` matches `/v1` too. Last segment only.
        case rest
    }
}
