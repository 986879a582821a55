import Policy
import Testing

@testable import ControlPlane

@Suite("README")
struct ReadmeTests {
    private static let readme = FileWorkspace.repository("README.md")
    /// Refusals that no request of this version can get: nothing brings them about yet.
    private static let later: [Denial] = [.misdirectedRequest, .keysUnavailable]

    @Test("names every code that a request can be refused with", arguments: Denial.allCases.filter { !later.contains($0) })
    func codes(_ denial: Denial) {
        #expect(Self.readme.contains("\(denial.status) `\(denial.code)`"))
    }
}
