import Foundation
import Testing

@testable import ControlPlane

/// Which folders must be watched so that no change of a file goes unnoticed.
@Suite("watched places")
struct WatchedPlacesTests {
    private let workspace = FileWorkspace()

    private func places(_ files: [String]) -> WatchedPlaces {
        var inputs = InputFiles()
        for file in files { inputs.note(file: "\(workspace.folder)/\(file)", .other) }
        return WatchedPlaces(inputs)
    }

    private func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: "\(workspace.folder)/\(name)", withDestinationPath: target)
    }

    @Test("a file's own folder counts for its name alone")
    func plain() {
        let places = places(["secrets/jitsudo.secret"])
        #expect(places.counts("jitsudo.secret", in: "\(workspace.folder)/secrets"))
        #expect(!places.counts("rinne.secret", in: "\(workspace.folder)/secrets"))
        #expect(!places.counts("secrets", in: workspace.folder))
    }

    @Test("every link on the way counts where it stands, and the file where it is")
    func links() throws {
        try link("..data", to: "secrets")
        try link("mounted", to: "..data/jitsudo.secret")
        let places = places(["mounted"])
        #expect(places.counts("mounted", in: workspace.folder))
        #expect(places.counts("..data", in: workspace.folder))
        #expect(places.counts("jitsudo.secret", in: "\(workspace.folder)/secrets"))
    }

    @Test("what is missing is waited for where its way ends")
    func missing() {
        let places = places(["later/secret", "var/secret"])
        #expect(places.counts("later", in: workspace.folder))
        #expect(places.counts("secret", in: "\(workspace.folder)/var"))
    }

    @Test("links in a circle end")
    func circle() throws {
        try link("one", to: "two")
        try link("two", to: "one")
        #expect(places(["one"]).folders == [workspace.folder])
    }

    @Test("a folder counts with every YAML file in it, and so does the way to it")
    func folder() throws {
        try link("issuers", to: "dialects")
        var inputs = InputFiles()
        inputs.note(folder: "\(workspace.folder)/issuers")
        let places = WatchedPlaces(inputs)
        #expect(places.counts("issuers", in: workspace.folder))
        #expect(places.counts("new.yaml", in: "\(workspace.folder)/dialects"))
        #expect(!places.counts(".new.yaml", in: "\(workspace.folder)/dialects"))
        #expect(!places.counts("notes.txt", in: "\(workspace.folder)/dialects"))
    }
}
