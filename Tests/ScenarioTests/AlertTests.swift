import Foundation
import TestSupport
import Testing

/// config/alerts.yaml: rules that Prometheus takes, about metrics that there are.
@Suite("alert rules", .timed)
struct AlertTests {
    private static let rules = BuildProducts.repository.appending(path: "config/alerts.yaml")

    @Test("promtool takes the rules", .enabled(if: Promtool.isThere, "promtool is not installed"))
    func rules() throws {
        let result = try ChildProcess.run(Promtool.path ?? "", ["check", "rules", Self.rules.path], in: try TemporaryFolder())
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("SUCCESS"))
    }

    @Test("they name metrics that the gateway tells")
    func names() throws {
        let world = try World { $0.more = ["probes: {address: 127.0.0.1:0}"] }
        let told = try world.gateway.metrics().text
        let text = try String(contentsOf: Self.rules, encoding: .utf8)
        let names = Set(text.matches(of: /(tenantgate|process)_[a-z_]+/).map { String($0.0) })
        #expect(names.count >= 8)
        for name in names {
            let family = name.replacing(/_(bucket|sum|count)$/, with: "")
            #expect(told.contains("# TYPE \(name) ") || told.contains("# TYPE \(family) histogram"), "\(name)")
        }
    }
}
