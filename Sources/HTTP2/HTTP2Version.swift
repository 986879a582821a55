import CNGHTTP2

/// The version of libnghttp2 that this target runs with, for `--version`.
package enum HTTP2Version {
    package static var text: String { unsafe nghttp2_version(0).map { unsafe String(cString: $0.pointee.version_str) } ?? "unknown" }
}
