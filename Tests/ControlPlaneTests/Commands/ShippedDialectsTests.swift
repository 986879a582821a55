import Testing

@testable import ControlPlane

@Suite("Shipped dialects")
struct ShippedDialectsTests {
    @Test("the demo's dialects are the files in config/dialects", arguments: ShippedDialects.all.map(\.0))
    func areTheFiles(_ name: String) throws {
        let embedded = try #require(ShippedDialects.all.first { $0.0 == name }).1
        #expect(embedded == FileWorkspace.repository("config/dialects/\(name).yaml"))
    }
}
