import HTTPWire
import Policy

extension Denial {
    /// The refusal of a request that breaks a rule of the wire.
    init(_ error: WireError) {
        self =
            switch error.kind {
            case .badRequest: .badRequest
            case .ambiguousPath: .ambiguousPath
            case .duplicateHeader: .duplicateHeader
            case .uriTooLong: .uriTooLong
            case .headersTooLarge: .headersTooLarge
            case .notImplemented: .notImplemented
            case .versionNotSupported: .httpVersionNotSupported
            }
    }
}
