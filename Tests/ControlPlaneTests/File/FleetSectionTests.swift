import Suspensions
import Testing

@testable import ControlPlane

@Suite("fleet section")
struct FleetSectionTests {
    private func check(_ fleet: String) -> CheckedFile {
        let workspace = FileWorkspace()
        workspace.write("secrets/empty", "\n", mode: 0o600)
        return workspace.check(goodFile.replacing("limits: {token: 8KiB}", with: "fleet: {\(fleet)}"))
    }

    @Test("the defaults wait for nobody and go on serving")
    func defaults() throws {
        let fleet = try #require(check("database: postgresql://gate@db/t").configuration?.fleet)
        #expect(fleet.acknowledge == .gateway)
        #expect(fleet.behind == .serve)
        #expect(fleet.behindMilliseconds == 60_000)
        #expect(fleet.passwordFile == nil)
        #expect(!fleet.name.isEmpty)
    }

    @Test("a password is told by nothing that is said about the file")
    func secret() {
        for fleet in [
            "database: \"postgresql://u:wonderland@db/t\"", "database: \"postgresql://u:wonderland%zz@db/t\"",
            "database: \"host=db password=wonderland\"",
            "database: \"postgresql://u:wonderland@db/t\", password_file: secrets/rinne.secret",
        ] {
            let problems = CheckReport.problems(check(fleet).problems)
            #expect(!problems.isEmpty)
            #expect(!problems.contains("wonderland"))
        }
    }

    @Test("an empty password file is refused")
    func empty() {
        let checked = check("database: postgresql://gate@db/t, password_file: secrets/empty")
        #expect(checked.configuration == nil)
        #expect(checked.problems.contains { $0.message.hasSuffix("secrets/empty is empty") })
    }

    @Test("another fleet takes a restart, and what it was is not said")
    func restart() throws {
        let before = try #require(check("database: \"postgresql://u:wonderland@db/t\"").configuration)
        var after = before
        after.fleet?.database = "postgresql://u@db/t"
        #expect(RestartKeys.problems(from: before, to: before).isEmpty)
        let problems = RestartKeys.problems(from: before, to: after)
        #expect(problems.map(\.message) == ["`fleet` can't change without a restart"])
        #expect(!CheckReport.problems(problems).contains("wonderland"))
    }

    @Test("without a fleet the check says what a second gateway would not know")
    func replicas() throws {
        let alone = try #require(FileWorkspace().check(goodFile).configuration)
        #expect(CheckReport.replicas(of: alone).contains("a second gateway"))
        let joined = try #require(check("database: postgresql://gate@db/t").configuration)
        #expect(CheckReport.replicas(of: joined).isEmpty)
        #expect(CheckReport.upgrades(of: alone).isEmpty)
        #expect(CheckReport.upgrades(of: joined).contains("restart the members one after the other"))
    }
}
