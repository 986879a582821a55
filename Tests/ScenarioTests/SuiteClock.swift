import Foundation
import Testing

/// Prints how long a suite's tests took.
struct SuiteClock: SuiteTrait, TestTrait, TestScoping {
    func provideScope(for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void) async throws {
        let start = Date()
        try await function()
        print("\(test.displayName ?? test.name): \(String(format: "%.1f", Date().timeIntervalSince(start))) s")
    }
}

extension Trait where Self == SuiteClock {
    static var timed: SuiteClock { SuiteClock() }
}
